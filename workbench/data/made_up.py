"""Bars of the practice and the synthetic market for a time that may be open at its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import MissingDataError
from workbench.model.practice import PRACTICE_LIVE_START, PRACTICE_SEED, practice_bars
from workbench.model.synthetic import synthetic_bars

if TYPE_CHECKING:
    from workbench.data.series import Series
    from workbench.model.bars import Bars

__all__ = ["MADE_UP_SOURCES", "made_up_bars"]

#: Names of the markets that are computed.
MADE_UP_SOURCES: Final = ("practice", "synthetic")
_DEFAULT_SPAN_NS: Final = 90 * 86_400_000_000_000


def made_up_bars(wanted: Series, start_ns: int | None, end_ns: int | None, seed: int | None) -> Bars:
    """Return bars of the practice or the synthetic market.

    Parameters
    ----------
    wanted : Series
        Its exchange is one of `MADE_UP_SOURCES`.
    start_ns, end_ns : int or None
        Nanoseconds UTC; without them 90 days that end when the live practice market begins, or 90 days from a later
        start on.
    seed : int or None
        Which market; without it the one that everybody has.

    Raises
    ------
    MissingDataError
        No whole bar lies in this time.
    """
    if end_ns is None:
        end_ns = PRACTICE_LIVE_START
        if start_ns is not None and start_ns >= PRACTICE_LIVE_START:
            end_ns = start_ns + _DEFAULT_SPAN_NS
    if start_ns is None:
        start_ns = end_ns - _DEFAULT_SPAN_NS
    frame = wanted.timeframe
    if wanted.exchange == "practice":
        return practice_bars(wanted.symbol, frame, start_ns, end_ns, seed=PRACTICE_SEED if seed is None else seed)
    first = frame.floor(start_ns + frame.ns - 1)
    count = (end_ns - first) // frame.ns
    if count < 1:
        raise MissingDataError(f"no whole {frame.name} bar lies between start and end")
    return synthetic_bars(wanted.symbol, frame, count, seed=0 if seed is None else seed, start=first)
