"""A session's figures as texts: its state, tiles and status facts. Pure functions of snapshots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.panels.actions import ACTIONS
from workbench.panels.formats import (
    clock_time,
    duration,
    limit,
    money,
    percent,
    price,
    quantity,
    short_time,
    sign_tone,
    signed_money,
)
from workbench.panels.markup import Cell, Tile, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.live.health import SessionHealth
    from workbench.model import AccountState, PositionSnapshot, RiskConfig

__all__ = ["account_tiles", "reason_on_panel", "state_badge", "state_tone", "status_facts"]

_STATE_TONES: Final[Mapping[str, Tone]] = {
    "ACTIVE": "up",
    "EXITS_ONLY": "warning",
    # No price, so no stop of the session's own can act.
    "STALE": "down",
    "HALTED": "down",
    "FAILED": "down",
    "CRASHED": "down",
    "UNREACHABLE": "warning",
    "HUNG": "down",
    "FROZEN": "down",
}
_TONE_SIGNS: Final[Mapping[Tone, str]] = {"up": "●", "warning": "▲", "down": "■"}


def state_tone(state: str) -> Tone:
    """Return how a state is coloured."""
    return _STATE_TONES.get(state, "muted")


def state_badge(state: str) -> Cell:
    """Return a state with its colour, and with a sign that says the same as the colour.

    Examples
    --------
    >>> state_badge("EXITS_ONLY").text
    '▲ EXITS ONLY'
    """
    tone = state_tone(state)
    return Cell(f"{_TONE_SIGNS.get(tone, '○')} {state.replace('_', ' ')}", tone)


def reason_on_panel(reason: str, name: str) -> str:
    """Return a reason as it is said beside buttons: what to press in place of what to call, and the session's name.

    Examples
    --------
    >>> reason_on_panel("daily_loss tripped; clear_breaker() allows entries again", "btc-1")
    'daily loss tripped; the button Clear breaker allows entries again'
    """
    for breaker in ("max_drawdown", "daily_loss"):
        reason = reason.replace(f"{breaker} tripped", f"{breaker.replace('_', ' ')} tripped")
    for command, action in ACTIONS.items():
        reason = reason.replace(f"{command}()", f"the button {action.label}")
    return reason.replace("workbench resolve NAME", f"workbench resolve {name}")


def account_tiles(
    account: AccountState, last_price: float, quote: str, risk: RiskConfig | None, *, symbol: str = ""
) -> list[Tile]:
    """Return the panel's figures.

    Parameters
    ----------
    account : AccountState
        The account; money in quote currency.
    last_price : float
        Newest price, nan when there is none yet.
    quote : str
        Name of the quote currency.
    risk : RiskConfig or None
        The limits; None when they are not known.
    symbol : str, default ""
        Whose price it is, where the session trades several; the only position is named then too.
    """
    # equity = start + realized + unrealized - fees - funding, so the rest is what the session has made.
    net = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    day = account.equity - account.day_start_equity
    held = account.positions[0].symbol if symbol and len(account.positions) == 1 else ""
    seen_at = f"{clock_time(account.time_ns)} UTC" if account.time_ns else ""
    return [
        Tile("Equity", Cell(money(account.equity)), quote),
        Tile("Day's P&L (UTC)", *_gain(day, account.day_start_equity)),
        Tile("Net P&L", *_gain(net, account.equity - net)),
        Tile("Unrealised", _unrealized(account), _entries(account.positions)),
        Tile(_of("Position", held), Cell(_quantities(account.positions)), _exposure(account.positions, quote)),
        Tile(_of("Last price", symbol), Cell(price(last_price)), seen_at),
        Tile("Drawdown", _drawdown(account.drawdown), _drawdown_note(account, risk)),
        Tile("Fills", Cell(f"{account.fill_count:,}"), _counts(account)),
    ]


def _of(label: str, symbol: str) -> str:
    """Return the label of a figure with the coin that it is about; a whole symbol would not fit."""
    return f"{label}, {symbol.partition('/')[0]}" if symbol else label


def _gain(amount: float, base: float) -> tuple[Cell, str]:
    share = amount / base if base > 0 else math.nan
    return Cell(signed_money(amount), sign_tone(amount)), percent(share, signed=True)


def _drawdown_note(account: AccountState, risk: RiskConfig | None) -> str:
    if risk is None:
        return f"peak {money(account.peak_equity)}"
    return "limit off" if risk.max_drawdown is None else f"limit -{limit(risk.max_drawdown)}"


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


def status_facts(health: SessionHealth, metrics: Mapping[str, object]) -> list[Cell]:
    """Return age of data against its limit, ping, bars, and the time of a step."""
    step = metrics.get("step_us")
    counts = metrics.get("counts")
    facts = []
    if health.data_age_s is not None:
        facts.append(_age(health.data_age_s, health.stale_after_s))
    if health.ping_s is not None:
        facts.append(Cell(f"ping {short_time(health.ping_s)}", "muted"))
    bars = _number(counts.get("bars")) if isinstance(counts, dict) else None
    if bars is not None:
        facts.append(Cell(f"{bars:,.0f} bars", "muted"))
    slowest = _number(step.get("p99")) if isinstance(step, dict) else None
    if slowest is not None:
        facts.append(Cell(f"step p99 {short_time(slowest / 1_000_000)}", "muted"))
    return facts


def _age(age_s: float, limit_s: float) -> Cell:
    # Whole seconds: a text that changed with every look would be sent with every look.
    text = "< 1 s" if age_s < 1.0 else duration(math.floor(age_s))
    is_old = age_s > limit_s
    return Cell(f"{'■ ' if is_old else ''}data {text} old, limit {duration(limit_s)}", "down" if is_old else "muted")


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]  # is_number says it is one
