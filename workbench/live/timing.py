"""How long things took: a histogram that never grows."""

from __future__ import annotations

import math
import threading
from typing import Final

__all__ = ["DurationHistogram"]

# 16 buckets for each doubling: a percentile is at most 2**(1/16) - 1 = 4.4 % too high.
_BUCKETS_PER_DOUBLING: Final = 16
# 2**40 ns is 18 minutes; what takes longer counts as that.
_BUCKETS: Final = 40 * _BUCKETS_PER_DOUBLING + 1
_NS_PER_US: Final = 1_000


class DurationHistogram:
    """Counts durations in buckets of equal ratio; thread-safe, one fixed size whatever comes.

    Examples
    --------
    >>> histogram = DurationHistogram()
    >>> for microseconds in range(1, 101):
    ...     histogram.record(microseconds * 1_000)
    >>> summary = histogram.summary_us()
    >>> summary["count"], summary["max"], 50 <= summary["p50"] <= 53, 99 <= summary["p99"] <= 100
    (100.0, 100.0, True, True)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * _BUCKETS
        self._longest_ns = 0
        self._total_ns = 0
        self._count = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration in ns; what is below 1 counts as 1."""
        whole = max(duration_ns, 1)
        bucket = min(math.ceil(math.log2(whole) * _BUCKETS_PER_DOUBLING), _BUCKETS - 1)
        with self._lock:
            self._counts[bucket] += 1
            self._count += 1
            self._total_ns += whole
            self._longest_ns = max(self._longest_ns, whole)

    def summary_us(self) -> dict[str, float]:
        """Return ``count``, ``mean``, ``p50``, ``p99`` and ``max``, the durations in microseconds; nan without any.

        A percentile is the upper edge of its bucket, at most 4.4 % too high and never above the maximum.
        """
        with self._lock:
            counts, count = list(self._counts), self._count
            longest_ns, total_ns = self._longest_ns, self._total_ns
        if not count:
            return {"count": 0.0, "mean": math.nan, "p50": math.nan, "p99": math.nan, "max": math.nan}
        return {
            "count": float(count),
            "mean": total_ns / count / _NS_PER_US,
            "p50": min(_percentile_ns(counts, count, 0.50), longest_ns) / _NS_PER_US,
            "p99": min(_percentile_ns(counts, count, 0.99), longest_ns) / _NS_PER_US,
            "max": longest_ns / _NS_PER_US,
        }


def _percentile_ns(counts: list[int], count: int, share: float) -> float:
    """Return the upper edge of the bucket that holds the given share of all durations."""
    wanted = math.ceil(share * count)
    seen = 0
    for bucket, number in enumerate(counts):
        seen += number
        if seen >= wanted:
            return float(2.0 ** (bucket / _BUCKETS_PER_DOUBLING))
    return math.inf
