"""`wb.paper(start=False)`: a handle of a session of which nothing is there until `start`."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import ConfigError, SessionError
from workbench.live.process.registry import SessionRegistry
from workbench.live.session_config import LiveSessionConfig


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LiveSessionConfig]:
    """Have a home of its own, and note what would be started there."""
    configs: list[LiveSessionConfig] = []

    def start(_self: SessionRegistry, config: LiveSessionConfig) -> None:
        configs.append(config)

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(SessionRegistry, "start", start)
    return configs


def prepared() -> wb.SessionHandle:
    return wb.paper(
        wb.strategy.sma_cross(fast=3, slow=8), exchange="practice", symbol="BTC/USDT", timeframe="1m", name="later",
        start=False,
    )  # fmt: skip


def test_a_prepared_session_starts_nothing_and_writes_nothing(started: list[LiveSessionConfig], tmp_path: Path) -> None:
    session = prepared()
    assert (session.state, session.fills()) == ("PREPARED", ())
    assert session.snapshot().equity == session.config.cash
    session.configure(fast=4)
    with pytest.raises(ConfigError):
        session.configure(fastest=4)
    with pytest.raises(SessionError):
        session.pause()
    assert started == []
    assert list(tmp_path.rglob("*")) == []
    session.start()
    assert [config.strategy.parameters["fast"] for config in started] == [4]


@pytest.mark.parametrize("end", ["stop", "kill", "close"])
def test_a_prepared_session_that_is_ended_is_never_started(
    started: list[LiveSessionConfig], tmp_path: Path, end: str
) -> None:
    session = prepared()
    getattr(session, end)()
    assert session.state == "STOPPED"
    with pytest.raises(SessionError):
        session.start()
    assert started == []
    assert list(tmp_path.rglob("*")) == []
