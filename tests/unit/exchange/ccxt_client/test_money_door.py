"""The client before real money, played by a server on this machine that clients take for a real exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real_money import KEY, SECRET, Vault, buy, sell
from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, connected, trade_row
from workbench.errors import ConfigError, ExchangeError, RealTradingDisabledError
from workbench.exchange import Accepted, CcxtClient, ClientSettings, Credentials, Refused, Unknown
from workbench.exchange.real_money import RealTradingPermit, disarm

RESTRICTIONS = "/sapi/v1/account/apiRestrictions"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    vault = Vault(tmp_path)
    vault.arm()
    return vault


def run(
    vault: Vault,
    test: Callable[[ScriptedExchange, CcxtClient], Awaitable[None]],
    *,
    may_withdraw: Any = False,
    **settings: Any,
) -> ScriptedExchange:
    exchange = ScriptedExchange()
    exchange.trades = [trade_row(1)]  # at 100
    exchange.will("GET", RESTRICTIONS, *[Answer(body={"enableWithdrawals": may_withdraw})] * 9)

    async def whole() -> None:
        permit = RealTradingPermit(vault.gate(), vault.consent())
        chosen = {"credentials": permit.credentials, "permit": permit} | settings
        async with connected(exchange, **chosen) as (_, client):
            await asyncio.wait_for(test(exchange, client), 30)

    asyncio.run(whole())
    return exchange


def test_orders_within_all_limits_are_sent_and_the_key_is_asked_about_once(vault: Vault) -> None:
    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(buy(0.5, "wb-1", kind="limit", price=99.0)), Accepted)
        assert isinstance(await client.place_order(buy(0.5, "wb-2", kind="limit", price=99.0)), Accepted)

    exchange = run(vault, test)
    assert exchange.count("POST", ORDER) == 2
    assert exchange.count("GET", RESTRICTIONS) == 1


def test_order_beyond_a_limit_is_refused_before_it_is_sent(vault: Vault) -> None:
    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        outcome = await client.place_order(buy(2.0))
        assert outcome == Refused("max_order_notional is 100, was 200", "permission", was_sent=False)

    assert run(vault, test).count("POST", ORDER) == 0


def test_without_a_permit_the_same_key_sends_nothing(vault: Vault) -> None:
    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        for ticket in (buy(0.1), sell(0.1)):
            with pytest.raises(RealTradingDisabledError, match="no order is sent to practice: real trading is off"):
                await client.place_order(ticket)

    assert run(vault, test, permit=None, credentials=Credentials(KEY, SECRET)).count("POST", ORDER) == 0


def test_permit_of_another_key_or_exchange_is_no_permit(vault: Vault) -> None:
    permit = RealTradingPermit(vault.gate(), vault.consent())
    with pytest.raises(ConfigError, match="the permit is not one for practice with these credentials"):
        ClientSettings(
            exchange="practice", base_url="http://127.0.0.1:9", credentials=Credentials(KEY, SECRET), permit=permit
        )
    with pytest.raises(ConfigError, match="the permit is not one for binance"):
        ClientSettings(exchange="binance", permit=permit)


def test_look_alike_of_a_permit_opens_nothing(vault: Vault) -> None:
    class Yes:
        credentials = Credentials(KEY, SECRET)

        def covers(self, *_: object) -> bool:
            return True

        def refusal(self, *_: object) -> None:
            return None

    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        with pytest.raises(RealTradingDisabledError):
            await client.place_order(buy(0.1))

    assert run(vault, test, permit=Yes(), credentials=Yes.credentials).count("POST", ORDER) == 0


@pytest.mark.parametrize("answer", [True, None, "no", 0])
def test_key_that_may_withdraw_for_all_we_know_buys_nothing_and_sells(vault: Vault, answer: Any) -> None:
    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        outcome = await client.place_order(buy(0.5))
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == ("permission", False)
        assert ("may withdraw" if answer is True else "enableWithdrawals must be a bool") in outcome.reason
        assert isinstance(await client.place_order(sell(0.5)), Accepted)
        with pytest.raises((RealTradingDisabledError, ExchangeError)):
            await client.require_safe_key()

    exchange = run(vault, test, may_withdraw=answer)
    assert [order["side"] for order in exchange.executed] == ["SELL"]


def test_unknown_price_stops_entries_and_not_exits(vault: Vault) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(buy(0.5, "wb-1")), Accepted)
        exchange.trades = []
        outcome = await client.place_order(buy(0.5, "wb-2"))
        assert isinstance(outcome, Refused)
        assert "the last price of BTC/USDT is not known" in outcome.reason
        exchange.will("GET", "/api/v3/trades", Answer(status=503, body={}))
        assert isinstance(await client.place_order(sell(0.5, "wb-3")), Accepted)

    assert [order["side"] for order in run(vault, test).executed] == ["BUY", "SELL"]


def test_refused_order_gives_its_share_of_the_day_back_and_an_unknown_one_does_not(vault: Vault) -> None:
    turnover = vault.folder / "turnover" / "main.json"

    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(status=400, body={"code": -2010, "msg": "insufficient balance"}))
        assert isinstance(await client.place_order(buy(0.5, "wb-1")), Refused)
        assert '"notional": 0.0' in turnover.read_text()
        assert isinstance(await client.place_order(buy(0.00001, "wb-2")), Refused)  # less than the smallest order
        assert '"notional": 0.0' in turnover.read_text()
        exchange.will("POST", ORDER, Answer(drop=True))
        assert isinstance(await client.place_order(buy(0.5, "wb-3")), Unknown)
        assert '"notional": 50.0' in turnover.read_text()  # 0.5 * 100

    run(vault, test)


def test_disarming_while_a_session_runs_stops_the_next_order(vault: Vault) -> None:
    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(buy(0.5, "wb-1")), Accepted)
        disarm(vault.folder, "main")
        outcome = await client.place_order(buy(0.5, "wb-2"))
        assert isinstance(outcome, Refused)
        assert "is not armed" in outcome.reason
        assert isinstance(await client.cancel_order("BTC/USDT", "wb-1"), Accepted)
        assert isinstance(await client.place_order(sell(0.5, "wb-3")), Accepted)

    run(vault, test)


def test_no_real_order_enters_where_it_could_not_be_asked_for_again(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "workbench.exchange.ccxt_client.order_dialects._STOP_LISTS"
    monkeypatch.setattr(asked, {True: {"okx": None}, False: {}})

    async def test(_exchange: ScriptedExchange, client: CcxtClient) -> None:
        with pytest.raises(RealTradingDisabledError, match="at binance an order could not be asked for or cancelled"):
            await client.require_safe_key()
        outcome = await client.place_order(buy(0.5, "wb-1"))
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == ("permission", False)

    exchange = run(vault, test)
    assert exchange.count("POST", ORDER) == 0
    assert exchange.count("GET", RESTRICTIONS) == 0
