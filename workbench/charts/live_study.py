"""Beside the live chart: what the strategy looks at and what its backtest does, computed once for each closed bar.

A thread of its own does it, for it runs what users wrote and loads the compiled core; it lives while there are bars to
take. Nothing here is waited for: the chart shows candles first, and the study when it is there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.charts.live_source import BAR_COLUMNS
from workbench.charts.symbol_source import SymbolSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.charts.live_source import ChartSource, ChartState, ChartUpdate, Mark
    from workbench.charts.strategy_study import StrategyStudy, StudyRows

    Floats = NDArray[np.float64]

__all__ = ["LiveStudy", "StudyNews", "study_now"]

_log = logging.getLogger(__name__)
_TIME: Final = 0
_CLOSE: Final = 4


@dataclass(slots=True, eq=False)
class StudyNews:
    """What a page does not know yet; with `is_whole` it replaces what the page has.

    `fault` says why there is no backtest, or nothing at all.
    """

    is_whole: bool = False
    names: tuple[str, ...] = ()
    levels: list[Floats] = field(default_factory=list)
    equity: list[Floats] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    fault: str = ""

    def __bool__(self) -> bool:
        return self.is_whole or bool(self.levels or self.equity or self.marks)


class LiveStudy:
    """Follows the closed bars of one chart; `follow` and `add` are quick, `take` and `whole` give what came of them.

    Parameters
    ----------
    source : ChartSource
        The session. One whose configuration has no ``plan()`` and ``engine_config()`` has no study.
    max_rows : int, default 5000
        Rows and marks to keep.
    on_work : callable, optional
        Called on the study's thread when there is something to `take`.
    """

    def __init__(
        self, source: ChartSource, *, max_rows: int = 5_000, on_work: Callable[[], None] = lambda: None
    ) -> None:
        self._source = source
        self._max_rows = max_rows
        self._on_work = on_work
        # Guards all that follows; never held while a strategy runs.
        self._lock = threading.Lock()
        self._is_working = False
        self._restart: tuple[Floats, Floats] | None = None
        self._waiting: list[Floats] = []
        self._seen: deque[tuple[float, float]] = deque(maxlen=max_rows)
        self._forming = np.empty((0, BAR_COLUMNS))
        self._news = StudyNews()
        self._kept = StudyNews(is_whole=True)
        # Touched by the study's thread alone.
        self._study: StrategyStudy | None = None

    def follow(self, state: ChartState) -> None:
        """Take a snapshot: go on with its new bars, or begin anew when it tells of bars that are not those known."""
        bars, equity = np.asarray(state.bars), np.asarray(state.equity)
        closed = bars[: _closed_count(bars, equity)]
        with self._lock:
            self._forming = bars[len(closed) :]
            if not len(closed):
                return
            fresh = self._continuation(closed)
            if fresh is None:
                self._restart = (closed.copy(), equity.copy())
                self._waiting.clear()
                self._seen.clear()
                fresh = closed
            else:
                self._waiting.append(fresh.copy())
            self._seen.extend(zip(fresh[:, _TIME].tolist(), fresh[:, _CLOSE].tolist(), strict=True))
        self._begin()

    def add(self, bars: Floats, updates: Sequence[ChartUpdate]) -> None:
        """Take the changed `bars` of some updates: closed are those that have an equity point or a later bar."""
        if not len(bars):
            return
        points = [update.equity_rows[-1, _TIME] for update in updates if len(update.equity_rows)]
        with self._lock:
            older = self._forming[self._forming[:, _TIME] < bars[0, _TIME]] if len(self._forming) else self._forming
            rows = np.concatenate([older, bars])
            count = max(len(rows) - 1, int(np.searchsorted(rows[:, _TIME], max(points, default=0.0), side="right")))
            closed, self._forming = rows[:count], rows[count:]
            last = self._seen[-1][_TIME] if self._seen else -np.inf
            closed = closed[closed[:, _TIME] > last]
            if not len(closed) or not self._seen:
                return
            self._waiting.append(closed.copy())
            self._seen.extend(zip(closed[:, _TIME].tolist(), closed[:, _CLOSE].tolist(), strict=True))
        self._begin()

    def take(self) -> StudyNews:
        """Return what came since the last `take` or `whole`."""
        with self._lock:
            news, self._news = self._news, StudyNews(names=self._kept.names)
        return news

    @property
    def is_settled(self) -> bool:
        """Whether all bars are worked on and all that came of them is taken."""
        with self._lock:
            return not (self._is_working or self._news)

    def whole(self) -> StudyNews:
        """Return everything that is kept."""
        with self._lock:
            self._news = StudyNews(names=self._kept.names)
            kept = self._kept
            return replace(kept, levels=list(kept.levels), equity=list(kept.equity), marks=list(kept.marks))

    def _continuation(self, closed: Floats) -> Floats | None:
        """Return the rows after those seen, or None when what was seen is not what is told now."""
        if not self._seen:
            return None
        known = np.array(self._seen)
        shared = closed[(closed[:, _TIME] >= known[0, _TIME]) & (closed[:, _TIME] <= known[-1, _TIME])]
        same = known[known[:, _TIME] >= closed[0, _TIME]]
        if not len(shared) or len(shared) != len(same) or not np.array_equal(shared[:, [_TIME, _CLOSE]], same):
            return None
        fresh: Floats = closed[closed[:, _TIME] > known[-1, _TIME]]
        return fresh

    def _begin(self) -> None:
        with self._lock:
            if self._is_working or (self._restart is None and not self._waiting):
                return
            self._is_working = True
        threading.Thread(target=self._work, name="workbench-study", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                restart, self._restart = self._restart, None
                waiting, self._waiting = self._waiting, []
                if restart is None and not waiting:
                    self._is_working = False
                    return
            try:
                self._step(restart, waiting)
            except Exception as error:  # noqa: BLE001  a strategy's code, and configurations that cannot be read here
                _log.info("no study of %s", self._source, exc_info=True)
                self._study = None
                self._tell(StudyNews(is_whole=True, fault=f"{type(error).__name__}: {error}"))

    def _step(self, restart: tuple[Floats, Floats] | None, waiting: list[Floats]) -> None:
        if restart is not None:
            self._open(*restart)
        if self._study is not None and waiting:
            self._tell(_news(self._study, self._study.advance(np.concatenate(waiting))))

    def _open(self, closed: Floats, equity: Floats) -> None:
        self._study = _study_of(self._source)
        self._tell(StudyNews(is_whole=True) if self._study is None else _begun(self._study, closed, equity))

    def _tell(self, news: StudyNews) -> None:
        with self._lock:
            if news.is_whole:
                self._news = news
                self._kept = StudyNews(is_whole=True, names=news.names, fault=news.fault)
            else:
                for name in ("levels", "equity", "marks"):
                    getattr(self._news, name).extend(getattr(news, name))
            kept = self._kept
            kept.levels = _newest([*kept.levels, *news.levels], self._max_rows)
            kept.equity = _newest([*kept.equity, *news.equity], self._max_rows)
            kept.marks = [*kept.marks, *news.marks][-self._max_rows :]
        self._on_work()


def study_now(source: ChartSource, state: ChartState) -> StudyNews:
    """Return the whole study of a session at one moment; it is empty, with a fault, when the strategy fails."""
    bars, equity = np.asarray(state.bars), np.asarray(state.equity)
    closed = bars[: _closed_count(bars, equity)]
    try:
        study = _study_of(source)
        return StudyNews(is_whole=True) if study is None else _begun(study, closed, equity)
    except Exception as error:  # noqa: BLE001  as above: the figure is worth having without it
        return StudyNews(is_whole=True, fault=f"{type(error).__name__}: {error}")


def _begun(study: StrategyStudy, closed: Floats, equity: Floats) -> StudyNews:
    """Return what all bars so far come to."""
    before, cash = _start(closed, equity) if len(closed) else (0, None)
    return _news(study, study.warm_up(closed[:before], cash), study.advance(closed[before:]), is_whole=True)


def _study_of(source: ChartSource) -> StrategyStudy | None:
    """Return the study of a session, or None where nobody can tell what it runs."""
    config: Any = getattr(source, "config", None)
    if not hasattr(config, "plan") or not hasattr(config, "engine_config"):
        return None
    # Here, not above: it loads the compiled core, and a chart must be there sooner.
    from workbench.charts.strategy_study import StrategyStudy  # noqa: PLC0415

    return StrategyStudy(
        config.plan, config.engine_config(), source.symbol if isinstance(source, SymbolSource) else None
    )


def _start(closed: Floats, equity: Floats) -> tuple[int, float | None]:
    """Return how many bars are before the backtest, and what it begins with; None: what the session began with.

    Where the beginning of the session is no longer among the bars, the backtest begins flat at the first bar that is
    left, with what the account had after it.
    """
    if not len(equity):
        return len(closed), None
    first = float(equity[0, _TIME])
    if first > closed[0, _TIME]:
        return int(np.searchsorted(closed[:, _TIME], first)), None
    row = min(int(np.searchsorted(equity[:, _TIME], closed[0, _TIME])), len(equity) - 1)
    return 1, float(equity[row, 1])


def _closed_count(bars: Floats, equity: Floats) -> int:
    """Return how many bars are closed for sure: those before the newest, and the newest once it has an equity point."""
    if not len(bars):
        return 0
    is_last_closed = len(equity) > 0 and equity[-1, _TIME] >= bars[-1, _TIME]
    return len(bars) if is_last_closed else len(bars) - 1


def _news(study: StrategyStudy, *pieces: StudyRows, is_whole: bool = False) -> StudyNews:
    return StudyNews(
        is_whole,
        study.names,
        [piece.levels for piece in pieces if len(piece.levels)],
        [piece.equity for piece in pieces if len(piece.equity)],
        [mark for piece in pieces for mark in piece.marks],
        study.lack if is_whole else "",
    )


def _newest(pieces: list[Floats], most: int) -> list[Floats]:
    return [np.concatenate(pieces)[-most:]] if pieces else []
