"""Each indicator over arrays equals the same indicator carried forward bar by bar, bit for bit."""

from typing import Any

import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core.graph import Graph
from workbench.core.indicator_definitions import indicator_definition, indicator_names
from workbench.core.market_view import MarketView
from workbench.errors import ConfigError

ROWS = 230
BARS = random_ohlcv(ROWS, seed=3)


def steps(graph: Graph, expressions: list[Any], bars: np.ndarray) -> np.ndarray:
    stream = graph.stream(expressions)
    return np.array([stream.step(*bar) for bar in bars.T.tolist()], dtype=np.float64).T


def as_list(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def assert_same_bits(expressions: list[Any], graph: Graph, bars: np.ndarray) -> None:
    batch = graph.batch(expressions, bars)
    for expression, over_arrays, bar_by_bar in zip(expressions, batch, steps(graph, expressions, bars), strict=True):
        np.testing.assert_array_equal(over_arrays, bar_by_bar, err_msg=repr(expression))
        np.testing.assert_array_equal(
            np.signbit(over_arrays[over_arrays == 0]),
            np.signbit(bar_by_bar[bar_by_bar == 0]),
        )
        warmup = expression.node.warmup
        assert np.isnan(over_arrays[:warmup]).all(), f"{expression!r} has a value in its warm-up"


def call(m: MarketView, name: str, **parameters: Any) -> list[Any]:
    series = [m.close, m.volume * 0.1] if name == "mavp" else []
    return as_list(getattr(m, name)(*series, **parameters))


def random_parameters(name: str, rng: np.random.Generator) -> dict[str, float]:
    chosen: dict[str, float] = {}
    for parameter, default in indicator_definition(name).parameters.items():
        if "matype" in parameter:
            chosen[parameter] = int(rng.integers(0, 9))
        elif isinstance(default, int):
            chosen[parameter] = int(rng.integers(1, rng.choice([4, 40])))
        else:
            chosen[parameter] = default * float(rng.uniform(0.5, 1.5))
    return chosen


@pytest.mark.parametrize("name", indicator_names())
def test_batch_equals_step_with_default_parameters_from_the_first_bar_on(name: str) -> None:
    m = MarketView()
    assert_same_bits(call(m, name), m.graph, BARS)


@pytest.mark.parametrize("name", indicator_names())
def test_first_value_of_an_indicator_comes_right_after_its_warmup(name: str) -> None:
    m = MarketView()
    outputs = call(m, name)
    if name in {"acos", "asin"}:  # prices lie outside their domain
        return
    for expression, values in zip(outputs, m.graph.batch(outputs, BARS), strict=True):
        assert not np.isnan(values[expression.node.warmup]), repr(expression)


def test_batch_equals_step_with_random_parameters() -> None:
    rng = np.random.default_rng(7)
    tried = 0
    for name in indicator_names():
        for _ in range(3):
            m = MarketView()
            try:
                outputs = call(m, name, **random_parameters(name, rng))
            except ConfigError:
                continue  # TA-Lib refuses this combination
            assert_same_bits(outputs, m.graph, BARS)
            tried += 1
    assert tried > 400


def test_batch_equals_step_on_series_with_holes_at_the_start_and_in_the_middle() -> None:
    for name in indicator_names():
        definition = indicator_definition(name)
        if not definition.series_count:
            continue
        m = MarketView()
        # No value for 4 bars, then none wherever the volume is below 20 (0 / 0).
        is_there = m.volume > 20
        holed = (m.close.shift(4) * (is_there * 1.0)) / (is_there * 1.0)
        others = [m.volume] * (definition.series_count - 1)
        outputs = as_list(getattr(holed, name)(*others))
        assert_same_bits(outputs, m.graph, BARS)


def test_a_hole_has_no_value_and_the_indicator_goes_on_as_if_it_were_not_there() -> None:
    m = MarketView()
    holed = m.close / (m.volume - 50)  # 0 / 0 where the volume is 50
    bars = np.array([[1.0] * 6] * 3 + [[2.0, 4.0, 9.0, 6.0, 8.0, 10.0], [51.0, 51.0, 50.0, 51.0, 51.0, 51.0]])
    (mean,) = m.graph.batch([holed.sma(2)], bars)
    # (2 + 4) / 2, hole, (4 + 6) / 2, (6 + 8) / 2, (8 + 10) / 2
    np.testing.assert_array_equal(mean, [np.nan, 3.0, np.nan, 5.0, 7.0, 9.0])


@pytest.mark.parametrize("rows", range(6))
def test_few_bars_give_no_value_rather_than_an_error(rows: int) -> None:
    m = MarketView()
    outputs = [output for name in indicator_names() for output in call(m, name)]
    batch = m.graph.batch(outputs, BARS[:, :rows])
    assert {len(values) for values in batch} == {rows}
    if rows:
        for expression, over_arrays, bar_by_bar in zip(
            outputs,
            batch,
            steps(m.graph, outputs, BARS[:, :rows]),
            strict=True,
        ):
            np.testing.assert_array_equal(over_arrays, bar_by_bar, err_msg=repr(expression))


def test_step_values_are_floats_even_where_the_library_gives_whole_numbers() -> None:
    m = MarketView()
    stream = m.graph.stream([m.cdldoji(), m.ht_trendmode(), m.close.sma(3)])
    values = [stream.step(*bar) for bar in BARS.T.tolist()][-1]
    assert [type(value) for value in values] == [float, float, float]


def change_over_two_rows(series: np.ndarray) -> np.ndarray:
    return np.concatenate([np.full(2, np.nan), series[2:] - series[:-2]])


OWN = {
    "sum": lambda m: m.open + m.close,
    "difference": lambda m: m.open - m.close,
    "product": lambda m: m.open * 1.1,
    "quotient": lambda m: m.close / (m.close - m.close.shift(1)),
    "inverse": lambda m: 1 / m.volume,
    "power": lambda m: m.close**3,
    "negative": lambda m: -(m.close - 100),
    "absolute": lambda m: abs(m.close - 100),
    "shift": lambda m: m.close.shift(7),
    "rolling maximum": lambda m: m.close.max(5),
    "rolling minimum": lambda m: m.close.min(5),
    "rolling sum": lambda m: m.close.sum(5),
    "count": lambda m: (m.close > m.open).sum(5),
    "count after a warm-up": lambda m: (m.close > m.close.sma(4)).sum(5),
    "greater": lambda m: m.close > m.close.sma(9),
    "less": lambda m: m.close < 100,
    "greater or equal": lambda m: m.high >= m.close,
    "less or equal": lambda m: m.low <= m.close.shift(1),
    "equal": lambda m: m.close == m.high,
    "unequal": lambda m: m.close.shift(2) != m.high,
    "above": lambda m: m.close.crosses_above(m.close.sma(5)),
    "below": lambda m: m.close.crosses_below(m.close.sma(5)),
    "above a level": lambda m: m.rsi(5).crosses_above(50),
    "below a level": lambda m: m.rsi(5).crosses_below(50),
    "both": lambda m: (m.close > m.open) & (m.close > m.close.shift(1)),
    "either": lambda m: (m.close > m.open) | (m.close > m.close.shift(1)),
    "not": lambda m: ~(m.close > m.close.sma(9)),
    "shifted condition": lambda m: (m.close > m.open).shift(2),
    "feature": lambda m: m.feature(change_over_two_rows, lookback=3, inputs=m.close.sma(4)),
}


@pytest.mark.parametrize("what", OWN)
def test_own_nodes_over_arrays_equal_their_step_form(what: str) -> None:
    m = MarketView()
    expression = OWN[what](m)
    (batch,) = m.graph.batch([expression], BARS)
    (step,) = steps(m.graph, [expression], BARS)
    np.testing.assert_array_equal(batch.astype(np.float64), step)


def test_a_tree_of_everything_over_arrays_equals_its_step_form() -> None:
    m = MarketView()
    bands = m.close.bbands(20, 2.5, 2.5)
    expressions = [
        (m.close / bands.middleband - 1).ema(5) * m.atr(14),
        m.close.crosses_above(bands.lowerband) & ~(m.adx(14) > 25) | (m.volume > m.volume.sma(10) * 1.5),
        (m.close - m.close.shift(1)).stddev(10).max(30),
    ]
    batch = m.graph.batch(expressions, BARS)
    for over_arrays, bar_by_bar in zip(batch, steps(m.graph, expressions, BARS), strict=True):
        np.testing.assert_array_equal(over_arrays.astype(np.float64), bar_by_bar)
