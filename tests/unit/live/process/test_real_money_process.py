"""A session with real money in a process of its own: it alone reads the key, and only if it was asked for rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile_cells import run_cells
from tests.process_sessions import home
from tests.real_money import BTC, Vault
from workbench.exchange.practice import PracticeConfig, PracticeExchange
from workbench.live.journal import JournalReader

START = """
import threading
import workbench as wb
from workbench.exchange.real_money import RealConsent, RealTerms
from workbench.live.exchange_source import ExchangeSource
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.supervisor_client import ask_supervisor
risk = wb.RiskConfig(stop_loss=0.02, max_order_notional=100.0, max_position_notional=200.0, max_orders_per_minute=5,
                     price_collar=0.05, daily_loss_limit=0.05, max_drawdown=0.1)
terms = RealTerms.of("practice", "main", ("BTC/USDT",), risk)
config = wb.LiveSessionConfig(
    name="real-apart", strategy=wb.strategy.buy_and_hold(), symbols=("BTC/USDT",), timeframe="1m", risk=risk,
    source=ExchangeSource("practice", consent=RealConsent(terms, terms.sentence)), execution="exchange",
)
registry = SessionRegistry()
"""
TRADE = """
info, is_new = registry.start(config)
session = registry.attach("real-apart")
stepped = threading.Condition()
def notify(update):
    with stepped:
        stepped.notify_all()
session.subscribe(notify)
with stepped:
    has_bought = stepped.wait_for(lambda: session.snapshot().fill_count == 1, 30)
has_bought, {event.mode for event in session.events()}
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("is_switched_on", [True, False])
def test_process_of_its_own_trades_when_the_notebook_was_started_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_switched_on: bool
) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    settings = PracticeConfig(is_registered=True, plays_real=True)
    with home(tmp_path / "home") as registry, PracticeExchange([BTC], speed=60, config=settings) as exchange:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        vault.arm_now()
        # In both, a cell sets the variable; it counts where it was there at the start.
        cells = ["%env WORKBENCH_ENABLE_REAL_TRADING=1", START, TRADE]
        more = {"WORKBENCH_HOME": str(registry.root.parent)}
        answers, printed = run_cells(cells, tmp_path, is_switched_on=is_switched_on, more=more, limit_s=150.0)
        # But for the stop that rests.
        sent = [order.wanted for order in exchange.orders() if order.wanted.stop_price is None]
        orders = [str(wanted.side).lower() for wanted in sent]
        registry.stop(*[info.name for info in registry.list()])
    if is_switched_on:
        assert answers[2] == ("", "(True, {'real'})")
        assert orders == ["buy"]
        assert JournalReader(registry.root / "real-apart" / "journal.db").header["mode"] == "real"
    else:
        assert answers[2].error == "RealTradingDisabledError"
        assert "WORKBENCH_ENABLE_REAL_TRADING=1 must be set where this process is started" in answers[2].text
        assert orders == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    holders = [path.relative_to(tmp_path).as_posix() for path in files if vault.secret.encode() in path.read_bytes()]
    assert holders == ["config/workbench/keys/main.json"]
    assert vault.secret not in printed
