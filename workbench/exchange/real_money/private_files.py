"""Small files that belong to one user alone: written whole, and not believed when others could have written them."""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import RealTradingDisabledError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["config_folder", "read_private", "write_private"]

_OTHERS: Final = 0o077
_LONGEST_BYTES: Final = 65_536


def config_folder(environment: Mapping[str, str]) -> Path:
    """Return the user's folder for keys and armings, by the `environment` of a process's start.

    ``WORKBENCH_CONFIG_DIR`` names it; else it is ``workbench`` in ``XDG_CONFIG_HOME``, else in ``~/.config``.

    Raises
    ------
    RealTradingDisabledError
        It is named by no full path.
    """
    named = environment.get("WORKBENCH_CONFIG_DIR")
    above = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")  # noqa: PTH118 - an empty home must not become the current folder
    folder = Path(named) if named else Path(above) / "workbench"
    if not folder.is_absolute():
        raise RealTradingDisabledError(f"the folder of keys and armings must be a full path, was {str(folder)!r}")
    return folder


def write_private(path: Path, document: Mapping[str, Any]) -> None:
    """Put a JSON `document` at a `path`, whole or not at all, readable by its user alone.

    Raises
    ------
    RealTradingDisabledError
        The folder belongs to others, or is open to them, or the file cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_folder(path.parent)
        # Made with its final rights, and new: it is never readable by others, and no link of theirs is followed.
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RealTradingDisabledError(f"{path} cannot be written: {error.strerror or error}") from error


def read_private(path: Path) -> dict[str, Any] | None:
    """Return the JSON document at a `path`, None when there is none.

    Raises
    ------
    RealTradingDisabledError
        It could have been written or read by others, is no JSON object, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RealTradingDisabledError(f"{path} is not believed: {error.strerror or error}") from error
    try:
        _check_folder(path.parent)
        _check_file(path, os.fstat(handle))
        raw = os.read(handle, _LONGEST_BYTES + 1)
    except OSError as error:
        raise RealTradingDisabledError(f"{path} is not believed: {error.strerror or error}") from error
    finally:
        os.close(handle)
    try:
        document = json.loads(raw) if len(raw) <= _LONGEST_BYTES else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RealTradingDisabledError(f"{path} is not believed: it is no JSON object of at most {_LONGEST_BYTES} B")
    return document


def _check_file(path: Path, status: os.stat_result) -> None:
    """Raise unless an open file is a plain one, of this user, with no second name, and closed to all others."""
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != os.getuid():
        raise RealTradingDisabledError(f"{path} is not believed: it must be a plain file of this user")
    if status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise RealTradingDisabledError(f"{path} is not believed: its mode must be 0600, was {mode:04o}")


def _check_folder(folder: Path) -> None:
    """Raise unless a folder is a real one, of this user, and closed to all others."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & _OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise RealTradingDisabledError(
            f"{folder} must be a folder of this user with mode 0700, was {mode:04o}: chmod 700 {folder}"
        )
