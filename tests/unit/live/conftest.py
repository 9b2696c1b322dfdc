"""A clock that the test moves, and sessions on it that end with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from workbench.live import LiveSession, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.live import LiveSessionConfig


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def start(clock: ManualClock) -> Iterator[Any]:
    """Start sessions on the manual clock; end them with the test."""
    started: list[LiveSession] = []

    def begin(config: LiveSessionConfig, **options: Any) -> LiveSession:
        session = LiveSession(config, clock=clock, **options)
        started.append(session)
        session.start()
        return session

    yield begin
    for session in started:
        session.kill()
        session.close()
