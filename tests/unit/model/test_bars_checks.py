import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.errors import BarError, DataError, OutOfOrderError
from workbench.model import Timeframe, bar_problem
from workbench.model.bars_checks import check_times, check_values

HOUR_NS = 3_600_000_000_000
START_NS = 1_735_689_600_000_000_000
HOUR = Timeframe("1h")
NAN, INF = math.nan, math.inf


def hours(*after: float) -> NDArray[np.int64]:
    return np.array([START_NS + int(hour * HOUR_NS) for hour in after], dtype=np.int64)


def table(rows: int) -> NDArray[np.float64]:
    """Return good bars: 10, 12, 9, 11, volume 5."""
    return np.repeat(np.array([[10.0], [12.0], [9.0], [11.0], [5.0]]), rows, axis=1)


def test_ascending_times_with_gaps_off_the_grid_are_good() -> None:
    check_times(hours(0.5, 1.5, 2.75, 100), HOUR)
    check_times(hours(), HOUR)
    check_times(hours(7), HOUR)


def test_unsorted_times_name_the_first_row_and_its_time() -> None:
    with pytest.raises(OutOfOrderError) as caught:
        check_times(hours(0, 2, 1, 3), HOUR)
    assert str(caught.value) == (
        "row 2 (2025-01-01T01:00Z): earlier than the row before (2025-01-01T02:00Z); "
        "sort by time and drop duplicates first"
    )


def test_duplicate_times_name_the_first_row_and_how_many() -> None:
    with pytest.raises(OutOfOrderError) as caught:
        check_times(hours(0, 1, 1, 1, 2), HOUR)
    assert str(caught.value) == (
        "row 2 (2025-01-01T01:00Z): duplicate time (2 rows are bad); sort by time and drop duplicates first"
    )


def test_overlapping_bars_name_the_distance_and_the_timeframe() -> None:
    with pytest.raises(BarError) as caught:
        check_times(hours(0, 1, 1.5, 3), HOUR)
    assert str(caught.value) == (
        "row 2 (2025-01-01T01:30Z): opens 1800 s after the row before, less than the timeframe 1h"
    )


def test_disorder_is_told_before_overlap() -> None:
    with pytest.raises(OutOfOrderError, match="row 3"):
        check_times(hours(0, 0.5, 3, 2), HOUR)


@pytest.mark.parametrize(("scale", "unit"), [(10**9, "seconds"), (10**6, "milliseconds"), (10**3, "microseconds")])
def test_other_unit_is_named(scale: int, unit: str) -> None:
    with pytest.raises(DataError, match=rf"row 0: time \d+ is not in 2009..2099 as nanoseconds; it looks like {unit}"):
        check_times(hours(0, 1) // scale, HOUR)


def test_first_time_of_another_unit_is_the_one_named() -> None:
    times = hours(0, 1, 2, 3)
    times[2:] //= 10**6
    with pytest.raises(DataError, match=r"row 2: .* it looks like milliseconds \(2 rows are bad\)"):
        check_times(times, HOUR)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, INF, r"open must be in \(0, inf\), was inf"),
        (1, INF, r"high must be in \(0, inf\), was inf"),
        (2, -INF, r"low must be in \(0, inf\), was -inf"),
        (2, 0.0, r"low must be in \(0, inf\), was 0.0"),
        (3, -11.0, r"close must be in \(0, inf\), was -11.0"),
        (1, 8.0, "high 8.0 is below low 9.0"),
        (0, 12.5, "open 12.5 is outside low..high 9.0..12.0"),
        (0, 8.5, "open 8.5 is outside low..high 9.0..12.0"),
        (3, 12.5, "close 12.5 is outside low..high 9.0..12.0"),
        (3, 8.5, "close 8.5 is outside low..high 9.0..12.0"),
        (4, -1.0, r"volume must be in \[0, inf\), was -1.0"),
        (4, INF, r"volume must be in \[0, inf\), was inf"),
        (0, NAN, "open is nan"),
        (4, NAN, "volume is nan"),
    ],
)
def test_bad_row_is_named_with_time_and_reason(column: int, value: float, words: str) -> None:
    values = table(4)
    values[column, 2] = value
    with pytest.raises(BarError, match=rf"^BTC/USDT row 2 \(2025-01-01T02:00Z\): {words}"):
        check_values(values, hours(0, 1, 2, 3), "BTC/USDT")


def test_first_bad_row_and_the_number_of_bad_rows_are_told() -> None:
    values = table(5)
    values[4, 4] = -1.0
    values[1, 1] = 8.0
    values[:, 2] = NAN  # a missing bar is not a bad one
    with pytest.raises(BarError, match=r"row 1 .* high 8.0 is below low 9.0 \(2 rows are bad\)"):
        check_values(values, hours(0, 1, 2, 3, 4), "BTC/USDT")


def test_row_that_is_nan_in_part_names_the_fields() -> None:
    values = table(2)
    values[[0, 3], 1] = NAN
    with pytest.raises(BarError, match=r"row 1 .*: open, close are nan \(a missing bar has all five nan\)"):
        check_values(values, hours(0, 1), "BTC/USDT")


def test_missing_bars_are_told_from_those_that_are_there() -> None:
    values = table(3)
    values[:, 1] = NAN
    assert check_values(values, hours(0, 1, 2), "BTC/USDT").tolist() == [True, False, True]


numbers = st.one_of(st.sampled_from([NAN, INF, -INF, 0.0, -0.0, -1.0]), st.integers(1, 4).map(float))


@given(row=st.tuples(numbers, numbers, numbers, numbers, numbers))
def test_array_check_and_single_bar_check_are_of_one_opinion(row: tuple[float, float, float, float, float]) -> None:
    problem = bar_problem(*row)
    values = np.array(row).reshape(5, 1)
    if all(map(math.isnan, row)):
        assert not check_values(values, hours(0), "BTC/USDT")[0]
    elif problem is None:
        assert check_values(values, hours(0), "BTC/USDT")[0]
    else:
        with pytest.raises(BarError) as caught:
            check_values(values, hours(0), "BTC/USDT")
        assert problem in str(caught.value) or "nan" in str(caught.value)
