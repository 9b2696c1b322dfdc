import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.ohlcv import random_ohlcv
from workbench.errors import ConfigError, DataError
from workbench.strategy import ConfiguredStrategy, Signals, configured, plan_of

BARS = random_ohlcv(4)
ROWS = np.arange(4)


def test_arrays_become_codes() -> None:
    signals = Signals(
        enter_long=[True, False, False, False],
        exit_long=pd.Series([0, 1, 0, 0]),
        enter_short=np.array([0.0, 0.0, 1.0, 0.0]),
        exit_short=[0, 0, 0, True],
    )
    codes, levels = plan_of(signals).batch(BARS, ROWS)
    assert codes.tolist() == [1, 2, 4, 8]
    assert levels.shape == (8, 1)
    assert repr(signals) == "Signals(4 bars, 2 bars with an entry, 2 with an exit)"


def test_signals_are_a_strategy_without_parameters_that_is_not_proven_causal() -> None:
    signals = Signals(enter_long=[True])
    assert isinstance(signals, ConfiguredStrategy)
    assert configured(signals) is signals
    assert (signals.name, dict(signals.parameters), signals.spec) == ("signals", {}, ())
    assert signals.with_parameters() is signals
    with pytest.raises(ConfigError, match="signals have no parameters, was given fast"):
        signals.with_parameters(fast=3)
    assert not plan_of(signals).is_causal


def test_signals_are_checked_against_the_bars() -> None:
    with pytest.raises(DataError, match="each of the 5 bars, had 4"):
        plan_of(Signals(enter_long=[1, 0, 0, 0])).check_length(5)


HOURS = pd.date_range("2025-01-01", periods=4, freq="1h", tz="UTC")


def hourly_series(shift_h: int = 0) -> "pd.Series[bool]":
    return pd.Series([True, False, False, False], index=HOURS + pd.Timedelta(hours=shift_h))


@pytest.mark.parametrize("unit", ["s", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", None])
def test_index_of_times_must_be_the_opens_of_the_bars(unit: Any, zone: str | None) -> None:
    opens = HOURS.as_unit("ns").asi8
    series = hourly_series()
    series.index = HOURS.as_unit(unit).tz_convert(zone)
    signals = Signals(enter_long=series, exit_long=[0, 0, 0, 1])
    signals.check_times(opens)
    # Of another length: the plan says so.
    signals.check_times(opens[:3])
    moved = opens.copy()
    moved[2] += 1_000_000_000
    with pytest.raises(DataError, match=r"row 2 was of 2025-01-01T02:00:00, must be of 2025-01-01T02:00:01 .UTC.; rei"):
        signals.check_times(moved)


def test_arrays_without_times_are_read_by_position() -> None:
    for plain in ([1, 0, 0, 0], np.array([1, 0, 0, 0]), pd.Series([1, 0, 0, 0])):
        signals = Signals(enter_long=plain)
        assert signals.time_ns is None
        signals.check_times(HOURS.as_unit("ns").asi8)


def test_series_of_different_times_do_not_go_together() -> None:
    with pytest.raises(DataError, match="the index of stop_loss must have the times of that of enter_long: row 0 was"):
        Signals(enter_long=hourly_series(), stop_loss=hourly_series(1).astype(float) / 50.0)


def test_levels_are_read_on_bars_with_an_entry_only() -> None:
    signals = Signals(enter_long=[1, 0, 0, 1], size=[0.5, math.nan, -3, 0.25], stop_loss=0.02)
    _, levels = plan_of(signals).batch(BARS, ROWS)
    np.testing.assert_array_equal(levels[0], [0.5, math.nan, math.nan, 0.25])
    np.testing.assert_array_equal(levels[3], [0.02] * 4)
    np.testing.assert_array_equal(levels[7], [1.0] * 4)


def test_the_callers_arrays_may_change_afterwards() -> None:
    entries = np.array([True, False])
    signals = Signals(enter_long=entries)
    entries[1] = True
    assert plan_of(signals).batch(BARS[:, :2], ROWS[:2])[0].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({}, ConfigError, "at least one array"),
        ({"enter_long": [1], "sizing": "all"}, ConfigError, "sizing must be one of"),
        ({"enter_long": [1], "limit": 1.0, "stop": 2.0}, ConfigError, "only one of limit and stop"),
        ({"enter_long": [1, 0], "exit_long": [1]}, DataError, "one length, had enter_long 2, exit_long 1"),
        ({"enter_long": [1, math.nan]}, DataError, "True or False on every bar, was nan at row 1"),
        ({"enter_long": [0, 2]}, DataError, "was 2 at row 1"),
        ({"enter_long": [None, True]}, DataError, "was None at row 0"),
        ({"enter_long": pd.array([True, None], dtype="boolean")}, DataError, "was <NA> at row 1"),
        ({"enter_long": [[1, 0]]}, DataError, r"one dimension, had shape \(1, 2\)"),
        ({"enter_long": [0, 1], "size": [1.0, math.nan]}, DataError, "was nan at row 1"),
        ({"enter_long": [0, 1], "size": [1.0, -1.0]}, DataError, "size must be > 0 and finite, was -1.0 at row 1"),
        ({"enter_long": [0, 1], "stop_loss": 2.0}, DataError, r"stop_loss must be in \(0, 1\), was 2.0"),
        ({"enter_long": [0, 1], "size": [1.0]}, DataError, r"each of 2 bars, had shape \(1,\)"),
    ],
)
def test_arrays_that_cannot_be_are_refused_by_row(fields: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Signals(**fields)
