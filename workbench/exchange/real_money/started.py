"""The environment that this process was started with: what a cell sets afterwards counts for nothing here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import RealTradingDisabledError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REAL_TRADING_SWITCH", "child_environment", "require_switch", "started_environment", "vouch"]

REAL_TRADING_SWITCH: Final = "WORKBENCH_ENABLE_REAL_TRADING"
"""The variable that must be ``1`` where a process is started that is to trade real money."""

_SUPERVISOR_MARK: Final = "WORKBENCH_SUPERVISOR"
_OWN_ENVIRONMENT: Final = Path("/proc/self/environ")


_vouched: dict[str, str] = {}


def started_environment() -> Mapping[str, str]:
    """Return the environment that the kernel of the system gave this process at its start.

    ``os.environ`` can be changed by any cell; this copy is kept by the system. A process that was forked has that of
    the one it was forked from, and a session's process also what its supervisor has vouched for.

    Raises
    ------
    RealTradingDisabledError
        The system does not tell, so that nothing proves how the process was started.
    """
    try:
        raw = _OWN_ENVIRONMENT.read_bytes()
    except OSError as error:
        raise RealTradingDisabledError(
            f"real trading is off: it needs a system that tells how a process was started, as Linux does "
            f"({_OWN_ENVIRONMENT} cannot be read: {error.strerror})"
        ) from error
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0"))
    found = {os.fsdecode(name): os.fsdecode(value) for name, is_pair, value in pairs if is_pair}
    return found | _vouched if found.get(_SUPERVISOR_MARK) == "1" else found


def vouch(environment: Mapping[str, str]) -> None:
    """Take over with what `environment` the process was started that asked for the session of this one.

    A session is forked from a supervisor that some other process has started, at another time. Nothing but a process
    that was itself started as one can do this.
    """
    _vouched.clear()
    _vouched.update(environment)


def require_switch(environment: Mapping[str, str]) -> None:
    """Raise RealTradingDisabledError unless the switch is on in the `environment` of a process's start.

    Examples
    --------
    >>> require_switch({"WORKBENCH_ENABLE_REAL_TRADING": "1"})
    >>> require_switch({})
    Traceback (most recent call last):
        ...
    workbench.errors.RealTradingDisabledError: real trading is off: WORKBENCH_ENABLE_REAL_TRADING=1 must be set where
    this process is started, in a terminal, not in a cell
    """
    if environment.get(REAL_TRADING_SWITCH) != "1":
        raise RealTradingDisabledError(
            f"real trading is off: {REAL_TRADING_SWITCH}=1 must be set where this process is started, in a terminal, "
            "not in a cell"
        )


def child_environment() -> dict[str, str]:
    """Return the environment for a process that this one starts: as it is now, but with the switch as it was at first.

    A notebook that sets the switch in a cell, and then has a process started, does not pass it on.
    """
    environment = dict(os.environ)
    environment.pop(REAL_TRADING_SWITCH, None)
    try:
        value = started_environment().get(REAL_TRADING_SWITCH)
    except RealTradingDisabledError:
        return environment
    return environment if value is None else {**environment, REAL_TRADING_SWITCH: value}
