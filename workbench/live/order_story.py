"""Why an order happened, as a frozen record that reads as text: its decision, its checks, its course."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from workbench.core.entry_checks import EntryCheck
from workbench.core.explanation import Reading, RuleReading, number_texts
from workbench.live.cards import story_card
from workbench.model import Bar, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Decision", "Execution", "Moment", "OrderStory", "Trigger"]

_NS_PER_MS: Final = 1e6
_MARGIN: Final = 9


@dataclass(frozen=True, slots=True)
class Decision:
    """What the strategy decided, and on what.

    Attributes
    ----------
    bar : Bar
        The closed bar that it was asked on.
    action : str
        ``enter_long``, ``enter_short`` or ``exit``.
    rules : tuple of RuleReading
        Each rule with the values that it compared on that bar; none of a strategy with ``on_bar``.
    values : tuple of Reading
        The indicators on that bar; of ``on_bar`` what it read of ``now``.
    levels : tuple of Reading
        Size, prices and distances that the decision asked for.
    position : str or None
        The position that ``on_bar`` was shown.
    """

    bar: Bar
    action: str
    rules: tuple[RuleReading, ...]
    values: tuple[Reading, ...]
    levels: tuple[Reading, ...]
    position: str | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """What made an order happen, or happen then, other than a decision: a protection, a breaker, a command, a level.

    Attributes
    ----------
    rule : str
        An exit reason such as ``stop_loss``, or ``limit`` or ``stop`` of a resting order.
    level : float or None
        What had to be reached; None where there is no price.
    price : float or None
        What reached it.
    text : str
        Both in words.
    """

    rule: str
    level: float | None
    price: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Execution:
    """One part of an order that was filled; the fee is in quote currency, the time is ns UTC."""

    time_ns: int
    quantity: float
    price: float
    fee: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of an order on its way, by the clock of the market, ns UTC."""

    time_ns: int
    what: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class OrderStory:
    """Why an order happened, and what became of it; printed, it is a text for people.

    Attributes
    ----------
    session : str
        Name of the session.
    kind : str
        ``request`` for one that went to an exchange, ``fill`` for one that the fill model filled, ``denial``.
    number : int or None
        Number of the request, sequence of the fill; None of a denial.
    client_order_id : str or None
        Its name at the exchange, where it was recorded.
    symbol, side : str
        As in a `Fill`.
    order_type : str
        ``market``, ``limit``, ``stop`` or ``cancel``.
    quantity, price : float
        What was ordered, and at which price it was reviewed; a cancel has the number of the order as its price.
    reason : str
        ``signal`` or the exit reason.
    is_exit : bool
        Whether it makes a position smaller.
    time_ns : int
        When it was ordered: moment of the price event, ns UTC.
    outcome : str
        What became of it, in words.
    decision : Decision or None
        The strategy's, when it was one.
    trigger : Trigger or None
        What else made it happen.
    checks : tuple of EntryCheck
        What the risk review measured; none of an exit, which is never denied for size.
    executions : tuple of Execution
        What was filled, oldest first.
    moments : tuple of Moment
        Its course as it was recorded, oldest first.
    """

    session: str
    kind: str
    number: int | None
    client_order_id: str | None
    symbol: str
    side: str
    order_type: str
    quantity: float
    price: float
    reason: str
    is_exit: bool
    time_ns: int
    outcome: str
    decision: Decision | None
    trigger: Trigger | None
    checks: tuple[EntryCheck, ...]
    executions: tuple[Execution, ...]
    moments: tuple[Moment, ...]

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"{name:<{_MARGIN}}{line}" for name, line in self.lines())])

    def _repr_html_(self) -> str:
        return story_card(self._title(), self.lines())

    def to_dict(self) -> dict[str, Any]:
        """Return the story as plain values that JSON knows."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the story of which `to_dict` made plain values, also after a way through JSON."""
        values = dict(content)
        decision, trigger = values.pop("decision"), values.pop("trigger")
        return cls(
            decision=None if decision is None else _decision_from(decision),
            trigger=None if trigger is None else Trigger(**trigger),
            checks=tuple(EntryCheck(**one) for one in values.pop("checks")),
            executions=tuple(Execution(**one) for one in values.pop("executions")),
            moments=tuple(Moment(**one) for one in values.pop("moments")),
            **values,
        )

    def lines(self) -> Iterator[tuple[str, str]]:
        """Return what the story says below its title, line by line; the first of each part has the part's name."""
        if self.decision is not None:
            yield from _with_margin("decided", _decision_lines(self.decision))
        if self.trigger is not None:
            yield from _with_margin("because", [self.trigger.text])
        yield from _with_margin("risk", self._risk_lines())
        yield from _with_margin("course", _course_lines(self.moments))

    def _title(self) -> str:
        numbers = [] if self.number is None else [str(self.number)]
        named = " ".join([self.kind, *numbers, *([f"({self.client_order_id})"] if self.client_order_id else [])])
        if self.order_type == "cancel":
            return f"{named} of {self.session}: cancels order {self.price:.0f} of {self.symbol}; {self.outcome}"
        purpose = f"exit, {self.reason.replace('_', ' ')}" if self.is_exit else "entry"
        level = f" at {self.price:.10g}" if self.kind == "request" and self.order_type != "market" else ""
        order = f"{self.side} {number_texts(self.quantity)[0]} {self.symbol}, {self.order_type}{level}"
        return f"{named} of {self.session}: {order} ({purpose}); {self.outcome}"

    def _risk_lines(self) -> Iterator[str]:
        if self.order_type == "cancel":
            return
        if self.is_exit:
            yield "an exit is never denied"
        for check in self.checks:
            value = "no number" if check.value is None else number_texts(check.value)[0]
            verdict = "allowed" if check.is_met else "DENIED"
            yield f"{check.rule}: {value}, limit {number_texts(check.limit)[0]}: {verdict}"


def _decision_from(content: Mapping[str, Any]) -> Decision:
    return Decision(
        bar=Bar(**content["bar"]),
        action=content["action"],
        rules=tuple(RuleReading(**one) for one in content["rules"]),
        values=tuple(Reading(**one) for one in content["values"]),
        levels=tuple(Reading(**one) for one in content["levels"]),
        position=content["position"],
    )


def _decision_lines(decision: Decision) -> Iterator[str]:
    bar = decision.bar
    prices = ", ".join(f"{name} {getattr(bar, name):.10g}" for name in ("open", "high", "low", "close", "volume"))
    yield f"{decision.action} on the bar of {utc_text(bar.time_ns)}: {prices}"
    # What fired comes first.
    for rule in sorted(decision.rules, key=lambda rule: not rule.is_met):
        yield f"{rule.name}{'' if rule.is_met else ' did not hold'}: {rule.text}"
    if not decision.rules and decision.values:
        yield f"now: {_readings(decision.values)}"
    if decision.position is not None:
        yield f"position: {decision.position}"
    if decision.levels:
        yield f"with {_readings(decision.levels)}"


def _readings(readings: tuple[Reading, ...]) -> str:
    return ", ".join(f"{one.text} {'nan' if one.value is None else number_texts(one.value)[0]}" for one in readings)


def _course_lines(moments: tuple[Moment, ...]) -> Iterator[str]:
    before_ns = None
    for moment in moments:
        later = "" if before_ns is None else f" {(moment.time_ns - before_ns) / _NS_PER_MS:+,.3f} ms"
        yield f"{utc_text(moment.time_ns)}{later} {moment.what}{': ' if moment.text else ''}{moment.text}"
        before_ns = moment.time_ns


def _with_margin(name: str, lines: Iterator[str] | list[str]) -> Iterator[tuple[str, str]]:
    for place, line in enumerate(lines):
        yield "" if place else name, line
