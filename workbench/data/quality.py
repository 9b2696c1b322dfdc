"""`quality_report`: what is wrong, missing or odd in candles, before they are used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from workbench.data.findings import KINDS, Finding, Findings, find_all, find_gaps
from workbench.data.quality_card import quality_card
from workbench.data.repair import Repaired, RepairPlan, repair_rows
from workbench.data.spans import Span, gaps_of
from workbench.data.time_column import UNIT_WORDS
from workbench.errors import ConfigError
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from workbench.data.raw_candles import RawCandles
    from workbench.model.instrument import Instrument
    from workbench.model.timeframe import Timeframe

__all__ = ["QualityReport", "report_of"]

_LOADABLE = frozenset({"off_grid", "gap", "jump"})
_SHOWN_PER_KIND = 3


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class QualityReport:
    """What was found in candles; prints itself as a list, in a notebook as a card.

    Attributes
    ----------
    title : str
        What was looked at.
    instrument : Instrument
        The symbol with its trading rules.
    timeframe : Timeframe
        Length of a bar.
    raw : RawCandles
        The rows.
    findings : tuple of Findings
        What was found, kind by kind; empty when nothing was.
    """

    figure_factory: ClassVar[Callable[[QualityReport], Any] | None] = None

    title: str
    instrument: Instrument
    timeframe: Timeframe
    raw: RawCandles
    findings: tuple[Findings, ...]
    _times: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.raw.time_ns)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        return {found.kind: found.total for found in self.findings}

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def is_loadable(self) -> bool:
        """Whether `load_bars` takes the rows as they are: gaps, odd times and odd prices do not keep it from that."""
        return all(found.kind in _LOADABLE for found in self.findings)

    @property
    def time_ns(self) -> NDArray[np.int64]:
        """Each time that can be read, once, ascending."""
        if not self._times:
            self._times.append(np.unique(self.raw.time_ns[self.raw.time_ns != 0]))
        return self._times[0]

    @property
    def closes(self) -> NDArray[np.float64]:
        """The first close in the table at each of ``time_ns``; ``nan`` where there is none."""
        rows = np.flatnonzero(self.raw.time_ns != 0)
        _, first = np.unique(self.raw.time_ns[rows], return_index=True)
        closes: NDArray[np.float64] = self.raw.values[3, rows[first]]
        return closes

    def listed(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of a `kind`, at most a thousand."""
        return next((found.listed for found in self.findings if found.kind == kind), ())

    def to_frame(self) -> pd.DataFrame:
        """Return all findings, of each kind at most a thousand, as a table: kind, row, time, count, reason."""
        import pandas as pd  # noqa: PLC0415 - half a second that only a table may cost

        listed = [finding for found in self.findings for finding in found.listed]
        times = [None if one.time_ns is None else pd.Timestamp(one.time_ns, tz="UTC") for one in listed]
        return pd.DataFrame(
            {
                "kind": [one.kind for one in listed],
                "row": pd.array([one.row for one in listed], dtype="Int64"),
                "time": pd.Series(times, dtype="datetime64[ns, UTC]"),
                "count": [one.count for one in listed],
                "reason": [one.reason for one in listed],
            }
        )

    def plot(self) -> Any:  # noqa: ANN401 - a plotly figure, which this room does not know
        """Return a figure: the closes with what was found on them, and how many of the bars are there over time."""
        if QualityReport.figure_factory is None:
            raise ConfigError("figures are drawn in a room above; import workbench.api to have them")
        return QualityReport.figure_factory(self)

    def repair(
        self,
        *,
        order: bool = False,
        units: bool = False,
        duplicates: Literal["first", "last"] | None = None,
        bad_rows: Literal["drop"] | None = None,
    ) -> Repaired:
        """Return the bars after putting right what is asked for, and only that; gaps stay gaps.

        Parameters
        ----------
        order : bool, default False
            Sort the rows by time.
        units : bool, default False
            Read each time in the only unit that makes it a time of the years 2009 to 2099.
        duplicates : {"first", "last"}, optional
            Of rows with the same time keep the first or the last in the order of the table.
        bad_rows : {"drop"}, optional
            Leave out rows that cannot be read or contradict themselves.

        Returns
        -------
        Repaired
            The bars, and what was done.

        Raises
        ------
        ConfigError
            `duplicates` or `bad_rows` is none of these.
        DataError
            The rows need something that was not asked for; all of it is named.
        """
        plan = RepairPlan(order=order, units=units, duplicates=duplicates, bad_rows=bad_rows)
        return repair_rows(self.raw, self.instrument, self.timeframe, plan)

    def headline(self) -> str:
        """Return one line: rows, time, unit of the times, and whether they can be loaded."""
        parts = [f"{self.rows:,} rows"]
        if len(self.time_ns):
            parts.append(f"{utc_text(int(self.time_ns[0]))} to {utc_text(int(self.time_ns[-1]))}")
        units = np.unique(self.raw.units[self.raw.units != ""])
        if len(units) == 1:
            parts.append(f"times in {UNIT_WORDS[str(units[0])]}")
        parts.append("clean" if self.is_clean else "can be loaded" if self.is_loadable else "cannot be loaded as it is")
        return ", ".join(parts)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {self.headline()}"]
        for found in self.findings:
            lines.append(f"  {found.kind} ({KINDS[found.kind]}): {found.total:,}")
            lines += [f"    {finding_text(finding)}" for finding in found.listed[:_SHOWN_PER_KIND]]
            if found.total > _SHOWN_PER_KIND:
                lines.append("    ...")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return quality_card(self)


def finding_text(finding: Finding) -> str:
    """Return a `finding` as one line: row, time, how many, reason."""
    parts = [] if finding.row is None else [f"row {finding.row}"]
    if finding.time_ns is not None:
        parts.append(utc_text(finding.time_ns))
    if finding.count != 1:
        parts.append(f"{finding.count:,}")
    return ", ".join(parts) + (": " if parts else "") + finding.reason


def report_of(
    raw: RawCandles, title: str, instrument: Instrument, timeframe: Timeframe, covered: tuple[Span, ...] | None = None
) -> QualityReport:
    """Return the report of rows.

    Parameters
    ----------
    raw : RawCandles
        The rows.
    title : str
        What they are called.
    instrument : Instrument
        The symbol.
    timeframe : Timeframe
        Length of a bar.
    covered : tuple of Span, optional
        For candles of a store: the times that were asked for, so that what the exchange does not have is told from
        what was not downloaded.
    """
    times = np.unique(raw.time_ns[raw.time_ns != 0])
    found = list(find_all(raw, timeframe))
    if len(times):
        whole = Span(int(times[0]), int(times[-1]) + timeframe.ns)
        gaps = tuple(gap for gap in gaps_of(times, timeframe.ns, [whole]) if gap.end_ns - gap.start_ns >= timeframe.ns)
        found += find_gaps(gaps, timeframe.ns, covered)
    order = list(KINDS)
    return QualityReport(title, instrument, timeframe, raw, tuple(sorted(found, key=lambda one: order.index(one.kind))))
