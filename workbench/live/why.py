"""Finds out from a session's record alone why one of its orders happened, and what became of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.core.entry_checks import EntryCheck, ReviewedEntry, book_at_review, entry_checks
from workbench.core.origin import find_origin
from workbench.core.records import (
    DENIAL_ROW,
    DENIAL_RULES,
    EXIT_REASONS,
    FILL_ROW,
    LIMIT,
    MARKET,
    ORDER_KINDS,
    REQUEST_ROW,
    TRADE_ROW,
)
from workbench.core.reports import DONE
from workbench.errors import UnknownOrderError
from workbench.live.order_course import OrderCourse
from workbench.live.order_decision import decision_behind
from workbench.live.order_story import Execution, Moment, OrderStory
from workbench.live.order_trigger import trigger_behind
from workbench.live.recorded_config import recorded_instruments
from workbench.model import BAR, REPORT, TICK, Denied, Fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.origin import Origin
    from workbench.live.order_story import Decision
    from workbench.live.recorded_config import ReadableRecord
    from workbench.live.session_config import LiveSessionConfig

__all__ = ["explain_order"]

_CANCEL: Final = "cancel"


def explain_order(config: LiveSessionConfig, record: ReadableRecord, order: int | str | Fill | Denied) -> OrderStory:
    """Return why an order of a recorded session happened, and what became of it.

    Everything is found by running the record again; a session that trades is not disturbed.

    Parameters
    ----------
    config : LiveSessionConfig
        The session's.
    record : SessionRecord or JournalReader
        What it has recorded, or a reader of its journal, in any process.
    order : int, str, Fill or Denied
        The number of a request; where the fill model fills, the sequence of a fill. Or the name of an order at the
        exchange, a fill or a denial of the session.

    Raises
    ------
    UnknownOrderError
        The record has no such order.
    JournalError
        The record cannot be read.
    """
    return _Explainer(config, record).explain(order)


class _Explainer:
    """Answers for one record, as it was at one moment."""

    def __init__(self, config: LiveSessionConfig, record: ReadableRecord) -> None:
        self._config = config
        self._events = record.read()
        self._history = record.history()
        self._engine = config.engine_config(recorded_instruments(config, self._history))
        self._course = OrderCourse(record.notes())

    def explain(self, order: int | str | Fill | Denied) -> OrderStory:
        if isinstance(order, Fill):
            return self._of_fill(order)
        if isinstance(order, Denied):
            wanted = {"time_ns": order.time_ns, "quantity": order.quantity, "code": DENIAL_RULES.index(order.rule)}
            return self._story(self._origin(DENIAL_ROW, wanted, f"{order} is no denial"))
        if isinstance(order, str):
            number = self._course.number_of(order)
            if number is None:
                raise self._unknown(
                    f"{order!r} is no client order id", "ask by the number of the request, or by a fill"
                )
            return self._of_request(number)
        if isinstance(order, bool) or not isinstance(order, int):
            raise self._unknown(f"{order!r} is no order", "ask by a number, a client order id, a fill or a denial")
        if self._engine.is_external:
            return self._of_request(order)
        return self._story(self._origin(FILL_ROW, {"sequence": order}, f"{order} is the sequence of no fill"))

    def _of_request(self, number: int) -> OrderStory:
        return self._story(self._origin(REQUEST_ROW, {"sequence": number}, f"{number} is the number of no request"))

    def _of_fill(self, fill: Fill) -> OrderStory:
        wanted = {name: getattr(fill, name) for name in ("sequence", "time_ns", "price", "quantity")}
        origin = self._origin(FILL_ROW, wanted, f"{fill} is no fill")
        event = self._events[origin.row]
        if event["kind"] == REPORT and event["d"] >= 0:
            return self._of_request(int(event["d"]))
        return self._story(origin)

    def _origin(self, kind: int, wanted: dict[str, Any], complaint: str) -> Origin:
        def find(log: NDArray[np.void]) -> int | None:
            is_it = log["kind"] == kind
            for name, value in wanted.items():
                is_it = is_it & (log[name] == value)
            places = np.flatnonzero(is_it)
            return int(places[0]) if places.size else None

        origin = find_origin(self._config.plan, self._engine, self._events, self._history, find)
        if origin is None:
            raise self._unknown(complaint, "fills(), denials() and trades() list what there is")
        return origin

    def _unknown(self, complaint: str, way_out: str) -> UnknownOrderError:
        return UnknownOrderError(f"{complaint} of session {self._config.name!r}: {way_out}")

    def _story(self, origin: Origin) -> OrderStory:
        row = origin.log[origin.place]
        kind, s = int(row["kind"]), int(row["symbol"])
        order_type = _order_type(row)
        number = None if kind == DENIAL_ROW else int(row["sequence"])
        is_exit = _is_exit(origin)
        reason = "signal" if kind == DENIAL_ROW else EXIT_REASONS[row["code"]]
        decision = (
            decision_behind(origin, self._config, is_cancel=order_type == _CANCEL) if reason == "signal" else None
        )
        executions = self._executions(row)
        return OrderStory(
            session=self._config.name,
            kind={REQUEST_ROW: "request", FILL_ROW: "fill", DENIAL_ROW: "denial"}[kind],
            number=number,
            client_order_id=self._course.name_of(number) if kind == REQUEST_ROW else None,
            symbol=self._engine.symbols[s],
            side="buy" if row["side"] > 0 else "sell",
            order_type=order_type,
            quantity=float(row["quantity"]),
            price=float(row["price"]),
            reason=reason,
            is_exit=is_exit,
            time_ns=int(row["time_ns"]),
            outcome=self._outcome(row, executions),
            decision=decision,
            trigger=trigger_behind(origin, self._events),
            checks=() if is_exit or order_type == _CANCEL else self._checks(origin),
            executions=executions,
            moments=self._moments(row, decision, executions),
        )

    def _checks(self, origin: Origin) -> tuple[EntryCheck, ...]:
        row = origin.log[origin.place]
        if row["kind"] == DENIAL_ROW:
            value = float(row["value"])
            limit = float(row["entry"])
            return (
                EntryCheck(DENIAL_RULES[row["code"]], limit, value if math.isfinite(value) else None, is_met=False),
            )
        if self._events[origin.row]["kind"] == REPORT:
            # Booked, and not reviewed: a fill is a fact.
            return ()
        s = int(row["symbol"])
        kind = int(row["flag"]) if row["kind"] == REQUEST_ROW else LIMIT if row["flag"] else MARKET
        book = book_at_review(origin.before, self._prices(origin.row), origin.log[: origin.place])
        entry = ReviewedEntry(
            s, int(row["side"]), kind, float(row["quantity"]), float(row["price"]), int(row["time_ns"])
        )
        return entry_checks(book, entry)

    def _prices(self, row: int) -> dict[int, float]:
        """Return the prices at which entries of an event act: its own, or the opens of its group of bars."""
        event = self._events[row]
        if event["kind"] == TICK:
            return {int(event["symbol"]): float(event["a"])}
        prices = {}
        while row >= 0 and self._events[row]["kind"] == BAR and self._events[row]["time_ns"] == event["time_ns"]:
            prices[int(self._events[row]["symbol"])] = float(self._events[row]["a"])
            row -= 1
        return prices

    def _executions(self, row: np.void) -> tuple[Execution, ...]:
        if row["kind"] == FILL_ROW:
            return (Execution(int(row["time_ns"]), float(row["quantity"]), float(row["price"]), float(row["fee"])),)
        if row["kind"] == DENIAL_ROW:
            return ()
        reports = self._reports(int(row["sequence"]))
        return tuple(
            Execution(time_ns, abs(signed), price, fee)
            for time_ns, signed, price, fee in reports[["time_ns", "a", "b", "c"]].tolist()
            if signed != 0.0
        )

    def _reports(self, number: int) -> NDArray[np.void]:
        events = self._events
        found: NDArray[np.void] = events[(events["kind"] == REPORT) & (events["d"] == number)]
        return found

    def _outcome(self, row: np.void, executions: tuple[Execution, ...]) -> str:
        if row["kind"] == DENIAL_ROW:
            return f"denied by {DENIAL_RULES[row['code']]}"
        filled = math.fsum(one.quantity for one in executions)
        if filled > 0.0:
            mean = math.fsum(one.quantity * one.price for one in executions) / filled
            return f"filled {filled:.10g} at {mean:.10g}"
        number = int(row["sequence"])
        ended = self._course.ended(number)
        if ended is not None:
            return ended
        if row["flag"] == ORDER_KINDS.index(_CANCEL):
            return "what the exchange said stands with that order"
        is_done = (self._reports(number)["e"].astype(np.int64) & DONE).any()
        return "ended with nothing filled" if is_done else "the exchange has not said yet what became of it"

    def _moments(
        self, row: np.void, decision: Decision | None, executions: tuple[Execution, ...]
    ) -> tuple[Moment, ...]:
        moments = []
        if decision is not None:
            closed_ns = decision.bar.time_ns + self._config.timeframe.ns
            moments.append(Moment(closed_ns, "bar closed", ""))
        is_request = row["kind"] == REQUEST_ROW
        if is_request or decision is not None:
            what = "ordered" if row["kind"] != DENIAL_ROW else "denied"
            moments.append(Moment(int(row["time_ns"]), what if row["kind"] != FILL_ROW else "next price", ""))
        noted = self._course.moments(int(row["sequence"])) if is_request else ()
        moments += noted
        if not any(one.what == "trade" for one in noted):
            moments += [Moment(one.time_ns, "fill", f"{one.quantity:.10g} at {one.price:.10g}") for one in executions]
        return tuple(moments)


def _order_type(row: np.void) -> str:
    if row["kind"] == REQUEST_ROW:
        return ORDER_KINDS[row["flag"]]
    return "limit" if row["kind"] == FILL_ROW and row["flag"] else "market"


def _is_exit(origin: Origin) -> bool:
    """Return whether it makes a position smaller; a fill that does is followed by its round trip."""
    row = origin.log[origin.place]
    if row["kind"] != FILL_ROW:
        return bool(row["kind"] == REQUEST_ROW and row["value"])
    after = origin.log[origin.place + 1 : origin.place + 2]
    return bool(after.size and after[0]["kind"] == TRADE_ROW and after[0]["symbol"] == row["symbol"])
