import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.resample import Resampled, resample
from workbench.data.spans import Span
from workbench.errors import ConfigError, DataError
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.practice import practice_bars
from workbench.model.synthetic import synthetic_bars

START = 1_735_689_600_000_000_000  # 2025-01-01, a Wednesday
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE


def minutes(*rows: tuple[int, float, float, float, float, float]) -> Bars:
    """Return bars of (minute, open, high, low, close, volume)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    times = START + table[:, 0].astype(np.int64) * MINUTE
    return Bars.from_arrays("BTC/USDT", "1m", times, *table[:, 1:].T)


def flat(*which: int) -> Bars:
    return minutes(*((minute, 10.0, 10.0, 10.0, 10.0, 1.0) for minute in which))


def opens(bars: Bars) -> list[int]:
    return ((bars.time_ns - START) // MINUTE).tolist()


def thin(result: Resampled) -> list[tuple[int, int, bool]]:
    return [((bar.time_ns - START) // MINUTE, bar.found, bar.is_kept) for bar in result.thin]


def test_bar_is_first_open_extremes_last_close_and_sum() -> None:
    result = resample(
        minutes(
            (0, 10.0, 11.0, 9.5, 10.5, 1.0),
            (1, 10.5, 14.0, 10.0, 12.0, 2.0),
            (2, 12.0, 12.5, 8.0, 9.0, 4.0),
            (3, 9.0, 9.0, 8.5, 8.75, 0.0),
            (4, 8.75, 9.25, 8.75, 9.25, 8.0),
            (5, 9.25, 20.0, 9.25, 20.0, 16.0),
        ),
        "5m",
    )
    # open of 0, high of 1, low of 2, close of 4, 1 + 2 + 4 + 0 + 8; minute 5 begins a bar that has not closed.
    assert result.bars.values[:, 0].T.tolist() == [[10.0, 14.0, 8.0, 9.25, 15.0]]
    assert opens(result.bars) == [0]
    assert thin(result) == [(5, 1, False)]


def test_minute_on_the_edge_belongs_to_the_bar_that_it_opens() -> None:
    assert opens(resample(flat(*range(5, 15)), "5m").bars) == [5, 10]


def test_bars_at_the_edges_are_left_out_unless_kept_and_marked() -> None:
    bars = flat(*range(3, 13))
    assert opens(resample(bars, "5m").bars) == [5]
    assert thin(resample(bars, "5m")) == [(0, 2, False), (10, 3, False)]
    kept = resample(bars, "5m", partial="keep")
    assert opens(kept.bars) == [0, 5, 10]
    assert thin(kept) == [(0, 2, True), (10, 3, True)]


def test_what_is_left_out_at_the_end_is_all_that_more_minutes_could_change() -> None:
    bars = synthetic_bars("BTC/USDT", "1m", 600, start="2025-01-01", gaps=10)
    whole = resample(bars, "15m").bars
    for count in range(1, len(bars), 7):
        part = resample(bars[:count], "15m").bars
        assert np.array_equal(part.values, whole.values[:, :, : len(part)])
        # Each bar of the part had closed: no minute at or after `count` could belong to it.
        assert not len(part) or part.time_ns[-1] + 15 * MINUTE <= bars.time_ns[count - 1] + MINUTE


def test_minutes_that_are_missing_inside_are_told_and_the_bar_is_kept() -> None:
    result = resample(flat(*range(5), 5, 8, 9, *range(20, 25)), "5m")
    assert opens(result.bars) == [0, 5, 20]
    assert thin(result) == [(5, 3, True)]
    assert result.note == "1 of 3 bars are made of fewer than 5 1m bars (the first, 2025-01-01T00:05Z, of 3)"
    frame = result.to_frame()
    assert frame.to_dict("records") == [{"symbol": "BTC/USDT", "found": 3, "expected": 5, "is_kept": True}]
    assert str(frame.index[0]) == "2025-01-01 00:05:00+00:00"


def test_time_that_is_known_to_be_whole_has_no_open_edges() -> None:
    bars = flat(*range(2, 9))
    known = Span(START, START + 10 * MINUTE)
    result = resample(bars, "5m", known=known)
    assert opens(result.bars) == [0, 5]
    assert thin(result) == [(0, 3, True), (5, 4, True)]
    assert opens(resample(bars, "5m", known=Span(START + MINUTE, START + 9 * MINUTE)).bars) == []


def test_weeks_begin_on_monday_and_days_at_midnight_utc() -> None:
    hours = synthetic_bars("BTC/USDT", "1h", 24 * 21, start="2025-01-01")
    weeks = resample(hours, "1w")
    assert str(weeks.bars.start) == "2025-01-06 00:00:00+00:00"
    assert [bar.found for bar in weeks.thin] == [24 * 5, 24 * 2]
    assert len(resample(hours, "1d").bars) == 21


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_minutes_of_the_practice_market_make_its_longer_bars_to_the_last_digit(timeframe: str) -> None:
    minutes = practice_bars("BTC/USDT", "1m", "2025-06-01", "2025-06-04")
    assert resample(minutes, timeframe).bars == practice_bars("BTC/USDT", timeframe, "2025-06-01", "2025-06-04")


def test_symbols_are_resampled_each_for_itself() -> None:
    both = Bars.join([flat(*range(10)), synthetic_bars("ETH/USDT", "1m", 5, start="2025-01-01T00:05Z")])
    result = resample(both, "5m")
    assert result.bars.valid.tolist() == [[True, True], [False, True]]
    assert result.thin == ()


def test_instrument_is_kept_and_same_timeframe_changes_nothing() -> None:
    rules = Instrument("BTC/USDT", tick=0.5)
    bars = Bars(("BTC/USDT",), flat(0).timeframe, (rules,), flat(0, 1).time_ns, flat(0, 1).values)
    assert resample(bars, "1m").bars == bars
    assert resample(bars, "1m").bars.instruments == (rules,)


def test_timeframe_that_is_no_multiple_is_refused() -> None:
    five = resample(flat(*range(20)), "5m").bars
    for wrong in ("7m", "1m"):
        with pytest.raises(ConfigError, match=f"a whole multiple of the bars' own, 5m, was {wrong}"):
            resample(five, wrong)
    with pytest.raises(ConfigError, match="partial must be 'drop' or 'keep'"):
        resample(five, "10m", partial="maybe")  # type: ignore[arg-type] # the point of the test


def test_bars_that_reach_over_an_edge_are_refused() -> None:
    off = Bars.from_arrays("BTC/USDT", "1h", [START + 23 * HOUR + HOUR // 2], [1.0], [1.0], [1.0], [1.0], [1.0])
    with pytest.raises(DataError, match="1 1h bars reach over an edge of 1d, the first opens at 2025-01-01T23:30Z"):
        resample(off, "1d")


def test_no_bars_make_no_bars() -> None:
    assert len(resample(flat(0)[:0], "5m").bars) == 0


@given(st.sets(st.integers(0, 300), min_size=1), st.sampled_from([2, 5, 15, 60]), st.integers(0, 5))
def test_bars_are_those_of_the_definition(which: set[int], length: int, seed: int) -> None:
    every = synthetic_bars("BTC/USDT", "1m", 301, start="2025-01-01", seed=seed)
    rows = sorted(which)
    bars = Bars(every.symbols, every.timeframe, every.instruments, every.time_ns[rows], every.values[:, :, rows])
    result = resample(bars, f"{length}m", partial="keep").bars
    for row, time_ns in enumerate(result.time_ns):
        inside = [bar for bar in map(bars.bar, range(len(bars))) if time_ns <= bar.time_ns < time_ns + length * MINUTE]
        got = result.bar(row)
        assert (got.open, got.close) == (inside[0].open, inside[-1].close)
        assert (got.high, got.low) == (max(bar.high for bar in inside), min(bar.low for bar in inside))
        assert math.isclose(got.volume, math.fsum(bar.volume for bar in inside), rel_tol=1e-12)
    assert len(result) == len({row // length for row in rows})
