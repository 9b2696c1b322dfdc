from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError, OutOfOrderError
from workbench.model.bars import Bars
from workbench.model.synthetic import synthetic_bars, synthetic_rows

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS


@pytest.fixture(scope="module")
def minutes() -> Bars:
    """Ninety days of one-minute bars."""
    return synthetic_bars("BTC/USDT", "1m", 90 * 1_440, seed=2)


@pytest.fixture(scope="module")
def returns(minutes: Bars) -> NDArray[np.float64]:
    return np.diff(np.log(minutes.close))


def autocorrelation(series: NDArray[np.float64], lag: int) -> float:
    centred = series - series.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred**2).mean())


def excess_kurtosis(series: NDArray[np.float64]) -> float:
    centred = series - series.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2 - 3.0)


def test_returns_have_fat_tails_at_every_scale_but_fatter_at_short_ones(minutes: Bars) -> None:
    by_scale = [excess_kurtosis(np.diff(np.log(minutes.close[::step]))) for step in (1, 60)]
    # Ninety days of BTC/USDT of 2025 have 12 at a minute and 7 at an hour; a normal has 0.
    assert 6.0 < by_scale[0] < 30.0
    assert 1.5 < by_scale[1] < by_scale[0]


def test_direction_of_returns_cannot_be_foreseen(returns: NDArray[np.float64]) -> None:
    # 129,599 returns of clustered size: the standard error is about 0.008
    assert max(abs(autocorrelation(returns, lag)) for lag in (1, 2, 3, 5, 10, 60, 1_440)) < 0.03


def test_size_of_returns_is_remembered_for_days_and_less_and_less(returns: NDArray[np.float64]) -> None:
    memory = [autocorrelation(np.abs(returns), lag) for lag in (1, 10, 60, 240)]
    # BTC/USDT of 2025: 0.30, 0.22, 0.16, 0.09
    assert memory == pytest.approx([0.30, 0.22, 0.16, 0.09], abs=0.08)
    assert memory == sorted(memory, reverse=True)
    assert autocorrelation(np.abs(returns), 3 * 1_440) > 0.03


def test_moves_follow_the_hour_of_the_day_and_weekends_are_quiet(minutes: Bars, returns: NDArray[np.float64]) -> None:
    opens = minutes.time_ns[1:]
    by_hour = np.array([np.abs(returns[opens // HOUR_NS % 24 == hour]).mean() for hour in range(24)])
    assert by_hour[14] > 1.6 * by_hour[5]
    weekday = (opens // (24 * HOUR_NS) + 3) % 7
    assert np.abs(returns[weekday >= 5]).mean() < 0.85 * np.abs(returns[weekday < 5]).mean()


def test_there_are_jumps_far_beyond_the_usual_move(returns: NDArray[np.float64]) -> None:
    assert np.abs(returns).max() > 12.0 * returns.std()


def test_volume_is_large_where_moves_are(minutes: Bars) -> None:
    moves = np.abs(np.log(minutes.close / minutes.open))
    assert np.corrcoef(minutes.volume, moves)[0, 1] > 0.2


def test_daily_volatility_is_the_one_asked_for() -> None:
    closes = np.concatenate(
        [
            np.diff(np.log(synthetic_bars("BTC/USDT", "1d", 1_000, seed=seed, daily_volatility=0.01).close))
            for seed in range(8)
        ]
    )
    assert closes.std() == pytest.approx(0.01, rel=0.15)


def test_same_arguments_give_the_same_bytes_and_another_seed_others() -> None:
    assert synthetic_bars("ETH/USDT", "5m", 300, seed=1) == synthetic_bars("ETH/USDT", "5m", 300, seed=1)
    for other in (synthetic_bars("ETH/USDT", "5m", 300, seed=2), synthetic_bars("SOL/USDT", "5m", 300, seed=1)):
        assert (other.close != synthetic_bars("ETH/USDT", "5m", 300, seed=1).close).mean() > 0.9


def test_bytes_are_the_same_on_every_machine() -> None:
    assert synthetic_bars("BTC/USDT", "1m", 40_000, seed=5, gaps=3).content_hash == GOLDEN_HASH


GOLDEN_HASH = "db1637c39a81f5e033015d53dd935d3e07f4305862b212d64181c6eeab2cfe0a"


def test_more_bars_begin_with_the_same_bars() -> None:
    # 40,000 bars are two blocks of the generator, 33,000 as well, 1,000 are one
    whole = synthetic_bars("BTC/USDT", "1m", 40_000)
    assert synthetic_bars("BTC/USDT", "1m", 33_000) == whole[:33_000]
    assert synthetic_bars("BTC/USDT", "1m", 1_000) == whole[:1_000]


def test_each_bar_opens_at_the_close_of_the_one_before() -> None:
    bars = synthetic_bars("BTC/USDT", "1m", 40_000)
    assert (bars.open[1:] == bars.close[:-1]).all()


@pytest.mark.parametrize("timeframe", ["10s", "3m", "4h", "1d", "1w"])
@pytest.mark.parametrize("symbol", ["BTC/USDT", "SHIB/USDT", "BTC/USDT:USDT", "MADEUP/EUR"])
def test_any_symbol_and_timeframe_makes_good_bars(symbol: str, timeframe: str) -> None:
    bars = synthetic_bars(symbol, timeframe, 200)
    assert (len(bars), bars.symbols, bars.timeframe.name) == (200, (symbol,), timeframe)
    assert (np.diff(bars.time_ns) == bars.timeframe.ns).all()


def test_prices_and_volumes_are_multiples_of_the_instruments_steps() -> None:
    bars = synthetic_bars("BTC/USDT", "1m", 500)
    instrument = bars.instruments[0]
    assert all(float(instrument.quantize_price(price)) == price for price in bars.close)
    assert all(float(instrument.quantize_quantity(volume)) == volume for volume in bars.volume)


@pytest.mark.parametrize("start", ["2025-03-02T10:00:30Z", datetime(2025, 3, 2, 10, 0, 30, tzinfo=UTC)])
def test_first_bar_opens_on_the_grid_at_or_before_start(start: str | datetime) -> None:
    bars = synthetic_bars("BTC/USDT", "5m", 10, start=start)
    assert bars.start == datetime(2025, 3, 2, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("gaps", [1, 7, 49])
def test_gaps_are_as_many_holes_as_asked_for_and_cut_nothing_else(gaps: int) -> None:
    whole, holed = synthetic_bars("BTC/USDT", "1m", 100), synthetic_bars("BTC/USDT", "1m", 100, gaps=gaps)
    steps = np.diff(holed.time_ns)
    assert (steps > MINUTE_NS).sum() == gaps
    assert holed.time_ns[0] == whole.time_ns[0]
    assert holed.time_ns[-1] == whole.time_ns[-1]
    there = np.isin(whole.time_ns, holed.time_ns)
    assert holed.close.tolist() == whole.close[there].tolist()


def test_duplicates_are_as_many_rows_twice_as_asked_for() -> None:
    once, twice = synthetic_rows(n_bars=100), synthetic_rows(n_bars=100, duplicates=9)
    assert len(twice.time_ns) == 109
    repeated = np.flatnonzero(np.diff(twice.time_ns) == 0)
    assert len(repeated) == 9
    for column, original in zip(twice, once, strict=True):
        assert (column[repeated] == column[repeated + 1]).all()
        assert np.delete(column, repeated).tolist() == original.tolist()


def test_rows_with_duplicates_are_refused_by_bars() -> None:
    rows = synthetic_rows(n_bars=50, duplicates=1)
    with pytest.raises(OutOfOrderError, match="duplicate"):
        Bars.from_arrays("BTC/USDT", "1m", *rows)


def test_rows_without_flaws_are_those_of_the_bars() -> None:
    rows, bars = synthetic_rows(n_bars=50, seed=3), synthetic_bars(n_bars=50, seed=3)
    assert Bars.from_arrays("BTC/USDT", "1m", *rows) == bars


def test_every_bad_number_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        synthetic_rows(n_bars=10, gaps=5, duplicates=-1, daily_volatility=float("nan"))
    assert str(caught.value) == (
        "gaps must be a whole number in [0, 4], was 5; duplicates must be a whole number in [0, 10], was -1; "
        "daily_volatility must be in (0, 1], was nan"
    )


@pytest.mark.parametrize("n_bars", [0, -3, 2.5, True])
def test_number_of_bars_must_be_a_whole_number_above_zero(n_bars: int) -> None:
    with pytest.raises(ConfigError, match="n_bars must be a whole number in"):
        synthetic_bars(n_bars=n_bars)


def test_naive_start_is_refused() -> None:
    with pytest.raises(DataError, match="start must have a time zone"):
        synthetic_bars(start=datetime(2025, 1, 1))  # noqa: DTZ001 - the naive time is the point
