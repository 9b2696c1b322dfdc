"""All sessions of this user: the set of their folders."""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from workbench import errors
from workbench.errors import ConfigError, SessionError, SessionLimitError, SessionNotFoundError
from workbench.live.process.folders import SessionFolder, private_folder, sessions_root
from workbench.live.process.lock import FileLock, LockedError
from workbench.live.process.orders_left import has_traded
from workbench.live.process.record import ProcessOptions, read_record, write_options, write_record
from workbench.live.process.registered import RegisteredSession
from workbench.live.process.session_info import SessionInfo, look_at
from workbench.live.process.stopping import end_sessions
from workbench.live.process.supervisor_client import SUPERVISOR_FOLDER, ask_supervisor, consents
from workbench.live.session_text import read_session, write_session
from workbench.model import Bars
from workbench.model.synthetic import synthetic_bars
from workbench.strategy import compare_decisions, strategy_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workbench.live.session_config import LiveSessionConfig
    from workbench.strategy import StrategyText

__all__ = ["SessionRegistry"]

_START_S: Final = 60.0
_CHECKED_BARS: Final = 300


class SessionRegistry:
    """Finds, starts and ends sessions that live in processes of their own; any number of processes may have one.

    A session that has not finished is never moved, whatever its age. A finished one keeps its folder for `ttl_s`;
    after that the folder is in ``.finished``.

    Parameters
    ----------
    root : Path, optional
        Folder of all sessions; default `sessions_root`.
    max_sessions : int, default 100
        Sessions at once that have not finished, at least 1.
    ttl_s : float, default 3600
        Seconds for which a finished session is listed, at least 0.

    Raises
    ------
    ConfigError
        A limit is out of its range.
    """

    def __init__(self, root: Path | None = None, *, max_sessions: int = 100, ttl_s: float = 3_600.0) -> None:
        if max_sessions < 1 or not ttl_s >= 0.0:
            raise ConfigError(f"max_sessions must be >= 1, was {max_sessions}; ttl_s must be >= 0, was {ttl_s}")
        self.root = sessions_root() if root is None else root
        self.max_sessions = max_sessions
        self.ttl_s = ttl_s

    def list(self) -> tuple[SessionInfo, ...]:
        """Return all sessions by name; those that finished long ago are moved away first."""
        infos = self._look()
        if any(self._is_old(info) for info in infos):
            with contextlib.suppress(LockedError), self._alone(timeout_s=0.0):
                self._move_old(infos)
            infos = self._look()
        return infos

    def unattended(self) -> tuple[SessionInfo, ...]:
        """Return the sessions that have not finished and that nobody looks after: crashed, hung or frozen ones."""
        return tuple(info for info in self.list() if info.needs_person)

    def find(self, name_or_id: str, *, others: tuple[str, ...] = ()) -> SessionInfo:
        """Return a session by its name, or by its id or a beginning of it of eight characters at least.

        Parameters
        ----------
        name_or_id : str
            What to look for.
        others : tuple of str, optional
            Names of sessions elsewhere, for the message.

        Raises
        ------
        SessionNotFoundError
            There is none; the message lists those there are.
        """
        infos = self.list()
        least = 8
        for info in infos:
            is_id = len(name_or_id) >= least and info.session_id.startswith(name_or_id)
            if info.name == name_or_id or is_id:
                return info
        names = ", ".join((*(info.name for info in infos), *dict.fromkeys(others))) or "none"
        raise SessionNotFoundError(f"no session has the name or id {name_or_id!r:.80}; there are: {names}")

    def attach(self, name_or_id: str, *, others: tuple[str, ...] = ()) -> RegisteredSession:
        """Return a handle of a session, found as by `find`."""
        return RegisteredSession(self.find(name_or_id, others=others).folder)

    def has_same(self, config: LiveSessionConfig) -> bool:
        """Return whether a session of this name and configuration has not finished; nothing is started.

        Raises
        ------
        SessionError
            One of this name has not finished and is another one; the differences are named.
        """
        known = [info for info in self.list() if info.name == config.name]
        if not known or known[0].is_finished or known[0].state == "UNBORN":
            return False
        self._require_same(known[0], config)
        return True

    def start(self, config: LiveSessionConfig, *, options: ProcessOptions | None = None) -> tuple[SessionInfo, bool]:
        """Start a session in a process of its own, or attach to the one of this name and configuration.

        One of this name that was interrupted goes on where its journal ends. A finished one gives its name free.

        Parameters
        ----------
        config : LiveSessionConfig
            What to run.
        options : ProcessOptions, optional
            How the process is looked after; means nothing for a session that runs already.

        Returns
        -------
        tuple of SessionInfo and bool
            The session, and whether it was started anew, not attached to or gone on with.

        Raises
        ------
        SessionError
            A session of this name has not finished and is another one, the differences are named; or the process
            could not be started.
        SessionLimitError
            There are `max_sessions` already.
        ConfigError, DataError
            The session cannot run; what its process said.
        """
        folder = SessionFolder(self.root, config.name)
        with self._alone():
            infos = self._look()
            self._move_old(infos)
            known = next((info for info in infos if info.name == config.name and folder.is_there), None)
            if known is not None and (known.is_running or not (known.is_finished or known.state == "UNBORN")):
                return self._go_on(known, config), False
            if known is not None:
                folder.retire(known.session_id)
            self._check_limit(infos)
            session_id = str(uuid.uuid4())
            text = write_session(folder.make().path, config, session_id=session_id)
            write_options(folder, options or ProcessOptions(), bar_s=_real_bar_s(config))
            try:
                _check_text(folder, config, text)
                self._ask(folder, "start")
            except Exception:
                # The log stays with it, out of the way of the next try. Where orders may have left, it must be seen.
                if read_record(folder) is None and not has_traded(folder):
                    folder.retire(session_id)
                raise
        return look_at(folder), True

    def resume(self, name_or_id: str) -> SessionInfo:
        """Go on with a session whose process is gone, where its journal ends.

        Raises
        ------
        SessionNotFoundError
            There is no such session.
        SessionError
            It has finished, it runs, or its process could not be started.
        """
        info = self.find(name_or_id)
        with self._alone():
            info = look_at(info.folder)
            if info.is_running:
                raise SessionError(f"session {info.name!r} runs already, process {info.process}; nothing to resume")
            if info.is_finished:
                raise SessionError(f"session {info.name!r} has finished ({info.reason}); start a new one")
            return self._revive(info)

    def flatten(self, name_or_id: str) -> bool:
        """Close all positions of a session and pause it; one whose process is gone is started again for that.

        Returns
        -------
        bool
            Whether the session has obeyed already.

        Raises
        ------
        SessionNotFoundError
            There is no such session.
        SessionError
            It has finished, or its process could not be started.
        """
        info = self.find(name_or_id)
        if not info.is_running and not info.is_finished:
            with self._alone():
                info = look_at(info.folder)
                if not info.is_running:
                    self._revive(info, mode="paused")
        return RegisteredSession(info.folder).flatten()

    def stop(self, *names: str, flatten: bool = False, timeout_s: float = 30.0) -> tuple[SessionInfo, ...]:
        """End sessions: cancel entry orders, keep the positions, and report them; all side by side.

        It needs nothing of the session but its process, which is killed when it does not end in time.

        Parameters
        ----------
        *names : str
            Names or ids.
        flatten : bool, default False
            Close all positions first.
        timeout_s : float, default 30
            Real seconds until a process that does not end is killed.

        Returns
        -------
        tuple of SessionInfo
            The sessions as they ended.
        """
        infos = [self.find(name) for name in names]
        end_sessions(infos, "stop", flatten=flatten, timeout_s=timeout_s)
        return tuple(look_at(info.folder) for info in infos)

    def kill(self, *names: str) -> tuple[SessionInfo, ...]:
        """End the processes of sessions at once, orders and positions untouched; they are not started again."""
        infos = [self.find(name) for name in names]
        end_sessions(infos, "kill")
        return tuple(look_at(info.folder) for info in infos)

    def _look(self) -> tuple[SessionInfo, ...]:
        if not self.root.is_dir():
            return ()
        return tuple(_seen(self.root, sorted(entry.name for entry in self.root.iterdir())))

    @contextlib.contextmanager
    def _alone(self, *, timeout_s: float = _START_S) -> Iterator[None]:
        """Be the only one who starts sessions or moves folders."""
        private_folder(self.root)
        lock = FileLock(private_folder(self.root / SUPERVISOR_FOLDER) / "start.lock")
        lock.acquire(timeout_s=timeout_s)
        try:
            yield
        finally:
            lock.close()

    def _is_old(self, info: SessionInfo) -> bool:
        return info.is_finished and info.finished_s is not None and time.time() - info.finished_s >= self.ttl_s

    def _move_old(self, infos: Iterable[SessionInfo]) -> None:
        for info in infos:
            if self._is_old(info):
                info.folder.retire(info.session_id)

    def _check_limit(self, infos: Iterable[SessionInfo]) -> None:
        unfinished = [info.name for info in infos if not info.is_finished and info.state != "UNBORN"]
        if len(unfinished) >= self.max_sessions:
            raise SessionLimitError(
                f"at most {self.max_sessions} sessions may be unfinished at once, and so many are; end one first, "
                f"for example with `workbench stop {unfinished[0]}`"
            )

    def _go_on(self, info: SessionInfo, config: LiveSessionConfig) -> SessionInfo:
        """Attach to a session, or take it up again, if it is the same one."""
        self._require_same(info, config)
        return info if info.is_running else self._revive(info)

    def _require_same(self, info: SessionInfo, config: LiveSessionConfig) -> None:
        differences = read_session(info.folder.path).config.differences(config)
        if differences:
            raise SessionError(
                f"session {info.name!r} has not finished and is another one ({'; '.join(differences)}): "
                f"stop it first (`workbench stop {info.name}`), or choose another name",
                session_id=info.session_id,
            )

    def _revive(self, info: SessionInfo, *, mode: str = "resume") -> SessionInfo:
        info.folder.request.unlink(missing_ok=True)
        record = read_record(info.folder)
        if record is not None:
            # A person takes the matter in hand, so the crashes so far are forgiven.
            write_record(info.folder, replace(record, deaths_s=()))
        is_muted = record is not None and record.mode == "exits_only"
        self._ask(info.folder, "exits_only" if is_muted and mode == "resume" else mode)
        return look_at(info.folder)

    def _ask(self, folder: SessionFolder, mode: str) -> None:
        """Have the session's process started, and raise what it says when it cannot run."""
        request = {"op": "start", "name": folder.name, "mode": mode, "environment": consents()}
        answer = ask_supervisor(self.root, request)
        if not answer:
            raise SessionError(f"the process of session {folder.name!r} died before it was ready; see {folder.log}")
        if "error" in answer:
            raise _error_of(answer)


def _check_text(folder: SessionFolder, config: LiveSessionConfig, text: StrategyText) -> None:
    """Check that the strategy of the text, which the process will run, is the object at hand.

    Collected again from what the text builds, the text must be the same. Rules must decide the same besides, on bars of
    a made-up market, for real ones may have to be fetched first: what can differ is code, not prices. An ``on_bar`` is
    not called here: it may do anything, and would do it in the notebook.
    """
    rebuilt = read_session(folder.path).config.strategy
    if strategy_text(rebuilt).sha256 != text.sha256:
        raise ConfigError(
            f"strategy must be the same after it was written down and built again, was not: {config.strategy.name}; "
            "run it with inline=True, or write it without what changes from one to the other"
        )
    plan = config.plan()
    if plan.kind == "callable":
        return
    count = max(_CHECKED_BARS, 2 * plan.warmup)
    parts = [synthetic_bars(symbol, config.timeframe, count, seed=seed) for seed, symbol in enumerate(config.symbols)]
    compare_decisions(config.strategy, rebuilt, parts[0] if len(parts) == 1 else Bars.join(parts))


def _seen(root: Path, names: Iterable[str]) -> Iterable[SessionInfo]:
    for name in names:
        # Anything else in the folder, and what is moved away at this moment, is no session.
        with contextlib.suppress(SessionError):
            yield look_at(SessionFolder(root, name))


def _error_of(answer: dict[str, Any]) -> Exception:
    """Return the error that a session's process reported, of its class where that takes a message alone."""
    kind = getattr(errors, str(answer["error"]), SessionError)
    if not issubclass(kind, errors.WorkbenchError) or issubclass(kind, errors.ExchangeError):
        kind = SessionError
    return kind(str(answer.get("message", "")))


def _real_bar_s(config: LiveSessionConfig) -> float:
    """Return for how many real seconds a bar lasts; 0 when it lasts for as long as it takes."""
    return 0.0 if math.isinf(config.speed) else config.timeframe.seconds / config.speed
