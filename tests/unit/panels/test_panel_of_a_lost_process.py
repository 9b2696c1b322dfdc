"""Panels are made anew from what a session's folder or its last answers tell, whatever became of the session."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from tests.process_sessions import eventually, process_config, supervisor_of
from tests.unit.live.process.hosted import hosted
from tests.unit.panels.test_session_panel import enabled, html
from workbench.live.process.handle import ProcessSession
from workbench.live.process.process_table import wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.sockets import CONTROL
from workbench.model import RiskConfig
from workbench.panels import session_panel


def test_panels_of_a_finished_session_are_read_from_its_journal_and_agree(registry: SessionRegistry) -> None:
    registry.start(process_config("ended"))
    session = registry.attach("ended")
    assert eventually(lambda: session.snapshot().fill_count > 0)
    assert session.stop() == "STOPPED"
    panels = [session_panel(registry.attach("ended")) for _ in range(2)]
    text = html(panels[0])
    assert text == html(panels[1])
    for expected in ("○ STOPPED", "stopped by the user", "▲ BUY", "STARTING: started by the user", "off, now "):
        assert expected in text
    assert "cannot be read" not in text
    assert enabled(panels[0]) == []
    for panel in panels:
        panel.close()


def test_panel_that_is_made_after_a_crash_tells_what_was_done_and_how_to_go_on(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("crashed", risk=RiskConfig(max_drawdown=0.9)))
    session = registry.attach("crashed")
    assert eventually(lambda: session.snapshot().fill_count > 0)
    for process in (supervisor_of(registry), info.process):  # so that nobody starts it again
        os.kill(process.pid, signal.SIGKILL)
        assert wait_for_end(process, 30.0)
    panel = session_panel(registry.attach("crashed"))
    text = html(panel)
    for expected in ("■ CRASHED", "; position unmanaged; `workbench resume crashed`", "▲ BUY", "not watched: "):
        assert expected in text
    assert "cannot be read" not in text
    assert "armed: " not in text
    assert enabled(panel) == []
    panel.close()


def test_session_that_does_not_answer_can_still_be_ended_from_its_panel(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        host.start()
        handle = ProcessSession(tmp_path, answer_timeout_s=0.05)
        panel = session_panel(handle)
        assert "● ACTIVE" in html(panel)
        host.server.close()
        with socket.socket(socket.AF_UNIX) as listener:  # like a process that was suspended
            listener.bind(str(tmp_path / CONTROL))
            listener.listen(100)
            panel.refresh()
            assert "▲ UNREACHABLE" in html(panel)
            assert enabled(panel) == ["Stop", "Kill"]
        panel.close()
        handle.detach()
