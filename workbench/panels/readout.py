"""A session's figures as texts: tiles, status facts, fills and log lines. Pure functions of snapshots."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from workbench.panels.markup import Cell, Tile, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.model import AccountState, ClosedTrade, Denied, Fill, PositionSnapshot

__all__ = ["FILL_COLUMNS", "account_tiles", "fill_rows", "log_lines", "state_tone", "status_facts"]

FILL_COLUMNS: Final = ("Time (UTC)", "Symbol", "Side", "Quantity", "Price", "Fee", "Reason", "P&L")
_NS_PER_S: Final = 1_000_000_000
_LARGE: Final = 1000
_RULES_WITHOUT_NUMBERS: Final = frozenset({"halted", "invalid_level", "paused", "short_on_spot"})
_STATE_TONES: Final[Mapping[str, Tone]] = {
    "ACTIVE": "up",
    "EXITS_ONLY": "warning",
    "STALE": "warning",
    "HALTED": "down",
    "FAILED": "down",
    "CRASHED": "down",
    "UNREACHABLE": "warning",
}


def state_tone(state: str) -> Tone:
    """Return how a state is coloured."""
    return _STATE_TONES.get(state, "muted")


def account_tiles(account: AccountState, last_price: float, quote: str) -> list[Tile]:
    """Return the panel's figures.

    Parameters
    ----------
    account : AccountState
        The account; money in quote currency.
    last_price : float
        Newest price, nan when there is none yet.
    quote : str
        Name of the quote currency.
    """
    # equity = start + realized + unrealized - fees - funding, so the rest is what the session has made.
    net = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    start = account.equity - net
    share = net / start if start > 0 else math.nan
    return [
        Tile("Equity", Cell(money(account.equity)), quote),
        Tile("Net P&L", Cell(signed_money(net), sign_tone(net)), percent(share, signed=True)),
        Tile("Unrealised", _unrealized(account), _entries(account.positions)),
        Tile("Position", Cell(_quantities(account.positions)), _exposure(account.positions, quote)),
        Tile("Last price", Cell(price(last_price)), f"{clock_time(account.time_ns)} UTC" if account.time_ns else ""),
        Tile("Drawdown", _drawdown(account.drawdown), f"peak {money(account.peak_equity)}"),
        Tile("Fills", Cell(f"{account.fill_count:,}"), _counts(account)),
    ]


def _counts(account: AccountState) -> str:
    denied = f", {account.denial_count:,} denied" if account.denial_count else ""
    trades = "1 trade" if account.trade_count == 1 else f"{account.trade_count:,} trades"
    return f"{trades}{denied}"


def _unrealized(account: AccountState) -> Cell:
    return Cell(signed_money(account.unrealized_pnl), sign_tone(account.unrealized_pnl))


def _drawdown(drawdown: float) -> Cell:
    text = percent(-drawdown)
    return Cell(text, "down" if any(digit in "123456789" for digit in text) else "")


def _entries(positions: Sequence[PositionSnapshot]) -> str:
    if not positions:
        return "flat"
    return f"entry {price(positions[0].entry_price)}" if len(positions) == 1 else f"{len(positions)} positions"


def _quantities(positions: Sequence[PositionSnapshot]) -> str:
    if len(positions) == 1:
        return quantity(positions[0].quantity)
    return f"{len(positions)} open" if positions else "0"


def _exposure(positions: Sequence[PositionSnapshot], quote: str) -> str:
    if not positions:
        return "flat"
    total = sum(abs(position.notional) for position in positions)
    side = f"{positions[0].side}, " if len(positions) == 1 else ""
    return f"{side}{total:,.0f} {quote}".strip()


def status_facts(reason: str | None, metrics: Mapping[str, object]) -> list[Cell]:
    """Return what stands beside the buttons: the reason of the state, age of data, bars, and the time of a step."""
    step = metrics.get("step_us")
    counts = metrics.get("counts")
    facts = [Cell(reason or "")]
    age = _number(metrics.get("data_age_s"))
    if age is not None:
        facts.append(Cell(f"data {age:.1f} s old" if age < _LARGE else f"data {age / 60:,.0f} min old", "muted"))
    bars = _number(counts.get("bars")) if isinstance(counts, dict) else None
    if bars is not None:
        facts.append(Cell(f"{bars:,.0f} bars", "muted"))
    slowest = _number(step.get("p99")) if isinstance(step, dict) else None
    if slowest is not None:
        facts.append(Cell(f"step p99 {slowest:,.0f} µs", "muted"))
    return facts


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]  # is_number says it is one


def fill_rows(fills: Sequence[Fill], trades: Sequence[ClosedTrade]) -> list[list[Cell]]:
    """Return the table's rows, newest first; a fill that closed a trade shows what the trade made."""
    made: dict[tuple[str, int], float] = {}
    for trade in trades:
        key = (trade.symbol, trade.exit_time_ns)
        made[key] = made.get(key, 0.0) + trade.pnl
    newest_first = sorted(fills, key=lambda fill: fill.sequence, reverse=True)
    return [_fill_row(fill, made.pop((fill.symbol, fill.time_ns), None)) for fill in newest_first]


def _fill_row(fill: Fill, pnl: float | None) -> list[Cell]:
    return [
        Cell(day_time(fill.time_ns)),
        Cell(fill.symbol),
        Cell(fill.side.upper(), "up" if fill.side == "buy" else "down"),
        Cell(quantity(fill.quantity)),
        Cell(price(fill.price)),
        Cell(money(fill.fee)),
        Cell(fill.reason.replace("_", " ")),
        Cell("", "") if pnl is None else Cell(signed_money(pnl), sign_tone(pnl)),
    ]


def log_lines(errors: Sequence[object], denials: Sequence[Denied], limit: int) -> list[tuple[str, Cell]]:
    """Return errors and denials as dated lines, newest first, at most `limit`."""
    lines = [(_time_of(error), Cell(_text_of(error), "down")) for error in errors]
    lines += [(denial.time_ns, Cell(_denial(denial), "warning")) for denial in denials]
    lines.sort(key=lambda line: line[0], reverse=True)
    return [(day_time(time_ns) if time_ns else "", text) for time_ns, text in lines[:limit]]


def _denial(denial: Denied) -> str:
    order = f"{denial.side} {quantity(denial.quantity)} {denial.symbol}"
    rule = denial.rule.replace("_", " ")
    if denial.rule in _RULES_WITHOUT_NUMBERS:
        return f"denied {order}: {rule}"
    return f"denied {order}: {rule} (limit {denial.limit:,.8g}, was {denial.value:,.8g})"


def _time_of(error: object) -> int:
    time_ns = getattr(error, "time_ns", 0)
    return time_ns if isinstance(time_ns, int) else 0


def _text_of(error: object) -> str:
    return str(getattr(error, "message", None) or error)


def money(value: float) -> str:
    """Return an amount with two decimals and thousands separators; an amount that rounds to nothing has no sign.

    Examples
    --------
    >>> money(10438.114), money(-0.001), money(float("nan"))
    ('10,438.11', '0.00', 'n/a')
    """
    return _decimals(value, 2)


def signed_money(value: float) -> str:
    """Return an amount with its sign.

    Examples
    --------
    >>> signed_money(27.731), signed_money(-0.001)
    ('+27.73', '0.00')
    """
    text = money(value)
    return f"+{text}" if value > 0 and text != "0.00" else text


def percent(fraction: float, *, signed: bool = False) -> str:
    """Return a fraction as a percentage.

    Examples
    --------
    >>> percent(0.0438, signed=True), percent(-0.0095)
    ('+4.38 %', '-0.95 %')
    """
    text = signed_money(100 * fraction) if signed else money(100 * fraction)
    return text if text == "n/a" else f"{text} %"


def price(value: float) -> str:
    """Return a price with about six significant digits, one decimal at least.

    Examples
    --------
    >>> price(105829.37), price(0.412345), price(float("nan"))
    ('105,829.4', '0.412345', 'n/a')
    """
    if not value > 0:
        return "n/a"
    return _decimals(value, min(8, max(1, 5 - math.floor(math.log10(value)))))


def quantity(value: float) -> str:
    """Return a quantity with up to eight decimals and no trailing zeros.

    Examples
    --------
    >>> quantity(0.2960), quantity(-3.0), quantity(0.0)
    ('0.296', '-3', '0')
    """
    text = f"{value:,.8f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _decimals(value: float, count: int) -> str:
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:,.{count}f}"
    return text if text.strip("-0.,") else text.lstrip("-")


def sign_tone(value: float) -> Tone:
    """Return the tone of a profit or a loss; an amount that rounds to nothing has none."""
    if not abs(value) >= 0.005:  # noqa: PLR2004  half of the last decimal shown
        return ""
    return "up" if value > 0 else "down"


def day_time(time_ns: int) -> str:
    """Return month, day and time of day in UTC.

    Examples
    --------
    >>> day_time(1_760_029_440_000_000_000)
    '10-09 17:04:00'
    """
    return f"{datetime.fromtimestamp(time_ns // _NS_PER_S, UTC):%m-%d %H:%M:%S}"


def clock_time(time_ns: int) -> str:
    """Return the time of day in UTC.

    Examples
    --------
    >>> clock_time(1_760_029_440_000_000_000)
    '17:04:00'
    """
    return f"{datetime.fromtimestamp(time_ns // _NS_PER_S, UTC):%H:%M:%S}"
