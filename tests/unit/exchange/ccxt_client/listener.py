"""Listens to a stream in the background of a test."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any


class Listener:
    """Collects what a stream yields."""

    def __init__(self, stream: AsyncGenerator[Any, None]) -> None:
        self.stream = stream
        self.events: list[Any] = []
        self.came = asyncio.Condition()
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        async for event in self.stream:
            async with self.came:
                self.events.append(event)
                self.came.notify_all()

    async def until(self, test: Callable[[list[Any]], bool]) -> None:
        async with self.came:
            await asyncio.wait_for(self.came.wait_for(lambda: test(self.events)), 10)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.stream.aclose()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
