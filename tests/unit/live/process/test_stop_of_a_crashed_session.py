"""A session whose process has died is stopped, flattened or killed: its orders are seen to, or named."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process_sessions import PLENTY_S, command, eventually, home, process_config, supervisor_of
from workbench.exchange.practice import PracticeConfig, PracticeExchange
from workbench.live.exchange_source import ExchangeSource
from workbench.live.process.orders_left import orders_left
from workbench.live.process.process_table import send, wait_for_end
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.session_info import SessionInfo
from workbench.strategy import Strategy, buy_and_hold, enter_long, hold

BTC = "BTC/USDT"


class WaitsBelow(Strategy):
    """Rests an entry that the price does not come to."""

    def on_bar(self, now, position):
        return enter_long(limit=0.9 * now.close) if position.is_flat else hold()


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeExchange]:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    with PracticeExchange([BTC], speed=60, config=PracticeConfig(is_registered=True)) as running:
        yield running


@pytest.fixture
def own_home(tmp_path: Path, exchange: PracticeExchange) -> Iterator[SessionRegistry]:
    """Have a home whose supervisor may be killed; the exchange is found by the processes that it starts."""
    assert exchange.url
    with home(tmp_path / "home") as registry:
        yield registry


def crashed(registry: SessionRegistry, exchange: PracticeExchange, name: str, strategy: Strategy) -> SessionInfo:
    """Start a session, wait for its first order, and let it die together with whoever would start it again."""
    source = ExchangeSource("practice")
    config = process_config(name, strategy=strategy, source=source, execution="exchange", speed=1.0, warmup_bars=0)
    info, _ = registry.start(config)
    eventually(exchange.orders)
    eventually(lambda: orders_left(info.folder) or registry.find(name).positions != "none")
    supervisor = supervisor_of(registry)
    os.kill(supervisor.pid, signal.SIGKILL)
    assert wait_for_end(supervisor, PLENTY_S)
    send(info.process, signal.SIGKILL)
    assert wait_for_end(info.process, PLENTY_S)
    return registry.find(name)


def open_orders(exchange: PracticeExchange) -> list[str]:
    return [order.wanted.client_order_id for order in exchange.orders() if order.is_open]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_stop_of_a_crashed_session_cancels_what_it_left_at_the_exchange(
    own_home: SessionRegistry, exchange: PracticeExchange
) -> None:
    info = crashed(own_home, exchange, "left", WaitsBelow())
    assert info.state == "CRASHED"
    assert len(open_orders(exchange)) == 1
    # On a machine that is busy with other things it may take the second try that the first one asks for.
    after = eventually(lambda: next((one for one in own_home.stop("left") if one.is_finished), None), 4 * PLENTY_S)
    assert after.state == "STOPPED", after.reason
    assert open_orders(exchange) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_stop_that_cannot_cancel_says_so_and_has_not_ended_the_session(
    own_home: SessionRegistry, exchange: PracticeExchange
) -> None:
    crashed(own_home, exchange, "stuck", WaitsBelow())
    (name,) = open_orders(exchange)
    exchange.stop()
    (after,) = own_home.stop("stuck", timeout_s=PLENTY_S)
    assert (after.state, after.is_finished) == ("CRASHED", False)
    assert after.reason.startswith("not stopped yet (")
    assert name in after.reason
    assert "`workbench stop stuck` tries again to cancel them" in after.reason
    (killed,) = own_home.kill("stuck")
    assert (killed.state, killed.is_finished) == ("STOPPED", True)
    assert "may be open at the exchange: limit buy" in killed.reason
    assert name in killed.reason


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_flatten_of_a_crashed_session_closes_its_position_and_leaves_it_paused(
    own_home: SessionRegistry, exchange: PracticeExchange
) -> None:
    crashed(own_home, exchange, "held", buy_and_hold())
    told = command(own_home, "flatten", "held")
    assert told.returncode == 0, told.stderr
    eventually(lambda: [str(order.wanted.side).lower() for order in exchange.orders()][-1] == "sell")
    eventually(lambda: own_home.find("held").positions == "none")
    assert own_home.find("held").state == "EXITS_ONLY"
    (after,) = own_home.stop("held")
    assert after.is_finished
