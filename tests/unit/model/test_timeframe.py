import dataclasses

import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.model import Timeframe

SECOND_NS = 1_000_000_000
NEW_YEAR_2025_NS = 1_735_689_600 * SECOND_NS  # a Wednesday


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("1s", 1), ("1m", 60), ("15m", 900), ("1h", 3_600), ("4h", 14_400), ("1d", 86_400), ("1w", 604_800)],
)
def test_timeframe_knows_its_length(name: str, seconds: int) -> None:
    timeframe = Timeframe(name)
    assert timeframe.seconds == seconds
    assert timeframe.ns == seconds * SECOND_NS
    assert str(timeframe) == name


@pytest.mark.parametrize("name", ["", "m", "0m", "-1m", "1.5h", "1M", "1y", "1 m", "01m", "1H", " 1m", 60, None])
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(ConfigError, match=r"timeframe must be a whole number from 1 and one of s, m, h, d, w"):
        Timeframe(name)  # type: ignore[arg-type]  # the point of the test


def test_same_length_is_the_same_timeframe() -> None:
    assert Timeframe("60m") == Timeframe("1h")
    assert hash(Timeframe("60m")) == hash(Timeframe("1h"))
    assert Timeframe("7d") == Timeframe("1w")
    assert Timeframe("59m") < Timeframe("1h") < Timeframe("1d")


def test_of_takes_a_name_or_a_timeframe() -> None:
    hour = Timeframe("1h")
    assert Timeframe.of(hour) is hour
    assert Timeframe.of("1h") == hour


def test_timeframe_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Timeframe("1h").ns = 5  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(("name", "bars"), [("1d", 365.0), ("1h", 8_760.0), ("1m", 525_600.0)])
def test_a_year_has_365_days(name: str, bars: float) -> None:
    assert Timeframe(name).bars_per_year == bars


@pytest.mark.parametrize(
    ("name", "seconds_after", "label_after"),
    [
        ("1m", 0, 0),
        ("1m", 59, 0),
        ("1m", 60, 60),
        ("1h", 3_599, 0),
        ("1d", 86_399, 0),
        ("1d", -1, -86_400),
        ("1w", 0, -2 * 86_400),  # the Monday before that Wednesday
        ("1w", 5 * 86_400 - 1, -2 * 86_400),  # the Sunday
        ("1w", 5 * 86_400, 5 * 86_400),  # the next Monday
    ],
)
def test_floor_is_the_open_label_of_the_bar(name: str, seconds_after: int, label_after: int) -> None:
    floor_ns = Timeframe(name).floor(NEW_YEAR_2025_NS + seconds_after * SECOND_NS)
    assert floor_ns == NEW_YEAR_2025_NS + label_after * SECOND_NS


def test_floor_takes_arrays() -> None:
    moments = NEW_YEAR_2025_NS + np.array([0, 59, 60, 61]) * SECOND_NS
    labels = Timeframe("1m").floor(moments)
    assert labels.tolist() == [NEW_YEAR_2025_NS + after * SECOND_NS for after in (0, 0, 60, 60)]
