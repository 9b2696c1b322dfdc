"""Run a plan whose ``on_bar`` is asked on each bar: in one compiled loop, or call by call in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.batch import one_row, record_row
from workbench.core.compiled import machine_code, record_kernel
from workbench.core.decisions import position_view, put_intent, view_of
from workbench.core.generated import load_generated
from workbench.core.intents import HOLD, PositionView
from workbench.core.ledger import take_log
from workbench.core.log import LOG_ROWS, ROOM_PER_SYMBOL
from workbench.core.memory import book_of, memory_of
from workbench.core.quiet import NO_CODES, NO_EQUITY, NO_TRACE, Tape

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.core.evaluation import EvaluationCache
    from workbench.core.memory import Memory
    from workbench.core.plan import DecisionPlan
    from workbench.core.records import Book
    from workbench.model import Bars

    Floats = NDArray[np.float64]

# The loop is made from text because the fields of ``now`` are known at run time only.
_LOOP = """\
from workbench.core.batch import one_row, record_row
from workbench.core.compiled import kernel
from workbench.core.decisions import decide as put, position_view
from workbench.core.intents import HOLD
from workbench.core.log import has_room
from workbench.core.memory import book_of
from {module} import Now, decide

STAMP = {stamp!r}


@kernel
def run(memory, tape, funding, features, params, trace, seen, warmup, begin, end):
    book = book_of(memory)
    symbols = book.symbols.shape[0]
    times = tape.times
    values = tape.values
    for i in range(begin, end):
        if not has_room(book):
            return i
        one_row(book, tape, funding, i)
        action = HOLD
        for s in range(symbols):
            if values[0, s, i] != values[0, s, i]:
                continue
            seen[s] += 1
            if seen[s] <= warmup:
                continue
            now = Now(times[i], {prices}{features})
            intent = decide(params, now, position_view(book, s))
            if intent.action != HOLD:
                put(book, s, intent)
                if s == 0:
                    action = intent.action
        if trace.shape[0] > 0:
            record_row(book, trace, times[i], 0, action)
    return end
"""


def bare_tape(bars: Bars) -> Tape:
    """Return the bars as a tape without codes and records, for callers who decide on every bar and record elsewhere."""
    values = np.ascontiguousarray(bars.values).view()
    values.setflags(write=False)
    return Tape(np.ascontiguousarray(bars.time_ns), values, NO_CODES, NO_TRACE, NO_EQUITY, 0, 0)


def compiled_loop(plan: Any) -> Callable[..., int] | None:
    """Return the compiled loop around the plan's ``on_bar``, or None when that has to run interpreted."""
    decide_function = plan.compiled_decide()
    if decide_function is None:
        return None
    module = plan.now_type.__module__
    text = _LOOP.format(
        module=module,
        stamp=module,
        prices=", ".join(f"values[{k}, s, i]" for k in range(5)),
        features="".join(f", features[s, {k}, i]" for k in range(len(plan.indicator_names))),
    )
    loop: Callable[..., int] = load_generated("loop", text).run
    return loop


def joint_features(plan: Any, bars: Bars, cache: EvaluationCache | None = None) -> Floats:
    """Return the indicators on the joint time axis, shape (n_symbols, k, n); nan on missing bars and in the warm-up."""
    table = np.full((bars.n_symbols, len(plan.indicator_names), len(bars)), np.nan)
    for s in range(bars.n_symbols):
        if bars.valid[s].all():
            whole = np.ascontiguousarray(bars.values[:, s]) if cache is None else cache.ohlcv
            table[s] = plan.batch_indicators(whole, cache)
        else:
            rows = np.flatnonzero(bars.valid[s])
            table[s][:, rows] = plan.batch_indicators(np.ascontiguousarray(bars.values[:, s, rows]))
    return table


def run_callable_bars(
    plan: DecisionPlan,
    bars: Bars,
    book: Book,
    trace: NDArray[np.void],
    funding: Floats,
    *,
    interpreted: bool = False,
    cache: EvaluationCache | None = None,
) -> list[NDArray[np.void]]:
    """Run the plan over bars and return the pieces of the log."""
    features = joint_features(plan, bars, cache)
    loop = None if interpreted else compiled_loop(plan)
    if loop is None:
        return _run_interpreted(plan, bars, book, trace, funding, features)
    memory, tape = memory_of(book), bare_tape(bars)
    seen = np.zeros(bars.n_symbols, np.int64)
    logs = []
    row = 0
    while row < len(bars):
        row = loop(
            memory,
            tape,
            funding,
            features,
            plan.params,  # type: ignore[attr-defined]  # a callable plan has them
            trace,
            seen,
            plan.warmup,
            row,
            len(bars),
        )
        logs.append(take_log(book))
    return logs


@record_kernel
def turn(
    memory: Memory, tape: Tape, funding: Floats, trace: NDArray[np.void], i: int, action: int
) -> tuple[float, float, int, int, float, float, bool, bool, bool]:
    """Record row ``i - 1`` with the action taken there, run row `i`, and return the first symbol's `PositionView`.

    One call from Python for each bar: a call costs more than the work it does. A plain tuple, because numba looks up
    the class of a namedtuple on each call.
    """
    book = book_of(memory)
    if i > 0 and trace.shape[0] > 0:
        record_row(book, trace, tape.times[i - 1], 0, action)
    if i < tape.times.shape[0]:
        one_row(book, tape, funding, i)
    view = position_view(book, 0)
    return view[0], view[1], view[2], view[3], view[4], view[5], view[6], view[7], view[8]


def _run_interpreted(
    plan: Any,
    bars: Bars,
    book: Book,
    trace: NDArray[np.void],
    funding: Floats,
    features: Floats,
) -> list[NDArray[np.void]]:
    memory, tape = memory_of(book), bare_tape(bars)
    run_row = machine_code(turn, memory, tape, funding, trace, 0, HOLD)
    now_of, view_of_first = plan.now_type._make, PositionView._make
    params, on_bar, symbols = plan.params, plan.decide, bars.n_symbols
    times = tape.times.tolist()
    rows = [list(zip(times, *bars.values[:, s].tolist(), *features[s].tolist(), strict=True)) for s in range(symbols)]
    # A symbol is asked on its bars after the warm-up.
    asked = [(bars.valid[s] & (np.cumsum(bars.valid[s]) > plan.warmup)).tolist() for s in range(symbols)]
    logs = []
    action = HOLD
    visit = max(1, LOG_ROWS // (ROOM_PER_SYMBOL * symbols))
    for i in range(len(bars)):
        if i % visit == 0:
            logs.append(take_log(book))
        view = run_row(memory, tape, funding, trace, i, action)
        action = HOLD
        for s in range(symbols):
            if not asked[s][i]:
                continue
            position = view_of_first(view) if s == 0 else view_of(memory, s)
            intent = on_bar(params, now_of(rows[s][i]), position)
            if intent.action != HOLD:
                put_intent(memory, s, intent)
                if s == 0:
                    action = intent.action
    run_row(memory, tape, funding, trace, len(bars), action)
    logs.append(take_log(book))
    return logs
