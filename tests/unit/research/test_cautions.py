import numpy as np
import pytest

from workbench.model import RiskConfig
from workbench.research import backtest
from workbench.strategy import Rules, Signals, Strategy, hold, sma_cross, strategy

pytestmark = pytest.mark.timeout(600)


@strategy
def tight(m, stop=0.0001):
    return Rules(enter_long=m.close > m.close.shift(1), exit_long=m.close < m.close.shift(1), stop_loss=stop)


def test_a_breaker_that_tripped_is_told_first_with_its_time(make_bars, free):
    risk = RiskConfig(daily_loss_limit=0.05)
    enter = Signals(enter_long=np.array([True, False, False, False]))
    result = backtest(enter, make_bars([100, 100, 80, 80]), cash=1_000, costs=free, risk=risk)
    # Equity is seen at 800 of 1000 at the low of the bar of 02:00.
    assert result.warnings[0] == (
        "Halted by daily_loss on 2025-01-01 02:00 UTC: a loss of 20.00 % reached the limit of 5.00 %. "
        "No entries after that."
    )


def test_entries_that_were_denied_are_counted_by_rule(make_bars, free):
    bars = make_bars([100, 100, 100, 100, 100])
    short, long = np.arange(5) == 0, np.isin(np.arange(5), [2, 3])
    one = backtest(Signals(enter_short=short), bars, cash=1_000, costs=free)
    assert one.warnings[0] == "1 entry was denied (short_on_spot 1): see denials."
    # More than all equity as a fraction of it.
    more = backtest(Signals(enter_short=short, enter_long=long, size=2.0), bars, cash=1_000, costs=free)
    assert more.warnings[0] == "3 entries were denied (invalid_size 3): see denials."
    mixed = Signals(enter_short=short, enter_long=long, size=np.array([1.0, 1.0, 2.0, 2.0, 1.0]))
    text = "3 entries were denied (invalid_size 2, short_on_spot 1): see denials."
    assert backtest(mixed, bars, cash=1_000, costs=free).warnings[0] == text


def test_entries_denied_after_a_breaker_are_told_by_the_breaker(make_bars, free):
    risk = RiskConfig(daily_loss_limit=0.05)
    always = Signals(enter_long=np.ones(5, dtype=bool))
    result = backtest(always, make_bars([100, 100, 80, 80, 80]), cash=1_000, costs=free, risk=risk)
    assert set(result.denials["rule"]) == {"halted"}
    assert not any("denied" in warning for warning in result.warnings)


def test_signals_are_not_proven_causal(make_bars, free):
    result = backtest(Signals(enter_long=np.array([True, False])), make_bars([100, 100]), cash=1_000, costs=free)
    assert any("not proven causal" in warning for warning in result.warnings)


def test_a_strategy_of_expressions_is_causal(wavy):
    assert not any("causal" in warning for warning in backtest(sma_cross, wavy, cash=1_000).warnings)


def test_a_stop_tighter_than_the_median_bar_is_named_with_both(wavy):
    warnings = backtest(tight, wavy, cash=1_000).warnings
    assert any("stop is tighter than the median bar: 0.01 % against" in warning for warning in warnings)


def test_a_stop_wider_than_the_median_bar_is_not(wavy):
    warnings = backtest(tight(stop=0.2), wavy, cash=1_000).warnings
    assert not any("tighter" in warning for warning in warnings)


def test_few_trades_are_counted(wavy):
    warnings = backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000).warnings
    assert any("closed trades: too few to tell skill from luck" in warning for warning in warnings)


def test_an_interpreted_strategy_says_why(wavy):
    class Wordy(Strategy):
        size: float = 1.0

        def indicators(self, m):
            return {"mean": m.close.sma(3)}

        def on_bar(self, now, position):
            _ = f"{now.close} {position.quantity}".upper()
            return hold()

    warnings = backtest(Wordy, wavy, cash=1_000).warnings
    assert any(warning.startswith("Ran interpreted: ") for warning in warnings)
