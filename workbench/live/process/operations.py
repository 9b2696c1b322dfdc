"""What may be asked of a session: the operations with their arguments, and which of them take time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, DataError
from workbench.live.order_resolution import RESOLUTIONS
from workbench.live.process.strategy_view import StrategyView
from workbench.live.reconciliation import ANSWERS
from workbench.model import Denied, Fill

if TYPE_CHECKING:
    from workbench.live.session import LiveSession

__all__ = ["COMMANDS", "READS", "Operation", "checked_arguments", "operation_of"]

Check = Callable[[Any], bool]
_LARGEST_LIMIT: Final = 1_000_000
_LONGEST_WAIT_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that may be asked.

    Attributes
    ----------
    run : callable
        Called with the session and the arguments; its value is the answer.
    arguments : mapping of str to callable
        The arguments, none of which must be given, and what checks their values.
    """

    run: Callable[..., Any]
    arguments: Mapping[str, Check]


def checked_arguments(name: str, operation: Operation, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments of an operation.

    Raises
    ------
    DataError
        One is unknown or has a value that it cannot have.
    """
    for argument, value in arguments.items():
        check = operation.arguments.get(argument)
        if check is None:
            raise DataError(f"{name} has no argument {argument[:40]!r}")
        if not check(value):
            raise DataError(f"{argument} of {name} cannot be {str(value)[:100]!r}")
    return arguments


def _is_bool(value: Any) -> bool:  # noqa: ANN401  what came over the wire
    return isinstance(value, bool)


def _is_limit(value: Any) -> bool:  # noqa: ANN401  as above
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_LIMIT)


def _is_timeout(value: Any) -> bool:  # noqa: ANN401  as above
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= _LONGEST_WAIT_S


def _is_answer(value: Any) -> bool:  # noqa: ANN401  as above
    return value in ANSWERS


def _is_number(value: Any) -> bool:  # noqa: ANN401  as above
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_resolution(value: Any) -> bool:  # noqa: ANN401  as above
    return value in RESOLUTIONS


def _is_mapping(value: Any) -> bool:  # noqa: ANN401  as above
    return isinstance(value, dict)


def _is_text(value: Any) -> bool:  # noqa: ANN401  as above
    return value is None or isinstance(value, str)


def _is_order(value: Any) -> bool:  # noqa: ANN401  as above
    return _is_number(value) or isinstance(value, str | Fill | Denied)


def _describe(session: LiveSession) -> dict[str, Any]:
    return {
        "name": session.name,
        "symbols": session.symbols,
        "chart_symbols": session.chart_symbols,
        "timeframe": session.timeframe,
        "strategy": StrategyView.of(session.strategy),
        "stale_after_s": session.config.stale_after_ns / 1_000_000_000,
    }


def _status(session: LiveSession) -> tuple[str, str]:
    return str(session.state), session.reason


def _configure(session: LiveSession, parameters: Mapping[str, Any] | None = None) -> None:
    session.configure(**({} if parameters is None else parameters))


def _start(session: LiveSession) -> None:
    session.start()


def _stop(session: LiveSession, *, flatten: bool = False, timeout_s: float = 30.0) -> str:
    return str(session.stop(flatten=flatten, timeout_s=timeout_s))


def _why(session: LiveSession, order: int | str | Fill | Denied = 0) -> dict[str, Any]:
    return session.why(order).to_dict()


def _kill(session: LiveSession) -> str:
    return str(session.kill())


def _method(name: str, **arguments: Check) -> Operation:
    """Return the operation that calls a method of the session."""

    def run(session: LiveSession, **values: object) -> object:
        return getattr(session, name)(**values)

    return Operation(run, arguments)


def _ping(_session: LiveSession) -> bool:
    return True


READS: Final[Mapping[str, Operation]] = {
    "ping": Operation(_ping, {}),
    "describe": Operation(_describe, {}),
    "status": Operation(_status, {}),
    **{name: _method(name) for name in ("snapshot", "open_orders", "metrics", "health")},
    "chart_state": _method("chart_state", symbol=_is_text),
    **{name: _method(name, limit=_is_limit) for name in ("fills", "trades", "denials", "errors", "events")},
}
"""Quick, changing nothing, answered by the server's own thread."""

COMMANDS: Final[Mapping[str, Operation]] = {
    "configure": Operation(_configure, {"parameters": _is_mapping}),
    "start": Operation(_start, {}),
    **{name: _method(name) for name in ("pause", "resume", "flatten", "clear_breaker", "parity", "waterfall")},
    "why": Operation(_why, {"order": _is_order}),
    "reconcile": _method("reconcile", answer=_is_answer),
    "resolve": _method("resolve", number=_is_number, answer=_is_resolution),
    "ask_to_stop": _method("ask_to_stop", flatten=_is_bool),
    "stop": Operation(_stop, {"flatten": _is_bool, "timeout_s": _is_timeout}),
    "kill": Operation(_kill, {}),
}
"""Carried out once for each id, on threads of their own: any of them may wait for the session."""


def operation_of(name: str) -> tuple[Operation, bool]:
    """Return an operation, and whether it is a command.

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    if name in READS:
        return READS[name], False
    if name in COMMANDS:
        return COMMANDS[name], True
    raise ConfigError(f"there is no operation {name!r}; there are: {', '.join((*READS, *COMMANDS))}")
