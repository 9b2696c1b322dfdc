"""One combination after the other through the core: what each thread of a sweep does."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from workbench.core.batch import run_marks
from workbench.core.book import open_book
from workbench.core.driver import frozen, funding_rates, joint_codes, run_backtest
from workbench.core.evaluation import EvaluationCache
from workbench.core.ledger import new_trace
from workbench.core.memory import memory_of
from workbench.errors import ConfigError, MissingDataError
from workbench.research.drawdowns import worst_drawdown
from workbench.research.evaluation import Span, curve_figures
from workbench.research.measures import SWEEP_MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.book import EngineConfig
    from workbench.core.plan import DecisionPlan
    from workbench.core.records import Record
    from workbench.model import Bars
    from workbench.research.grid import Grid
    from workbench.strategy.lowering import ConfiguredStrategy


# Combinations are prepared some at once, first the plans of all, then the decisions: a run over the bars empties the
# processor's caches, and a pass over indicators half of them; plain Python then takes twice as long. At most so many,
# and so many bytes of their decisions.
PREPARED_AT_ONCE: Final = 32
PREPARED_BYTES: Final = 1 << 20
# Rows of an equity curve that are looked at before the next ones: 32 KiB.
PIECE_ROWS: Final = 1 << 12


class _Prepared(NamedTuple):
    """A combination that only has to be run: its plan, with its decisions if they are known before the run."""

    row: int
    plan: DecisionPlan
    codes: NDArray[np.uint8] | None
    levels: NDArray[np.float64] | None


class _Scratch:
    """What the combinations of one thread write to, one after the other."""

    __slots__ = ("_bytes", "_fresh", "book", "marks", "memory", "piece")

    def __init__(self, config: EngineConfig, marks: int) -> None:
        self.book = open_book(config)
        self.memory = memory_of(self.book)
        self.piece = np.empty(PIECE_ROWS)
        self.marks = np.empty(marks)
        # Bytes, because numpy copies records field by field: 50 us against 1.
        arrays = (self.memory.account, self.memory.output, self.memory.symbols)
        self._bytes = tuple(array.view(np.uint8) for array in arrays)
        self._fresh = tuple(part.copy() for part in self._bytes)

    def reset(self) -> None:
        """Put the book back to its start."""
        for part, fresh in zip(self._bytes, self._fresh, strict=True):
            part[:] = fresh


class SweepRun:
    """The work of a sweep, to be done in blocks by any number of threads.

    Parameters
    ----------
    base : ConfiguredStrategy
        The strategy that the grid varies.
    grid : Grid
        The combinations.
    bars : Bars
        The bars of all runs.
    config : EngineConfig
        Their terms.
    funding : object, optional
        As `workbench.core.run_backtest` takes it.

    Attributes
    ----------
    figures : ndarray of float64, shape (n, n_measures)
        The `SWEEP_MEASURES` of each combination; rows not yet run are nan.
    """

    def __init__(
        self,
        base: ConfiguredStrategy,
        grid: Grid,
        bars: Bars,
        config: EngineConfig,
        funding: Any = None,  # noqa: ANN401  core's type
    ) -> None:
        self.figures = np.full((len(grid), len(SWEEP_MEASURES)), np.nan)
        self._base = base
        self._grid = grid
        self._bars = bars
        self._config = config
        self._funding = funding
        self._span = Span.of(bars.time_ns, bars.timeframe.ns)
        # Of the curve only the close of each day is kept.
        self._marks_span = replace(self._span, day_rows=np.arange(self._span.day_rows.size))
        self._bar_count = int(np.count_nonzero(bars.valid))
        self._longest = int(bars.valid.sum(axis=1).max())
        self._shortest_warmup = np.full(len(grid), np.iinfo(np.int64).max)
        self._rates = funding_rates(bars, funding)
        self._times, self._values = frozen(bars.time_ns), frozen(bars.values)
        self._no_trace = new_trace(0)
        self._of_thread = threading.local()
        # Only plans over one symbol's whole rows share indicators; with several symbols each plan computes its own.
        is_plain = bars.n_symbols == 1 and bool(bars.valid.all())
        self._cache = EvaluationCache(bars.values[:, 0]) if is_plain else None

    def run_block(self, block: range, stop: threading.Event) -> None:
        """Run the combinations of ``block`` one after the other, until done or ``stop`` is set.

        Raises
        ------
        ConfigError
            A combination is refused by the strategy; the message names it.
        """
        scratch = getattr(self._of_thread, "scratch", None)
        if scratch is None:
            scratch = self._of_thread.scratch = _Scratch(self._config, self._span.day_rows.size)
        for begin in range(0, len(block), PREPARED_AT_ONCE):
            for group in self._prepared(block[begin : begin + PREPARED_AT_ONCE], stop):
                for one in group:
                    if stop.is_set():
                        return
                    self._run(one, scratch)

    def _prepared(self, rows: range, stop: threading.Event) -> Iterator[list[_Prepared]]:
        """Yield the combinations ready to be run, some at once; none after ``stop``."""
        plans = []
        for row in rows:
            if stop.is_set():
                return
            plans.append(self._plan(row))
        group: list[_Prepared] = []
        size_bytes = 0
        for row, plan in zip(rows, plans, strict=True):
            if stop.is_set():
                return
            self._shortest_warmup[row] = plan.warmup
            if plan.kind == "callable":
                group.append(_Prepared(row, plan, None, None))
                continue
            codes, levels = joint_codes(plan, self._bars, self._cache)
            group.append(_Prepared(row, plan, codes, frozen(levels)))
            size_bytes += codes.nbytes + levels.nbytes
            if size_bytes > PREPARED_BYTES:
                yield group
                group, size_bytes = [], 0
        yield group

    def _run(self, one: _Prepared, scratch: _Scratch) -> None:
        if one.codes is None or one.levels is None:
            ledger = run_backtest(one.plan, self._bars, self._config, funding=self._funding, cache=self._cache)
            scratch.marks[:] = ledger.equity[self._span.day_rows]
            worst = worst_drawdown(np.ascontiguousarray(ledger.equity), start=self._config.cash)
            account = ledger.book.account
        else:
            worst = self._run_coded(one.codes, one.levels, scratch)
            account = scratch.book.account
        self.figures[one.row] = self._figures(scratch.marks, worst, account)

    def require_enough(self) -> None:
        """Raise MissingDataError when every combination's warm-up took all bars.

        Raises
        ------
        MissingDataError
            No combination could ever decide.
        """
        shortest = int(self._shortest_warmup.min())
        if shortest >= self._longest:
            raise MissingDataError(
                f"every combination of {self._base.name} needs more bars than there are: the shortest warm-up takes "
                f"{shortest:,} of {self._longest:,}"
            )

    def _plan(self, row: int) -> DecisionPlan:
        chosen = dict(zip(self._grid.names, self._grid.combinations[row], strict=True))
        try:
            return self._base.with_parameters(**chosen).lower()
        except ConfigError as error:
            shown = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
            raise ConfigError(f"the combination {shown} is refused ({error}); leave it out with where=...") from error

    def _run_coded(self, codes: NDArray[np.uint8], levels: NDArray[np.float64], scratch: _Scratch) -> float:
        scratch.reset()
        return run_marks(
            *(scratch.memory, self._times, self._values, self._rates, codes, levels, self._no_trace),
            *(scratch.piece, self._span.day_rows, scratch.marks, self._config.cash),
        )

    def _figures(self, marks: NDArray[np.float64], worst: float, account: Record) -> tuple[float, ...]:
        cash = self._config.cash
        trades, lost = int(account["trade_count"]), float(account["gross_loss"])
        won = float(account["gross_profit"])
        return (
            *curve_figures(marks, self._marks_span, cash=cash, worst_drawdown=worst),
            worst,
            int(account["open_bars"]) / self._bar_count,
            float(account["fees"]),
            trades,
            int(account["winning_trades"]) / trades if trades else math.nan,
            won / lost if lost > 0.0 else math.nan,
            (won - lost) / trades if trades else math.nan,
        )
