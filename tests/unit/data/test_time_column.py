import numpy as np
import pandas as pd
import pytest

from workbench.data.time_column import read_times
from workbench.errors import BarError, ConfigError, DataError

SECOND = 1_735_689_600  # 2025-01-01 00:00 UTC
NS = 1_000_000_000


@pytest.mark.parametrize(
    "values",
    [
        [SECOND, SECOND + 60],
        [float(SECOND), SECOND + 60.0],
        [SECOND * 1_000, (SECOND + 60) * 1_000],
        [SECOND * 1e3, (SECOND + 60) * 1e3],
        [SECOND * 1_000_000, (SECOND + 60) * 1_000_000],
        [SECOND * NS, (SECOND + 60) * NS],
        ["2025-01-01T00:00Z", "2025-01-01T00:01:00Z"],
        ["2025-01-01 00:00:00+00:00", "2025-01-01 01:01:00.000+01:00"],
    ],
)
def test_unit_and_zone_are_read_from_the_times_themselves(values: list[object]) -> None:
    assert read_times(pd.Series(values)).tolist() == [SECOND * NS, (SECOND + 60) * NS]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_aware_times_of_any_resolution_become_nanoseconds(unit: str) -> None:
    column = pd.Series(pd.to_datetime([SECOND], unit="s")).dt.as_unit(unit).dt.tz_localize("UTC")  # type: ignore[arg-type] # a literal in the stubs
    assert read_times(column.dt.tz_convert("Asia/Tokyo")).tolist() == [SECOND * NS]


def test_dates_alone_are_utc_days() -> None:
    assert read_times(pd.Series(["2025-01-01", "2025-01-02"])).tolist() == [SECOND * NS, (SECOND + 86_400) * NS]


def test_fractions_of_a_second_are_kept() -> None:
    # 0.25 s is 250,000,000 ns; the float of the whole in nanoseconds would be a multiple of 256
    assert read_times(pd.Series([SECOND + 0.25])).tolist() == [SECOND * NS + 250_000_000]


def test_row_in_another_unit_is_named_with_both_units() -> None:
    with pytest.raises(BarError, match=r"^row 2: time 1735689720 looks like seconds, where milliseconds came before$"):
        read_times(pd.Series([SECOND * 1_000, (SECOND + 60) * 1_000, SECOND + 120]))


def test_unit_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BarError, match=r"^row 0: time 1735689600 looks like seconds, where milliseconds are expected$"):
        read_times(pd.Series([SECOND]), "ms")


@pytest.mark.parametrize("value", [12, 0, -5, 1e30, float("inf")])
def test_number_that_fits_no_unit_is_refused(value: float) -> None:
    with pytest.raises(BarError, match=r"^row 1: time .* looks like no unit that gives a year from 2009 to 2099"):
        read_times(pd.Series([SECOND, value]))
    with pytest.raises(BarError, match=r"^row 0: time .* looks like no unit that gives a year from 2009 to 2099$"):
        read_times(pd.Series([value, SECOND]))


def test_unknown_unit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="time_unit must be one of s, ms, us, ns, was 'minutes'"):
        read_times(pd.Series([SECOND]), "minutes")


@pytest.mark.parametrize("values", [[SECOND, None], ["2025-01-01", None]])
def test_missing_time_is_named(values: list[object]) -> None:
    with pytest.raises(BarError, match="row 1: the time is missing"):
        read_times(pd.Series(values))


@pytest.mark.parametrize(
    ("values", "row"),
    [
        (["2025-01-01 00:00:00", "2025-01-01 00:01:00"], 0),
        (["2025-01-01T00:00Z", "2025-01-01 00:01:00"], 1),
        (["2025-01-01", "01/02/2025"], 1),
        (["2025-01-01 06-AM"], 0),
    ],
)
def test_text_without_zone_or_form_is_named(values: list[str], row: int) -> None:
    with pytest.raises(DataError, match=f"row {row}: time '.*' has no zone"):
        read_times(pd.Series(values))


def test_text_that_is_no_date_is_refused() -> None:
    with pytest.raises(BarError, match="times cannot be read: "):
        read_times(pd.Series(["2025-13-45"]))


def test_times_without_zone_are_refused() -> None:
    with pytest.raises(DataError, match=r"times have no zone \(row 0 is 2025-01-01 00:00:00\)"):
        read_times(pd.Series(pd.to_datetime(["2025-01-01"])))


def test_booleans_are_no_times() -> None:
    with pytest.raises(DataError, match="row 0: time 'True' has no zone"):
        read_times(pd.Series([True, False]))


def test_unsigned_numbers_are_read() -> None:
    assert read_times(pd.Series(np.array([SECOND], dtype=np.uint32))).tolist() == [SECOND * NS]
