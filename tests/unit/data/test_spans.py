import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.spans import Span, clip, gaps_of, is_disjoint, merge, months_between, subtract

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda pair: Span(pair[0], pair[0] + pair[1])))
JANUARY = 1_735_689_600_000_000_000
DAY = 86_400_000_000_000


def moments(parts: object) -> set[int]:
    return {moment for start, end in parts for moment in range(start, end)}  # type: ignore[attr-defined] # spans


@given(spans)
def test_union_has_the_same_moments_and_no_overlap(parts: list[Span]) -> None:
    union = merge(parts)
    assert moments(union) == moments(parts)
    assert is_disjoint(union)


@given(spans, st.integers(0, 40), st.integers(1, 20))
def test_what_is_cut_out_and_what_is_left_make_the_whole(parts: list[Span], start: int, length: int) -> None:
    whole, union = Span(start, start + length), merge(parts)
    left, cut = subtract(whole, union), clip(union, whole)
    assert moments(left) | moments(cut) == moments([whole])
    assert moments(left) & moments(cut) == set()
    assert is_disjoint(left)


def test_gap_is_counted_inside_of_spans_only() -> None:
    times = np.array([0, 10, 40, 100])
    assert gaps_of(times, 10, [Span(0, 50), Span(90, 110)]) == (Span(20, 40), Span(90, 100))
    assert gaps_of(np.array([], dtype=np.int64), 10, [Span(0, 50)]) == (Span(0, 50),)


def test_months_are_those_of_the_calendar_in_utc() -> None:
    months = months_between(Span(JANUARY + 30 * DAY, JANUARY + 59 * DAY + 1))
    # 2025-01 has 31 days and 2025-02 28, so day 59 is the first of March.
    assert list(months) == ["2025-01", "2025-02", "2025-03"]
    assert months["2025-02"] == Span(JANUARY + 31 * DAY, JANUARY + 59 * DAY)
    assert list(months_between(Span(JANUARY, JANUARY + 31 * DAY))) == ["2025-01"]
