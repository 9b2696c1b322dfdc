"""`wb.live` as a user calls it, in a process that was started for it, on an exchange that plays a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.hostile_cells import run_cells
from tests.real_money import BTC, RISK, Vault
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.practice import PracticeConfig, PracticeExchange

START = """
import threading
import workbench as wb
risk = wb.RiskConfig(stop_loss=0.02, max_order_notional=100.0, max_position_notional=200.0, max_orders_per_minute=5,
                     price_collar=0.05, daily_loss_limit=0.05, max_drawdown=0.1)
session = wb.live(wb.strategy.buy_and_hold(), exchange="practice", key="main", symbol="BTC/USDT", timeframe="1m",
                  risk=risk, confirm=SENTENCE, name="first", start=False, inline=True)
stepped = threading.Condition()
def notify(update):
    with stepped:
        stepped.notify_all()
session.subscribe(notify)
session.start()
with stepped:
    has_bought = stepped.wait_for(lambda: session.snapshot().fill_count == 1, 30)
has_bought
"""


def test_session_starts_when_everything_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    config = PracticeConfig(is_registered=True, plays_real=True)
    with PracticeExchange([BTC], speed=60, config=config) as exchange:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        vault.arm_now()
        cells = [
            START.replace("SENTENCE", repr(vault.terms(RISK).sentence)),
            "session.name, session.mode, session.fills()[0].quantity * session.fills()[0].price <= 100.0 * 1.05",
            "str(session.stop())",
            "{event.mode for event in session.events()}, any('refused' in event.text for event in session.events())",
        ]
        answers, printed = run_cells(cells, tmp_path, is_switched_on=True)
        # The stop of what was bought may rest beside it.
        orders = [order.wanted for order in exchange.orders()]
        assert [str(one.side).lower() for one in orders if one.stop_price is None] == ["buy"]
    assert answers == [
        ("", "True"),
        ("", "('real-first', 'real', True)"),
        ("", "STOPPED"),
        ("", "({'real'}, False)"),
    ]
    assert vault.secret not in printed
    assert vault.key not in printed


def test_process_that_was_not_started_for_it_is_told_so() -> None:
    with pytest.raises(RealTradingDisabledError, match="WORKBENCH_ENABLE_REAL_TRADING=1 must be set where"):
        wb.live(wb.strategy.buy_and_hold(), exchange="binance", key="main", symbol=BTC, timeframe="1m", risk=RISK)


def test_limits_are_asked_for_first() -> None:
    with pytest.raises(ConfigError, match="risk must set max_order_notional, max_position_notional"):
        wb.live(
            wb.strategy.buy_and_hold(),
            exchange="binance",
            key="main",
            symbol=BTC,
            timeframe="1m",
            risk=wb.RiskConfig(),
        )
    for symbols in ([], [BTC, "BTC/USDT:USDT"]):
        with pytest.raises(ConfigError, match="symbols must be all spot or all perpetuals"):
            wb.live(
                wb.strategy.buy_and_hold(), exchange="binance", key="main", symbol=symbols, timeframe="1m", risk=RISK
            )


def test_feed_is_checked_also_where_it_means_nothing() -> None:
    with pytest.raises(ConfigError, match=r"^feed must be 'trades' or 'candles', was 'candle'$"):
        wb.paper(wb.strategy.buy_and_hold(), feed="candle")


def test_room_and_door_are_one_name() -> None:
    import workbench.live as room
    from workbench.api_sessions import live

    assert wb.live is room
    assert callable(wb.live)
    assert "REAL MONEY" in str(live.__doc__)
