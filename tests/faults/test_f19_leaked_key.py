"""F19: the key of a session with real money shows nowhere: not in what it says, keeps, logs or raises."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.practice_session import BTC, staged
from tests.real_money import RISK, Vault
from tests.scripted_exchange import KEY, ORDER, SECRET, Answer, ScriptedExchange, limit_order, run
from workbench.errors import ExchangeError
from workbench.exchange import CcxtClient, Credentials, Unknown
from workbench.exchange.practice import PracticeExchange
from workbench.exchange.real_money import RealTradingPermit, load_key
from workbench.live.exchange_source import ExchangeSource
from workbench.strategy import buy_and_hold

TICKS = [(second, 100.0) for second in range(0, 300, 10)]


def test_key_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # It tells pages of what it compiles, and knows no keys.
    caplog.set_level(logging.WARNING, "numba")
    vaults: list[Vault] = []

    def open_source(exchange: PracticeExchange) -> ExchangeSource:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        vault.arm()
        vaults.append(vault)
        return ExchangeSource(
            "practice", address=exchange.address, clock=exchange.clock, consent=vault.consent(), gate=vault.gate()
        )

    with staged(TICKS, buy_and_hold(), open_source=open_source, risk=RISK, name="real-leaks") as stage:
        stage.play(65, bars=1)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        # A revoked key makes the exchange, ccxt and the session speak of keys.
        stage.exchange.revoke_key()
        stage.session.flatten()
        stage.play(60, bars=2)
        stage.wait_told("was refused")
        vault, session = vaults[0], stage.session
        stored = load_key(vault.folder, "main")
        permit = RealTradingPermit(vault.gate(), vault.consent())
        source = session.config.source
        shown = [
            *map(repr, (session, session.config, source, source.consent, permit, permit.credentials, stored)),
            *(f"{event!r} {event}" for event in session.events()),
            *(f"{error!r}" for error in session.errors()),
            repr(session.metrics()),
            repr(vars(permit.credentials.__class__)),
            caplog.text,
        ]
        text = "\n".join(shown)
        assert BTC in text
        for name in ("key", "secret"):
            assert getattr(vault, name) not in text, name
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        holders = {path.relative_to(vault.folder).as_posix() for path in kept if vault.secret in path.read_text()}
        assert holders == {"keys/main.json"}
        assert "secret" not in json.loads(vault.armed_file.read_text())
        assert vault.secret.encode() not in Path("/proc/self/cmdline").read_bytes()


FAILURES = [
    Answer(drop=True),
    Answer(status=503, body="busy"),
    Answer(status=200, body="<html>Welcome</html>"),
    Answer(status=401, body={"code": -2015, "msg": f"Invalid API-key {KEY}, IP, or permissions for action."}),
    Answer(status=400, body={"code": -1022, "msg": f"Signature is not valid for {SECRET}."}),
    Answer(status=400, body={"code": -9999, "msg": "Something else."}),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: f"{one.status} {one.body}"[:12])
def test_no_error_of_a_signed_request_shows_key_or_signature(failure: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """The errors of ccxt hold the address of the request, with its signature, and keys in their frames."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    def keep(error: Exception) -> None:
        # As a notebook shows it with all local variables, and what it came from.
        told = traceback.TracebackException.from_exception(error, capture_locals=False)
        said.extend((repr(error), str(error), repr(vars(error)), *told.format(chain=True)))
        assert error.__cause__ is None
        assert error.__context__ is None
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "ccxt_client" not in frame.f_code.co_filename and "/ccxt/" in frame.f_code.co_filename:
                raise AssertionError(f"a frame of ccxt hangs on it: {frame}")

    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        await client.measure_clock()
        for path, ask in (
            ("/api/v3/account", client.balances),
            ("/api/v3/openOrders", lambda: client.open_orders(BTC)),
            ("/api/v3/myTrades", lambda: client.own_trades(BTC)),
            (ORDER, lambda: client.order(BTC, "wb-0")),
        ):
            exchange.will("GET", path, failure)
            with pytest.raises(ExchangeError) as caught:
                await ask()
            keep(caught.value)
        exchange.will("POST", ORDER, failure)
        said.append(repr(await client.place_order(limit_order())))
        exchange.will("DELETE", ORDER, failure)
        said.append(repr(await client.cancel_order(BTC, "wb-1")))
        said.append(repr(client))
        signatures = [query["signature"] for _, _, query in exchange.requests if "signature" in query]
        assert len(signatures) >= 6
        text = "\n".join([*said, caplog.text])
        for canary in (KEY, SECRET, *signatures):
            assert canary not in text

    run(test)


def test_signature_in_the_words_of_an_error_is_hidden() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(drop=True))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Unknown)
        (signature,) = [query["signature"] for way, _, query in exchange.requests if way == "POST"]
        assert signature not in outcome.reason
        # What ccxt itself says of it has the signature: without the filter it would stand in the reason.
        hidden: Any = client._exchange  # noqa: SLF001 - what ccxt itself does is the fact under test
        exchange.will("GET", "/api/v3/account", Answer(drop=True))
        with pytest.raises(Exception, match=r"signature=[0-9a-f]{64}"):
            await hidden.fetch_balance()

    run(test)


def test_no_key_is_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Credentials(label="main", key=KEY, secret=SECRET))
