"""What became of a session's processes, and what people want of it: two small files in its folder."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.live.process.folders import read_json, write_json
from workbench.live.process.watchdog import step_budget_s

if TYPE_CHECKING:
    from workbench.live.process.folders import SessionFolder

__all__ = [
    "CRASHED",
    "FINISHED",
    "GIVEN_UP",
    "RUNNING",
    "ProcessOptions",
    "ProcessRecord",
    "read_budget_s",
    "read_options",
    "read_record",
    "read_request",
    "write_options",
    "write_record",
    "write_request",
]

RUNNING: Final = "running"
FINISHED: Final = "finished"
CRASHED: Final = "crashed"
GIVEN_UP: Final = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """How a session's process is looked after; no part of what the session trades.

    Parameters
    ----------
    step_budget_s : float, optional
        Real seconds that a step may take before the process counts as hanging. Default: the larger of ten seconds and
        one bar.
    memory_limit_bytes : int, optional
        Memory above which the process is ended and started again; people are warned at four fifths. Default: none.
    log_limit_bytes : int, default 2000000
        Size at which the log is put aside; one older log is kept.

    Raises
    ------
    ConfigError
        A number is out of its range.
    """

    step_budget_s: float | None = None
    memory_limit_bytes: int | None = None
    log_limit_bytes: int = 2_000_000

    def __post_init__(self) -> None:
        """Check the fields."""
        wrong = [
            f"{one.name} must be above 0, was {getattr(self, one.name)}"
            for one in fields(self)
            if getattr(self, one.name) is not None and not getattr(self, one.name) > 0
        ]
        if wrong:
            raise ConfigError("; ".join(wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """What became of the processes of one session.

    Attributes
    ----------
    session_id : str
        Id of the session.
    phase : str
        ``"running"`` as far as the writer knew, ``"finished"``, ``"crashed"`` or ``"given up"``.
    reason : str
        Why.
    pid : int
        The process that ran last.
    mode : str
        How it was started: ``"start"``, ``"resume"`` or ``"exits_only"``.
    time_s : float
        When this was written, seconds since 1970.
    began_s : float
        When the process was ready, seconds since 1970.
    deaths_s : tuple of float
        When processes of the session died unasked, seconds since 1970.
    """

    session_id: str
    phase: str
    reason: str = ""
    pid: int = 0
    mode: str = "start"
    time_s: float = 0.0
    began_s: float = 0.0
    deaths_s: tuple[float, ...] = ()


def read_record(folder: SessionFolder) -> ProcessRecord | None:
    """Return what became of a session's processes; None when none was ever ready."""
    found = _known(read_json(folder.status), ProcessRecord)
    if not isinstance(found.get("session_id"), str) or not isinstance(found.get("phase"), str):
        return None
    found["deaths_s"] = tuple(found.get("deaths_s", ()))
    return ProcessRecord(**found)


def write_record(folder: SessionFolder, record: ProcessRecord) -> None:
    """Write what became of a session's processes."""
    write_json(folder.status, asdict(record))


def read_options(folder: SessionFolder) -> ProcessOptions:
    """Return how a session's process is looked after."""
    return ProcessOptions(**_known(read_json(folder.options), ProcessOptions))


def write_options(folder: SessionFolder, options: ProcessOptions, *, bar_s: float) -> None:
    """Write how a session's process is looked after, and for how long one of its bars really lasts, in seconds."""
    write_json(folder.options, asdict(options) | {"bar_s": bar_s})


def read_budget_s(folder: SessionFolder) -> float:
    """Return how long a step of the session may take, in real seconds."""
    found = read_json(folder.options)
    return step_budget_s(float(found.get("bar_s", 0.0)), found.get("step_budget_s"))


def read_request(folder: SessionFolder) -> dict[str, Any]:
    """Return what people want of a session, such as ``{"what": "stop"}``; empty for a session that shall run."""
    return read_json(folder.request)


def write_request(folder: SessionFolder, what: str, *, flatten: bool = False) -> None:
    """Write that a session shall ``"stop"`` or be ended by ``"kill"``; it is not started again after that."""
    write_json(folder.request, {"what": what, "flatten": flatten, "time_s": time.time()})


def _known(found: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in found.items() if name in names}
