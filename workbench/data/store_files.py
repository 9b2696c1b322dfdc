"""Files of the store: whole or not there, on a disk or in an object store."""

from __future__ import annotations

import fcntl
import itertools
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StoreFiles"]

_LOCK_NAME: Final = ".lock"
_TEMPORARY: Final = ".tmp"
_NUMBERS: Final = itertools.count()
# Writers of this process in stores that have no locks of their own, such as object stores.
_HELD: Final[set[tuple[str, str]]] = set()
_HELD_GUARD: Final = threading.Lock()


class StoreFiles:
    """Files below a root, through any pyarrow filesystem.

    Parameters
    ----------
    root : str
        Folder of the store in the filesystem.
    filesystem : pyarrow.fs.FileSystem
        Where the folder is.
    """

    __slots__ = ("_disk", "_files", "root")

    def __init__(self, root: str, filesystem: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        from pyarrow import fs  # noqa: PLC0415 - a fifth of a second that only the store may cost

        self.root = root
        self._files = fs.SubTreeFileSystem(root, filesystem)
        self._disk = _disk_root(root, filesystem)

    def open(self, path: str) -> Any | None:  # noqa: ANN401 - pyarrow has no types
        """Return the open file at a `path` below the root, or None when there is none."""
        try:
            return self._files.open_input_file(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.name(path)} cannot be read: {error}") from error

    def size_bytes(self, path: str) -> int:
        """Return the size of the file at a `path`."""
        return int(self._files.get_file_info(path).size or 0)

    def entries(self, folder: str) -> list[str]:
        """Return the sorted names in a `folder`, without hidden ones; none when there is no such folder."""
        from pyarrow import fs  # noqa: PLC0415 - a fifth of a second that only the store may cost

        try:
            infos = self._files.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        except NotADirectoryError:
            return []
        except OSError as error:
            raise StoreError(f"{self.name(folder)} cannot be listed: {error}") from error
        return sorted(info.base_name for info in infos if not info.base_name.startswith("."))

    def publish(self, path: str, content: bytes) -> None:
        """Put a file in place as a whole: a reader, and a crash at any moment, find the old one or the new one.

        Parameters
        ----------
        path : str
            Path below the root; the folder must be there.
        content : bytes
            What the file shall hold.

        Raises
        ------
        StoreError
            The file cannot be written; the old one is as it was.
        """
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/.{name}.{os.getpid()}-{next(_NUMBERS)}{_TEMPORARY}"
        try:
            with self._files.open_output_stream(temporary) as stream:
                stream.write(content)
            self._sync(temporary)
            self._replace(temporary, path)
            self._sync(folder)
        except OSError as error:
            self._discard(temporary)
            raise StoreError(f"{self.name(path)} cannot be written: {error}; the file before is unharmed") from error

    @contextmanager
    def writing(self, folder: str) -> Iterator[None]:
        """Be the only writer of a `folder`, which is made if need be; StoreError when another one is.

        On a disk the lock is the system's and ends with the process. Elsewhere it holds within this process only.
        """
        try:
            self._files.create_dir(folder)
        except OSError as error:
            raise StoreError(f"{self.name(folder)} cannot be made: {error}") from error
        with self._disk_lock(folder) if self._disk else self._process_lock(folder):
            yield

    def name(self, path: str) -> str:
        """Return a `path` below the root as messages show it."""
        return f"{self.root.rstrip('/')}/{path}"

    def _replace(self, temporary: str, path: str) -> None:
        """Put the written file in its place: a rename on a disk, copy and delete where there is no rename."""
        self._files.move(temporary, path)

    def _sync(self, path: str) -> None:
        """Wait until a file, or the names in a folder, are on the disk; object stores do so by themselves."""
        if self._disk is None:
            return
        descriptor = os.open(self._disk / path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _discard(self, path: str) -> None:
        try:
            self._files.delete_file(path)
        except OSError:
            return  # it was never made, or the disk is the trouble already; the next writer tidies up

    @contextmanager
    def _disk_lock(self, folder: str) -> Iterator[None]:
        directory = Path(str(self._disk), folder)
        try:
            descriptor = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(f"{self.name(folder)} cannot be locked: {error}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(self.name(folder)) from None
            # What a killed writer has left; nobody else can be writing now.
            for left in directory.glob(f".*{_TEMPORARY}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _process_lock(self, folder: str) -> Iterator[None]:
        key = (self.root, folder)
        with _HELD_GUARD:
            if key in _HELD:
                raise _busy(self.name(folder))
            _HELD.add(key)
        try:
            yield
        finally:
            with _HELD_GUARD:
                _HELD.discard(key)


def _busy(name: str) -> StoreError:
    return StoreError(f"{name} is being written by another download; wait for it or stop it (reading is not blocked)")


def _disk_root(root: str, filesystem: Any) -> Path | None:  # noqa: ANN401 - pyarrow has no types
    """Return the root as a path of this computer, or None for a filesystem of another kind."""
    from pyarrow import fs  # noqa: PLC0415 - a fifth of a second that only the store may cost

    while isinstance(filesystem, fs.SubTreeFileSystem):
        root = f"{filesystem.base_path.rstrip('/')}/{root.lstrip('/')}"
        filesystem = filesystem.base_fs
    return Path(root) if isinstance(filesystem, fs.LocalFileSystem) else None
