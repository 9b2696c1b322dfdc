"""F19: the key of a session with real money shows nowhere: not in what it says, keeps, logs or raises."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.practice_session import BTC, staged
from tests.real_money import RISK, Vault
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
