"""The compiled form of an ``on_bar``: its translation in a generated module, found again as long as it still holds."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numba
from numba.core.errors import NumbaError

from workbench.core.compiled import is_compiling, source_stamp
from workbench.core.generated import load_generated
from workbench.core.intents import Intent, PositionView
from workbench.core.translation import PRELUDE, Translation
from workbench.core.user_source import NotCompilableError, function_definition, unknown_attributes

__all__ = ["DecisionForm", "compile_decision", "decision_form"]

# Forms kept: a sweep makes one plan for each combination, but reads and translates the source once.
_KEPT = 64

_LOCK = threading.Lock()
_FORMS: OrderedDict[tuple[Any, ...], "DecisionForm"] = OrderedDict()

_DECIDE = """\
@wb_kernel
def decide(params, now, position):
    intent = {name}(params, now, position)
    if intent is None:
        return wb_intents.hold()
    return wb_intents.Intent({fields})
"""


@dataclass(frozen=True, slots=True)
class DecisionForm:
    """A function that decides, made ready to compile, or the reason why it has to run interpreted.

    Attributes
    ----------
    module : module or None
        With the namedtuple classes ``Params`` and ``Now`` and the function ``decide(params, now, position)``.
    reason : str or None
        Why there is no module.
    unknown : tuple of str
        What the function reads of ``self``, ``now`` and ``position`` that they do not have.
    """

    translation: Translation
    module: ModuleType | None = None
    reason: str | None = None
    unknown: tuple[str, ...] = ()


def decision_form(function: FunctionType, parameters: Sequence[str], now_fields: Sequence[str]) -> DecisionForm:
    """Return the form of a function; the one made before, when nothing that it depends on has changed.

    Parameters
    ----------
    function : function
        Takes ``self`` (a namedtuple of the parameters), ``now`` and ``position``; returns an `Intent` or None.
    parameters, now_fields : sequence of str
        Fields of ``self`` and ``now``.
    """
    key = (function, tuple(parameters), tuple(now_fields))
    with _LOCK:
        form = _FORMS.get(key)
    if form is not None and form.translation.is_current():
        return form
    form = _make(function, parameters, now_fields)
    with _LOCK:
        _FORMS[key] = form
        _FORMS.move_to_end(key)
        while len(_FORMS) > _KEPT:
            _FORMS.popitem(last=False)
    return form


def compile_decision(module: ModuleType, params: Any, now: Any, position: PositionView) -> Any:
    """Return the module's ``decide``, compiled for the types of these examples.

    Raises
    ------
    NotCompilableError
        numba cannot compile it, or it may return something else than an intent.
    """
    decide = module.decide
    if not is_compiling():
        return decide
    type_of: Any = numba.typeof
    arguments = tuple(type_of(value) for value in (params, now, position))
    try:
        decide.compile(arguments)
    except (NumbaError, NotImplementedError) as error:
        raise NotCompilableError(f"numba cannot compile it: {_first_line(error)}") from error
    returned = decide.overloads[arguments].signature.return_type
    if getattr(returned, "instance_class", None) is not Intent:
        raise NotCompilableError(f"it may return {returned} and not an intent")
    return decide


def _make(function: FunctionType, parameters: Sequence[str], now_fields: Sequence[str]) -> DecisionForm:
    translation = Translation()
    try:
        definition = function_definition(function)
        unknown = unknown_attributes(definition, (parameters, now_fields, PositionView._fields))
        if unknown:
            return DecisionForm(translation, unknown=tuple(unknown))
        name = translation.add(function)
    except NotCompilableError as error:
        return DecisionForm(translation, reason=str(error))
    text = "\n\n".join(
        [
            f'"""Compiled form of {function.__qualname__}; made by workbench, safe to delete.\n\n{_versions()}\n"""',
            "from collections import namedtuple\n" + PRELUDE,
            f'Params = namedtuple("Params", {list(parameters)!r})\nNow = namedtuple("Now", {list(now_fields)!r})',
            *translation.texts,
            _DECIDE.format(name=name, fields=", ".join(f"intent.{field}" for field in Intent._fields)),
        ]
    )
    return DecisionForm(translation, module=load_generated("workbench_strategy", text))


def _versions() -> str:
    """Return everything besides the text that machine code depends on."""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"python {python}, numba {numba.__version__}, core {source_stamp()}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # numba opens with the stage that failed; what failed stands below.
    telling = [line for line in lines if not line.startswith(("Failed in", "During:", "File ", "No implementation"))]
    return (telling or lines or [type(error).__name__])[0]
