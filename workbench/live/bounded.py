"""Lists that keep the newest items and count what they dropped."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BoundedLog"]

T = TypeVar("T")


class BoundedLog(Generic[T]):
    """The newest items of an endless list; thread-safe.

    Parameters
    ----------
    capacity : int
        Items to keep, at least 1.

    Raises
    ------
    ConfigError
        The capacity is below 1.

    Examples
    --------
    >>> log = BoundedLog(2)
    >>> log.extend([1, 2, 3])
    >>> log.newest(5), log.newest(1), len(log), log.dropped
    ((2, 3), (3,), 2, 1)
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ConfigError(f"capacity must be >= 1, was {capacity}")
        self.capacity = capacity
        self._lock = threading.Lock()
        self._items: deque[T] = deque(maxlen=capacity)
        self._added = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def added(self) -> int:
        """How many items ever came."""
        return self._added

    @property
    def dropped(self) -> int:
        """How many old items were dropped for newer ones."""
        with self._lock:
            return self._added - len(self._items)

    def append(self, item: T) -> None:
        """Add an item as the newest."""
        with self._lock:
            self._items.append(item)
            self._added += 1

    def extend(self, items: Iterable[T]) -> None:
        """Add items, the last of which becomes the newest."""
        for item in items:
            self.append(item)

    def newest(self, limit: int | None = None) -> tuple[T, ...]:
        """Return the newest items, oldest of them first; all that are kept when `limit` is None.

        Raises
        ------
        ConfigError
            The limit is negative.
        """
        if limit is not None and limit < 0:
            raise ConfigError(f"limit must be >= 0 or None, was {limit}")
        with self._lock:
            items = tuple(self._items)
        return items if limit is None else items[len(items) - min(limit, len(items)) :]
