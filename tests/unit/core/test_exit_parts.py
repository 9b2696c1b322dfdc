"""Exits in part and at a limit: what `exit_position` promises."""

import numpy as np
import pytest

import workbench as wb
from workbench.core import EngineConfig, run_backtest
from workbench.errors import OrderError
from workbench.model import Bars, Costs, Instrument, Timeframe
from workbench.strategy import plan_of

START = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000


class HalfOut(wb.Strategy):
    """Enter on the first bar, sell half on the third."""

    def indicators(self, m):
        return {"last": m.close}

    def on_bar(self, now, position):  # noqa: ARG002  the signature is fixed
        if position.is_flat:
            return wb.enter_long(units=4.0, stop_loss=0.5)
        if position.bars_held == 2 and position.quantity > 3.0:
            return wb.exit_position(size=0.5)
        return wb.hold()


class LimitOut(wb.Strategy):
    """Enter on the first bar, then offer half at 120."""

    def indicators(self, m):
        return {"last": m.close}

    def on_bar(self, now, position):  # noqa: ARG002  the signature is fixed
        if position.is_flat:
            return wb.enter_long(units=4.0)
        if position.bars_held == 1:
            return wb.exit_position(units=1.5, limit=120.0)
        return wb.hold()


def run(strategy, closes, highs=None, *, lot=0.5, interpreted=False):
    closes = np.array(closes, float)
    opens = np.concatenate([closes[:1], closes[:-1]])
    high = np.maximum(opens, closes) if highs is None else np.array(highs, float)
    low = np.minimum(opens, closes)
    instrument = Instrument("BTC/USDT", lot=lot)
    times = START + MINUTE * np.arange(len(closes))
    bars = Bars.from_arrays("BTC/USDT", "1m", times, opens, high, low, closes, np.ones(len(closes)), (instrument,))
    costs = Costs(taker_fee=0.001, maker_fee=0.0005, slippage=0.0)
    config = EngineConfig(instruments=(instrument,), timeframe=Timeframe("1m"), cash=10_000.0, costs=costs)
    return run_backtest(plan_of(strategy), bars, config, interpreted=interpreted)


@pytest.mark.parametrize("interpreted", [False, True])
def test_half_of_the_position_leaves_and_the_rest_keeps_its_entry(interpreted):
    ledger = run(HalfOut(), [100, 100, 110, 110, 110, 110], interpreted=interpreted)
    # Decided on bar 0, in on bar 1 at its open 100; two bars held at the close of bar 2; out on bar 3 at its open 110.
    trade = ledger.trades[0]
    assert (trade["quantity"], trade["entry_price"], trade["exit_price"]) == (2.0, 100.0, 110.0)
    # 2 * (110 - 100) less half of the entry fee (4 * 100 * 0.001 / 2) and the exit fee (2 * 110 * 0.001)
    assert trade["pnl"] == pytest.approx(20.0 - 0.2 - 0.22)
    assert len(ledger.trades) == 1
    assert ledger.book.symbols[0]["quantity"] == 2.0
    assert ledger.book.symbols[0]["stop_level"] == 50.0  # the stop of the entry stays: 100 * (1 - 0.5)


def test_part_rounds_down_to_the_lot():
    ledger = run(HalfOut(), [100, 100, 110, 110, 110], lot=1.5)
    # 4 units round down to 3.0; half of them is 1.5, one lot.  (a position above 3 units is needed to sell: none is)
    assert ledger.book.symbols[0]["quantity"] == 3.0
    assert len(ledger.trades) == 0


def test_exit_at_a_limit_rests_until_the_price_comes_and_pays_the_maker_fee():
    ledger = run(LimitOut(), [100, 100, 110, 110, 110], highs=[100, 100, 110, 125, 110])
    trade = ledger.trades[0]
    assert (trade["quantity"], trade["exit_price"]) == (1.5, 120.0)
    # 1.5 * 20 - 1.5/4 of the entry fee 0.4 - 1.5 * 120 * 0.0005
    assert trade["pnl"] == pytest.approx(30.0 - 0.15 - 0.09)
    assert ledger.fills[-1]["is_maker"] == 1


def test_limit_that_is_never_reached_leaves_the_position_whole():
    ledger = run(LimitOut(), [100, 100, 110, 110, 110], highs=[100, 100, 110, 119.5, 110])
    assert len(ledger.trades) == 0
    assert ledger.book.symbols[0]["quantity"] == 4.0


def test_two_sizes_at_once_are_refused():
    with pytest.raises(OrderError, match="only one of size"):
        wb.exit_position(size=0.5, units=1.0)
