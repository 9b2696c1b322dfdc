"""The updates that one process hears of a session: a line for each chart that somebody follows."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from workbench.live.chart_history import Subscribers
from workbench.live.process.numbering import Numbering
from workbench.live.process.publisher import topic_of
from workbench.live.process.update_reader import UpdateReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.live.records import StepUpdate
    from workbench.model import AccountState

__all__ = ["UpdateLines"]


class UpdateLines:
    """Readers of a session's updates and those who hear them, by symbol; thread-safe.

    Parameters
    ----------
    folder : Path
        The session's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._numbering: defaultdict[str, Numbering] = defaultdict(Numbering)
        self._open: dict[str, tuple[UpdateReader, Subscribers]] = {}

    def numbering(self, name: str) -> Numbering:
        """Return the numbers of a symbol's updates; those of a session's only or first chart have no name."""
        with self._lock:
            return self._numbering[name]

    def subscribe(
        self,
        name: str,
        callback: Callable[[StepUpdate], None],
        fetch_account: Callable[[], AccountState],
        on_error: Callable[[Exception], None],
    ) -> tuple[UpdateReader, Callable[[], None]]:
        """Call back with each update of a symbol's chart; return who hears them, and how to end that."""
        numbering = self.numbering(name)
        with self._lock:
            if name not in self._open:
                subscribers = Subscribers(on_error)
                topic = topic_of(name) if name else b""
                reader = UpdateReader(self._folder, numbering, subscribers.tell, fetch_account, topic=topic)
                self._open[name] = (reader, subscribers)
            reader, subscribers = self._open[name]
            end = subscribers.add(callback)

        def unsubscribe() -> None:
            end()
            if reader.pid != os.getpid():
                return  # a fork of the process that subscribed: the thread is not here
            with self._lock:
                if not len(subscribers) and self._open.get(name, (None,))[0] is reader:
                    self._open.pop(name)[0].end()

        return reader, unsubscribe

    def close(self) -> None:
        """End all readers and forget who heard them."""
        with self._lock:
            for reader, _ in self._open.values():
                reader.end()
            self._open.clear()
