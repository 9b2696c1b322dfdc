import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from workbench.charts import live_assets
from workbench.charts.live_assets import MODULES, module_source, pane_source, plotly_script, style_sheet
from workbench.charts.live_palette import LIVE_COLORS
from workbench.errors import WorkbenchError

FOLDER = Path(live_assets.__file__).parent / "js"
NODE = shutil.which("node")
TESTED = (
    *("ChartStore", "PageLink", "Table", "Viewport", "Geometry"),
    *("float64", "barsPerCandle", "mergeCandles", "thinLine", "spreadLabels", "priceExtent", "makeFrame", "outgrows"),
    *("movingShapes", "makeTraces", "visibleMarks", "formatNumber", "formatPercent", "formatTime", "priceDecimals"),
    *("axisDecimals", "heldSpans", "lags", "levelValues", "shapeAttributes", "studyKeys"),
)


def test_every_file_is_part_of_the_module() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.js")) == sorted(MODULES)


def test_each_file_stands_after_those_it_imports() -> None:
    for position, name in enumerate(MODULES):
        text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        imported = re.findall(r'from "\./(\w+)\.js"', text)
        assert [other for other in imported if MODULES.index(other) >= position] == []


@pytest.mark.parametrize("source", [module_source(), pane_source()], ids=["chart", "pane"])
def test_module_imports_nothing_and_exports_its_entry_points_only(source: str) -> None:
    lines = source.splitlines()
    assert [line for line in lines if line.startswith("import ")] == []
    assert [line for line in lines if line.startswith("export ")] == ["export default { initialize, render };"]


@pytest.mark.parametrize("source", [module_source(), pane_source()], ids=["chart", "pane"])
def test_a_name_stands_for_one_thing_in_all_files(source: str) -> None:
    names = re.findall(r"^(?:async )?(?:function|class|const|let) (\w+)", source, re.MULTILINE)
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_text_never_becomes_markup() -> None:
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", module_source()) == []


def test_every_colour_in_the_style_sheet_is_in_the_palettes() -> None:
    used = {name.replace("-", "_") for name in re.findall(r"var\(--wb-([\w-]+)\)", style_sheet())} - {"font"}
    assert used <= set(LIVE_COLORS["light"])
    assert set(LIVE_COLORS["light"]) == set(LIVE_COLORS["dark"])


def test_plotly_is_sent_compressed() -> None:
    assert len(plotly_script()) < 2_000_000


def test_missing_plotly_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_assets, "find_spec", lambda _name: None)
    with pytest.raises(WorkbenchError, match="install the package plotly"):
        plotly_script.__wrapped__()


@pytest.mark.skipif(NODE is None, reason="node is not installed, so the browser's modules cannot run here")
@pytest.mark.parametrize(
    ("module", "source", "tested", "tests"),
    [
        ("chart.mjs", module_source(), TESTED, "live_chart.test.mjs"),
        ("pane.mjs", pane_source(), ("PaneLink",), "pane.test.mjs"),
    ],
)
def test_browser_module_does_what_its_own_tests_say(
    module: str, source: str, tested: tuple[str, ...], tests: str, tmp_path: Path
) -> None:
    exported = source.replace("export default { initialize, render };", f"export {{ {', '.join(tested)} }};")
    (tmp_path / module).write_text(exported, encoding="utf-8")
    (tmp_path / tests).write_text(Path(__file__).with_name(tests).read_text(encoding="utf-8"), encoding="utf-8")
    assert NODE is not None
    command = [NODE, "--test", "--test-reporter=tap", tests]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert "# fail 0" in answer.stdout
