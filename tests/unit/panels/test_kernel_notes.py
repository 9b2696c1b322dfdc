import sys

import ipykernel
import pytest

from tests.unit.panels.fake_session import FakeSession
from tests.unit.panels.test_session_panel import html
from workbench.panels import session_panel
from workbench.panels.kernel_notes import late_clicks_note


@pytest.mark.parametrize(("version", "is_late"), [("7.0.9", True), ("7.1.0", False), ("7.3.9", False), ("7.4.0", True)])
def test_only_a_kernel_that_delivers_clicks_late_is_told(version: str, is_late: bool) -> None:
    assert bool(late_clicks_note("a", has_process=True, version=version)) == is_late


def test_without_a_kernel_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert late_clicks_note("a", has_process=True) == ""


@pytest.mark.parametrize(
    ("folder", "way"), [("/somewhere", "In a terminal at once: workbench stop btc-1"), (None, "Interrupt the cell")]
)
def test_panel_says_how_to_stop_on_such_a_kernel(monkeypatch: pytest.MonkeyPatch, folder: str | None, way: str) -> None:
    monkeypatch.setattr(ipykernel, "__version__", "7.4.0")
    session = FakeSession(bars=2)
    session.folder = folder  # type: ignore[attr-defined]  # only a session with a process has one
    panel = session_panel(session)
    assert way in html(panel)
    panel.close()
    monkeypatch.setattr(ipykernel, "__version__", "7.3.0")
    panel = session_panel(session)
    assert "buttons wait" not in html(panel)
    panel.close()
