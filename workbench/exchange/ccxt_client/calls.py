"""Every call of ccxt goes through here: its priority, its record, its errors, and the exchange's clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from workbench.errors import ExchangeUnavailableError
from workbench.exchange.ccxt_client.call_record import CURRENT_CALL, CallRecord
from workbench.exchange.ccxt_client.taxonomy import ccxt_kinds, read_problem, root_error
from workbench.exchange.credentials import redacted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.exchange.ccxt_client.limiter import CallPriority, RateLimiter

__all__ = ["Attempt", "CallDesk"]

Answer = TypeVar("Answer")

# What to stay away when the exchange asks for fewer calls and does not say for how long.
_USUAL_PAUSE_S: Final = 5.0
_USUAL_BAN_S: Final = 120.0
_BANNED: Final = 418


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Answer]):
    """One call: its answer, or its error, and what went over the wire. What may hold secrets is not shown.

    Attributes
    ----------
    answer : object or None
        What ccxt returned.
    error : BaseException or None
        What ccxt raised.
    record : CallRecord
        What went over the wire.
    """

    answer: Answer | None = field(repr=False)
    error: BaseException | None = field(repr=False)
    record: CallRecord


class CallDesk:
    """Makes calls. Never repeats one.

    Parameters
    ----------
    name : str
        Name of the exchange for errors.
    limiter : RateLimiter
        Told to pause when the exchange asks for fewer calls.
    redact : callable
        Takes secrets out of a text.

    Attributes
    ----------
    is_clock_doubted : bool
        Whether the exchange threw a request away for its time since the clock was last measured.
    """

    def __init__(self, name: str, limiter: RateLimiter, redact: Callable[[str], str] = redacted) -> None:
        self.name = name
        self.redact = redact
        self.is_clock_doubted = False
        self._limiter = limiter

    async def attempt(
        self, call: Callable[[], Awaitable[Answer]], priority: CallPriority, record: CallRecord | None = None
    ) -> Attempt[Answer]:
        """Make a `call` with a `priority`, and return what came of it, whatever that was.

        A `record` may be given to look at it meanwhile.
        """
        record = CallRecord() if record is None else record
        record.priority = priority
        token = CURRENT_CALL.set(record)
        answer: Answer | None = None
        problem: BaseException | None = None
        try:
            answer = await call()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - one of the three borders: whatever ccxt raises has a meaning for us
            problem = root_error(error)
        finally:
            CURRENT_CALL.reset(token)
        self._learn(record, problem)
        return Attempt(answer, problem, record)

    async def read(self, what: str, call: Callable[[], Awaitable[Any]], priority: CallPriority) -> Any:  # noqa: ANN401 - ccxt has no types
        """Return the answer to a `call` that changes nothing; `what` and `priority` as for errors and the limiter.

        Raises
        ------
        ExchangeError
            The call failed, or was answered with something that cannot be an answer.
        """
        attempt = await self.attempt(call, priority)
        problem = None
        if attempt.error is not None:
            problem = read_problem(self.name, what, attempt.error, attempt.record, self.redact)
        elif attempt.record.is_garbage:
            problem = self.garbage(what, attempt.record)
        # Raised out here, away from ccxt's exception and its frames: those hold keys and signatures.
        if problem is not None:
            raise problem
        return attempt.answer

    def garbage(self, what: str, record: CallRecord) -> ExchangeUnavailableError:
        """Return the error for an answer to a question (`what`) that is none, with what the `record` has of it."""
        text = f"{self.name} did not tell {what}: its answer cannot be read, {self.redact(record.shown)}"
        return ExchangeUnavailableError(text, exchange=self.name, retryable=True)

    def _learn(self, record: CallRecord, error: BaseException | None) -> None:
        """Stay away for as long as the exchange asks, and doubt the clock when it does."""
        if record.is_too_many:
            usual_s = _USUAL_BAN_S if record.status == _BANNED else _USUAL_PAUSE_S
            self._limiter.pause(usual_s if record.retry_after_s is None else record.retry_after_s)
        if error is not None and "InvalidNonce" in ccxt_kinds(error):
            self.is_clock_doubted = True
