"""Who listens to a simulated exchange: each listener has a queue, and can be waited for until he has heard all."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["Subscription"]

Event = TypeVar("Event")


class Subscription(Generic[Event]):
    """The events of one stream, from the moment it is made."""

    def __init__(self) -> None:
        self._queue: deque[Event] = deque()
        self._came = asyncio.Event()
        self._rested = asyncio.Event()
        self._is_begun = False
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes."""
        return self._is_closed

    def put(self, event: Event) -> None:
        """Let the listener hear an event."""
        self._queue.append(event)
        self._rested.clear()
        self._came.set()

    def close(self) -> None:
        """Let the stream end behind what it still has."""
        self._is_closed = True
        self._came.set()

    async def settled(self) -> None:
        """Return when the listener has dealt with all that was put; at once for one who has not begun to listen."""
        if self._is_begun and not self._is_closed:
            await self._rested.wait()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events as they come."""
        self._is_begun = True
        try:
            while True:
                while self._queue:
                    yield self._queue.popleft()
                if self._is_closed:
                    return
                self._came.clear()
                self._rested.set()
                await self._came.wait()
        finally:
            self._is_closed = True
            self._rested.set()
