"""The README says what is so: its code runs as it stands there, its links lead somewhere, its page stays open."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.notebook_cells import run_cell
from tests.process_sessions import PLENTY_S
from workbench.live.process.registry import SessionRegistry

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LAST = "session.panel()\n"


@pytest.mark.slow
def test_code_runs_as_it_stands_there(registry: SessionRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(registry.root.parent))
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert code.endswith(LAST)
    names = run_cell(code.removesuffix(LAST))
    session = names["session"]
    panel = session.panel()
    try:
        session.wait_for("ACTIVE", timeout_s=PLENTY_S)
        # 55 * 180 pairs, without the 820 of fast 20, 21, .. 59 and slow 20, 21, .. fast: 1 + 2 + .. + 40
        assert len(names["sweep"]) == 55 * 180 - 40 * 41 // 2
        assert names["result"].stats.trade_count > 0
        assert repr(panel) == f"SessionPanel({session.name!r})"
    finally:
        panel.close()
        session.stop()


def test_what_it_links_to_is_there() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", README))
    assert {link for link in links if not link.startswith("http") and not (ROOT / link).exists()} == set()
    pages = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert pages <= links, "a notebook that the README does not name"


def test_page_of_make_app_ends_nothing() -> None:
    (name,) = re.findall(r"^APP \?= (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"]({name})" in README
    cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "wb.control_panel(" in code
    assert "wb.dashboard(" in code
    assert re.findall(r"\.(?:close|stop|kill)\(", code) == []  # or the page opens on panels that are gone
