"""From a session's updates to numbered messages for the page: coalescing, snapshots after gaps, silence without a page.

Pure bookkeeping without threads or widgets, on an injected clock: `hear` takes what the page says, `receive` what the
session says, `pump` returns what must be sent now.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.charts.live_assets import plotly_script
from workbench.charts.live_source import BAR_COLUMNS, EQUITY_COLUMNS, FINISHED_STATES, equity_until_now
from workbench.charts.live_study import LiveStudy
from workbench.charts.symbol_source import SymbolSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from workbench.charts.live_source import ChartSource, ChartUpdate, Mark
    from workbench.charts.live_study import StudyNews

__all__ = ["ChartStream", "Message", "StreamLimits"]

_NS_PER_MS: Final = 1_000_000
_CLOSE: Final = 4
_STUDY_COLUMNS: Final = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the page: JSON content, and buffers of float64 rows (or the chart script)."""

    content: dict[str, object]
    buffers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Rates and bounds of a stream.

    Parameters
    ----------
    interval_s : float, default 0.05
        Least time between two data messages; what comes in between is merged, the latest value wins.
    snapshot_interval_s : float, default 0.5
        Least time between two snapshots: of 400 KB each, they stay below the megabyte a second that Jupyter allows.
    presence_s : float, default 10
        A page that has not been heard for this long is gone, and nothing is sent.
    pulse_s : float, default 2
        A message at least this often while a page is there, so that the page can tell silence from calm.
    max_rows : int, default 5000
        Rows of a snapshot, and updates that wait before a snapshot replaces them.
    unconfirmed_s : float, default 6
        How far the page may stay behind, in seconds of messages. Its heartbeat, every three seconds, says what it has
        drawn; what a slow page or line has not taken by the second one is not piled up behind it.
    """

    interval_s: float = 0.05
    snapshot_interval_s: float = 0.5
    presence_s: float = 10.0
    pulse_s: float = 2.0
    max_rows: int = 5000
    unconfirmed_s: float = 6.0

    @property
    def max_unconfirmed(self) -> int:
        """Data messages that may be on their way."""
        return max(2, round(self.unconfirmed_s / self.interval_s))


class ChartStream:
    """The messages of one chart.

    Parameters
    ----------
    source : ChartSource
        The session; asked for a snapshot when a page needs one.
    clock : callable, default time.monotonic
        Seconds that never run backwards.
    limits : StreamLimits, optional
        Rates and bounds.
    on_work : callable, optional
        Called, on any thread, when `pump` may have something to send.
    """

    def __init__(
        self,
        source: ChartSource,
        *,
        clock: Callable[[], float] = time.monotonic,
        limits: StreamLimits | None = None,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._limits = StreamLimits() if limits is None else limits
        self._on_work = on_work
        self._study = LiveStudy(source, max_rows=self._limits.max_rows, on_work=on_work)
        # Guards what `hear` and `receive` write. Never held while the session is asked for something: a session may
        # hold its own lock while it calls `receive`.
        self._lock = threading.Lock()
        self._updates: list[ChartUpdate] = []
        self._subscriptions = 0
        self._needs_snapshot = True
        self._wants_script = False
        self._heard_at = -math.inf
        self._confirmed = 0
        # Touched by `pump` alone.
        self._sequence = 0
        self._source_sequence = 0
        self._source_state = ""
        self._is_final = False
        self._last_price = math.nan
        self._data_at = -math.inf
        self._snapshot_at = -math.inf
        self._sent_at = -math.inf

    @property
    def is_watched(self) -> bool:
        """Whether a page was heard recently."""
        return self._clock() - self._heard_at < self._limits.presence_s

    @property
    def is_done(self) -> bool:
        """Whether nothing more can come: the finished session is sent whole and no page waits for an answer."""
        with self._lock:
            is_sent = self._is_final and not self._needs_snapshot and not self._wants_script
        # The study works behind the bars: its last lines come after the last snapshot.
        return is_sent and self._study.is_settled

    @property
    def last_price(self) -> float:
        """Close of the newest bar seen, in quote currency; nan before the first."""
        return self._last_price

    def hear(self, content: Mapping[str, object]) -> None:
        """Take a message of the page: a heartbeat, or a question for a snapshot or for the chart script."""
        kind = content.get("kind")
        with self._lock:
            self._needs_snapshot |= kind == "snapshot"
            self._wants_script |= kind == "script"
            self._heard_at = self._clock()
            if kind != "script":
                # Of several pages the one that is furthest counts: the others ask for what they miss.
                self._confirmed = max(self._confirmed, _number(content.get("sequence"), self._sequence))
        self._on_work()

    def follow(self, source: ChartSource) -> Callable[[ChartUpdate], None]:
        """Show a `source` from now on, with a snapshot first; return what takes its updates until the next `follow`.

        On the thread of `pump`. Another source is another symbol of the same session.
        """
        if source is not self._source:
            self._source = source
            self._study = LiveStudy(source, max_rows=self._limits.max_rows, on_work=self._on_work)
            self._last_price = math.nan
        with self._lock:
            self._subscriptions += 1
            taker = partial(self.receive, subscription=self._subscriptions)
        self.reset()
        return taker

    def receive(self, update: ChartUpdate, *, subscription: int | None = None) -> None:
        """Take an update of the session: quick, and without memory growth when no page is there."""
        with self._lock:
            if subscription not in (None, self._subscriptions):
                return  # was on its way when another symbol was chosen: its number may be one that fits
            if not self.is_watched or len(self._updates) >= self._limits.max_rows:
                self._updates.clear()
                self._needs_snapshot = True
            else:
                self._updates.append(update)
        self._on_work()

    def reset(self) -> None:
        """Begin anew with a snapshot, for example after the subscription was interrupted."""
        with self._lock:
            self._updates.clear()
            self._needs_snapshot = True

    def see(self, bars: NDArray[np.float64]) -> None:
        """Take the newest price of these bars."""
        if len(bars):
            self._last_price = float(bars[-1, _CLOSE])

    def pump(self) -> tuple[Message, ...]:
        """Return what must be sent now, numbered; nothing without a page or within the message interval."""
        if not self.is_watched:
            return ()
        now = self._clock()
        messages = self._script()
        if now - self._data_at >= self._limits.interval_s and not self._is_behind:
            data = self._data(now)
            messages += data
            self._data_at = now if data else self._data_at
        if not messages and now - self._sent_at >= self._limits.pulse_s:
            messages = [Message({"kind": "pulse", "sequence": self._sequence})]
        if messages:
            self._sent_at = now
        return tuple(messages)

    @property
    def _is_behind(self) -> bool:
        """Whether the page has not confirmed enough; one that asks for a snapshot begins anew and is not."""
        with self._lock:
            return self._sequence - self._confirmed >= self._limits.max_unconfirmed

    def _script(self) -> list[Message]:
        with self._lock:
            is_wanted, self._wants_script = self._wants_script, False
        return [Message({"kind": "script"}, (plotly_script(),))] if is_wanted else []

    def _data(self, now: float) -> list[Message]:
        # Read before the snapshot: once the state says finished, the snapshot taken after it is complete.
        state = str(self._source.state)
        with self._lock:
            updates, self._updates = self._updates, []
            needs_snapshot, self._needs_snapshot = self._needs_snapshot, False
        updates = [update for update in updates if update.sequence > self._source_sequence]
        # A session that starts brings its history without an update, so every change of state asks for a snapshot.
        if needs_snapshot or state != self._source_state or _has_gap(self._source_sequence, updates):
            is_early = now - self._snapshot_at < self._limits.snapshot_interval_s
            if is_early:
                with self._lock:
                    self._needs_snapshot = True
                return []
            self._snapshot_at, self._source_state = now, state
            return [self._snapshot()]
        news = self._study.take()
        return [self._delta(updates, news)] if updates or news else []

    def _snapshot(self) -> Message:
        state = self._source.chart_state()
        self._source_sequence = state.sequence
        self._is_final = self._source_state in FINISHED_STATES
        self._sequence += 1
        content = {
            "kind": "snapshot",
            "sequence": self._sequence,
            "final": self._is_final,
            "marks": _marks(state.marks),
            "lines": _lines(state.lines),
        }
        if isinstance(self._source, SymbolSource):
            content["symbol"] = self._source.symbol
        self.see(state.bars)
        self._study.follow(state)
        rows = self._limits.max_rows
        tables = (_rows(state.bars[-rows:], BAR_COLUMNS), _rows(equity_until_now(state)[-rows:], EQUITY_COLUMNS))
        return _with_study(content, tables, self._study.whole())

    def _delta(self, updates: Sequence[ChartUpdate], news: StudyNews) -> Message:
        self._sequence += 1
        content: dict[str, object] = {"kind": "delta", "sequence": self._sequence}
        if not updates:
            return _with_study(content, (b"", b""), news)
        self._source_sequence = updates[-1].sequence
        content["marks"] = _marks(mark for update in updates for mark in update.marks)
        content["lines"] = _lines(updates[-1].lines)
        bars = _latest_rows([update.bar_rows for update in updates], BAR_COLUMNS)
        self.see(bars)
        self._study.add(bars, updates)
        points = [update.equity_rows for update in updates]
        equity = _latest_rows([*points, _live_point(bars, updates[-1])], EQUITY_COLUMNS)
        return _with_study(content, (_rows(bars, BAR_COLUMNS), _rows(equity, EQUITY_COLUMNS)), news)


def _with_study(content: dict[str, object], tables: tuple[bytes, ...], news: StudyNews) -> Message:
    """Return a message with two more tables when the study has something to say, which it has once a bar at most."""
    if not news:
        return Message(content, tables)
    content["study"] = {"whole": news.is_whole, "names": news.names, "fault": news.fault, "marks": _marks(news.marks)}
    levels = b"".join(_rows(piece, 1 + len(news.names)) for piece in news.levels)
    equity = b"".join(_rows(piece, _STUDY_COLUMNS) for piece in news.equity)
    return Message(content, (*tables, levels, equity))


def _has_gap(last: int, updates: Sequence[ChartUpdate]) -> bool:
    numbers = [last, *(update.sequence for update in updates)]
    return any(after != before + 1 for before, after in pairwise(numbers))


def _number(said: object, otherwise: int) -> int:
    return said if isinstance(said, int) and said >= 0 else otherwise


def _live_point(bars: NDArray[np.float64], update: ChartUpdate) -> NDArray[np.float64]:
    """Return the account's equity now as the point of the newest bar, until that bar's own point replaces it."""
    account = update.snapshot
    return np.array([[row[0], account.equity, -account.drawdown] for row in bars[-1:]]).reshape(-1, EQUITY_COLUMNS)


def _latest_rows(pieces: Sequence[NDArray[np.float64]], width: int) -> NDArray[np.float64]:
    """Return one row for each time, in order of time: the last one that came for it."""
    rows = np.concatenate([np.asarray(piece, dtype=np.float64).reshape(-1, width) for piece in pieces])
    times, last = np.unique(rows[::-1, 0], return_index=True)
    return rows[::-1][last] if times.size else rows


def _rows(rows: NDArray[np.float64], width: int) -> bytes:
    return np.ascontiguousarray(rows, dtype="<f8").reshape(-1, width).tobytes()


def _marks(marks: Iterable[Mark]) -> list[list[object]]:
    return [
        [time_ns / _NS_PER_MS, float(price), int(side), str(text), int(held)]
        for time_ns, price, side, text, held in marks
    ]


def _lines(lines: Mapping[str, float]) -> dict[str, float]:
    # JSON has no nan; a level that is not set is no level.
    return {str(name): float(price) for name, price in lines.items() if math.isfinite(price)}
