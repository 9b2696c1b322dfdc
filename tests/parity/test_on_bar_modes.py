"""An ``on_bar`` strategy leaves the same bytes compiled or not, with or without the short cut, however often logged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core import EngineConfig, Ledger, callable_driver, driver, run_backtest
from workbench.core.log import ROOM_PER_SYMBOL
from workbench.model import Bars, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, enter_short, exit_position, hold, plan_of

ROWS = 400
MINUTE_NS = 60_000_000_000


class Told(Strategy):
    """Does what the volume of the bar says."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"before": m.close.shift(3)}

    def on_bar(self, now: Any, position: Any) -> Any:
        if not now.volume >= 1.0:
            # A missing bar, about which nobody may be asked.
            return enter_long()
        if now.volume == 2.0:
            return enter_long(size=0.1, stop_loss=0.02)
        if now.volume == 3.0:
            return enter_short(size=0.1, trailing_stop=0.01)
        if now.volume == 4.0 and (position.bars_held > 3 or now.close > now.before):
            return exit_position()
        if now.volume == 5.0:
            return enter_long(size=0.05, limit=now.close * 0.99)
        return hold()


def market(seed: int, symbols: int, spread: float = 0.002) -> tuple[Bars, tuple[Instrument, ...]]:
    """Return bars with gaps and missing rows, and orders in their volume."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, spread, (symbols, ROWS)), axis=1))
    open_ = np.c_[np.full(symbols, 100.0), close[:, :-1]] * (1.0 + rng.normal(0.0, spread / 4, (symbols, ROWS)))
    high, low = np.maximum(open_, close) * 1.0005, np.minimum(open_, close) * 0.9995
    volume = rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], (symbols, ROWS), p=[0.8, 0.05, 0.05, 0.05, 0.05])
    values = np.stack((open_, high, low, close, volume))
    values[:, rng.random((symbols, ROWS)) < 0.05] = np.nan
    values[:, :, 200:210] = np.nan
    instruments = tuple(Instrument(f"C{s}/USDT:USDT", "linear_perpetual", tick=0.01) for s in range(symbols))
    times = 1_704_067_200_000_000_000 + MINUTE_NS * (1_300 + np.arange(ROWS))
    names = tuple(instrument.symbol for instrument in instruments)
    return Bars(names, Timeframe("1m"), instruments, times, values), instruments


def run(seed: int, symbols: int, *, min_notional: float | None = None, **options: Any) -> Ledger:
    bars, instruments = market(seed, symbols)
    if min_notional is not None:
        instruments = tuple(
            Instrument(one.symbol, "linear_perpetual", tick=0.01, min_notional=min_notional) for one in instruments
        )
        bars = Bars(bars.symbols, bars.timeframe, instruments, bars.time_ns, bars.values)
    config = EngineConfig(
        instruments=instruments,
        timeframe=bars.timeframe,
        cash=10_000.0,
        risk=RiskConfig(take_profit=0.03, max_drawdown=0.9, daily_loss_limit=0.5, max_leverage=3.0),
    )
    return run_backtest(plan_of(Told()), bars, config, **options)


@pytest.mark.parametrize("symbols", [1, 12])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_mode_leaves_the_same_bytes(seed: int, symbols: int) -> None:
    ledgers = [
        run(seed, symbols, is_exact=is_exact, interpreted=interpreted)
        for is_exact in (False, True)
        for interpreted in (False, True)
    ]
    assert len(ledgers[0].trades) > 10
    # A tenth of 3 * 10000 each time; a whole one is what asking about a missing bar brings.
    assert ledgers[0].fills["quantity"].max() * 100.0 < 0.25 * 3.0 * 10_000.0
    assert len({ledger.hash for ledger in ledgers}) == 1


@pytest.mark.parametrize("symbols", [1, 12])
@pytest.mark.parametrize("interpreted", [False, True])
def test_log_that_fills_up_at_every_bar_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, symbols: int, interpreted: bool
) -> None:
    whole = run(4, symbols, interpreted=interpreted, min_notional=2_500.0)
    assert len(whole.denials) > 5 * symbols
    for log_rows in (1, 2 * ROOM_PER_SYMBOL * symbols + 5):
        monkeypatch.setattr(driver, "LOG_ROWS", log_rows)
        monkeypatch.setattr(callable_driver, "LOG_ROWS", log_rows)
        assert run(4, symbols, interpreted=interpreted, min_notional=2_500.0).hash == whole.hash
