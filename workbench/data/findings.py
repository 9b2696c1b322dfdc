"""What is wrong, or only odd, with the rows of a candle table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from workbench.data.spans import Span, subtract
from workbench.data.time_column import UNIT_WORDS
from workbench.errors import BarError
from workbench.model.bars_checks import FIELDS, check_values
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from workbench.data.raw_candles import RawCandles
    from workbench.model.timeframe import Timeframe

__all__ = ["KINDS", "Finding", "FindingKind", "Findings", "bad_values", "find_all", "find_gaps"]

FindingKind: TypeAlias = Literal[
    "unread", "time_unit", "out_of_order", "duplicate", "bad_row", "off_grid", "spacing", "gap", "jump"
]
#: Every kind of finding with its meaning; the first six keep a table from being loaded.
KINDS: Final[dict[FindingKind, str]] = {
    "unread": "a time or number that cannot be read",
    "time_unit": "times in more than one unit",
    "out_of_order": "earlier than the row before",
    "duplicate": "the same time again",
    "bad_row": "numbers that contradict each other",
    "spacing": "rows closer than the timeframe, or usually further apart",
    "off_grid": "a time that is no multiple of the timeframe",
    "gap": "bars that are missing between two others",
    "jump": "a price more than half away from the one before: possible, and often wrong",
}
_MOST_LISTED: Final = 1_000
_JUMP: Final = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    row : int or None
        Row of the table, the first below the header being 0; None for what lies between rows.
    time_ns : int or None
        Its time in nanoseconds UTC, where it is known.
    count : int
        How many bars or rows it is about.
    reason : str
        The finding in words, with the values.
    """

    kind: FindingKind
    row: int | None
    time_ns: int | None
    count: int
    reason: str


class Findings(NamedTuple):
    """Findings of one kind.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    total : int
        How many there are.
    listed : tuple of Finding
        The first thousand.
    """

    kind: FindingKind
    total: int
    listed: tuple[Finding, ...]


def find_all(raw: RawCandles, timeframe: Timeframe) -> Iterator[Findings]:
    """Yield what is found in the rows of a table, but for gaps; kinds without a finding are left out.

    Parameters
    ----------
    raw : RawCandles
        The rows.
    timeframe : Timeframe
        Length of a bar.
    """
    unread = sorted(raw.unread.items())
    yield from _listed("unread", [row for row, _ in unread], raw, lambda row: raw.unread[row])
    yield from _mixed_units(raw)
    has_time = raw.time_ns != 0
    rows = np.flatnonzero(has_time)
    steps = np.diff(raw.time_ns[rows])
    yield from _disorder(raw, rows, steps)
    yield from _duplicates(raw, rows)
    is_read = np.ones(len(raw.time_ns), dtype=np.bool_)
    is_read[[row for row, _ in unread]] = False
    bad = bad_values(raw.values) & is_read
    yield from _listed("bad_row", np.flatnonzero(bad), raw, lambda row: _problem(raw, row))
    yield from _spacing(raw, rows, timeframe)
    off = np.flatnonzero(has_time & (timeframe.floor(raw.time_ns) != raw.time_ns))
    yield from _listed("off_grid", off, raw, lambda _: f"is no multiple of {timeframe}")
    yield from _jumps(raw, np.flatnonzero(has_time & is_read & ~bad))


def find_gaps(gaps: tuple[Span, ...], length_ns: int, covered: tuple[Span, ...] | None) -> Iterator[Findings]:
    """Yield what is missing between bars.

    Parameters
    ----------
    gaps : tuple of Span
        Where bars are missing.
    length_ns : int
        Length of a bar.
    covered : tuple of Span or None
        The times that an exchange was asked for; None when nobody knows.
    """
    listed = []
    for gap in gaps[:_MOST_LISTED]:
        count, reason = (gap.end_ns - gap.start_ns) // length_ns, f"until {utc_text(gap.end_ns)}"
        if covered is not None:
            reason += ", not downloaded" if subtract(gap, covered) else ", the exchange has none"
        listed.append(Finding("gap", None, gap.start_ns, count, reason))
    if listed:
        yield Findings("gap", len(gaps), tuple(listed))


def _listed(
    kind: FindingKind, rows: Iterable[int], raw: RawCandles, reason: Callable[[int], str]
) -> Iterator[Findings]:
    """Yield one finding a row, the first thousand in words."""
    places = [int(row) for row in rows]
    if places:
        listed = tuple(Finding(kind, row, _time(raw, row), 1, reason(row)) for row in places[:_MOST_LISTED])
        yield Findings(kind, len(places), listed)


def _time(raw: RawCandles, row: int) -> int | None:
    return int(raw.time_ns[row]) or None


def _mixed_units(raw: RawCandles) -> Iterator[Findings]:
    units, first, counts = np.unique(raw.units[raw.units != ""], return_index=True, return_counts=True)
    if len(units) < 2:  # noqa: PLR2004 - one unit, or none, is no mixture
        return
    rows = np.flatnonzero(raw.units != "")
    rare = int(np.argmin(counts))
    row = int(rows[first[rare]])
    parts = " and ".join(f"{counts[i]:,} rows in {UNIT_WORDS[str(units[i])]}" for i in np.argsort(-counts))
    reason = f"{parts}; each row's unit is the only one that gives a year from 2009 to 2099"
    yield Findings("time_unit", 1, (Finding("time_unit", row, _time(raw, row), int(counts[rare]), reason),))


def _disorder(raw: RawCandles, rows: NDArray[np.int64], steps: NDArray[np.int64]) -> Iterator[Findings]:
    earlier = rows[1:][steps < 0]
    if len(rows) > 2 and len(earlier) and (steps <= 0).all():  # noqa: PLR2004 - two rows have no direction
        finding = Finding("out_of_order", int(earlier[0]), _time(raw, int(earlier[0])), len(earlier), "newest first")
        yield Findings("out_of_order", 1, (finding,))
        return
    yield from _listed("out_of_order", earlier, raw, lambda row: f"is earlier than row {row - 1}")


def _duplicates(raw: RawCandles, rows: NDArray[np.int64]) -> Iterator[Findings]:
    order = rows[np.argsort(raw.time_ns[rows], kind="stable")]
    same = np.flatnonzero(np.diff(raw.time_ns[order]) == 0)
    before = dict(zip(order[same + 1].tolist(), order[same].tolist(), strict=True))

    def reason(row: int) -> str:
        first, second = raw.values[:, before[row]], raw.values[:, row]
        if np.array_equal(first, second, equal_nan=True):
            return f"repeats row {before[row]} with the same numbers"
        pairs = ", ".join(
            f"{name} {first[i]:.10g} and {second[i]:.10g}" for i, name in enumerate(FIELDS) if first[i] != second[i]
        )
        return f"repeats row {before[row]} with other numbers: {pairs}"

    yield from _listed("duplicate", sorted(before), raw, reason)


def bad_values(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows of `values`, shape (5, n), break a rule of bars; a row of five nan is a missing bar."""
    opens, highs, lows, closes, volumes = values
    good: NDArray[np.bool_] = (lows > 0.0) & (highs < np.inf) & (volumes >= 0.0) & (volumes < np.inf)
    good &= (lows <= opens) & (opens <= highs) & (lows <= closes) & (closes <= highs)
    return ~good & ~np.isnan(values).all(axis=0)


def _problem(raw: RawCandles, row: int) -> str:
    """Return the words that loading this row alone would raise."""
    try:
        check_values(raw.values[:, [row]], np.array([raw.time_ns[row]]), "")
    except BarError as error:
        return str(error).partition("): ")[2]
    return "contradicts itself"


def _spacing(raw: RawCandles, rows: NDArray[np.int64], timeframe: Timeframe) -> Iterator[Findings]:
    steps = np.diff(np.unique(raw.time_ns[rows])) / 1e9
    if not len(steps):
        return
    usual_s, close = float(np.median(steps)), int((steps < timeframe.seconds).sum())
    if usual_s != timeframe.seconds or close:
        reason = f"rows are usually {usual_s:g} s apart, the timeframe {timeframe} has {timeframe.seconds} s"
        yield Findings("spacing", 1, (Finding("spacing", None, None, close or len(steps), reason),))


def _jumps(raw: RawCandles, rows: NDArray[np.int64]) -> Iterator[Findings]:
    """Yield prices that are suspiciously far from the one before: in the bar, or from the last close."""
    order = rows[np.argsort(raw.time_ns[rows], kind="stable")]
    opens, highs, lows, closes = raw.values[:4, order]
    last = np.concatenate((opens[:1], closes[:-1]))
    with np.errstate(invalid="ignore"):
        far = (lows < _JUMP * highs) | (np.abs(opens / last - 1.0) > _JUMP)
    found = order[far]

    def reason(row: int) -> str:
        opened, high, low, close = raw.values[:4, row]
        return f"open {opened:g}, high {high:g}, low {low:g}, close {close:g}"

    yield from _listed("jump", found[np.argsort(found)], raw, reason)
