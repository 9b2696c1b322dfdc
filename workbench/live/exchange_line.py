"""A session's line to an exchange: one client on an event loop of its own, on a thread of its own.

Never the notebook's loop, which stands still while a cell runs. The session's thread asks and waits, or is woken when
something has come.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from workbench.errors import ExchangeTimeoutError
from workbench.exchange.ccxt_client.timing import SystemTiming

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from workbench.exchange import ExchangeClient
    from workbench.exchange.ccxt_client.timing import Timing

__all__ = ["ExchangeLine", "LineClock"]

_log = logging.getLogger(__name__)

_ASK_TIMEOUT_S: Final = 60.0
_CLOSE_TIMEOUT_S: Final = 10.0
_NS_PER_S: Final = 1_000_000_000
# Longest wait before the exchange's time is looked at again: it may run at another speed than ours.
_LONGEST_WAIT_S: Final = 1.0

Answer = TypeVar("Answer")


class ExchangeLine:
    """An `ExchangeClient` for threads. Close it: it holds a thread and sockets.

    Parameters
    ----------
    open_client : callable
        Makes the client; called once, on the line's own loop.
    timing : Timing, optional
        The client's clock; the computer's unless given.
    """

    def __init__(self, open_client: Callable[[], ExchangeClient], *, timing: Timing | None = None) -> None:
        self.timing: Timing = SystemTiming() if timing is None else timing
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="workbench-exchange-line", daemon=True)
        self._is_closed = False
        self._thread.start()
        try:
            self._client = self._call(_made(open_client), _ASK_TIMEOUT_S)
        except BaseException:
            self._stop_loop()
            raise

    @property
    def name(self) -> str:
        """Name of the exchange."""
        return self._client.name

    @property
    def offset_ns(self) -> int:
        """Exchange's time minus ours, 0 before it was measured."""
        clock = self._client.clock
        return 0 if clock is None else clock.offset_ns

    def now_ns(self) -> int:
        """Return the exchange's time as we know it, ns UTC."""
        return self.timing.now_ns() + self.offset_ns

    def ask(
        self, make: Callable[[ExchangeClient], Coroutine[Any, Any, Answer]], *, timeout_s: float = _ASK_TIMEOUT_S
    ) -> Answer:
        """Run what `make` makes of the client and return its result, or raise its error.

        Raises
        ------
        ExchangeTimeoutError
            There was no answer within `timeout_s` real seconds.
        """
        return self._call(make(self._client), timeout_s)

    def run(self, make: Callable[[ExchangeClient], Coroutine[Any, Any, None]], on_error: Callable[[str], None]) -> None:
        """Run what `make` makes of the client in the background; an error is logged and told to `on_error`."""

        async def guarded() -> None:
            try:
                await make(self._client)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  logged with its traceback, and the session is told
                # The border of the line: without it a stream would end without a word.
                _log.exception("the line to %s broke", self._client.name)
                on_error(f"{type(error).__name__}: {error}")

        def begin() -> None:
            task = self._loop.create_task(guarded())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(begin)

    def close(self) -> None:
        """End all streams, close the client and the thread. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._call(self._hang_up(), _CLOSE_TIMEOUT_S)
        finally:
            self._stop_loop()

    def _call(self, work: Coroutine[Any, Any, Answer], timeout_s: float) -> Answer:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            if future.done():
                raise
            future.cancel()
            raise ExchangeTimeoutError(
                f"no answer within {timeout_s:g} s", exchange="the exchange", retryable=True
            ) from error

    async def _hang_up(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()
        await self._loop.shutdown_asyncgens()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()


async def _made(open_client: Callable[[], ExchangeClient]) -> ExchangeClient:
    return open_client()


class LineClock:
    """The exchange's time as a session's clock: freshness is judged by it, at whatever speed it runs.

    Parameters
    ----------
    line : ExchangeLine
        Whose time counts.
    """

    def __init__(self, line: ExchangeLine) -> None:
        self._line = line

    def now_ns(self) -> int:
        """Return the exchange's time in ns UTC."""
        return self._line.now_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds of real time since an unnamed instant; never goes back."""
        return self._line.timing.monotonic_ns()

    def wait(self, wake: threading.Event, timeout_s: float) -> None:
        """Return when `wake` is set, after `timeout_s` of real time, or a second."""
        wake.wait(min(max(timeout_s, 0.0), _LONGEST_WAIT_S))

    def wait_until(self, wake: threading.Event, time_ns: int) -> None:
        """Return when `wake` is set, when the exchange's time has reached `time_ns`, or after a second."""
        self.wait(wake, (time_ns - self.now_ns()) / self._line.timing.speed / _NS_PER_S)
