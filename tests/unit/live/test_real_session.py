"""A session with real money, on a practice exchange that clients take for a real one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.practice_session import BTC, Stage, staged
from tests.real_money import CAPS, KEY, RISK, SECRET, Vault
from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import session_config, walk
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.practice import PracticeAddress, PracticeExchange
from workbench.exchange.real_money import RealConsent, disarm
from workbench.live import BarsSource, LiveSession
from workbench.live.exchange_source import ExchangeSource
from workbench.live.host import SessionHost
from workbench.model import RiskConfig
from workbench.strategy import Rules, buy_and_hold, strategy

TICKS = [(second, {0: 102.0, 2: 99.0, 4: 102.0}.get(second // 60, 100.5)) for second in range(0, 600, 10)]


@strategy
def in_above_out_below(m, high=101.0, low=100.0):
    return Rules(enter_long=m.close > high, exit_long=m.close < low)


class Bank:
    """The folder of a user, made when the exchange with its key runs."""

    def __init__(self, root: Path, *, caps: Any = CAPS, is_armed: bool = True) -> None:
        self.root = root
        self.caps = caps
        self.is_armed = is_armed
        self.vault: Any = None

    def source(self, exchange: PracticeExchange) -> ExchangeSource:
        vault = self.vault = Vault(self.root, key=exchange.credentials.key, secret=exchange.credentials.secret)
        if self.is_armed:
            vault.arm(self.caps)
        return ExchangeSource(
            "practice", address=exchange.address, clock=exchange.clock, consent=vault.consent(), gate=vault.gate()
        )


def settings(bank: Bank, **changes: Any) -> dict[str, Any]:
    return {"open_source": bank.source, "risk": RISK, "name": "real-staged", **changes}


def test_real_session_trades_within_its_caps_and_says_what_it_is(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    with staged(TICKS, in_above_out_below(), **settings(bank)) as stage:
        assert (stage.session.mode, stage.session.config.mode) == ("real", "real")
        _play(stage, minutes=3, fills=2)
        assert [side for side, filled in stage.orders() if filled] == ["buy", "sell"]
        bought, sold = stage.session.fills()
        assert 90.0 < bought.quantity * bought.price <= 100.0
        assert bought.quantity == sold.quantity
        assert {event.mode for event in stage.session.events()} == {"real"}
        assert all("REAL MONEY" in str(event) for event in stage.session.events())
        # the door's own look at the price: about the same, and the exit counts for nothing
        day = json.loads((bank.vault.folder / "turnover" / "main.json").read_text())
        assert day["notional"] == pytest.approx(100.0, abs=3.0)
        assert stage.session.parity().is_identical


def test_stop_of_a_real_position_rests_at_the_exchange(tmp_path: Path) -> None:
    with staged(TICKS, in_above_out_below(), **settings(Bank(tmp_path))) as stage:
        assert stage.session.config.rests_stop
        _play(stage, minutes=1, fills=1)
        stage.wait_told("rests at the exchange")
        (stop,) = [one for one in stage.exchange.orders() if one.wanted.stop_price is not None]
        (held,) = stage.session.snapshot().positions
        assert float(stop.wanted.quantity) == held.quantity
        assert float(stop.wanted.stop_price) == held.stop_level
        (open_one,) = stage.session.open_orders()
        assert (open_one.side, open_one.kind, open_one.is_exit, open_one.filled) == ("sell", "stop", True, 0.0)
        assert (open_one.quantity, open_one.price) == (held.quantity, held.stop_level)
        stage.until(lambda: [one.status for one in stage.session.open_orders()] == ["acknowledged"])
        _play(stage, minutes=3, fills=2, first=1)
        assert stage.orders()[1:] == [("sell", 0.0), ("sell", held.quantity)]  # the stop, and the exit
        stage.check_books()


def test_disarmed_session_leaves_its_position_and_enters_no_other(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    with staged(TICKS, in_above_out_below(), **settings(bank)) as stage:
        _play(stage, minutes=1, fills=1)
        disarm(bank.vault.folder, "main")
        _play(stage, minutes=3, fills=2, first=1)
        assert [side for side, filled in stage.orders() if filled] == ["buy", "sell"]
        _play(stage, minutes=5, fills=2, first=3)
        stage.wait_told("was refused: account 'main' is not armed")
        assert [side for side, filled in stage.orders() if filled] == ["buy", "sell"]


def _play(stage: Stage, *, minutes: int, fills: int, first: int = 0) -> None:
    for minute in range(first, minutes):
        stage.play(65 if minute == 0 else 60, bars=minute + 1)
        # An order that is on its way must not grow old: something is filled on the bars 0 and 2.
        stage.until(lambda minute=minute: stage.session.snapshot().fill_count == min((minute + 2) // 2, fills))


def test_session_that_is_not_armed_does_not_start(tmp_path: Path) -> None:
    stage = Stage(TICKS, in_above_out_below(), **settings(Bank(tmp_path, is_armed=False)))
    try:
        with pytest.raises(RealTradingDisabledError, match="is not armed"):
            stage.start()
        assert stage.exchange.orders() == []
    finally:
        stage.stop()


def test_key_that_may_withdraw_stops_the_start(tmp_path: Path) -> None:
    stage = Stage(TICKS, in_above_out_below(), **settings(Bank(tmp_path)))
    stage.exchange.faults.add("key_may_withdraw")
    try:
        with pytest.raises(RealTradingDisabledError, match="may withdraw"):
            stage.start()
    finally:
        stage.stop()


def consented(tmp_path: Path, **changes: Any) -> ExchangeSource:
    vault = Vault(tmp_path)
    return ExchangeSource("practice", consent=vault.consent(**changes))


def real_config(source: ExchangeSource, **changes: Any) -> Any:
    return session_config(
        **{"source": source, "name": "real-1", "execution": "exchange", "risk": RISK, "speed": 1.0} | changes
    )


def test_name_says_whether_money_is_real(tmp_path: Path) -> None:
    source = consented(tmp_path)
    assert real_config(source).mode == "real"
    with pytest.raises(ConfigError, match="name must begin with 'real-' with real money, was 'test'"):
        real_config(source, name="test")
    with pytest.raises(ConfigError, match=r"name must not begin with 'real-', was 'real-1': it is for wb\.live"):
        session_config(name="real-1", source=BarsSource(walk(20)))
    with pytest.raises(ConfigError, match="execution must be 'exchange' with real money, was 'simulated'"):
        real_config(source, execution="simulated")


def test_session_does_what_was_consented_to_and_nothing_else(tmp_path: Path) -> None:
    source = consented(tmp_path)
    for risk in (replace(RISK, max_order_notional=100.5), replace(RISK, max_drawdown=0.11)):
        with pytest.raises(ConfigError, match="symbols and risk must be those"):
            real_config(source, risk=risk)
    with pytest.raises(ConfigError, match="symbols and risk must be those"):
        real_config(source, symbols=("ETH/USDT",))
    with pytest.raises(ConfigError, match="risk must set max_drawdown: none of them may be off"):
        real_config(source, risk=replace(RISK, max_drawdown=None))
    with pytest.raises(ConfigError, match="exchange must be that of the terms"):
        ExchangeSource("binance", consent=source.consent)


@strategy
def with_a_stop(m, stop=0.02):
    return Rules(enter_long=m.close > 1.0, stop_loss=stop)


@pytest.mark.parametrize(
    ("stop", "is_enough"),
    [
        ({"stop_loss": 0.02}, True),
        ({"max_loss_per_trade": 0.01}, True),
        ({"trailing_stop": 0.02}, True),
        ({"trailing_stop": 0.02, "trailing_activate_at": 0.05, "trailing_distance_after": 0.01}, True),
        ({"trailing_stop": 0.02, "trailing_activate_at": 0.05}, False),  # protects only what has gained
        ({"trailing_activate_at": 0.05, "trailing_distance_after": 0.01}, False),
        ({"take_profit": 0.5, "max_holding_s": 60.0}, False),
        ({}, False),
    ],
)
def test_position_is_protected_from_its_first_moment(
    tmp_path: Path, stop: dict[str, float], *, is_enough: bool
) -> None:
    source = consented(tmp_path)
    risk: RiskConfig = replace(RISK, **({"stop_loss": None} | stop))
    assert real_config(source, risk=risk, strategy=with_a_stop()).mode == "real"
    if is_enough:
        assert real_config(source, risk=risk).mode == "real"
        return
    with pytest.raises(ConfigError, match="there must be a protective stop"):
        real_config(source, risk=risk, strategy=buy_and_hold())


def test_practice_exchange_that_plays_a_real_one_is_no_paper() -> None:
    address = PracticeAddress(url="http://127.0.0.1:9", key=KEY, secret=SECRET, speed=1.0)
    with pytest.raises(ConfigError, match="source must have an account at an exchange"):
        session_config(source=ExchangeSource("practice", address=address), execution="exchange", speed=1.0)


def test_source_is_opened_for_the_symbols_of_the_terms_only(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.arm(symbols=(BTC, "ETH/USDT"))
    source = ExchangeSource("practice", consent=RealConsent(vault.terms(), vault.terms().sentence), gate=vault.gate())
    with pytest.raises(RealTradingDisabledError, match="symbols must be those of the terms"):
        source.open(("ETH/USDT",), session_config().timeframe, 0)


def test_session_that_goes_on_without_an_arming_can_only_leave(tmp_path: Path) -> None:
    bank = Bank(tmp_path)
    host = SessionHost(session_id="one", record=KeptRecord())
    with staged(TICKS, in_above_out_below(), **settings(bank, host=host)) as stage:
        _play(stage, minutes=1, fills=1)
        # An order that is on its way at the kill would be asked for until its request window closes.
        stage.until_any(lambda: [order.status for order in stage.session.open_orders()] == ["acknowledged"])
        source = stage.session.config.source
        stage.session.kill()
        disarm(bank.vault.folder, "main")
        again = LiveSession(stage.session.config, host=host)
        stage.session = again.start()
        stage.until_heard()
        stage.until_any(lambda: again.state == "EXITS_ONLY")
        assert "only exits are sent: real trading is off: account 'main' is not armed" in again.reason
        again.resume()
        stage.wait_told("entries stay paused in this process: real trading is off")
        assert again.snapshot().is_paused
        again.flatten()
        stage.exchange.advance(20.0)
        stage.until_any(lambda: not again.snapshot().positions)
        with pytest.raises(RealTradingDisabledError, match="is not armed"):
            source.open((BTC,), stage.session.timeframe, 0)
