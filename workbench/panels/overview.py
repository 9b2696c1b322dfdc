"""All sessions at one moment, as lists of them show it: read from their folders, and of the threads of this process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.errors import SessionNotFoundError
from workbench.live import default_manager
from workbench.live.process.housekeeping import summary_of
from workbench.live.process.registered import RegisteredSession
from workbench.live.process.registry import SessionRegistry
from workbench.live.real_mode import REAL_NAME_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.live.manager import LiveSessionManager
    from workbench.live.process.session_info import SessionInfo
    from workbench.live.session import LiveSession
    from workbench.panels.handle import SessionHandle

__all__ = ["AllSessions", "Held", "Overview", "Sessions"]

_INLINE: Final = "inline/"


@dataclass(frozen=True, slots=True)
class Held:
    """One open position: base units, below 0 when short, and the price at which it is marked."""

    symbol: str
    quantity: float
    mark_price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One session at one moment; figures are None where its process never said them.

    Attributes
    ----------
    key : str
        Finds it again: its name, with ``inline/`` before it when it is a thread of this process.
    name, state, reason, strategy, timeframe, quote : str
        Of the session; the state may be one that is told from outside, such as ``"HUNG"``.
    symbols : tuple of str
        What it trades.
    is_real : bool
        Whether it trades real money.
    is_finished : bool
        Whether it has ended for good.
    told_age_s, data_age_s : float or None
        How old all of this, and how old its newest price is, in seconds.
    held : tuple of Held
        Its open positions.
    equity, day_pnl, drawdown : float or None
        In quote currency; the drawdown as a fraction, at least 0.
    curve : tuple of float
        Equity at even distances, oldest first.
    """

    key: str
    name: str
    state: str
    reason: str = ""
    strategy: str = ""
    timeframe: str = ""
    quote: str = ""
    symbols: tuple[str, ...] = ()
    is_real: bool = False
    is_finished: bool = False
    told_age_s: float | None = None
    data_age_s: float | None = None
    held: tuple[Held, ...] = ()
    equity: float | None = None
    day_pnl: float | None = None
    drawdown: float | None = None
    curve: tuple[float, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether it has not finished and nobody looks after it."""
        return self.state in {"CRASHED", "HUNG", "FROZEN", "FAILED"} and not self.is_finished


class Sessions(Protocol):
    """Where a list of sessions comes from, and what ends them."""

    def overviews(self) -> tuple[Overview, ...]:
        """Return all sessions, by name."""

    def handle(self, key: str) -> SessionHandle:
        """Return a handle of one; SessionNotFoundError when there is none any more."""

    def stop(self, keys: Sequence[str], *, flatten: bool) -> None:
        """End sessions side by side, and return when they have ended; those that are gone are left out."""


class AllSessions:
    """The sessions of this user: those with a process of their own, and the threads of this process.

    Parameters
    ----------
    registry : SessionRegistry, optional
        Default that of this user.
    manager : LiveSessionManager, optional
        Default that of this process.
    """

    def __init__(self, registry: SessionRegistry | None = None, manager: LiveSessionManager | None = None) -> None:
        self._registry = SessionRegistry() if registry is None else registry
        self._manager = default_manager() if manager is None else manager

    def overviews(self) -> tuple[Overview, ...]:
        """Return all sessions by name, inline ones last; nothing is asked of their processes."""
        hosted = (_of_folder(info) for info in self._registry.list())
        return (*hosted, *(_of_thread(session) for session in self._manager.sessions()))

    def handle(self, key: str) -> SessionHandle:
        """Return a handle of one; SessionNotFoundError when there is none any more."""
        if key.startswith(_INLINE):
            return self._manager.get(key.removeprefix(_INLINE))
        info = next((one for one in self._registry.list() if one.name == key), None)
        if info is None:
            raise SessionNotFoundError(f"session {key!r} is not there any more")
        return RegisteredSession(info.folder)

    def stop(self, keys: Sequence[str], *, flatten: bool) -> None:
        """End sessions side by side, and return when they have ended; those that are gone are left out."""
        inline = [one for one in self._manager.sessions() if f"{_INLINE}{one.session_id}" in keys]
        for session in inline:
            session.ask_to_stop(flatten=flatten)
        hosted = [info.name for info in self._registry.list() if info.name in keys and not info.is_finished]
        if hosted:
            self._registry.stop(*hosted, flatten=flatten)
        for session in inline:
            session.stop(flatten=flatten)


def _of_folder(info: SessionInfo) -> Overview:
    told = info.told_age_s
    age_s = _number(info.summary, "data_age_s")
    return Overview(
        key=info.name,
        name=info.name,
        state=info.state,
        reason=info.reason,
        is_real=info.name.startswith(REAL_NAME_PREFIX),
        is_finished=info.is_finished,
        told_age_s=None if info.is_finished else told,
        data_age_s=None if age_s is None or told is None or info.is_finished else age_s + told,
        **_figures(info.summary),
    )


def _of_thread(session: LiveSession) -> Overview:
    summary = summary_of(session, time.time())
    return Overview(
        key=f"{_INLINE}{session.session_id}",
        name=session.name,
        state=str(session.state),
        reason=session.reason,
        is_real=session.name.startswith(REAL_NAME_PREFIX),
        is_finished=session.is_finished,
        told_age_s=None if session.is_finished else 0.0,
        data_age_s=_number(summary, "data_age_s"),
        **_figures(summary),
    )


def _figures(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a session's process said last; one of another version of workbench may say less."""
    equity, start = _number(summary, "equity"), _number(summary, "day_start_equity")
    return {
        "strategy": str(summary.get("strategy", "")),
        "timeframe": str(summary.get("timeframe", "")),
        "quote": str(summary.get("quote", "")),
        "symbols": tuple(map(str, summary.get("symbols", ()))),
        "held": tuple(
            Held(str(symbol), float(size), float(mark)) for symbol, size, mark in summary.get("positions", ())
        ),
        "equity": equity,
        "day_pnl": None if equity is None or start is None else equity - start,
        "drawdown": _number(summary, "drawdown"),
        "curve": tuple(map(float, summary.get("curve", ()))),
    }


def _number(summary: Mapping[str, Any], name: str) -> float | None:
    value = summary.get(name)
    return float(value) if isinstance(value, int | float) else None
