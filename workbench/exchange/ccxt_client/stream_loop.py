"""Ask a source for more, again and again, and say so when nothing comes: the part that all streams share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import AuthError, ConfigError, ExchangeUnavailableError, RateLimitError
from workbench.exchange.ccxt_client.call_record import CallRecord
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.taxonomy import read_problem
from workbench.exchange.ccxt_client.timing import NS_PER_S
from workbench.exchange.streams import BadRecord, StreamInterrupted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from workbench.exchange.ccxt_client.calls import Attempt, CallDesk
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.streams import Interruption

__all__ = ["StreamLoop"]

_FIRST_RETRY_S: Final = 0.1
_LONGEST_RETRY_S: Final = 30.0
_MOST_DOUBLINGS: Final = 10


class StreamLoop:
    """One source of records that is asked for ever.

    Parameters
    ----------
    exchange : ccxt exchange
        Its websockets are closed when they bring nothing.
    desk : CallDesk
        Makes the calls.
    timing : Timing
        Waiting.
    source : callable
        Returns, when awaited, the next records.
    symbol : str
        For events.
    silent_after_s : float
        Real seconds without a record after which the source is taken for dead, whatever its line says.

    Attributes
    ----------
    last_data_ns : int
        Exchange time of the last record, set by whoever reads them; 0 before the first.
    was_interrupted : bool
        Whether something may have been missed since the reader last set it to False.
    """

    def __init__(
        self,
        exchange: Any,  # noqa: ANN401 - ccxt has no types
        desk: CallDesk,
        timing: Timing,
        source: Callable[[], Awaitable[Any]],
        *,
        symbol: str,
        silent_after_s: float,
    ) -> None:
        self.last_data_ns = 0
        self.was_interrupted = False
        self._exchange = exchange
        self._desk = desk
        self._timing = timing
        self._source = source
        self._symbol = symbol
        self._silent_after_ns = int(silent_after_s * NS_PER_S)
        self._heard_at_ns = timing.monotonic_ns()
        self._failures = 0
        self._record = CallRecord()
        self._lines: dict[str, Any] = {}
        self._asking: asyncio.Task[Attempt[Any]] | None = None
        self._timer: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """Note that a record came that is new: only those keep the source alive."""
        self._heard_at_ns = self._timing.monotonic_ns()
        self._failures = 0

    async def answers(self) -> AsyncGenerator[Any, None]:
        """Yield what the source brings, a `StreamInterrupted` whenever it fails or is silent, and each `BadRecord`.

        Raises
        ------
        AuthError
            The key is not accepted.
        ConfigError
            What was asked for does not exist.
        """
        try:
            while True:
                attempt = await self._next()
                if self._exchange.is_shut:
                    return
                while self._exchange.unreadable:
                    yield BadRecord(self._symbol, self._desk.redact(self._exchange.unreadable.popleft()))
                if attempt is None:
                    await self._hang_up("it brought nothing for too long")
                    yield self._interrupted("silent", f"no data for {self._silent_after_ns / NS_PER_S:g} s", 0.0)
                elif attempt.error is None:
                    self._look_at_lines()
                    yield attempt.answer
                else:
                    interruption = self._failed(attempt)
                    # ccxt leaves a line on which it failed to log in waiting for ever, with all that use it.
                    await self._hang_up("a stream on it failed")
                    yield interruption
                    await self._timing.sleep(interruption.retry_in_s)
        finally:
            await self._stop()

    async def _next(self) -> Attempt[Any] | None:
        """Return what the source brings next; None when it was silent for too long."""
        while not self._exchange.is_shut:
            if self._asking is None:
                self._record = CallRecord()
                self._asking = asyncio.create_task(self._desk.attempt(self._source, CallPriority.MARKET, self._record))
            left_ns = self._heard_at_ns + self._silent_after_ns - self._timing.monotonic_ns()
            if left_ns <= 0 and not self._asking.done():
                return None
            if self._timer is None or self._timer.done():
                self._timer = asyncio.create_task(self._timing.sleep(left_ns / NS_PER_S))
            await asyncio.wait({self._asking, self._timer}, return_when=asyncio.FIRST_COMPLETED)
            if self._asking.done():
                asking, self._asking = self._asking, None
                # Cancelled by another stream on the same line, or by `close`, which the next attempt will tell.
                if not asking.cancelled():
                    return asking.result()
        return None

    def _failed(self, attempt: Attempt[Any]) -> StreamInterrupted:
        error = attempt.error
        if isinstance(error, ConfigError):
            raise error
        record, redact = attempt.record, self._desk.redact
        problem = read_problem(self._desk.name, "what its stream brings", error or OSError(), record, redact)
        status = _handshake_status(error)
        if isinstance(problem, AuthError):
            raise problem
        cause: Interruption = "disconnected"
        if isinstance(problem, RateLimitError) or status in {418, 429}:
            cause = "rate_limited"
        elif attempt.record.is_answered or status is not None or isinstance(error, ExchangeUnavailableError):
            cause = "unavailable"
        self._failures += 1
        retry_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(self._failures - 1, _MOST_DOUBLINGS))
        # The time before the next attempt is not the source's silence.
        self._heard_at_ns = self._timing.monotonic_ns() + int(retry_s * NS_PER_S)
        return self._interrupted(cause, str(problem), retry_s)

    def _interrupted(self, cause: Interruption, reason: str, retry_in_s: float) -> StreamInterrupted:
        self.was_interrupted = True
        self._heard_at_ns = max(self._heard_at_ns, self._timing.monotonic_ns())
        return StreamInterrupted(self._symbol, cause, reason, self.last_data_ns, self._timing.now_ns(), retry_in_s)

    async def _hang_up(self, why: str) -> None:
        """Close the websockets that the source uses, so that asking again connects anew."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        current = self._exchange.clients or {}
        for url, line in self._record.lines.items():
            # Only the line that failed: another stream may have opened the next one already.
            if url not in current or current[url] is not line:
                continue
            del current[url]
            # Others that wait on it are told first: closing alone would cancel them like a user's stop.
            for waiting in line.futures.values():
                waiting.add_done_callback(_note_error)
            line.reject(ConnectionError(why))
            await line.close()

    def _look_at_lines(self) -> None:
        """Note when a line is another than before: ccxt connects a broken one anew without a word."""
        if any(self._record.lines.get(url, line) is not line for url, line in self._lines.items()):
            self.was_interrupted = True
        self._lines |= self._record.lines

    async def _stop(self) -> None:
        for task in (self._asking, self._timer):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._asking = self._timer = None


def _note_error(future: asyncio.Future[Any]) -> None:
    """Look at a future's error, as somebody who waits no longer does not, and asyncio complains of that."""
    if not future.cancelled():
        future.exception()


def _handshake_status(error: BaseException | None) -> int | None:
    """Return the HTTP status with which a websocket was refused, which ccxt packs into its own error."""
    inner = error.args[0] if error is not None and error.args else None
    status = getattr(inner, "status", None)
    return status if isinstance(status, int) else None
