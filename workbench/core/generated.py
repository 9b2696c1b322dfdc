"""Modules made from text: the form in which user code is compiled, so that its machine code can be kept on disk.

numba's file cache trusts a file by its time and size and does not see a changed constant. A module named by the
sha256 of its whole text cannot be out of date: another text is another module.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["cache_folder", "load_generated"]

_LOCK = threading.Lock()


def cache_folder() -> Path:
    """Return the folder for generated modules and their machine code; it is not made here.

    ``WORKBENCH_CACHE_DIR`` if set, else ``workbench`` in ``XDG_CACHE_HOME``, else ``~/.cache/workbench``.
    """
    if chosen := os.environ.get("WORKBENCH_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "workbench"


def load_generated(prefix: str, text: str) -> ModuleType:
    """Return the module with this text, made on first use and the same object afterwards.

    The module is importable by its name from then on, as numba's cached code asks for the classes it was compiled with.

    Parameters
    ----------
    prefix : str
        Start of the module's name, an identifier.
    text : str
        Source of the module. Name every version it depends on in it: the text alone decides which module it is.
    """
    name = f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    with _LOCK:
        if name in sys.modules:
            return sys.modules[name]
        path = _write(name, text)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"cannot load the generated module {path}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module


def _write(name: str, text: str) -> Path:
    for folder in (cache_folder() / "generated", _temporary_folder()):
        path = folder / f"{name}.py"
        try:
            # Code is run from here: nobody else may write to it.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                _replace(path, text)
        except OSError:
            continue
        return path
    raise OSError(f"cannot write generated code, neither to {cache_folder()} nor to a temporary folder")


def _replace(path: Path, text: str) -> None:
    """Write a file at once: another process never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@cache
def _temporary_folder() -> Path:
    """Return a folder of this process, for machines on which the cache folder cannot be written."""
    return Path(tempfile.gettempdir()) / f"workbench-{os.getuid()}-{os.getpid()}" / "generated"
