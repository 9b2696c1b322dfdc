"""The risk settings of a session as a table in which off is a setting like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.panels.formats import duration, limit, money
from workbench.panels.markup import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.model import RiskConfig

__all__ = ["SETTINGS", "risk_table"]

_COLUMNS: Final = (
    Column("Setting", is_text=True),
    Column("Value"),
    Column("What it does; fixed when the session was made", is_text=True),
)
_OFF: Final = Cell("○ off", "muted")


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _times(value: float) -> str:
    return f"{value:.4g} x"


SETTINGS: Final[Mapping[str, tuple[str, Callable[[float], str], str]]] = {
    "stop_loss": ("Stop loss", limit, "closes a position when the price is this much worse than its entry"),
    "take_profit": ("Take profit", limit, "closes a position when the price is this much better than its entry"),
    "trailing_stop": ("Trailing stop", limit, "closes when the price comes this far back from its best since entry"),
    "trailing_activate_at": ("Trail from profit", limit, "profit at which the trail starts or tightens"),
    "trailing_distance_after": ("Trail after that", limit, "distance of the trail from then on"),
    "max_holding_s": ("Longest holding", duration, "closes a position at the first price after this time"),
    "max_loss_per_trade": ("Loss per trade", limit, "closes a position that lost this part of equity at its entry"),
    "max_drawdown": ("Drawdown breaker", limit, "closes all and halts when equity is this far below its peak"),
    "daily_loss_limit": ("Daily loss breaker", limit, "closes all and halts when the UTC day has lost this much"),
    "max_position_notional": ("Largest position", money, "in quote currency; larger entries are denied"),
    "max_order_notional": ("Largest order", money, "in quote currency; larger entries are denied"),
    "max_leverage": ("Largest leverage", _times, "sum of all positions over equity"),
    "max_orders_per_minute": ("Entries per minute", _count, "more in a UTC minute are denied, an order storm halts"),
    "price_collar": ("Price collar", limit, "denies entries priced further than this from the last price"),
    "cooldown_s": ("Cooldown", duration, "no entries in a symbol for this time after a stop closed it"),
}
"""By field of a `RiskConfig`: what people call it, how its value is written, and what it does."""


def risk_table(risk: RiskConfig | None) -> Table:
    """Return every risk setting with its value, or off.

    Parameters
    ----------
    risk : RiskConfig or None
        The settings; None when they are not known.
    """
    empty = "The risk settings are not known here"
    if risk is None:
        return Table(_COLUMNS, (), empty)
    rows = [
        [Cell(label), _value(getattr(risk, field), text_of), Cell(meaning, "muted")]
        for field, (label, text_of, meaning) in SETTINGS.items()
    ]
    return Table(_COLUMNS, rows, empty)


def _value(value: float | None, text_of: Callable[[float], str]) -> Cell:
    return _OFF if value is None else Cell(f"● {text_of(value)}")
