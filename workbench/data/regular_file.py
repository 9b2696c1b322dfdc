"""Opening a file that someone sent: a regular one, not too large, and what its name says."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from workbench.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["open_regular", "size_text"]

_PACKED: Final = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
}
_HEAD_BYTES: Final = 65_536
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")
_THOUSAND: Final = 1_000


@contextmanager
def open_regular(path: Path, max_size_bytes: int) -> Iterator[IO[bytes]]:
    """Open a file for reading, after looking at what it is.

    Parameters
    ----------
    path : Path
        The file.
    max_size_bytes : int
        Refuse a larger one.

    Yields
    ------
    binary file
        At its begin.

    Raises
    ------
    MissingDataError
        There is no such file, or it is a folder.
    DataError
        It is a symbolic link, a device, a pipe or a socket; it is packed; or it is too large: the message has its size
        and about how many rows it has.
    """
    # Without O_NONBLOCK a pipe would wait for its other end for ever; what is opened is what is looked at.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingDataError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise DataError(f"{path} is a symbolic link to {path.readlink()}: name the file itself") from error
        raise DataError(f"{path} cannot be opened: {error}") from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        if stat.S_ISDIR(about.st_mode):
            raise MissingDataError(f"{path} is not a file")
        raise DataError(f"{path} is a device, a pipe or a socket, not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        head = file.read(_HEAD_BYTES)
        for magic, what in _PACKED.items():
            if head.startswith(magic):
                raise DataError(f"{path.name} is {what}: unpack it first, nothing is unpacked here")
        if about.st_size > max_size_bytes:
            raise DataError(_too_large(path.name, about.st_size, max_size_bytes, head))
        file.seek(0)
        yield file


def size_text(size_bytes: float) -> str:
    """Return a size in the unit that suits it.

    Parameters
    ----------
    size_bytes : float
        At least 0; a kilobyte has 1,000.

    Examples
    --------
    >>> size_text(512), size_text(10_400_000_000)
    ('512 bytes', '10.4 GB')
    """
    unit = 0
    while size_bytes >= _THOUSAND and unit < len(_UNITS) - 1:
        size_bytes /= _THOUSAND
        unit += 1
    return f"{size_bytes:.{0 if unit == 0 else 1}f} {_UNITS[unit]}"


def _too_large(name: str, size: int, limit: int, head: bytes) -> str:
    lines = head.count(b"\n")
    rows = f", about {round(size * lines / len(head)):,} rows" if lines > 1 else ""
    return (
        f"{name} has {size_text(size)}{rows}; the limit is {size_text(limit)}: cut it into parts and add them to a "
        "CandleStore one by one, or raise max_size_bytes in file_format=FileFormat(...) if the memory is there"
    )
