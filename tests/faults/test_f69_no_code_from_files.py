"""F69: a file that runs code when it is read.

Guards that no artefact is read by pickle: an array of objects in the bars of a saved session is refused unread, and no
module of the package, or of its tests, imports what could read one.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from tests.unit.live.markets import session_config, walk
from workbench.errors import WorkbenchError
from workbench.live.session_text import read_session, write_session

ROOT = Path(__file__).parents[2]
UNSAFE = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}


class Canary:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.place),))


def hostile(path: Path | IO[bytes], place: Path) -> None:
    np.savez(
        path, allow_pickle=True, **{name: np.array([Canary(place)], dtype=object) for name in ("time_ns", "values")}
    )


def test_the_canary_sings_when_it_is_read_unsafely(tmp_path: Path) -> None:
    place = tmp_path / "sang"
    hostile(tmp_path / "bars.npz", place)
    with np.load(tmp_path / "bars.npz", allow_pickle=bool(1)) as file:
        _ = file["values"]
    assert place.is_dir()


def test_bars_of_a_saved_session_that_are_objects_are_refused_unread(tmp_path: Path) -> None:
    folder, place = tmp_path / "session", tmp_path / "sang"
    folder.mkdir()
    write_session(folder, session_config(walk(20)), session_id="one")
    stored = [path for path in folder.iterdir() if path.name != "session.json"]
    assert stored
    for path in stored:
        mode = path.stat().st_mode
        with path.open("wb") as file:
            hostile(file, place)
        path.chmod(mode)
    with pytest.raises((WorkbenchError, ValueError, OSError)):
        read_session(folder)
    assert not place.exists()


def imports(tree: ast.Module) -> set[str]:
    """Return what a module imports, anywhere in it, by name or by call."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__"):
                names.add(str(node.args[0].value).partition(".")[0])
    return names


def test_nothing_that_reads_code_from_files_is_imported() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): imports(ast.parse(path.read_text(encoding="utf-8"))) & UNSAFE
        for path in (ROOT / "workbench").rglob("*.py")
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_no_array_is_loaded_with_objects_in_it() -> None:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "workbench").rglob("*.py"))
    keywords = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.keyword))
    loads = [getattr(one.value, "value", None) for one in keywords if one.arg == "allow_pickle"]
    assert loads
    assert [one for one in loads if one is not False] == []
