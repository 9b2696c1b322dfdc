"""F06: ccxt's `maxRetriesOnFailure` sends an order again whose outcome is unknown; nobody can switch it on."""

from typing import Any

import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.errors import ConfigError, ExchangeUnavailableError
from workbench.exchange import CcxtClient, ClientSettings, Unknown


@pytest.mark.parametrize(
    "options",
    [
        {"maxRetriesOnFailure": 3},
        {"maxRetriesOnFailure": 0},
        {"createOrder": {"maxRetriesOnFailure": 1}},
        {"spot": [{"order": {"maxRetriesOnFailure": 1}}]},
    ],
)
def test_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="options must not set maxRetriesOnFailure"):
        ClientSettings(exchange="binance", options=options)


@pytest.mark.parametrize("way", ["option", "endpoint", "parameter"])
def test_option_that_got_in_all_the_same_has_no_effect(way: str) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        hidden: Any = client._exchange  # noqa: SLF001 - nobody should reach it, so the test has to
        if way == "option":
            hidden.options["maxRetriesOnFailure"] = 3
        if way == "endpoint":
            hidden.options["order"] = {"maxRetriesOnFailure": 3}
        if way == "parameter":
            create = hidden.create_order
            hidden.create_order = lambda *args: create(*args[:-1], args[-1] | {"maxRetriesOnFailure": 3})
        exchange.will("POST", ORDER, *[Answer(drop=True, executes=True)] * 4)
        assert isinstance(await client.place_order(limit_order()), Unknown)
        assert exchange.count("POST", ORDER) == len(exchange.executed) == 1

    run(test)


def test_http_library_sends_nothing_a_second_time_either() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        # The line is kept open after an answer; when it breaks, aiohttp itself would send a cancel or a read again.
        await client.place_order(limit_order())
        exchange.will("DELETE", ORDER, Answer(drop=True))
        assert isinstance(await client.cancel_order("BTC/USDT", "wb-1"), Unknown)
        assert exchange.count("DELETE", ORDER) == 1
        exchange.will("GET", "/api/v3/account", Answer(drop=True))
        with pytest.raises(ExchangeUnavailableError):
            await client.balances()
        assert exchange.count("GET", "/api/v3/account") == 1

    run(test)
