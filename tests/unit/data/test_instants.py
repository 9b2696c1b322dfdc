from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from workbench.data.instants import parse_instant
from workbench.errors import ConfigError, DataError

NEW_YEAR_2025_NS = 1_735_689_600_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        "2025-01-01",
        " 2025-01-01 ",
        "2025-01-01T00:00Z",
        "2025-01-01 00:00:00+00:00",
        "2024-12-31T19:00:00-05:00",
        "2024-12-31T19:00-0500",
        date(2025, 1, 1),
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_dates_are_utc_and_times_of_day_are_where_their_zone_says(value: str | date) -> None:
    assert parse_instant(value, name="start") == NEW_YEAR_2025_NS


@pytest.mark.parametrize("value", ["2025-01-01T12:00", "2025-01-01 12:00", "2025-01-01T12", "2025-01-01t12:00:30.5"])
def test_time_of_day_without_zone_is_refused_with_the_way_out(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_instant(value, name="end")
    assert str(caught.value) == f'end has a time of day but no zone, was {value!r}: write "{value}Z" if it is UTC'


def test_naive_datetime_is_refused() -> None:
    with pytest.raises(DataError, match="start must have a time zone"):
        parse_instant(datetime(2025, 1, 1, 12), name="start")  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize("value", ["yesterday", "2025-13-01", "", "1999-01-01"])
def test_text_that_is_no_time_of_ours_is_refused_by_name(value: str) -> None:
    with pytest.raises(DataError, match="end must be"):
        parse_instant(value, name="end")
