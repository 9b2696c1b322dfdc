"""What must not be in the project, and how large its parts may grow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", "benchmarks", "docs", "notebooks", "requirements", "tests", "workbench")
TEXT = {"", ".cfg", ".css", ".html", ".ipynb", ".js", ".json", ".md", ".py", ".toml", ".txt", ".yml"}

MAX_MODULE_LINES = 500
MAX_MEDIAN_LINES = 150
MAX_FUNCTION_LINES = 60

# Written as patterns that don't match themselves.
FORBIDDEN_TEXT = {
    "a package registry's address": r"pypi[.]org|python[h]osted|npmjs[.](?:org|com)|[d]eb[.]debian|conda[.]anaconda",
    "a path of one machine": r"(?<![\w.])/(?:[w]ork|[f]arm|[r]oot|[h]ome|[U]sers|tmp/[w]b)/\w",
    "a note to oneself": r"\b(?:[T]ODO|[F]IXME|[X]XX)\b",
    "a bare sleep": r"\b(?:[t]ime|[a]syncio)\.sleep\(",
}
UNSAFE_MODULES = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_TEXT = r"allow_pickle\s*=\s*True|\b(?:read|to)_pickle\b"


def text_files() -> list[Path]:
    """List every text file of the project, without what tools leave there."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files = [path for path in [*ROOT.iterdir(), *inside] if path.is_file() and path.suffix in TEXT]
    return sorted(path for path in files if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts))


def modules() -> list[Path]:
    return sorted((ROOT / "workbench").rglob("*.py"))


def imported_modules(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def function_lengths(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each function and its lines, from `def` to its end, less its docstring, which has a length of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            described = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            yield node.name, node.end_lineno - node.lineno + 1 - described


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("what", FORBIDDEN_TEXT)
def test_no_file_holds(what: str) -> None:
    files = text_files()
    if what == "a bare sleep":  # a real browser and a real server have no clock that a test could turn
        files = [path for path in files if "tests" in path.parts and "browser" not in path.parts]
    pattern = re.compile(FORBIDDEN_TEXT[what])
    found = [
        f"{short(path)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry's address", "https://pypi" + ".org/simple"),
        ("a path of one machine", "cd /ro" + "ot/project"),
        ("a note to oneself", "# TO" + "DO: later"),
        ("a bare sleep", "    time" + ".sleep(1)"),
    ],
)
def test_the_check_above_sees(what: str, line: str) -> None:
    assert re.search(FORBIDDEN_TEXT[what], line)


@pytest.mark.parametrize("path", modules(), ids=short)
def test_module_cannot_run_code_from_data(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert imported_modules(ast.parse(source)) & UNSAFE_MODULES == set()
    assert re.findall(UNSAFE_TEXT, source) == []


@pytest.mark.parametrize("path", modules(), ids=short)
def test_module_and_its_functions_stay_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_MODULE_LINES
    too_long = {name: lines for name, lines in function_lengths(ast.parse(source)) if lines >= MAX_FUNCTION_LINES}
    assert too_long == {}


def test_half_of_the_modules_are_short() -> None:
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in modules())
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_LINES


def test_length_of_a_function_leaves_its_docstring_out() -> None:
    source = 'def f(\n    x,\n):\n    """Say.\n\n    More.\n    """\n    return x\n'
    assert list(function_lengths(ast.parse(source))) == [("f", 4)]  # def (3 lines) + return


def test_no_module_is_a_drawer_for_leftovers() -> None:
    drawers = {"base_new", "common", "helpers", "misc", "utils"}
    assert [short(path) for path in modules() if path.stem.strip("_") in drawers or path.parent.name in drawers] == []
