"""Nothing that can be looked at, written or raised shows a key, a secret or a signature."""

import asyncio
import copy
import gc
import io
import json
import logging
import pickle
import traceback
from typing import Any

import pytest

from tests.scripted_exchange import KEY, ORDER, SECRET, Answer, ScriptedExchange, connected, limit_order, trade_message
from workbench.errors import ConfigError, WorkbenchError
from workbench.exchange import CcxtClient, ClientSettings, Credentials

ACCOUNT = "/api/v3/account"


def everything_of(value: object, depth: int = 4, seen: set[int] | None = None) -> str:
    """Return what a debugger shows of an object and of all that hangs on it, some levels deep."""
    seen = set() if seen is None else seen
    shown = [repr(value), str(value)]
    if depth and id(value) not in seen:
        seen.add(id(value))
        inside = list(getattr(value, "__dict__", {}).values())
        inside += [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
        inside += list(value.values()) if isinstance(value, dict) else []
        inside += list(value) if isinstance(value, list | tuple | set) else []
        shown += [
            everything_of(one, depth - 1, seen) for one in inside if not isinstance(one, str | int | float | None)
        ]
    return "\n".join(shown)


def as_a_notebook_shows(error: BaseException) -> str:
    """Return an error with the variables of every frame, and everything that it came from."""
    told = [everything_of(error, 2)]
    seen: BaseException | None = error
    while seen is not None:
        kept = traceback.TracebackException.from_exception(seen, capture_locals=True)
        told += list(kept.format(chain=True))
        seen = seen.__cause__ or seen.__context__
    return "\n".join(told)


async def everything_that_fails(exchange: ScriptedExchange, client: CcxtClient) -> list[Any]:
    """Make a client fail in every way, and return all that came of it."""
    results: list[Any] = []

    async def note(call: Any) -> None:
        try:
            results.append(await call)
        except WorkbenchError as error:
            results.append(error)

    bodies = [
        {"drop": True},
        {"body": "<html>" + KEY},
        {"status": 400, "body": {"code": -2015, "msg": f"Invalid API-key {KEY}, IP, or permissions for action."}},
        {"status": 401, "body": {"code": -2014, "msg": "API-key format invalid."}},
        {"status": 400, "body": {"code": -1022, "msg": "Signature for this request is not valid."}},
        {"status": 400, "body": {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}},
        {"status": 404, "body": "no such page"},
        {"status": 429, "body": {"code": -1003, "msg": "too many"}, "headers": {"Retry-After": "0"}},
        {"status": 503, "body": "<html>busy</html>"},
    ]
    for number, body in enumerate(bodies):
        exchange.will("GET", ACCOUNT, Answer(**body))
        exchange.will("POST", ORDER, Answer(**body))
        exchange.will("DELETE", ORDER, Answer(**body))
        exchange.will("GET", ORDER, Answer(**body))
        await note(client.balances())
        await note(client.place_order(limit_order(f"wb-{number}")))
        await note(client.cancel_order("BTC/USDT", f"wb-{number}"))
        await note(client.order("BTC/USDT", f"wb-{number}"))
    await note(client.place_order(limit_order("good")))
    await note(client.balances())
    stream = client.watch_own(["BTC/USDT"], poll_s=0.02)
    listening = asyncio.ensure_future(anext(stream))
    await exchange.subscribed("user")
    await exchange.hang_up("user")
    results.append(await listening)
    await stream.aclose()
    return results


def test_no_artefact_holds_a_key_a_secret_or_a_signature(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    handler = logging.StreamHandler(log := io.StringIO())
    caplog.set_level(logging.DEBUG)
    logging.getLogger().addHandler(handler)

    async def test() -> tuple[list[str], ScriptedExchange]:
        async with connected() as (exchange, client):
            results = await everything_that_fails(exchange, client)
            shown = [
                as_a_notebook_shows(one) if isinstance(one, BaseException) else everything_of(one) for one in results
            ]
            assert sum(isinstance(one, BaseException) for one in results) > 10
            hidden: Any = client._exchange  # noqa: SLF001 - what a debugger reaches
            shown += [everything_of(client, 3), repr(vars(hidden))]
            shown += [repr(getattr(hidden, name, "")) for name in dir(hidden) if name.startswith("last")]
            return shown, exchange

    try:
        shown, exchange = asyncio.run(asyncio.wait_for(test(), 30))
    finally:
        logging.getLogger().removeHandler(handler)
    printed = capfd.readouterr()
    outputs = [{"output_type": "stream", "text": text} for text in (*shown, printed.out, printed.err)]
    notebook = json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}]}) + log.getvalue() + caplog.text
    signatures = [params["signature"] for _, _, params in exchange.requests if params and "signature" in params]
    assert len(signatures) > 20
    assert {*exchange.seen_keys} == {None, KEY}
    assert [what for what in (KEY, SECRET, *signatures) if what in notebook] == []


def test_the_search_above_would_find_them() -> None:
    leak = ConfigError(f"bad key {KEY}")
    assert KEY in as_a_notebook_shows(leak)
    assert KEY in everything_of({"settings": [{"key": KEY}]})


def test_credentials_show_their_label_alone() -> None:
    credentials = Credentials(KEY, SECRET, password="pass-word-1", uid="user-id-1", label="demo")  # noqa: S106 - made up
    for text in (repr(credentials), str(credentials), f"{credentials}", f"{credentials!r:>40}"):
        assert "demo" in text
        assert KEY not in text
    shown = everything_of(credentials) + everything_of(
        ClientSettings(exchange="practice", base_url="http://127.0.0.1:1", credentials=credentials)
    )
    assert [one for one in (KEY, SECRET, "pass-word-1", "user-id-1") if one in shown] == []
    with pytest.raises(TypeError):
        vars(credentials)
    assert (credentials.reveal("apiKey"), credentials.reveal("secret")) == (KEY, SECRET)
    assert credentials.reveal("uid") == "user-id-1"
    assert credentials.reveal("nothing") is None


def test_credentials_are_neither_pickled_nor_copied() -> None:
    credentials = Credentials(KEY, SECRET)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(credentials)
    assert copy.copy(credentials) is copy.deepcopy(credentials) is credentials


@pytest.mark.parametrize(
    ("key", "secret"), [("", SECRET), (KEY, ""), (None, SECRET), (KEY, "short"), (b"bytes-bytes", SECRET)]
)
def test_key_that_is_none_is_refused_without_showing_it(key: Any, secret: Any) -> None:
    with pytest.raises(ConfigError, match="of 'unnamed' must be text of at least 8 characters") as caught:
        Credentials(key, secret)
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_ccxt_object_refuses_what_would_show_the_key() -> None:
    async def test() -> None:
        async with connected() as (_, client):
            hidden: Any = client._exchange  # noqa: SLF001 - nobody should reach it
            with pytest.raises(ConfigError, match="verbose must be off"):
                hidden.verbose = True
            with pytest.raises(ConfigError, match="must be given as credentials"):
                hidden.apiKey = "another"
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(hidden)
            assert hidden.verbose is False

    asyncio.run(asyncio.wait_for(test(), 20))


@pytest.mark.parametrize("name", ["apiKey", "secret", "password", "uid", "verbose"])
def test_options_hold_no_secrets(name: str) -> None:
    with pytest.raises(ConfigError, match=f"options must not set {name}"):
        ClientSettings(exchange="binance", options={"inner": {name: "x"}})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /order?symbol=A&signature=0123", "GET /order?***"),
        ('{"apiKey": "abc", "symbol": "A"}', '{"apiKey": "***", "symbol": "A"}'),
        ("signature=0123&symbol=A", "signature=***&symbol=A"),
        ("X-MBX-APIKEY: abc", "X-MBX-APIKEY: ***"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_redaction_takes_out_what_is_signed(text: str, shown: str) -> None:
    assert Credentials(KEY, SECRET).redact(text) == shown


def test_nothing_is_left_open() -> None:
    async def test() -> None:
        async with connected() as (exchange, client):
            await client.balances()
            stream = client.watch_trades("BTC/USDT")
            listening = asyncio.ensure_future(anext(stream))
            await exchange.subscribed("market")
            await exchange.send("market", trade_message(1))
            await listening
            await stream.aclose()
            await client.close()
            await client.close()

    asyncio.run(asyncio.wait_for(test(), 20))
    gc.collect()
