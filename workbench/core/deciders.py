"""Who says what a strategy decides after a bar: its step form while it happens, its batch form afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from workbench.core.decisions import put_intent, view_of
from workbench.core.event_loop import put_code
from workbench.core.intents import HOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.core.memory import Memory
    from workbench.core.plan import DecisionPlan
    from workbench.model import Bars

    Floats = NDArray[np.float64]


class Decider(Protocol):
    """What says what a strategy decides, bar by bar."""

    def see(self, s: int, bar: tuple[float, ...]) -> None:
        """Take a warm-up bar of symbol `s`."""

    def decide(self, memory: Memory, s: int, time_ns: int, bar: tuple[float, ...]) -> int:
        """Take a bar, make the decision wait in the book, and return its code or action."""


class RuleDecider:
    """Decisions of a plan of rules, bar by bar; rules that raise (a feature may) decide nothing on that bar.

    Parameters
    ----------
    on_error : callable, optional
        Called with the exception, the symbol's row and the bar's time; without it the exception passes.
    """

    def __init__(
        self, plan: DecisionPlan, symbols: int, on_error: Callable[[Exception, int, int], None] | None = None
    ) -> None:
        self._on_error = on_error
        self._streams = [plan.stream() for _ in range(symbols)]  # type: ignore[attr-defined]  # rules have it
        self._levels: tuple[float, ...] = ()
        self._table: Floats = np.empty((8, 1))

    def see(self, s: int, bar: tuple[float, ...]) -> None:
        """Take a warm-up bar of symbol `s`."""
        self._streams[s].step(*bar)

    def decide(self, memory: Memory, s: int, time_ns: int, bar: tuple[float, ...]) -> int:
        """Take a bar, make the decision wait in the book, and return its code."""
        try:
            code, levels = self._streams[s].step(*bar)
        except Exception as error:
            # A feature is a stranger's code: whatever it raises, the market goes on and the stops hold.
            if self._on_error is None:
                raise
            self._on_error(error, s, time_ns)
            return 0
        if code:
            if levels != self._levels:
                self._levels = levels
                self._table = np.array(levels).reshape(8, 1)
            put_code(memory, s, code, self._table)
        return int(code)


class CallableDecider:
    """Decisions of a plan with ``on_bar``, bar by bar, in plain Python; a raising strategy holds.

    Parameters
    ----------
    on_error : callable, optional
        Called with the exception, the symbol's row and the bar's time; without it the exception passes.
    """

    def __init__(self, plan: Any, symbols: int, on_error: Callable[[Exception, int, int], None] | None) -> None:
        self._plan = plan
        self._streams = [plan.stream_indicators() for _ in range(symbols)]
        self._seen = [0] * symbols
        self._on_error = on_error
        self._on_bar = plan.decide

    def see(self, s: int, bar: tuple[float, ...]) -> None:
        """Take a warm-up bar of symbol `s`."""
        self._seen[s] += 1
        self._streams[s].step(*bar)

    def _features(self, s: int, bar: tuple[float, ...]) -> tuple[float, ...]:
        features: tuple[float, ...] = self._streams[s].step(*bar)
        return features

    def decide(self, memory: Memory, s: int, time_ns: int, bar: tuple[float, ...]) -> int:
        """Take a bar, make the decision wait in the book, and return its action."""
        self._seen[s] += 1
        try:
            features = self._features(s, bar)
            if self._seen[s] <= self._plan.warmup:
                return HOLD
            now = self._plan.now_type(time_ns, *bar, *features)
            intent = self._on_bar(self._plan.params, now, view_of(memory, s))
        except Exception as error:
            # A strategy is a stranger's code: whatever it raises, the market goes on and the stops hold.
            if self._on_error is None:
                raise
            self._on_error(error, s, time_ns)
            return HOLD
        if intent.action != HOLD:
            put_intent(memory, s, intent)
        return int(intent.action)


class RecordedDecider(CallableDecider):
    """Decisions of a plan with ``on_bar`` over bars known in advance: batch indicators, compiled where it compiles."""

    def __init__(
        self,
        plan: Any,
        histories: list[Floats],
        warmups: list[int],
        on_error: Callable[[Exception, int, int], None] | None,
    ) -> None:
        super().__init__(plan, len(histories), on_error)
        self._rows = [plan.batch_indicators(np.ascontiguousarray(history)).T.tolist() for history in histories]
        self._seen = list(warmups)
        self._on_bar = plan.compiled_decide() or plan.decide

    def _features(self, s: int, bar: tuple[float, ...]) -> tuple[float, ...]:  # noqa: ARG002  known already
        return tuple(self._rows[s][self._seen[s] - 1])


def live_decider(
    plan: DecisionPlan, symbols: int, on_error: Callable[[Exception, int, int], None] | None
) -> RuleDecider | CallableDecider:
    """Return the step form of a plan for a number of symbols."""
    if plan.kind == "callable":
        return CallableDecider(plan, symbols, on_error)
    return RuleDecider(plan, symbols, on_error)


def warm_up(decider: Decider, bars: Bars) -> None:
    """Feed history to the indicators of a decider: each symbol its valid bars."""
    for s in range(bars.n_symbols):
        for bar in zip(*bars.values[:, s, bars.valid[s]].tolist(), strict=True):
            decider.see(s, bar)
