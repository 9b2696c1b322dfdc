"""The plan of a function that is asked on each bar: compiled when it means the same so, interpreted otherwise."""

import keyword
import logging
import math
import threading
from collections import namedtuple
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from workbench.core.compiled_decision import DecisionForm, compile_decision, decision_form
from workbench.core.evaluation import EvaluationCache
from workbench.core.graph import Program, Stream
from workbench.core.intents import DEFAULT, ENTER_LONG, ENTER_SHORT, EXIT, HOLD, SIZINGS, Intent, PositionView, hold
from workbench.core.nodes import PRICE_NAMES, FloatArray, Node
from workbench.core.plan import BOUNDED_BY_ONE, DecisionPlan, level_fault
from workbench.core.user_source import NotCompilableError
from workbench.errors import ConfigError, OrderError

__all__ = ["NOW_FIELDS", "CallablePlan", "IndicatorStream"]

_LOG = logging.getLogger("workbench")

# Fields of `now` before the indicators.
NOW_FIELDS = ("time_ns", *PRICE_NAMES)

_HOLD = hold()
_FLAT = PositionView(0.0, math.nan, 0, 0, 0.0, 0.0, True, False, False)  # noqa: FBT003  fields of a record
_PRICE_LEVELS = ("limit", "stop", "stop_loss", "take_profit", "trailing_stop", "max_holding_s")

# What was said already, so that a thousand plans of one strategy say it once.
_SAID: set[tuple[str, str]] = set()
_SAID_LOCK = threading.Lock()


class CallablePlan(DecisionPlan):
    """Indicators, and a function that turns a bar, its indicators and the position into an intent.

    Parameters
    ----------
    name, parameters, source
        As in `DecisionPlan`; the parameters are numbers, truth values, strings or None.
    on_bar : function
        ``on_bar(self, now, position)``: ``self`` is a namedtuple of the parameters, ``now`` one of `NOW_FIELDS` and the
        indicators, ``position`` a `PositionView`. Returns an `Intent`, or None to hold. The engine does not call it
        during the warm-up.
    indicators : mapping of str to Node
        Each becomes a field of ``now``; a condition is 1.0 or 0.0 there.

    Attributes
    ----------
    indicator_names : tuple of str
        In the order of ``now``.
    indicator_nodes : tuple of Node
        What they calculate, in the same order.
    params : namedtuple
        The parameters, as ``decide`` takes them.
    now_type : type
        The namedtuple class of ``now``.
    interpreted_reason : str or None
        Why `compiled_decide` gives None; None while it has not been asked or the function is compiled.

    Raises
    ------
    ConfigError
        A name of an indicator cannot be a field, or the function reads a field that does not exist.
    """

    kind = "callable"

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Any],
        source: str | None,
        on_bar: Callable[..., Any],
        indicators: Mapping[str, Node],
    ) -> None:
        _check_names(indicators)
        self.indicator_names = tuple(indicators)
        self.indicator_nodes = tuple(indicators.values())
        self._program = Program(list(indicators.values()))
        super().__init__(name, parameters, source, self._program.warmup)
        fields = (*NOW_FIELDS, *self.indicator_names)
        self._form = _form(on_bar, tuple(parameters), fields)
        self.interpreted_reason = self._form.reason
        if self._form.module is None:
            # Made here: without a module there is no cached machine code that a class could disagree with.
            self.now_type = _record("Now", fields)
            self.params = _record("Params", tuple(parameters))(**parameters)
        else:
            self.now_type = self._form.module.Now
            self.params = self._form.module.Params(**parameters)
        self.decide = _checked(name, on_bar)

    def batch_indicators(self, ohlcv: FloatArray, cache: EvaluationCache | None = None) -> FloatArray:
        """Return the indicators over all bars of one symbol.

        Parameters
        ----------
        ohlcv : ndarray of float64, shape (5, n)
            The symbol's valid bars.
        cache : EvaluationCache, optional
            Of the same ``ohlcv``.

        Returns
        -------
        ndarray of float64, shape (k, n)
            One row for each of `indicator_names`, C-contiguous; nan in the warm-up.
        """
        table = np.empty((len(self.indicator_names), ohlcv.shape[1]))
        for row, value in enumerate(self._program.batch(ohlcv, cache)):
            table[row] = value
        return table

    def stream_indicators(self) -> "IndicatorStream":
        """Return the step form of the indicators, at the state before the first bar."""
        return IndicatorStream(self._program.stream())

    def compiled_decide(self) -> Any | None:
        """Return ``decide(params, now, position)`` compiled, or None when the function has to run interpreted.

        Takes the same namedtuples as ``decide``. The reason for None stands in ``interpreted_reason`` and is logged
        once for each strategy, at level INFO of the logger ``workbench``. Without the compiler
        (``NUMBA_DISABLE_JIT=1``) the translated function comes back as plain Python.
        """
        if self._form.module is not None:
            example = self.now_type(0, *([0.0] * (len(self.now_type._fields) - 1)))
            try:
                return compile_decision(self._form.module, self.params, example, _FLAT)
            except NotCompilableError as error:
                self.interpreted_reason = str(error)
        _say_once(self.name, str(self.interpreted_reason))
        return None


class IndicatorStream:
    """The step form of a plan's indicators, for one symbol; one thread steps it."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def step(self, open: float, high: float, low: float, close: float, volume: float) -> tuple[float, ...]:  # noqa: A002  a bar's columns by their names
        """Take one closed bar and return the indicators' values, nan in the warm-up."""
        return tuple(map(float, self._stream.step(open, high, low, close, volume)))


def _record(name: str, fields: tuple[str, ...]) -> Any:
    make: Any = namedtuple  # noqa: PYI024  its typed form wants the fields when this module is read
    return make(name, fields)


def _check_names(indicators: Mapping[str, Node]) -> None:
    faults = [
        name
        for name in indicators
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_") or name in NOW_FIELDS
    ]
    if faults:
        raise ConfigError(
            f"indicators must be named like variables, without a leading _ and other than {', '.join(NOW_FIELDS)}; "
            f"were {', '.join(map(repr, faults))}"
        )


def _form(on_bar: Callable[..., Any], parameters: tuple[str, ...], fields: tuple[str, ...]) -> DecisionForm:
    if not isinstance(on_bar, FunctionType):
        raise ConfigError(f"on_bar must be a function written with def, was {on_bar!r}")
    form = decision_form(on_bar, parameters, fields)
    if form.unknown:
        raise ConfigError(
            f"on_bar reads {', '.join(form.unknown)}, which {'does' if len(form.unknown) == 1 else 'do'} not exist. "
            f"Parameters: {', '.join(parameters) or 'none'}. now: {', '.join(fields)}. "
            f"position: {', '.join(PositionView._fields)}"
        )
    return form


def _checked(name: str, on_bar: Callable[..., Any]) -> Callable[[Any, Any, Any], Intent]:
    """Return the function in plain Python, with its answer checked."""

    def decide(params: Any, now: Any, position: Any) -> Intent:
        intent = on_bar(params, now, position)
        if intent is _HOLD or intent is None:
            return _HOLD
        if type(intent) is Intent:
            action = intent.action
            if action in (HOLD, EXIT):
                return intent
            if action in (ENTER_LONG, ENTER_SHORT):
                fault = _entry_fault(intent)
                if fault is None:
                    return intent
                raise OrderError(f"{name}.on_bar returned an entry that cannot be: {fault}")
        raise OrderError(
            f"{name}.on_bar must return enter_long(...), enter_short(...), exit_position(), hold() or None, "
            f"was {intent!r}"
        )

    return decide


def _entry_fault(intent: Intent) -> str | None:
    if intent.sizing not in range(len(SIZINGS)):
        return f"sizing must be 0 to {len(SIZINGS) - 1}, was {intent.sizing}"
    if intent.sizing != DEFAULT and not 0.0 < intent.size < math.inf:
        return f"size must be > 0 and finite, was {intent.size}"
    for level in _PRICE_LEVELS:
        value = getattr(intent, level)
        # nan is unset; its comparison is False, so the range is asked the other way round.
        if value <= 0.0 or value >= (1.0 if level in BOUNDED_BY_ONE else math.inf):
            return level_fault(level, value)
    return None


def _say_once(name: str, reason: str) -> None:
    with _SAID_LOCK:
        if (name, reason) in _SAID:
            return
        _SAID.add((name, reason))
    _LOG.info("%s.on_bar runs interpreted: %s", name, reason)
