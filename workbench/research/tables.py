"""From a ledger's records to the DataFrames that a person works with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from workbench.core.records import DENIAL_RULES, EXIT_REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.model import PositionSnapshot

    Records = NDArray[np.void]

POSITION_COLUMNS: Final = (
    *("symbol", "side", "quantity", "entry_time", "entry_price"),
    *("mark_price", "notional", "unrealized_pnl", "stop", "target"),
)


def utc_times(time_ns: NDArray[np.int64], *, name: str | None = None) -> pd.DatetimeIndex:
    """Return nanoseconds UTC as aware times.

    Examples
    --------
    >>> utc_times(np.array([0])).strftime("%Y-%m-%d %H:%M %Z").tolist()
    ['1970-01-01 00:00 UTC']
    """
    return pd.DatetimeIndex(np.ascontiguousarray(time_ns).astype("datetime64[ns]"), name=name).tz_localize("UTC")


def trades_table(trades: Records, symbols: Sequence[str]) -> pd.DataFrame:
    """Return closed trades, one row each, in the order of their exits.

    Returns
    -------
    pandas.DataFrame
        ``symbol``, ``side`` (long, short), ``quantity`` (base units), ``entry_time``, ``entry_price``, ``exit_time``,
        ``exit_price``, ``exit_reason``, ``pnl`` (quote currency after fees and funding), ``return_`` (fraction of the
        entry notional), ``fees``, ``bars_held``, ``mae`` and ``mfe`` (worst and best move over the entry price).
    """
    return pd.DataFrame(
        {
            "symbol": _names(symbols, trades["symbol"]),
            "side": _sides(trades["side"], "long", "short"),
            "quantity": trades["quantity"],
            "entry_time": utc_times(trades["entry_time_ns"]),
            "entry_price": trades["entry_price"],
            "exit_time": utc_times(trades["exit_time_ns"]),
            "exit_price": trades["exit_price"],
            "exit_reason": _names(EXIT_REASONS, trades["reason"]),
            **{name: trades[name] for name in ("pnl", "return_", "fees", "bars_held", "mae", "mfe")},
        }
    )


def levels_table(trades: Records) -> pd.DataFrame:
    """Return the protective levels of each trade as they stood at its end: ``stop`` and ``target``, nan for none."""
    return pd.DataFrame({"stop": _levels(trades["stop_level"]), "target": _levels(trades["target"])})


def fills_table(fills: Records, symbols: Sequence[str]) -> pd.DataFrame:
    """Return executions, one row each, numbered; side is buy or sell, fees are in quote currency."""
    return pd.DataFrame(
        {
            "sequence": fills["sequence"],
            "time": utc_times(fills["time_ns"]),
            "symbol": _names(symbols, fills["symbol"]),
            "side": _sides(fills["side"], "buy", "sell"),
            "quantity": fills["quantity"],
            "price": fills["price"],
            "fee": fills["fee"],
            "reason": _names(EXIT_REASONS, fills["reason"]),
            "is_maker": fills["is_maker"] == 1,
        }
    )


def denials_table(denials: Records, symbols: Sequence[str]) -> pd.DataFrame:
    """Return orders that the risk review denied, one row each, with the rule, its limit and the value that broke it."""
    return pd.DataFrame(
        {
            "time": utc_times(denials["time_ns"]),
            "symbol": _names(symbols, denials["symbol"]),
            "side": _sides(denials["side"], "buy", "sell"),
            "quantity": denials["quantity"],
            "rule": _names(DENIAL_RULES, denials["rule"]),
            "limit": denials["limit"],
            "value": denials["value"],
        }
    )


def positions_table(positions: Sequence[PositionSnapshot]) -> pd.DataFrame:
    """Return open positions, one row each, marked at the last close; ``stop`` and ``target`` are nan for none."""
    frame = pd.DataFrame(
        [
            (
                *(p.symbol, p.side, abs(p.quantity), pd.Timestamp(p.entry_time_ns, tz="UTC"), p.entry_price),
                *(p.mark_price, p.notional, p.unrealized_pnl, p.stop_level, p.target_level),
            )
            for p in positions
        ],
        columns=list(POSITION_COLUMNS),
    )
    return frame.astype({"entry_time": "datetime64[ns, UTC]", "stop": np.float64, "target": np.float64})


def _names(names: Sequence[str], codes: NDArray[np.int64]) -> list[str]:
    return [names[code] for code in codes.tolist()]


def _sides(signs: NDArray[np.int64], positive: str, negative: str) -> list[str]:
    return [positive if sign > 0 else negative for sign in signs.tolist()]


def _levels(level: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(level) & (level > 0.0), level, np.nan)
