"""Folders of sessions: where they are, what may be their names, and files in them that are whole or not there."""

from __future__ import annotations

import itertools
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import SessionError, SessionNotFoundError
from workbench.live.private_files import read_private, write_private
from workbench.live.session_config import SESSION_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SessionFolder", "private_folder", "read_json", "sessions_root", "write_json"]

_FINISHED: Final = ".finished"
_ID_CHARACTERS: Final = 8


def sessions_root() -> Path:
    """Return the folder in which sessions have theirs; it is not made here.

    ``sessions`` in ``WORKBENCH_HOME`` if set, else in ``workbench`` of ``XDG_DATA_HOME``, else in
    ``~/.local/share/workbench``.
    """
    if chosen := os.environ.get("WORKBENCH_HOME"):
        return Path(chosen).expanduser().absolute() / "sessions"
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share").absolute() / "workbench" / "sessions"


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """The folder of one session, and where its files are.

    Parameters
    ----------
    root : Path
        Folder of all sessions.
    name : str
        Name of the session.

    Raises
    ------
    SessionError
        It is no name of a session, so that no path can leave the root.

    Examples
    --------
    >>> SessionFolder(Path("/data"), "btc-1").journal.as_posix()
    '/data/btc-1/journal.db'
    >>> SessionFolder(Path("/data"), "../btc")
    Traceback (most recent call last):
    ...
    workbench.errors.SessionError: a session's name must be ... was '../btc'
    """

    root: Path
    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        if not isinstance(self.name, str) or SESSION_NAME.fullmatch(self.name) is None:
            raise SessionError(
                "a session's name must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit, "
                f"was {self.name!r:.80}"
            )

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.root / self.name

    @property
    def journal(self) -> Path:
        """Recorded inputs and notes."""
        return self.path / "journal.db"

    @property
    def config(self) -> Path:
        """What the session runs."""
        return self.path / "session.json"

    @property
    def lock(self) -> Path:
        """Held by the session's process."""
        return self.path / "lock"

    @property
    def heartbeat(self) -> Path:
        """What the session is doing right now."""
        return self.path / "heartbeat"

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.path / "stderr.log"

    @property
    def status(self) -> Path:
        """What became of the session's processes."""
        return self.path / "status.json"

    @property
    def options(self) -> Path:
        """How its process is looked after."""
        return self.path / "process.json"

    @property
    def request(self) -> Path:
        """What a person wants: no file for a session that shall run."""
        return self.path / "request.json"

    @property
    def is_there(self) -> bool:
        """Whether there is such a session: a folder of this user, no link, with a configuration in it."""
        return _is_own_folder(self.path) and self.config.is_file() and not self.config.is_symlink()

    def check(self) -> SessionFolder:
        """Return this folder, or raise SessionNotFoundError when there is no such session."""
        if not self.is_there:
            raise SessionNotFoundError(f"no session has the name {self.name!r} in {self.root}; `workbench ls`")
        return self

    def make(self) -> SessionFolder:
        """Make the folder, for this user's eyes only, and return it.

        Raises
        ------
        SessionError
            Something else is there: a link, a file, or a folder of another user.
        """
        private_folder(self.root)
        private_folder(self.path)
        return self

    def retire(self, session_id: str) -> Path:
        """Move the folder to the finished ones, so that its name is free, and return where it is now.

        Parameters
        ----------
        session_id : str
            Id of the session; its beginning becomes part of the new name.
        """
        finished = private_folder(self.root / _FINISHED)
        mark = "".join(one for one in session_id if one.isalnum())[:_ID_CHARACTERS] or "unknown"
        for number in itertools.count(1):
            target = finished / (f"{self.name}-{mark}" if number == 1 else f"{self.name}-{mark}-{number}")
            if not os.path.lexists(target):
                self.path.rename(target)
                return target
        raise AssertionError  # pragma: no cover - the numbers have no end


def private_folder(path: Path) -> Path:
    """Make a folder for this user alone if it is not there yet, and return it.

    Raises
    ------
    SessionError
        Something else is there: a link, a file, or a folder of another user.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_own_folder(path):
            raise SessionError(f"{path} must be a folder of this user and no link; move away what is there") from None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o700)
    return path


def _is_own_folder(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Put a JSON object in place as a whole; readable by this user alone."""
    write_private(path, json.dumps(content, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file of this user; an empty one when there is none or it cannot be read."""
    try:
        content = json.loads(read_private(path))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
