"""Sets of time: sorted spans that do not touch, each from a start up to but not including an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Span", "clip", "gaps_of", "is_disjoint", "merge", "month_of", "months_between", "subtract"]


class Span(NamedTuple):
    """Times from a start up to but not including an end.

    Attributes
    ----------
    start_ns, end_ns : int
        Nanoseconds UTC.

    Examples
    --------
    >>> str(Span(1_735_689_600_000_000_000, 1_735_776_000_000_000_000))
    '2025-01-01T00:00Z to 2025-01-02T00:00Z'
    """

    start_ns: int
    end_ns: int

    def __str__(self) -> str:
        return f"{utc_text(self.start_ns)} to {utc_text(self.end_ns)}"


def is_disjoint(spans: Iterable[Span]) -> bool:
    """Return whether each span is not empty and starts after the end of the one before.

    Examples
    --------
    >>> is_disjoint([Span(0, 2), Span(3, 4)]), is_disjoint([Span(0, 2), Span(1, 4)]), is_disjoint([Span(2, 2)])
    (True, False, False)
    """
    last = None
    for start, end in spans:
        if start >= end or (last is not None and start < last):
            return False
        last = end
    return True


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the union of spans, those that touch joined.

    Examples
    --------
    >>> [tuple(span) for span in merge([Span(5, 7), Span(0, 2), Span(2, 4), Span(6, 9)])]
    [(0, 4), (5, 9)]
    """
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start <= union[-1].end_ns:
            union[-1] = Span(union[-1].start_ns, max(end, union[-1].end_ns))
        else:
            union.append(Span(start, end))
    return tuple(union)


def clip(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """Return what of the spans lies within another.

    Examples
    --------
    >>> [tuple(span) for span in clip([Span(0, 4), Span(6, 9)], Span(2, 7))]
    [(2, 4), (6, 7)]
    """
    cut = (Span(max(start, within.start_ns), min(end, within.end_ns)) for start, end in spans)
    return tuple(span for span in cut if span.start_ns < span.end_ns)


def subtract(whole: Span, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of a span without others.

    Parameters
    ----------
    whole : Span
        What to take from.
    spans : iterable of Span
        Sorted and disjoint.

    Examples
    --------
    >>> [tuple(span) for span in subtract(Span(0, 10), [Span(2, 4), Span(8, 12)])]
    [(0, 2), (4, 8)]
    """
    left, at = [], whole.start_ns
    for start, end in clip(spans, whole):
        left.append(Span(at, start))
        at = end
    left.append(Span(at, whole.end_ns))
    return tuple(span for span in left if span.start_ns < span.end_ns)


def gaps_of(time_ns: NDArray[np.int64], length_ns: int, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return where spans have no bar.

    Parameters
    ----------
    time_ns : ndarray of int64
        Open labels, ascending.
    length_ns : int
        Length of a bar.
    spans : iterable of Span
        Sorted and disjoint.

    Examples
    --------
    >>> [tuple(span) for span in gaps_of(np.array([0, 10, 40]), 10, [Span(0, 60)])]
    [(20, 40), (50, 60)]
    """
    found: list[Span] = []
    for span in spans:
        first, last = np.searchsorted(time_ns, span)
        # Where the bar before ends, and where the next one begins; the span's own ends are the outermost.
        ends = np.concatenate(([span.start_ns], time_ns[first:last] + length_ns))
        begins = np.concatenate((time_ns[first:last], [span.end_ns]))
        found += [Span(int(ends[row]), int(begins[row])) for row in np.flatnonzero(ends < begins)]
    return tuple(found)


def month_of(time_ns: int) -> str:
    """Return the month of a moment in UTC.

    Examples
    --------
    >>> month_of(1_735_689_600_000_000_000)
    '2025-01'
    """
    return str(np.datetime64(time_ns, "ns").astype("datetime64[M]"))


def months_between(span: Span) -> dict[str, Span]:
    """Return the months that a span touches, each with its own whole span.

    Examples
    --------
    >>> list(months_between(Span(1_735_689_600_000_000_000, 1_738_368_000_000_000_001)))
    ['2025-01', '2025-02']
    """
    first = np.datetime64(span.start_ns, "ns").astype("datetime64[M]")
    last = np.datetime64(span.end_ns - 1, "ns").astype("datetime64[M]")
    edges = np.arange(first, last + 2)
    ns = edges.astype("datetime64[ns]").astype(np.int64).tolist()
    return {str(edges[i]): Span(ns[i], ns[i + 1]) for i in range(len(edges) - 1)}
