from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.live.timing import DurationHistogram


def test_without_any_duration_the_figures_are_nan() -> None:
    summary = DurationHistogram().summary_us()
    assert summary["count"] == 0
    assert all(math.isnan(summary[name]) for name in ("mean", "p50", "p99", "max"))


def test_mean_and_maximum_are_exact() -> None:
    histogram = DurationHistogram()
    for microseconds in (10, 20, 60):
        histogram.record(microseconds * 1_000)
    summary = histogram.summary_us()
    assert summary["mean"] == pytest.approx(30.0)  # (10 + 20 + 60) / 3
    assert summary["max"] == 60.0


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=200))
def test_percentiles_are_at_most_a_bucket_too_high(durations: list[int]) -> None:
    histogram = DurationHistogram()
    for duration in durations:
        histogram.record(duration)
    summary = histogram.summary_us()
    ordered = sorted(durations)
    for name, share in (("p50", 0.50), ("p99", 0.99)):
        exact = ordered[math.ceil(share * len(ordered)) - 1] / 1_000
        assert exact * (1 - 1e-12) <= summary[name] <= exact * 2 ** (1 / 16) * (1 + 1e-12)
    assert summary["p50"] <= summary["p99"] <= summary["max"]


def test_one_slow_step_in_a_thousand_does_not_move_the_99th_percentile() -> None:
    histogram = DurationHistogram()
    for _ in range(999):
        histogram.record(50_000)
    histogram.record(10**9)
    summary = histogram.summary_us()
    assert summary["p99"] < 53  # 50 us and one bucket
    assert summary["max"] == 10**6


@pytest.mark.parametrize("duration_ns", [-5, 0, 10**18])
def test_durations_that_cannot_be_are_counted_at_the_edge(duration_ns: int) -> None:
    histogram = DurationHistogram()
    histogram.record(duration_ns)
    assert histogram.summary_us()["count"] == 1
