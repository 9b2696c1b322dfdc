"""A person ends an order of which nobody can tell: through a handle, and through the command line."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.live.markets import JOIN_S, MIDNIGHT
from tests.unit.live.test_exchange_session import LOOK_S, Floor
from workbench import cli_sessions
from workbench.cli import main
from workbench.errors import ConfigError
from workbench.exchange import Unknown
from workbench.live.process.control_server import ControlServer
from workbench.live.process.handle import ProcessSession
from workbench.strategy import buy_and_hold


@pytest.fixture
def unsure(tmp_path: Path) -> Iterator[tuple[Floor, ProcessSession]]:
    """Run a session of whose order 0 nobody can tell, as its exchange has no rule by which it is ever too late."""
    floor = Floor(strategy=buy_and_hold())
    floor.exchange.answer("place", Unknown("timeout", "no answer", MIDNIGHT, None))
    floor.begin()
    floor.asked("place")
    server, handle = ControlServer(floor.session, tmp_path), ProcessSession(tmp_path)
    yield floor, handle
    handle.detach()
    server.close()
    floor.session.kill()
    floor.session.close()


def let_it_stay_unknown(floor: Floor) -> None:
    """Let a minute and more pass in which the exchange shows no such order."""
    for _ in range(200):
        # Time may pass between a question and the wait that follows it, which then is as long as ever.
        with suppress(queue.Empty):
            floor.exchange.heard["order"].get(timeout=LOOK_S)
        floor.pass_line_time(0.5)
        if any("stays unknown" in text for text in floor.texts()):
            # The last question was asked after 59.5 s.
            floor.pass_line_time(1.0)
            break
    assert floor.session.wait_for("EXITS_ONLY", timeout_s=JOIN_S)


def test_an_order_is_ended_through_the_handle_once_it_may_be(unsure: tuple[Floor, ProcessSession]) -> None:
    floor, handle = unsure
    assert handle.resolve(0, "never_arrived")
    assert any(text.startswith("order 0 may be on its way: it is asked for since 0 s") for text in floor.texts())
    let_it_stay_unknown(floor)
    assert handle.resolve(0, "never_arrived")
    assert "order 0 counts as never arrived" in floor.texts()
    assert "resolve order 0 as never arrived was asked" in floor.texts()


@pytest.mark.parametrize(("number", "answer"), [(-1, "never_arrived"), (True, "never_arrived"), (0, "filled")])
def test_a_wrong_answer_is_refused_through_the_handle(
    unsure: tuple[Floor, ProcessSession], number: int, answer: str
) -> None:
    with pytest.raises(ConfigError, match="must be"):
        unsure[1].resolve(number, answer)


def test_the_command_line_ends_an_order_and_says_what_came_of_it(
    unsure: tuple[Floor, ProcessSession], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    floor, handle = unsure
    monkeypatch.setattr(cli_sessions, "_registry", lambda: SimpleNamespace(attach=lambda _name: handle))
    assert main(["resolve", "one", "0", "never_arrived"]) == 0
    assert capsys.readouterr().out.startswith("one: order 0 may be on its way: ")
    let_it_stay_unknown(floor)
    assert main(["resolve", "one", "0", "never_arrived"]) == 0
    # What the session says at once, or already that it is booked.
    assert capsys.readouterr().out in (
        "one: order 0 counts as never arrived\n",
        "one: order 0 never arrived: a person has looked at the exchange\n",
    )
    assert main(["resolve", "one", "7", "never_arrived"]) == 0
    assert capsys.readouterr().out == "one: order 7 is none of this session\n"
