"""Rows of a candle table put right where that was asked for, and an account of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.findings import bad_values
from workbench.data.time_column import UNIT_WORDS
from workbench.errors import ConfigError, DataError
from workbench.model.bars import Bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.data.raw_candles import RawCandles
    from workbench.model.instrument import Instrument
    from workbench.model.timeframe import Timeframe

__all__ = ["RepairPlan", "Repaired", "repair_rows"]


@dataclass(frozen=True, slots=True, repr=False)
class Repaired:
    """Bars, and what was done to the rows to get them.

    Attributes
    ----------
    bars : Bars
        Checked, oldest first.
    steps : tuple of str
        What was done, one sentence a step, with how many rows.
    """

    bars: Bars
    steps: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([repr(self.bars), *(f"  {step}" for step in self.steps or ("nothing was changed",))])


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """What may be done to rows.

    Parameters
    ----------
    order : bool
        Sort them by time.
    units : bool
        Read each time in the unit that its size tells.
    duplicates : {"first", "last"} or None
        Of rows with the same time keep one.
    bad_rows : {"drop"} or None
        Leave out what cannot be read or contradicts itself.
    """

    order: bool
    units: bool
    duplicates: str | None
    bad_rows: str | None

    def __post_init__(self) -> None:
        """Check the choices."""
        if self.duplicates not in {None, "first", "last"}:
            raise ConfigError(f"duplicates must be None, 'first' or 'last', was {self.duplicates!r}")
        if self.bad_rows not in {None, "drop"}:
            raise ConfigError(f"bad_rows must be None or 'drop', was {self.bad_rows!r}")


def repair_rows(raw: RawCandles, instrument: Instrument, timeframe: Timeframe, plan: RepairPlan) -> Repaired:
    """Return the bars of rows after what the plan allows.

    Parameters
    ----------
    raw : RawCandles
        The rows.
    instrument : Instrument
        Trading rules of the symbol.
    timeframe : Timeframe
        Length of a bar.
    plan : RepairPlan
        What may be done.

    Raises
    ------
    DataError
        Something is needed that the plan does not allow; all of it is named.
    """
    needed: list[str] = []
    steps: list[str] = []
    rows = np.arange(len(raw.time_ns), dtype=np.int64)
    names, counts = np.unique(raw.units[raw.units != ""], return_counts=True)
    if len(names) > 1:
        text = " and ".join(f"{count:,} as {UNIT_WORDS[str(name)]}" for name, count in zip(names, counts, strict=True))
        _do(plan.units, f"read times by their size, {text}", "units=True", steps, needed)
    bad = bad_values(raw.values) | (raw.time_ns == 0)
    bad[sorted(raw.unread)] = True
    if bad.any():
        count = int(bad.sum())
        text = f"left out {count:,} bad row{'s' if count > 1 else ''}"
        _do(plan.bad_rows, text, "bad_rows='drop'", steps, needed)
        rows = rows[~bad]
    if (np.diff(raw.time_ns[rows]) < 0).any():
        is_reversed = bool((np.diff(raw.time_ns[rows]) <= 0).all())
        text = f"sorted {len(rows):,} rows by time" + (", which were newest first" if is_reversed else "")
        _do(plan.order, text, "order=True", steps, needed)
        rows = rows[np.argsort(raw.time_ns[rows], kind="stable")]
    time_ns = raw.time_ns[rows]
    same = np.append(False, time_ns[1:] == time_ns[:-1])
    if same.any():
        differ = int((raw.values[:, rows[1:]] != raw.values[:, rows[:-1]]).any(axis=0)[same[1:]].sum())
        text = (
            f"kept the {plan.duplicates} of {int(same.sum()):,} repeated times, {differ:,} of them with other numbers"
        )
        _do(plan.duplicates, text, "duplicates='first' or 'last' (in the order of the table)", steps, needed)
        rows = _one_each(raw, rows, plan.duplicates)
    if needed:
        raise DataError(f"the rows need more than was allowed: pass {', '.join(needed)}")
    values = raw.values[:, rows]
    bars = Bars((instrument.symbol,), timeframe, (instrument,), raw.time_ns[rows], values[:, np.newaxis])
    return Repaired(bars, tuple(steps))


def _do(allowed: object, text: str, option: str, steps: list[str], needed: list[str]) -> None:
    if allowed:
        steps.append(text)
    else:
        needed.append(option)


def _one_each(raw: RawCandles, rows: NDArray[np.int64], which: str | None) -> NDArray[np.int64]:
    """Return one row of each time: the first or the last in the order of the table."""
    ordered = rows[np.lexsort((rows, raw.time_ns[rows]))]
    times = raw.time_ns[ordered]
    edge = times[1:] != times[:-1]
    kept: NDArray[np.int64] = ordered[np.append(edge, True) if which == "last" else np.append(True, edge)]
    return kept
