"""Sessions behind a control server in this process, and handles of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.unit.live.markets import JOIN_S, let_pass, session_config, walk
from workbench.live import LiveSession, LiveSessionConfig, ManualClock
from workbench.live.process.control_server import ControlServer
from workbench.live.process.handle import ProcessSession
from workbench.strategy import sma_cross

WAIT_S = 90.0
MINUTE = 60 * 10**9


class Hosted:
    """One session, its server and a handle, on a clock that the test moves."""

    def __init__(self, folder: Path, config: LiveSessionConfig) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.session = LiveSession(config, clock=self.clock)
        self.server = ControlServer(self.session, folder)
        self.handle = ProcessSession(folder)

    def start(self) -> Hosted:
        self.handle.start()
        assert self.clock.join_waiter(JOIN_S)
        return self

    def bars(self, count: int) -> None:
        for _ in range(count):
            let_pass(self.clock, MINUTE)

    def close(self) -> None:
        self.handle.detach()
        self.server.close()
        self.session.kill()
        self.session.close()


@contextmanager
def hosted(folder: Path, **changes: Any) -> Iterator[Hosted]:
    settings: dict[str, Any] = {"speed": 1.0, "strategy": sma_cross(fast=3, slow=8), **changes}
    host = Hosted(folder, session_config(walk(200), **settings))
    try:
        yield host
    finally:
        host.close()


class Heard:
    """What a subscriber heard, and a way to wait for more."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, update: Any) -> None:
        with self._changed:
            self.updates.append(update)
            self._changed.notify_all()

    @property
    def numbers(self) -> list[int]:
        return [update.sequence for update in self.updates]

    def until(self, is_met: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(is_met, WAIT_S)
