import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core.evaluation import EvaluationCache
from workbench.core.market_view import MarketView
from workbench.errors import ConfigError, DataError, LookAheadError

BARS = random_ohlcv(400)


def mean_of_three(series: np.ndarray) -> np.ndarray:
    out = np.full(len(series), np.nan)
    out[2:] = (series[2:] + series[1:-1] + series[:-2]) / 3
    return out


def running_mean_of_three(series: np.ndarray) -> np.ndarray:
    """Return the same by a running sum, which differs in the last bits."""
    total = np.cumsum(series)
    out = np.full(len(series), np.nan)
    out[2:] = (total[2:] - np.concatenate([[0.0], total[:-3]])) / 3
    return out


def evaluated(function, lookback: int, **inputs) -> np.ndarray:
    m = MarketView()
    return m.graph.batch([m.feature(function, lookback=lookback, **inputs)], BARS)[0]


def test_a_feature_gives_the_functions_values_after_its_warmup() -> None:
    np.testing.assert_array_equal(evaluated(mean_of_three, 3), mean_of_three(BARS[3]))


def test_a_window_longer_than_needed_is_fine() -> None:
    result = evaluated(mean_of_three, 10)
    assert np.isnan(result[:9]).all()
    np.testing.assert_array_equal(result[9:], mean_of_three(BARS[3])[9:])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.roll(x, -1),
        lambda x: x - x.mean(),
        lambda x: (x - x.min()) / (x.max() - x.min() + 1e-9),
        lambda x: np.concatenate([x[1:], [np.nan]]),
        lambda x: x[::-1],
    ],
    ids=["shifted back", "less the mean", "scaled by extremes", "next row", "reversed"],
)
def test_a_feature_that_sees_later_rows_is_look_ahead(function) -> None:
    with pytest.raises(LookAheadError, match="looks beyond its last 3 rows"):
        evaluated(function, 3)


def test_a_feature_that_needs_more_rows_than_it_says_is_refused() -> None:
    with pytest.raises(LookAheadError, match="raise lookback"):
        evaluated(mean_of_three, 2)


def test_look_ahead_on_the_last_rows_only_is_found() -> None:
    def late(series: np.ndarray) -> np.ndarray:
        out = series.copy()
        if len(out) > 50:
            out[-1] = 0.0
        return out

    with pytest.raises(LookAheadError, match="at row 399"):
        evaluated(late, 1)


def test_a_function_that_differs_by_rounding_gets_the_bits_of_its_window() -> None:
    m = MarketView()
    feature = m.feature(running_mean_of_three, lookback=3)
    (batch,) = m.graph.batch([feature], BARS)
    assert (batch[2:] != running_mean_of_three(BARS[3])[2:]).any()
    stream = m.graph.stream([feature])
    np.testing.assert_array_equal(batch, [stream.step(*bar)[0] for bar in BARS.T.tolist()])


def test_several_inputs_arrive_in_order_and_without_their_warmup() -> None:
    m = MarketView()
    feature = m.feature(lambda high, average: high - average, lookback=1, inputs=(m.high, m.close.sma(5)))
    difference, expected = m.graph.batch([feature, m.high - m.close.sma(5)], BARS)
    np.testing.assert_array_equal(difference, expected)


def test_a_feature_cannot_write_into_the_bars() -> None:
    def writing(series: np.ndarray) -> np.ndarray:
        series[:] = 0.0
        return series

    with pytest.raises(ValueError, match="read-only"):
        evaluated(writing, 1)


@pytest.mark.parametrize("function", [lambda x: x[:-1], lambda x: x.mean(), lambda x: np.array(["a"] * len(x))])
def test_a_function_must_return_one_number_per_row(function) -> None:
    with pytest.raises(DataError, match="one number per row"):
        evaluated(function, 2)


def test_a_feature_needs_a_window_and_inputs() -> None:
    m = MarketView()
    with pytest.raises(ConfigError, match="lookback must be >= 1, was 0"):
        m.feature(mean_of_three, lookback=0)
    with pytest.raises(ConfigError, match="at least one input"):
        m.feature(mean_of_three, lookback=1, inputs=())


def test_features_are_kept_in_a_cache() -> None:
    calls = []

    def counting(series: np.ndarray) -> np.ndarray:
        calls.append(len(series))
        return series * 1.0

    cache = EvaluationCache(BARS)
    for _ in range(3):
        m = MarketView()
        m.graph.batch([m.feature(counting, lookback=1)], BARS, cache)
    assert calls.count(400) == 1


def test_too_few_bars_give_no_value() -> None:
    m = MarketView()
    (result,) = m.graph.batch([m.feature(mean_of_three, lookback=3)], BARS[:, :2])
    assert np.isnan(result).all()
