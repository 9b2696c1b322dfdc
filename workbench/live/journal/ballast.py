"""A file that keeps some of the disk free for the last things a session has to write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from workbench.live.journal.connection import sync

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BALLAST_BYTES", "make_ballast", "release_ballast"]

BALLAST_BYTES: Final = 1 << 20
"""Bytes kept free: a commit takes 2 to 4 pages of 4,096 bytes, so this is enough for about a hundred of them."""


def make_ballast(path: Path) -> bool:
    """Fill the ballast file up; return whether it could be done.

    A disk that is full already is no error here: the journal itself will say so.
    """
    try:
        with path.open("ab") as file:
            missing = BALLAST_BYTES - file.tell()
            if missing > 0:
                # Bytes, not a hole: a hole would keep nothing free. Not zeros, which some disks compress away.
                file.write(os.urandom(missing))
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        return False
    return True


def release_ballast(path: Path) -> int:
    """Remove the ballast file and return how many bytes that freed: 0 when it was gone already."""
    try:
        size = path.stat().st_size
        path.unlink()
        sync(path.parent)
    except OSError:
        return 0
    return size
