import ast
import inspect
import subprocess
import sys

import pytest

import workbench

HEAVY = (
    "numpy",
    "numba",
    "llvmlite",
    "talib",
    "pandas",
    "pyarrow",
    "ccxt",
    "aiohttp",
    "plotly",
    "ipywidgets",
    "anywidget",
)


def run_fresh(code: str) -> str:
    """Run code in a new interpreter, since this one has loaded everything already."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded_after(code: str) -> set[str]:
    return set(run_fresh(f"import sys\n{code}\nprint(*(name for name in {HEAVY} if name in sys.modules))").split())


def names_for_type_checkers() -> set[str]:
    """Read the names that the `if TYPE_CHECKING:` block imports."""
    blocks = [node for node in ast.parse(inspect.getsource(workbench)).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import workbench") == set()


def test_the_check_above_sees_a_heavy_module() -> None:
    assert loaded_after("import workbench, numpy") == {"numpy"}


def test_errors_load_nothing_heavy() -> None:
    assert loaded_after("import workbench\nworkbench.errors.ConfigError") == set()


def test_model_loads_no_more_than_numpy() -> None:
    assert loaded_after("import workbench\nworkbench.Bars") <= {"numpy"}


def test_a_backtest_waits_for_no_library_of_figures_or_exchanges_and_no_room_of_sessions() -> None:
    rooms = 'print(*(name for name in ("workbench.live", "workbench.data") if name in sys.modules))'
    assert run_fresh(f"import sys, workbench\nworkbench.backtest\n{rooms}") == ""
    assert loaded_after("import workbench\nworkbench.backtest").isdisjoint(
        {"ccxt", "aiohttp", "plotly", "ipywidgets", "anywidget"}
    )


def test_all_maps_and_type_checkers_name_the_same() -> None:
    assert set(workbench.__all__) == set(workbench._MODULE_OF) == names_for_type_checkers()  # noqa: SLF001 - the map is under test


def test_dir_shows_public_names_before_they_are_loaded() -> None:
    shown = run_fresh("import workbench\nprint(*dir(workbench))").split()
    assert set(workbench.__all__) <= set(shown)
    assert len(shown) == len(set(shown))


def test_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="module 'workbench' has no attribute 'backtset'"):
        workbench.backtset  # type: ignore[attr-defined] # noqa: B018 - the point of the test


def test_name_is_kept_after_first_use() -> None:
    assert run_fresh("import workbench\nworkbench.errors\nprint('errors' in vars(workbench))") == "True"


@pytest.mark.parametrize("first", ["import workbench.strategy", "from workbench.strategy import sma_cross", "pass"])
def test_strategy_is_the_decorator_however_its_room_was_imported(first: str) -> None:
    # The import system puts the room into the package under the decorator's name, so the room itself must be callable.
    code = f"{first}\nimport workbench as wb\nprint(callable(wb.strategy), hasattr(wb.strategy, 'sma_cross'))"
    assert run_fresh(code) == "True True"
