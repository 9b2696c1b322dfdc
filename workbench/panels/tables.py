"""What a session did as tables: fills, closed trades, denials, events and errors, newest first. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.panels.formats import day_time, money, percent, price, quantity, sign_tone, signed_money
from workbench.panels.markup import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.live.records import SessionEvent
    from workbench.model import ClosedTrade, Denied, Fill
    from workbench.panels.markup import Tone

__all__ = ["denial_table", "error_table", "event_table", "fill_table", "newest_trouble", "trade_table"]

_RULES_WITHOUT_NUMBERS: Final = frozenset({"halted", "invalid_level", "paused", "short_on_spot"})
_SIDES: Final[Mapping[str, Cell]] = {
    "buy": Cell("▲ BUY", "up"),
    "sell": Cell("▼ SELL", "down"),
    "long": Cell("▲ long", "up"),
    "short": Cell("▼ short", "down"),
}
# An order is told of when it did not go its way.
_EVENT_TONES: Final[Mapping[str, Tone]] = {
    "breaker": "down",
    "warning": "warning",
    "account": "warning",
    "order": "warning",
}
_TIME: Final = Column("Time (UTC)", is_text=True)
_SYMBOL: Final = Column("Symbol", is_text=True)
_SIDE: Final = Column("Side", is_text=True)


def fill_table(fills: Sequence[Fill], trades: Sequence[ClosedTrade], quote: str) -> Table:
    """Return executed orders; a fill that closed a trade shows what the trade made, net of its costs.

    Parameters
    ----------
    fills : sequence of Fill
        Executed orders.
    trades : sequence of ClosedTrade
        Round trips that ended with them.
    quote : str
        Name of the quote currency.
    """
    made: dict[tuple[str, int], float] = {}
    for trade in trades:
        key = (trade.symbol, trade.exit_time_ns)
        made[key] = made.get(key, 0.0) + trade.pnl
    newest_first = sorted(fills, key=lambda fill: fill.sequence, reverse=True)
    rows = [_fill_row(fill, made.pop((fill.symbol, fill.time_ns), None)) for fill in newest_first]
    numbers = [Column(name) for name in ("Quantity", _of("Price", quote), _of("Fee", quote), _of("P&L", quote))]
    return Table([_TIME, _SYMBOL, _SIDE, *numbers, Column("Reason", is_text=True)], rows, "No fills yet")


def _fill_row(fill: Fill, pnl: float | None) -> list[Cell]:
    return [
        Cell(day_time(fill.time_ns)),
        Cell(fill.symbol),
        _side(fill.side),
        Cell(_amount(fill.quantity, fill.symbol)),
        Cell(price(fill.price)),
        Cell(money(fill.fee)),
        Cell("") if pnl is None else Cell(signed_money(pnl), sign_tone(pnl)),
        Cell(_words(fill.reason)),
    ]


def trade_table(trades: Sequence[ClosedTrade], quote: str) -> Table:
    """Return round trips, priced in a `quote` currency."""
    numbers = ("Quantity", _of("Entry", quote), _of("Exit", quote), _of("P&L", quote), "Return", "Bars")
    columns = [Column("Closed (UTC)", is_text=True), _SYMBOL, _SIDE, *(Column(name) for name in numbers)]
    rows = [_trade_row(trade) for trade in reversed(trades)]
    return Table([*columns, Column("Closed by", is_text=True)], rows, "No trades closed yet")


def _trade_row(trade: ClosedTrade) -> list[Cell]:
    tone = sign_tone(trade.pnl)
    return [
        Cell(day_time(trade.exit_time_ns)),
        Cell(trade.symbol),
        _side(trade.side),
        Cell(_amount(trade.quantity, trade.symbol)),
        Cell(price(trade.entry_price)),
        Cell(price(trade.exit_price)),
        Cell(signed_money(trade.pnl), tone),
        Cell(percent(trade.return_, signed=True), tone),
        Cell(f"{trade.bars_held:,}"),
        Cell(_words(trade.exit_reason)),
    ]


def denial_table(denials: Sequence[Denied]) -> Table:
    """Return orders that the risk review denied."""
    columns = [_TIME, _SYMBOL, _SIDE, Column("Quantity"), Column("Rule", is_text=True), Column("Limit"), Column("Was")]
    return Table(columns, [_denial_row(denial) for denial in reversed(denials)], "No order was denied")


def _denial_row(denial: Denied) -> list[Cell]:
    has_numbers = denial.rule not in _RULES_WITHOUT_NUMBERS
    return [
        Cell(day_time(denial.time_ns)),
        Cell(denial.symbol),
        _side(denial.side),
        Cell(_amount(denial.quantity, denial.symbol)),
        Cell(_words(denial.rule), "warning"),
        Cell(_limit(denial.limit) if has_numbers else ""),
        Cell(_limit(denial.value) if has_numbers else ""),
    ]


def event_table(events: Sequence[SessionEvent]) -> Table:
    """Return what happened to the session itself: states, commands, breakers, warnings."""
    rows = [
        [
            Cell(_when(event.time_ns)),
            Cell(_words(event.kind), _EVENT_TONES.get(event.kind, "muted")),
            Cell(event.text, _EVENT_TONES.get(event.kind, "")),
        ]
        for event in reversed(events)
    ]
    return Table([_TIME, Column("Kind", is_text=True), Column("What", is_text=True)], rows, "No events yet")


def newest_trouble(events: Sequence[SessionEvent], filled_ns: int) -> str:
    """Return what went wrong with an order last, with its time, unless another one has been filled since.

    Parameters
    ----------
    events : sequence of SessionEvent
        Oldest first.
    filled_ns : int
        Time of the newest fill, ns UTC; 0 when there is none.
    """
    newest = next((event for event in reversed(events) if event.kind == "order"), None)
    return "" if newest is None or newest.time_ns <= filled_ns else f"{_when(newest.time_ns)} {newest.text}"


def error_table(errors: Sequence[object]) -> Table:
    """Return errors of the strategy, of callbacks and of the session; where a pointer rests is the traceback."""
    rows = [
        [Cell(_when(_time_of(error))), Cell(_text_of(error), "down", str(getattr(error, "traceback", "")))]
        for error in reversed(errors)
    ]
    return Table([_TIME, Column("What", is_text=True)], rows, "No errors")


def _side(side: str) -> Cell:
    return _SIDES.get(side, Cell(side))


def _of(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _amount(value: float, symbol: str) -> str:
    base, slash, _ = symbol.partition("/")
    return f"{quantity(value)} {base}" if slash else quantity(value)


def _limit(value: float) -> str:
    # Of a count, a fraction or an amount: the rule says which.
    return f"{value:,.2f}" if abs(value) >= 1_000 else f"{value:.4g}"  # noqa: PLR2004  where separators begin


def _words(name: str) -> str:
    return name.replace("_", " ")


def _when(time_ns: int) -> str:
    return day_time(time_ns) if time_ns else ""


def _time_of(error: object) -> int:
    time_ns = getattr(error, "time_ns", 0)
    return time_ns if isinstance(time_ns, int) else 0


def _text_of(error: object) -> str:
    return str(getattr(error, "message", None) or error)
