import operator
from collections.abc import Callable

import numpy as np
import pytest

from tests.ohlcv import random_ohlcv
from workbench.core.expressions import Expr, warmup
from workbench.core.market_view import MarketView
from workbench.errors import ConfigError, LookAheadError

BARS = random_ohlcv(60)


@pytest.fixture
def m() -> MarketView:
    return MarketView()


def values(expression: Expr, closes: list[float]) -> list[float]:
    """Return an expression's values over bars with these closes."""
    close = np.array(closes, dtype=np.float64)
    (result,) = MarketView().graph.batch([expression], np.array([close, close, close, close, np.ones_like(close)]))
    return result.tolist()


def test_a_negative_shift_is_look_ahead(m: MarketView) -> None:
    with pytest.raises(LookAheadError, match="not happened yet"):
        m.close.shift(-1)
    with pytest.raises(LookAheadError):
        (m.close > m.open).shift(np.int64(-3))


def test_a_shift_needs_whole_bars(m: MarketView) -> None:
    with pytest.raises(ConfigError, match=r"shift must be a whole number, was 1\.5"):
        m.close.shift(1.5)


def test_a_shift_gives_the_value_of_some_bars_ago(m: MarketView) -> None:
    np.testing.assert_array_equal(values(m.close.shift(2), [1, 2, 3, 4]), [np.nan, np.nan, 1, 2])
    assert values((m.close > 1).shift(1), [1, 2, 3, 4]) == [False, False, True, True]
    assert m.close.shift(0) is not None
    assert values(m.close.shift(9), [1, 2]) != values(m.close, [1, 2])


def test_warmup_is_the_longest_way_to_the_bars(m: MarketView) -> None:
    assert warmup(m.close) == 0
    assert warmup(m.close.sma(20)) == 19
    assert warmup(m.close.sma(20).sma(5).shift(3)) == 19 + 4 + 3
    assert warmup(m.close.sma(20).crosses_above(m.close.sma(50))) == 49 + 1
    assert warmup((m.close > m.close.shift(1)).sum(5)) == 1 + 4
    assert warmup(m.feature(np.abs, lookback=10, inputs=m.close.sma(3))) == 2 + 9
    assert warmup(m.close.bbands(20).upperband / m.atr(14)) == 19


def test_a_crossing_needs_the_other_side_or_the_level_itself_on_the_bar_before(m: MarketView) -> None:
    assert values(m.close.crosses_above(2), [1, 3, 3, 2, 3]) == [False, True, False, False, True]
    assert values(m.close.crosses_below(2), [3, 1, 1, 2, 1]) == [False, True, False, False, True]


def test_two_series_cross_where_they_change_sides(m: MarketView) -> None:
    late = m.close.shift(1)
    # close 1 3 2 2 1 5, before it - 1 3 2 2 1
    assert values(m.close.crosses_above(late), [1, 3, 2, 2, 1, 5]) == [False, False, False, False, False, True]
    assert values(m.close.crosses_below(late), [1, 3, 2, 2, 1, 5]) == [False, False, True, False, True, False]


def test_comparisons_with_a_missing_value_are_false_and_unequal_too(m: MarketView) -> None:
    missing = m.close.shift(5)
    for condition in (m.close > missing, m.close < missing, m.close >= missing, m.close <= missing):
        assert values(condition, [1, 2]) == [False, False]
    assert values(m.close == missing, [1, 2]) == [False, False]
    assert values(m.close != missing, [1, 2]) == [False, False]
    assert values(m.close.crosses_above(missing), [1, 2]) == [False, False]


def test_a_division_by_zero_has_no_value(m: MarketView) -> None:
    np.testing.assert_array_equal(values(1 / (m.close - 2), [1, 2, 3]), [-1.0, np.nan, 1.0])
    np.testing.assert_array_equal(values(m.close / 0, [1, 2]), [np.nan, np.nan])


def test_arithmetic_with_numbers_on_either_side(m: MarketView) -> None:
    assert values(10 - m.close * 2 + 1, [1, 2]) == [9, 7]
    assert values(2 + m.close, [1]) == [3]
    assert values(6 / m.close, [1, 3]) == [6, 2]
    assert values(-m.close + abs(m.close - 2), [1]) == [0]  # -1 + |1 - 2|
    assert values(+m.close, [1]) == [1]
    assert values(m.close**3, [2]) == [8]
    assert values(np.float64(2.0) * m.close, [2]) == [4]


def test_an_exponent_is_a_whole_number_above_zero(m: MarketView) -> None:
    with pytest.raises(ConfigError, match="exponent must be >= 1, was 0"):
        m.close**0
    with pytest.raises(ConfigError, match=r"exponent must be a whole number, was 0\.5"):
        m.close**0.5


def test_conditions_combine(m: MarketView) -> None:
    up, high = m.close > m.close.shift(1), m.close > 2
    assert values(up & high, [1, 2, 3, 2]) == [False, False, True, False]
    assert values(up | high, [1, 2, 3, 3]) == [False, True, True, True]
    assert values(~high, [1, 3]) == [True, False]
    assert values(True & high, [1, 3]) == [False, True]


def test_a_condition_counts_as_one_and_zero(m: MarketView) -> None:
    np.testing.assert_array_equal(values((m.close > 2).sum(2), [3, 1, 3, 3]), [np.nan, 1, 1, 2])
    # Only from the second bar on is there a bar before: nothing to count in the first sum.
    np.testing.assert_array_equal(values((m.close > m.close.shift(1)).sum(2), [3, 4, 5, 1]), [np.nan, np.nan, 2, 1])


def test_a_condition_has_no_truth_value_of_its_own(m: MarketView) -> None:
    with pytest.raises(ConfigError, match="write & for and"):
        bool(m.close > 1)
    with pytest.raises(ConfigError, match="write & for and"):
        assert 1 < m.close < 2


@pytest.mark.parametrize("other", ["1", None, [1.0, 2.0], np.ones(3)])
def test_an_expression_goes_with_numbers_only(m: MarketView, other: object) -> None:
    with pytest.raises((ConfigError, TypeError)):
        operator.add(m.close, other)


def test_logic_needs_conditions_and_says_so(m: MarketView) -> None:
    with pytest.raises(ConfigError, match="need conditions"):
        operator.and_(m.close > 1, m.open)
    with pytest.raises(ConfigError, match="need conditions"):
        operator.invert(m.close)
    with pytest.raises(ConfigError, match="need conditions"):
        operator.or_(m.close > 1, 1)


def test_an_unknown_indicator_is_an_attribute_error_that_names_similar_ones(m: MarketView) -> None:
    with pytest.raises(AttributeError, match="bbands"):
        m.bbandz(20)
    with pytest.raises(AttributeError, match=r"no attribute 'smaa'.*did you mean one of sma, smi\?"):
        m.close.smaa(20)
    assert not hasattr(m, "_private")


def test_a_word_of_pandas_is_an_attribute_error_that_says_what_to_write(m: MarketView) -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'rolling': write x.sma\(20\)"):
        m.close.rolling(20)
    with pytest.raises(AttributeError, match=r"write x / x.shift\(1\) - 1"):
        m.close.pct_change()


@pytest.mark.parametrize("place", [-1, 0, slice(1), "2025-01-01"])
def test_a_place_of_an_expression_is_refused_with_the_way_to_an_earlier_bar(m: MarketView, place: object) -> None:
    with pytest.raises(ConfigError, match=r"^close\[.*\] is refused: .*\.shift\(1\) is its value of one bar ago"):
        m.close[place]


def test_an_expression_has_no_places_to_go_through(m: MarketView) -> None:
    with pytest.raises(ConfigError, match=r"^close\[0\] is refused"):
        list(m.close)


def test_a_market_has_columns_and_no_places(m: MarketView) -> None:
    with pytest.raises(
        ConfigError, match=r"^m\['close'\] is refused: .* m\.open, m\.high, m\.low, m\.close, m\.volume"
    ):
        m["close"]


@pytest.mark.parametrize("function", [np.mean, np.asarray, np.median, lambda series: np.where(series > 1, 1, 0)])
def test_numpy_cannot_take_an_expression_for_an_object(m: MarketView, function: Callable[[Expr], object]) -> None:
    # np.mean(m.close) was m.close itself, and a rule made of it ran.
    with pytest.raises(ConfigError, match=r"^numpy cannot read .*m\.feature\(function"):
        function(m.close)


def test_several_series_are_not_taken_for_one(m: MarketView) -> None:
    macd = m.close.macd()
    told = r"^macd has several series: take one of \.macd, \.macdsignal, \.macdhist"
    for compare in (operator.gt, operator.lt, operator.ge, operator.le, operator.sub, operator.truediv):
        with pytest.raises(ConfigError, match=told):
            compare(macd, 0)
    with pytest.raises(AttributeError, match=told):
        macd.crosses_above(0)
    assert [repr(series) for series in macd] == [repr(macd.macd), repr(macd.macdsignal), repr(macd.macdhist)]


def test_an_indicator_of_the_bars_is_not_a_method_of_a_series(m: MarketView) -> None:
    with pytest.raises(AttributeError, match=r"write m.atr\(...\)"):
        m.close.atr(14)


def test_indicator_parameters_are_checked_by_name_type_and_range(m: MarketView) -> None:
    with pytest.raises(ConfigError, match=r"period is not a parameter \(parameters: timeperiod=30\)"):
        m.close.sma(period=3)
    with pytest.raises(ConfigError, match=r"timeperiod must be an int, was 2\.5"):
        m.close.sma(2.5)
    with pytest.raises(ConfigError, match=r"sma\(timeperiod=0\)"):
        m.close.sma(0)
    with pytest.raises(ConfigError, match="nbdevup must be finite"):
        m.close.bbands(20, float("nan"))
    with pytest.raises(ConfigError, match="takes 1 numbers"):
        m.close.sma(3, 4)
    with pytest.raises(ConfigError, match="timeperiod was given twice"):
        m.close.sma(3, timeperiod=4)
    with pytest.raises(ConfigError, match="must be an int"):
        m.close.sma(None)


def test_indicators_take_further_series_before_their_numbers(m: MarketView) -> None:
    assert repr(m.close.correl(m.open, 20)) == "correl(close, open, 20)"
    assert repr(m.correl(10)) == "correl(high, low, 10)"
    assert repr(m.atr(m.open, m.low, m.close, 5)) == "atr(open, low, close, 5)"
    assert repr(m.obv()) == "obv(close, volume)"
    assert repr(m.open.obv()) == "obv(open, volume)"
    with pytest.raises(ConfigError, match="correl needs 2 series, was given 1"):
        m.close.correl(20)
    with pytest.raises(ConfigError, match="mavp needs 2 series"):
        m.close.mavp()
    with pytest.raises(ConfigError, match="sma reads 1 series, was given 2"):
        m.close.sma(m.open, 20)


def test_an_indicator_with_several_outputs_gives_them_by_name(m: MarketView) -> None:
    upper, middle, lower = m.close.bbands(20)
    assert m.close.bbands(20).upperband.node == upper.node
    assert repr(lower).startswith("bbands(close, 20")
    assert repr(lower).endswith(".lowerband")
    assert middle.node != lower.node


def test_names_of_indicators_are_completed(m: MarketView) -> None:
    assert {"atr", "sma", "feature", "close"} <= set(dir(m))
    assert {"sma", "shift", "crosses_above"} <= set(dir(m.close))
    assert "atr" not in dir(m.close)


def test_text_of_an_expression_reads_like_its_source(m: MarketView) -> None:
    assert repr(~(m.close.sma(3) > m.open.shift(1)) | (m.rsi(14) < 30)) == (
        "(~(sma(close, 3) > open.shift(1)) | (rsi(close, 14) < 30))"
    )
    assert repr(m.atr) == "<indicator atr(timeperiod=14): Average True Range>"
    assert repr(-abs(m.close)) == "-abs(close)"


def test_values_are_read_only(m: MarketView) -> None:
    for result in m.graph.batch([m.close, m.close.sma(3), m.close > 3, m.close.shift(1), m.close.macd().macd], BARS):
        with pytest.raises(ValueError, match="read-only"):
            result[0] = 1


def test_evaluation_leaves_the_table_as_it_was(m: MarketView) -> None:
    table = random_ohlcv(30).copy()
    m.graph.batch([m.close.sma(3)], table)
    assert table.flags.writeable
    table[0, 0] = 5.0
