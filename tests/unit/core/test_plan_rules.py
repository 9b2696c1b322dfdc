import math

import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core.evaluation import EvaluationCache
from workbench.core.intents import DEFAULT, FRACTION, RISK
from workbench.core.market_view import MarketView
from workbench.core.nodes import Constant, Node
from workbench.core.plan import LEVEL_NAMES, SignalPlan, level_fault
from workbench.core.rule_plan import RulePlan
from workbench.errors import ConfigError, DataError

BARS = random_ohlcv(300)
NEVER = Constant(False)
NAN = math.nan


def plan(conditions: list[Node], **levels: float | Node) -> RulePlan:
    full = [*conditions, *[NEVER] * (4 - len(conditions))]
    values = [levels.get(name, DEFAULT if name == "sizing" else NAN) for name in LEVEL_NAMES]
    return RulePlan("test", {"fast": 3}, "source", full, values)


def bars_of(closes: list[float]) -> np.ndarray:
    return np.array([closes, closes, closes, closes, [1.0] * len(closes)])


def stepped(rules: RulePlan, bars: np.ndarray) -> tuple[list[int], np.ndarray]:
    stream = rules.stream()
    answers = [stream.step(*bar) for bar in bars.T.tolist()]
    return [code for code, _ in answers], np.array([levels for _, levels in answers]).T


def test_each_condition_has_its_bit() -> None:
    m = MarketView()
    rules = plan([(m.close > 1).node, (m.close > 2).node, (m.close > 3).node, (m.close > 4).node])
    codes, _ = rules.batch(bars_of([1, 2, 3, 4, 5]))
    assert codes.tolist() == [0, 1, 1 + 2, 1 + 2 + 4, 1 + 2 + 4 + 8]
    assert codes.dtype == np.uint8


def test_there_is_no_decision_during_the_warmup() -> None:
    m = MarketView()
    rules = plan([Constant(True), (~(m.close > m.close.sma(4))).node])
    assert rules.warmup == 3
    codes, _ = rules.batch(bars_of([5, 5, 5, 5, 5]))
    assert codes.tolist() == [0, 0, 0, 3, 3]
    assert stepped(rules, bars_of([5, 5, 5, 5, 5]))[0] == [0, 0, 0, 3, 3]


def test_fewer_bars_than_the_warmup_decide_nothing() -> None:
    m = MarketView()
    assert plan([(m.close > m.close.sma(50)).node]).batch(BARS[:, :10])[0].tolist() == [0] * 10
    assert plan([(m.close > m.close.sma(50)).node]).batch(BARS[:, :0])[0].tolist() == []


def test_the_warmup_of_a_level_counts_too() -> None:
    m = MarketView()
    assert plan([(m.close > 0).node], stop_loss=(m.atr(14) / m.close).node).warmup == 14


def test_constant_levels_are_one_column() -> None:
    m = MarketView()
    _, levels = plan([(m.close > 1).node], stop_loss=0.02, size=0.5, sizing=FRACTION).batch(BARS)
    assert levels.shape == (8, 1)
    np.testing.assert_array_equal(levels[:, 0], [0.5, NAN, NAN, 0.02, NAN, NAN, NAN, FRACTION])


def test_a_level_that_changes_from_bar_to_bar_has_a_value_for_each() -> None:
    m = MarketView()
    rules = plan([(m.close > 0).node], stop_loss=(m.close / 100).node, take_profit=0.1)
    codes, levels = rules.batch(bars_of([10, 20, 30]))
    np.testing.assert_array_equal(levels[3], [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(levels[4], [0.1, 0.1, 0.1])
    assert codes.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("stop_loss", 0.5, 1.0), ("trailing_stop", 0.5, 1.5), ("limit", 9, 0)],
)
def test_an_entry_without_a_usable_level_is_no_entry(name: str, good: float, bad: float) -> None:
    m = MarketView()
    always, leaving = (m.close > -9).node, (m.close < 9999).node
    rules = plan([always, leaving, always], **{name: (m.close / m.volume).node})
    bars = bars_of([good, bad, -0.5, good, good])
    bars[4, 3] = 0.0  # good / 0: no value
    codes, _ = rules.batch(bars)
    assert codes.tolist() == [7, 2, 2, 2, 7]
    assert stepped(rules, bars)[0] == codes.tolist()


def test_a_risk_of_all_equity_is_no_usable_size_but_such_a_fraction_is() -> None:
    m = MarketView()
    for sizing, code in ((RISK, 0), (FRACTION, 1)):
        rules = plan([(m.close > 0).node], size=m.close.node, sizing=sizing)
        assert rules.batch(bars_of([1.0, 0.5]))[0].tolist() == [code, 1]


def test_batch_equals_stream_for_codes_and_levels() -> None:
    m = MarketView()
    fast, slow = m.close.sma(5), m.close.sma(12)
    rules = plan(
        [
            fast.crosses_above(slow).node,
            fast.crosses_below(slow).node,
            (m.rsi(7) > 70).node,
            (m.rsi(7) < 50).node,
        ],
        stop_loss=(2 * m.atr(14) / m.close).node,
        limit=(m.close - m.atr(5)).node,
        size=0.5,
        sizing=FRACTION,
    )
    codes, levels = rules.batch(BARS)
    step_codes, step_levels = stepped(rules, BARS)
    assert set(codes.tolist()) > {0, 1, 2}
    assert codes.tolist() == step_codes
    np.testing.assert_array_equal(levels, step_levels)


def crossings(m: MarketView) -> dict[str, list[Node]]:
    fast, slow = m.close.sma(3), m.close.sma(8)
    above, below = fast.crosses_above(slow).node, fast.crosses_below(slow).node
    turned_above, turned_below = slow.crosses_below(fast).node, slow.crosses_above(fast).node
    return {
        "both ways": [above, below],
        "the other way round": [turned_above, turned_below],
        "seen from either side": [above, turned_below, turned_below, above],
        "long and short": [above, below, below, above],
        "never left": [NEVER, NEVER, below],
        "always left": [above, Constant(True)],
        "of a level": [m.close.crosses_above(100.0).node, m.close.crosses_below(100.0).node],
        "of two pairs": [above, m.close.crosses_below(slow).node],
        "of one pair and more": [above, (m.close < slow).node],
        "with gaps": [(m.close / m.volume).crosses_above(slow).node, (m.close / m.volume).crosses_below(slow).node],
    }


@pytest.mark.parametrize("name", list(crossings(MarketView())))
@pytest.mark.parametrize("rows", [0, 1, 2, 8, 9, 300])
def test_crossings_are_coded_as_their_steps(name: str, rows: int) -> None:
    bars = BARS[:, :rows].copy()
    bars[4, ::7] = 0.0  # close / volume has no value there
    bars[4, 1::7] = 0.9
    rules = plan(crossings(MarketView())[name])
    for cache in (None, EvaluationCache(bars)):
        codes, _ = rules.batch(bars, cache=cache)
        assert codes.tolist() == stepped(rules, bars)[0]
    assert np.count_nonzero(codes) > 5 or rows < 300


def test_a_pair_that_meets_crosses_on_the_bar_that_parts_it() -> None:
    m = MarketView()
    one, other = m.close.shift(0), m.volume.shift(0)
    rules = plan([one.crosses_above(other).node, one.crosses_below(other).node])
    bars = bars_of([1, 2, 2, 3, 2, 2, 1, 2, 3])
    bars[4] = 2.0
    # below, equal, equal, above: 1; equal, equal, below: 2; equal, above: 1
    assert rules.batch(bars)[0].tolist() == [0, 0, 0, 1, 0, 0, 2, 0, 1]


def test_a_cache_changes_nothing_but_the_work() -> None:
    m = MarketView()
    rules = plan([m.close.sma(5).crosses_above(m.close.sma(12)).node], stop_loss=(m.atr(14) / m.close).node)
    cache = EvaluationCache(BARS)
    for _ in range(2):
        for with_cache, without in zip(rules.batch(BARS, cache=cache), rules.batch(BARS), strict=True):
            np.testing.assert_array_equal(with_cache, without)


def test_codes_belong_to_the_caller_and_levels_are_shared_read_only() -> None:
    m = MarketView()
    codes, levels = plan([(m.close > 1).node], stop_loss=0.02).batch(BARS)
    codes[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        levels[0, 0] = 1.0


def test_a_plan_says_what_it_is() -> None:
    m = MarketView()
    rules = plan([(m.close > m.close.sma(3)).node])
    assert (rules.kind, rules.is_causal, rules.source) == ("rules", True, "source")
    assert dict(rules.parameters) == {"fast": 3}
    assert repr(rules) == "<RulePlan test(fast=3), warmup 2>"
    with pytest.raises(TypeError):
        rules.parameters["fast"] = 4
    rules.check_length(17)


@pytest.fixture
def signals() -> SignalPlan:
    codes = np.array([0, 1, 2, 4], dtype=np.uint8)
    levels = np.full((8, 4), NAN)
    levels[3] = [0.1, 0.2, 0.3, 0.4]
    return SignalPlan("signals", codes, levels)


def test_signals_are_read_at_the_rows_of_the_bars(signals: SignalPlan) -> None:
    codes, levels = signals.batch(BARS[:, :2], np.array([1, 3]))
    assert codes.tolist() == [1, 4]
    assert levels[3].tolist() == [0.2, 0.4]
    assert (signals.kind, signals.is_causal) == ("signals", False)


def test_signals_must_be_as_long_as_the_bars(signals: SignalPlan) -> None:
    signals.check_length(4)
    with pytest.raises(DataError, match="each of the 5 bars, had 4"):
        signals.check_length(5)
    with pytest.raises(DataError, match="each of the 3 bars, had 4"):
        signals.check_length(3)
    with pytest.raises(DataError, match="had 4"):
        signals.batch(BARS[:, :2], np.array([3, 4]))
    with pytest.raises(DataError, match="one row number"):
        signals.batch(BARS[:, :2], np.array([1]))


def test_signals_cannot_run_live(signals: SignalPlan) -> None:
    with pytest.raises(ConfigError, match="cannot run live"):
        signals.stream()


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("stop_loss", 0.5, None),
        ("stop_loss", 1, "stop_loss must be in (0, 1), was 1"),
        ("stop_loss", NAN, "stop_loss must be in (0, 1), was nan"),
        ("take_profit", 3.0, None),
        ("take_profit", math.inf, "take_profit must be > 0 and finite, was inf"),
        ("size", np.array([1.0, NAN, 2.0]), None),
        ("size", np.array([1.0, -2.0]), "size must be > 0 and finite, was -2.0 at row 1"),
    ],
)
def test_a_level_outside_its_range_is_named(name: str, values: float | np.ndarray, fault: str | None) -> None:
    assert level_fault(name, values) == fault
