"""Proof that a session did what the backtest driver does with the same events, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.core import MARK_ROWS, marks_of
from workbench.live.cards import parity_card
from workbench.live.live_core import replay_core, step_core
from workbench.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.core import DecisionPlan, EngineConfig, Ledger, LedgerTail
    from workbench.live.trading_engine import EngineCut

__all__ = ["ParityReport", "compare_runs", "first_difference"]

_SHORT_HASH: Final = 12
# Tables of a ledger: name of one row, attribute, column of its time.
_TABLES: Final = (
    ("bar", "trace", "time_ns"),
    ("fill", "fills", "time_ns"),
    ("closed trade", "trades", "exit_time_ns"),
    ("denial", "denials", "time_ns"),
    ("breaker trip", "trips", "time_ns"),
)


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Whether a session and its replay did the same.

    Attributes
    ----------
    is_identical : bool
        True if and only if every fill, trade, denial and breaker trip, the account after every bar, and the state at
        the end agree in every byte.
    bars, fills : int
        How many the session had.
    first_difference : str or None
        The first bar that differs, with field and both values; None when nothing does.
    live_hash, replay_hash : str
        The sha256 of both ledgers, in hex.
    """

    is_identical: bool
    bars: int
    fills: int
    first_difference: str | None
    live_hash: str
    replay_hash: str

    def __repr__(self) -> str:
        size = f"{self.bars:,} bars, {self.fills:,} fills"
        if self.is_identical:
            return f"identical: {size}, sha256 {self.live_hash[:_SHORT_HASH]}"
        return f"NOT identical: {self.first_difference} ({size})"

    def _repr_html_(self) -> str:
        return parity_card(self)


class Difference(NamedTuple):
    """One difference: when, and in words."""

    time_ns: int
    text: str


def compare_runs(
    plan: DecisionPlan, config: EngineConfig, cut: EngineCut, *, own_plan: Callable[[], DecisionPlan] | None = None
) -> ParityReport:
    """Replay the recorded events through the core's batch driver and compare.

    A session keeps its newest rows, and of all others the hash. Where that differs, the session's own steps are taken
    again from the record, to name the bar.

    Parameters
    ----------
    plan : DecisionPlan
        The strategy, lowered anew: a plan that has run may hold what it has seen.
    config : EngineConfig
        The session's.
    cut : EngineCut
        What was recorded, and what came of it.
    own_plan : callable, optional
        Returns the session's own strategy, lowered anew; asked only where its steps must be taken again.

    Returns
    -------
    ParityReport
        Identical, or the first difference.
    """
    live = cut.tail
    replay = replay_core(plan, cut.events, config, cut.history)
    is_identical = live.hash == replay.hash
    return ParityReport(
        is_identical=is_identical,
        bars=live.rows,
        fills=live.fills,
        first_difference=None if is_identical else _difference(cut, replay, config, own_plan),
        live_hash=live.hash,
        replay_hash=replay.hash,
    )


def _difference(
    cut: EngineCut, replay: Ledger, config: EngineConfig, own_plan: Callable[[], DecisionPlan] | None
) -> str:
    """Return where a session and its replay part, from the rows that it kept or from its steps, taken again."""
    live = cut.tail
    if not live.dropped:
        return first_difference(live.newest, replay, config)
    again = None if own_plan is None else step_core(own_plan(), cut.events, config, cut.history)
    if again is not None and again.hash == live.hash:
        return first_difference(again, replay, config)
    pairs = zip_longest(live.marks, marks_of(replay.trace)[: len(live.marks)])
    block = next((block for block, (one, other) in enumerate(pairs) if one != other), None)
    if block is None:
        return _difference_of_newest(live, replay, config)
    first = block * MARK_ROWS
    if first >= len(replay.trace):
        return f"the replay ends after {len(replay.trace):,} bars, the live session had {live.rows:,}"
    since = utc_text(config.timeframe.floor(int(replay.trace["time_ns"][first])))
    return f"one of the {MARK_ROWS} bars from {since} on, of which the session has the hash only"


def _difference_of_newest(live: LedgerTail, replay: Ledger, config: EngineConfig) -> str:
    """Return the first difference of the rows that a session kept; what came before them is the same."""
    mine, other = live.newest.trace, replay.trace[live.dropped :]
    difference = _table_difference("bar", mine, other, "time_ns", begin=live.dropped)
    if difference is None:
        return "a fill, a denial or the state after the last bar differs, and the account after no bar"
    return f"bar {utc_text(config.timeframe.floor(difference.time_ns))}: {difference.text}"


def first_difference(live: Ledger, replay: Ledger, config: EngineConfig) -> str:
    """Return the earliest difference of two ledgers: the bar, what differs there, and both values."""
    found = [
        difference
        for name, table, time in _TABLES
        if (difference := _table_difference(name, getattr(live, table), getattr(replay, table), time)) is not None
    ]
    if not found:
        return "the state after the last bar differs, and nothing before it"
    # Of several at one bar the bar's own row says most: it comes first in the list, and min keeps the first.
    first = min(found, key=lambda difference: config.timeframe.floor(difference.time_ns))
    return f"bar {utc_text(config.timeframe.floor(first.time_ns))}: {first.text}"


def _table_difference(
    name: str, live: NDArray[np.void], replay: NDArray[np.void], time: str, *, begin: int = 0
) -> Difference | None:
    """Return the first difference of two tables that have the `begin` rows before them in common."""
    both = min(len(live), len(replay))
    different = np.flatnonzero((_row_bytes(live[:both]) != _row_bytes(replay[:both])).any(axis=1))
    if different.size:
        row = int(different[0])
        one, other = live[row], replay[row]
        field = next(field for field in live.dtype.names or () if one[field].tobytes() != other[field].tobytes())
        text = f"{name} {begin + row}: {field} was {one[field]} live and {other[field]} in the replay"
        return Difference(min(int(one[time]), int(other[time])), text)
    if len(live) != len(replay):
        longer, whose = (live, "live session") if len(live) > both else (replay, "replay")
        counts = f"{begin + len(live)} live, {begin + len(replay)} in the replay"
        text = f"{name} {begin + both} is in the {whose} only ({counts})"
        return Difference(int(longer[both][time]), text)
    return None


def _row_bytes(rows: NDArray[np.void]) -> NDArray[np.uint8]:
    data = np.frombuffer(np.ascontiguousarray(rows).tobytes(), dtype=np.uint8)
    return data.reshape(len(rows), rows.dtype.itemsize)
