"""Where a session trades, with how much, and what it is called."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.live.real_mode import REAL_NAME_PREFIX
from workbench.live.session_config import EXECUTIONS, SESSION_NAME
from workbench.model import Timeframe
from workbench.panels.field_group import FieldGroup, Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["PAPER", "REAL", "REPLAY", "MarketFields", "replay_name"]

PAPER: Final = "play money"
REAL: Final = "REAL MONEY"
REPLAY: Final = "replay of "
"""How an exchange is called that is none: a replay of bars by the name that follows."""

_TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "4h", "1d")
_SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "BTC/USDT:USDT")
_SYMBOL: Final = re.compile(r"[^\s/,]+/[^\s/,]+")
_FASTEST: Final = 1_000.0


class MarketFields(FieldGroup):
    """Money, exchange, symbol, timeframe, cash, execution, speed and name.

    Parameters
    ----------
    bars : collection of str
        Names of the bars that can be replayed.
    is_running : callable
        Says whether a session of a name runs.
    on_change : callable
        As of `FieldGroup`.
    """

    def __init__(
        self, bars: Collection[str], is_running: Callable[[str], bool], on_change: Callable[[str], None]
    ) -> None:
        super().__init__("Market", on_change)
        self._bars = bars
        exchanges = ("practice", *(f"{REPLAY}{name}" for name in bars), "binance", "kraken", "bybit")
        specs = (
            Spec(name="money", kind="choice", choices=(PAPER, REAL), default=PAPER, help="what is at stake"),
            Spec(name="exchange", kind="text", choices=exchanges, default="practice", help="or any name of ccxt"),
            Spec(name="symbol", kind="text", choices=_SYMBOLS, default="BTC/USDT", help="several: with commas"),
            Spec(name="timeframe", kind="text", choices=_TIMEFRAMES, default="1m", help="length of a bar"),
            Spec(name="cash", kind="float", default=10_000.0, help="in quote currency"),
            Spec(name="execution", kind="choice", choices=EXECUTIONS, default="simulated", help="who fills the orders"),
            Spec(name="speed", kind="float", default=1.0, help="market seconds a second, 1 to 1000"),
            Spec(name="name", kind="text", help="of the session"),
        )
        values = [(spec, "" if spec.default is None else spec.default) for spec in specs]
        self.fill(values, usual={"name": lambda name: _name_hint(name, is_running=is_running(name))})

    @property
    def is_real(self) -> bool:
        """Whether it is about real money."""
        return bool(self.fields["money"].value == REAL)

    @property
    def replayed(self) -> str | None:
        """Name of the bars that are replayed; None for an exchange."""
        return replay_name(self.fields["exchange"].value)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded; empty for all symbols of a replay."""
        return tuple(part.strip() for part in str(self.fields["symbol"].value).split(",") if part.strip())

    @property
    def shut(self) -> tuple[str, ...]:
        """Fields that mean nothing with what the others say."""
        if self.is_real:
            return ("execution", "speed")
        return ("execution", "timeframe") if self.replayed is not None else ()

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each field."""
        values = self.values
        found = {
            "exchange": self._exchange_fault(values["exchange"]),
            "symbol": self._symbol_fault(),
            "timeframe": "" if "timeframe" in self.shut else _timeframe_fault(values["timeframe"]),
            "cash": "" if 0.0 < _number(values["cash"]) < math.inf else f"must be above 0, was {values['cash']}",
            "speed": "" if self.is_real else _speed_fault(values["speed"]),
            "name": _name_fault(values["name"], is_real=self.is_real),
        }
        return {name: text for name, text in found.items() if text}

    def _exchange_fault(self, exchange: str) -> str:
        if not exchange:
            return "must be an exchange: practice, or a name of ccxt"
        if self.replayed is None:
            return ""
        if self.is_real:
            return "must be an exchange: bars are no place for real money"
        return "" if self.replayed in self._bars else f"there are no bars of the name {self.replayed}"

    def _symbol_fault(self) -> str:
        if not self.symbols:
            return "" if self.replayed is not None else "must be like BTC/USDT, was nothing"
        wrong = [one for one in self.symbols if _SYMBOL.fullmatch(one) is None]
        if wrong:
            return f"must be like BTC/USDT, was {', '.join(wrong)}"
        return "must name each symbol once" if len(set(self.symbols)) < len(self.symbols) else ""


def replay_name(exchange: object) -> str | None:
    """Return the name of the bars that an `exchange` of a panel stands for; None for a real one.

    Examples
    --------
    >>> replay_name("replay of bars"), replay_name("binance")
    ('bars', None)
    """
    text = str(exchange)
    return text.removeprefix(REPLAY) if text.startswith(REPLAY) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _timeframe_fault(text: str) -> str:
    try:
        Timeframe.of(text)
    except ConfigError as error:
        return str(error).removeprefix("timeframe ")
    return ""


def _speed_fault(value: object) -> str:
    return "" if 1.0 <= _number(value) <= _FASTEST else f"must be 1 to 1000, was {value}"


def _name_fault(name: str, *, is_real: bool) -> str:
    if SESSION_NAME.fullmatch(name) is None:
        return f"must be 1 to 64 of a-z, 0-9, _ and -, was {name or 'nothing'}"
    if name.startswith(REAL_NAME_PREFIX) and not is_real:
        return f"must not begin with {REAL_NAME_PREFIX}: that is for real money"
    return ""


def _name_hint(name: Any, *, is_running: bool) -> str:  # noqa: ANN401  what the field holds
    return "runs already: Start shows it" if name and is_running else "of the session"
