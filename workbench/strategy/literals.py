"""Values as Python text that makes them again, bit for bit."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any

__all__ = ["NoLiteralError", "literal"]

# Deeper than any table of numbers that a person writes; a list that holds itself has no end.
_DEEPEST = 20

ClassName = Callable[[type], str]


class NoLiteralError(Exception):
    """A value that no text stands for; the message says what it is."""


def literal(value: object, class_name: ClassName, depth: int = 0) -> str:
    """Return the text of an expression that makes an equal value of the same type.

    Parameters
    ----------
    value : object
        None, a bool, number or text, a tuple, list, dict, set or frozenset of such, a member of an enum, or a frozen
        record of `workbench.model` such as `Timeframe`.
    class_name : callable
        Returns the name that an enum or record class has in the text; raises `NoLiteralError` for one that has none.
    depth : int, default 0
        How many containers are around it.

    Raises
    ------
    NoLiteralError
        It is, or holds, anything else.

    Examples
    --------
    >>> literal({"fast": (5, 0.1), "off": -math.inf}, lambda kind: kind.__name__)
    "{'fast': (5, 0.1), 'off': float('-inf')}"
    """
    if depth > _DEEPEST:
        raise NoLiteralError(f"a container in more than {_DEEPEST} others")

    def inner(one: object) -> str:
        return literal(one, class_name, depth + 1)

    # By exact type: a subclass, such as a number of numpy's, may calculate in another way.
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return _float_text(value)
    if kind is complex:
        return f"complex({_float_text(value.real)}, {_float_text(value.imag)})"  # type: ignore[attr-defined]  # its type is known
    if kind in (tuple, list, dict, set, frozenset):
        return _container_text(value, inner)
    if isinstance(value, Enum):
        return f"{class_name(kind)}[{value.name!r}]"
    if _is_record(kind):
        fields = [one for one in dataclasses.fields(value) if one.init]  # type: ignore[arg-type]  # `_is_record` has looked
        return f"{class_name(kind)}({', '.join(f'{one.name}={inner(getattr(value, one.name))}' for one in fields)})"
    raise NoLiteralError(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."))


def _float_text(value: Any) -> str:  # noqa: ANN401  a float, which its exact type has shown
    # The shortest text that reads back is exact; nan and inf have no literal.
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"


def _container_text(value: object, inner: Callable[[object], str]) -> str:
    match value:
        case tuple():
            return f"({', '.join(map(inner, value))}{',' if len(value) == 1 else ''})"
        case list():
            return f"[{', '.join(map(inner, value))}]"
        case dict():
            return f"{{{', '.join(f'{inner(key)}: {inner(one)}' for key, one in value.items())}}}"
        case frozenset():
            return f"frozenset({_set_text(value, inner)})" if value else "frozenset()"
        case set():
            return _set_text(value, inner) if value else "set()"
    raise NoLiteralError(type(value).__name__)


def _set_text(value: AbstractSet[object], inner: Callable[[object], str]) -> str:
    # Sorted by text, as a set has no order that would be the same in another process.
    return f"{{{', '.join(sorted(map(inner, value)))}}}"


def _is_record(kind: type) -> bool:
    settings = getattr(kind, "__dataclass_params__", None)
    return settings is not None and settings.frozen and kind.__module__.startswith("workbench.model.")
