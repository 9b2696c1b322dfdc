"""Files that their user alone can read, replaced at once or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["read_private", "write_private"]

_OTHERS_WRITE: Final = 0o022


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole, readable and writable by its user alone; after a crash it is the old one or the new one.

    Raises
    ------
    OSError
        It cannot be written; what was there before is as it was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    # The new name too has to be on the disk.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_private(path: Path) -> bytes:
    """Return what is in a file of this user that nobody else can have written.

    Raises
    ------
    PermissionError
        It belongs to, or may be written by, somebody else, or is no plain file.
    OSError
        It cannot be read, or is a link.
    """
    # Without waiting: opening a pipe would wait for its other end.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & _OTHERS_WRITE:
            raise PermissionError(f"{path.name} must be a plain file that its user alone may write")
        return file.read()
