"""F20: a key that may withdraw is refused where the exchange tells; where it does not, its owner must have said no."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.real_money import Vault
from workbench.errors import RealTradingDisabledError
from workbench.exchange import practice_client
from workbench.exchange.ccxt_client.account_desk import AccountDesk
from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock
from workbench.exchange.real_money import RealTradingPermit, load_key, store_key

CONFIG = PracticeConfig(plays_real=True)


def check_key(vault: Vault, exchange: PracticeExchange) -> None:
    permit = RealTradingPermit(vault.gate(), vault.consent())

    async def ask() -> None:
        client = practice_client(exchange.address, clock=exchange.clock, permit=permit)
        try:
            await client.require_safe_key()
        finally:
            await client.close()

    asyncio.run(ask())


@pytest.mark.parametrize("may_withdraw", [False, True])
def test_exchange_that_tells_is_believed(tmp_path: Path, *, may_withdraw: bool) -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock(), config=CONFIG) as exchange:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        vault.arm()
        if not may_withdraw:
            check_key(vault, exchange)
            return
        exchange.faults.add("key_may_withdraw")
        with pytest.raises(RealTradingDisabledError, match=r"Credentials\(main\) may withdraw; make a key"):
            check_key(vault, exchange)


@pytest.mark.parametrize("owner", ["no", "unknown", "yes"])
def test_exchange_that_does_not_tell_leaves_it_to_the_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    async def silent(_desk: AccountDesk) -> None:
        return None

    monkeypatch.setattr(AccountDesk, "may_withdraw", silent)
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock(), config=CONFIG) as exchange:
        vault = Vault(tmp_path, key=exchange.credentials.key, secret=exchange.credentials.secret)
        (vault.folder / "keys" / "main.json").unlink()
        address = exchange.address
        store_key(vault.folder, "main", exchange="practice", key=address.key, secret=address.secret, can_withdraw=owner)
        assert load_key(vault.folder, "main").can_withdraw == owner
        vault.arm()
        if owner == "no":
            check_key(vault, exchange)
            return
        with pytest.raises(RealTradingDisabledError, match="may withdraw"):
            check_key(vault, exchange)
