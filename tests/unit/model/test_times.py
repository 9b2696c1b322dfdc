import datetime as dt

import numpy as np
import pandas as pd
import pytest

from workbench.errors import DataError
from workbench.model import (
    EARLIEST_TIME_NS,
    LATEST_TIME_NS,
    is_plausible_time_ns,
    likely_time_unit,
    parse_time_ns,
    time_problem,
    utc_datetime,
    utc_text,
)

NEW_YEAR_2025_NS = 1_735_689_600_000_000_000


def test_bounds_are_the_first_days_of_2009_and_2100() -> None:
    assert utc_datetime(EARLIEST_TIME_NS) == dt.datetime(2009, 1, 1, tzinfo=dt.UTC)
    assert utc_datetime(LATEST_TIME_NS) == dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    assert is_plausible_time_ns(EARLIEST_TIME_NS)
    assert not is_plausible_time_ns(EARLIEST_TIME_NS - 1)
    assert is_plausible_time_ns(LATEST_TIME_NS - 1)
    assert not is_plausible_time_ns(LATEST_TIME_NS)


@pytest.mark.parametrize("value", [True, 1.7e18, "1700000000000000000", None])
def test_only_an_integer_is_a_plausible_time(value: object) -> None:
    assert not is_plausible_time_ns(value)


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("second", [1_230_768_000, 1_735_689_600, 4_102_444_799])
def test_each_plausible_time_is_of_one_unit_only(unit: str, scale: int, second: int) -> None:
    assert likely_time_unit(second * scale) == unit


@pytest.mark.parametrize("value", [0, -1, 12, 10**21])
def test_a_number_can_be_a_time_in_no_unit(value: int) -> None:
    assert likely_time_unit(value) is None
    assert str(time_problem(value)).endswith("nor in any other unit")


def test_seconds_given_as_milliseconds_are_named() -> None:
    assert time_problem(1_735_689_600, "ms") == (
        "time 1735689600 is not in 2009..2099 as milliseconds; it looks like seconds"
    )
    assert time_problem(np.int64(1_735_689_600), "s") is None


def test_time_that_is_no_integer_is_a_problem() -> None:
    assert time_problem(1.5e18) == "time must be an integer of nanoseconds since 1970 UTC, was 1.5e+18"
    assert time_problem(True) == "time must be an integer of nanoseconds since 1970 UTC, was True"


@pytest.mark.parametrize(
    "value",
    [
        NEW_YEAR_2025_NS,
        np.int64(NEW_YEAR_2025_NS),
        "2025-01-01",
        " 2025-01-01T00:00:00Z ",
        "2025-01-01T01:00+01:00",
        dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 12, 31, 19, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
        pd.Timestamp("2025-01-01T09:00", tz="Asia/Tokyo"),
    ],
)
def test_one_moment_has_one_number(value: int | str | dt.datetime) -> None:
    parsed = parse_time_ns(value)
    assert parsed == NEW_YEAR_2025_NS
    assert type(parsed) is int


def test_every_digit_of_a_moment_counts() -> None:
    moment = dt.datetime(2025, 1, 1, 0, 0, 1, 234_567, tzinfo=dt.UTC)
    assert parse_time_ns(moment) == NEW_YEAR_2025_NS + 1_234_567_000
    assert parse_time_ns(pd.Timestamp("2025-01-01T00:00:01.234567891Z")) == NEW_YEAR_2025_NS + 1_234_567_891


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dt.datetime(2025, 1, 1), "start must have a time zone, was the naive 2025-01-01T00:00:00"),  # noqa: DTZ001
        (pd.Timestamp("2025-01-01"), "start must have a time zone"),
        (pd.NaT, "start is missing"),
        ("2025-01-01T12:00", 'start has a time of day but no zone, was .*: write "2025-01-01T12:00Z" if it is UTC'),
        ("2025-01-01 12", "start has a time of day but no zone"),
        ("yesterday", "start must be ISO 8601 text"),
        ("1999-12-31", "start must be in the years 2009 to 2099, was 1999-12-31"),
        (1_735_689_600, "it looks like seconds"),
        (dt.date(2025, 1, 1), "start must be ISO text, an aware datetime or nanoseconds"),
        (np.datetime64("2025-01-01"), "start must be ISO text, an aware datetime or nanoseconds"),
        (None, "start must be ISO text, an aware datetime or nanoseconds"),
    ],
)
def test_what_is_no_moment_is_refused_with_a_reason(value: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        parse_time_ns(value, "start")


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (NEW_YEAR_2025_NS, "2025-01-01T00:00Z"),
        (NEW_YEAR_2025_NS + 5_000_000_000, "2025-01-01T00:00:05Z"),
        (NEW_YEAR_2025_NS + 1_500, "2025-01-01T00:00:00.000001Z"),
    ],
)
def test_text_is_as_precise_as_the_moment(time_ns: int, text: str) -> None:
    assert utc_text(time_ns) == text
