"""How an order is placed, found again and cancelled: generators that yield what is to be done and are sent the answers.

Nothing here waits, sends or writes. A procedure that is dropped at any of its effects, as by a crash, leaves an order
that `Procedures.recover` brings to its end, for its intent was recorded before it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from workbench.core.order_state.effects import (
    Cancel,
    Doubted,
    Ended,
    Failed,
    Found,
    Journal,
    Looked,
    Now,
    Query,
    Refused,
    Send,
    Sleep,
    Tell,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from workbench.core.order_state.effects import Answer, Effect, Placed
    from workbench.core.order_state.intents import Intent, NamedOrder

    Placing: TypeAlias = Generator[Effect, Answer, Placed | None]
    Resolving: TypeAlias = Generator[Effect, Answer, Placed]

__all__ = ["RETRIES_S", "Procedures"]

RETRIES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a refused exit or a cancel that failed is tried again, real seconds; then it takes a person."""

# Between two questions for an order that nobody can tell of, real seconds: at first, and once a person was told.
_POLL_S: Final = 0.5
_SLOW_POLL_S: Final = 30.0
# Between two questions for an order that waits at the exchange, real seconds.
_FOLLOW_S: Final = 30.0
# Questions until a person is told: a minute of them.
_FIRST_POLLS: Final = 120


class Procedures:
    """The procedures of a live order; what they need of each other they call on themselves.

    Parameters
    ----------
    poll_s : float, default 0.5
        Real seconds between two questions for an order that nobody can tell of, above 0.
    """

    def __init__(self, poll_s: float = _POLL_S) -> None:
        self._poll_s = poll_s

    def place(self, intent: Intent, refused_before: int = 0) -> Placing:
        """Record an order, send it once, and ask until it is certain what became of it.

        Parameters
        ----------
        intent : Intent
            What is wanted.
        refused_before : int, default 0
            How many exits of its symbol were refused in a row just before.

        Returns
        -------
        Found, Ended or None
            `Found`: the exchange has it. `Ended`: it will never be, so that another may be sent. None: an exit was
            refused as often as it may be; it stays in flight, so that none is sent until a person has looked.
        """
        if not (yield Journal(intent)):
            return (yield from self._unsent(intent, "it could not be recorded"))
        if cast("int", (yield Now())) >= intent.expires_ns:
            return (yield from self._unsent(intent, "it was too old to be sent"))
        is_leaving = intent.is_exit and not intent.is_protective_stop
        answer = yield Send(intent, refused_before if is_leaving else 0)
        if isinstance(answer, Refused):
            placed: Placed = Ended("rejected", answer.reason, answer.code)
        elif isinstance(answer, Doubted):
            yield Tell(f"nobody can tell yet what became of {intent.text}: {answer.reason}; asking the exchange")
            placed = yield from self.resolve(intent, answer, intent.text, _advice(intent))
        else:
            placed = cast("Found", answer)
        if is_leaving and placed.is_rejection:
            return (yield from self._held_back(intent, placed, refused_before))
        return placed

    def recover(self, intent: Intent, closes_ns: int | None) -> Placing:
        """Find out what became of an order of a process that is gone: it can send nothing any more, nothing is sent.

        Parameters
        ----------
        intent : Intent
            As it was recorded.
        closes_ns : int or None
            Exchange time from which on a request that left before the recovery can no longer be accepted.
        """
        doubt = Doubted("the session ended before its answer came", closes_ns)
        return (yield from self.resolve(intent, doubt, intent.text, _advice(intent)))

    def resolve(self, order: NamedOrder, doubt: Doubted, text: str = "", advice: str = "") -> Resolving:
        """Ask for an order until it is found, or proven never to have arrived; never give up, never send.

        Whoever drives this may drop it: the order is then as unknown as before. People are told of it as `text`, its
        name at the exchange unless given, and what they can do about it as `advice`.
        """
        asked = 0
        while True:
            answer = yield Query(order.symbol, order.client_order_id)
            asked += 1
            if isinstance(answer, Looked):
                if answer.report is not None:
                    return Found(answer.report)
                if self.is_proven(doubt, answer):
                    return Ended(
                        "never_arrived", f"the exchange has no such order, and can no longer take it: {doubt.reason}"
                    )
            elif isinstance(answer, Failed) and not answer.may_repeat:
                asked = max(asked, _FIRST_POLLS)
            if asked == _FIRST_POLLS:
                why = f"{doubt.reason}; look at the exchange, nothing was sent again{advice}"
                yield Tell(f"{text or order.client_order_id} stays unknown: {why}", needs_person=True)
            yield Sleep(self._poll_s if asked < _FIRST_POLLS else _SLOW_POLL_S)

    def is_proven(self, doubt: Doubted, looked: Looked) -> bool:
        """Return whether "no such order" proves that it never arrived: only when *asked* after its window closed."""
        return doubt.closes_ns is not None and looked.asked_ns >= doubt.closes_ns

    def cancel(self, intent: Intent) -> Generator[Effect, Answer, None]:
        """Cancel an order that the exchange has, again while it stays open; only a state of the order ends this."""
        reason = "it is still open"
        for wait_s in (0.0, *RETRIES_S):
            if wait_s:
                yield Sleep(wait_s)
            answer = yield Cancel(intent.symbol, intent.client_order_id)
            if isinstance(answer, Failed):
                # Too late, or nobody can tell: both look the same, so the order itself is asked for.
                reason = answer.reason
                answer = yield Query(intent.symbol, intent.client_order_id)
            report = answer.report if isinstance(answer, Found | Looked) else None
            if report is None:
                continue
            yield Told(intent.client_order_id, report)
            if not report.is_open:
                return
            reason = "it is still open"
        told = f"{intent.text} could not be cancelled: {reason}; look at the exchange, and cancel it there"
        yield Tell(told, needs_person=True)

    def follow(self, intent: Intent) -> Generator[Effect, Answer, None]:
        """Ask for an open order from time to time until it is not: what a stream says of its end may be lost."""
        while True:
            yield Sleep(_FOLLOW_S)
            answer = yield Query(intent.symbol, intent.client_order_id)
            if isinstance(answer, Looked) and answer.report is not None:
                yield Told(intent.client_order_id, answer.report)
                if not answer.report.is_open:
                    return

    def _unsent(self, intent: Intent, reason: str) -> Placing:
        if intent.is_exit:
            # The next one would fail at once as well.
            yield Sleep(RETRIES_S[0])
        return Ended("expired", reason)

    def _held_back(self, intent: Intent, placed: Placed, refused_before: int) -> Placing:
        """Hold an exit's refusal back for a while: once it is known, the next one is sent."""
        if refused_before >= len(RETRIES_S):
            last = f", last: {placed.reason}" if isinstance(placed, Ended) else ""
            refused = f"its exit was refused {refused_before + 1} times{last}"
            text = f"{intent.symbol} is UNPROTECTED: {refused}; look at the exchange, then resume() tries it again"
            yield Tell(text, needs_person=True)
            return None
        yield Sleep(RETRIES_S[refused_before])
        return placed


def _advice(intent: Intent) -> str:
    """Return what a person can do about an order that stays unknown."""
    command = f"`workbench resolve NAME {intent.number} never_arrived`"
    return f"; where it is not there either, resolve({intent.number}, 'never_arrived') or {command} ends it"
