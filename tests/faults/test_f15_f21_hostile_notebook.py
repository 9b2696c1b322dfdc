"""F15, F21: a notebook tries in its cells all it can think of to reach real money; nothing is sent.

The practice exchange stands for the real one: clients take it for that. What such a notebook cannot be kept from is to
read this user's files and speak to an exchange without any of this package; see `RealTradingGate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile_cells import run_cells
from tests.real_money import BTC, RISK, Vault
from workbench.exchange.practice import PracticeConfig, PracticeExchange

START = f"""
import asyncio, importlib, json, os, subprocess, sys
import workbench as wb
from workbench.errors import RealTradingDisabledError
from workbench.exchange import ClientSettings, OrderTicket, find_practice_exchange, practice_client
from workbench.exchange.practice.registry import find_practice_exchange
address = find_practice_exchange(plays_real=True)
limits = dict(stop_loss=0.02, max_order_notional=100.0, max_position_notional=200.0, max_orders_per_minute=5,
              price_collar=0.05, daily_loss_limit=0.05, max_drawdown=0.1)
sentence = {{sentence!r}}
order = OrderTicket(client_order_id="wb-1", symbol="{BTC}", side="buy", quantity=0.001)
def live(confirm=sentence, **changes):
    return wb.live(wb.strategy.buy_and_hold(), exchange="practice", key="main", symbol="{BTC}", timeframe="1m",
                   risk=wb.RiskConfig(**(limits | changes)), confirm=confirm, inline=True)
def sent(make):
    async def go():
        client = make()
        try:
            return await client.place_order(order)
        finally:
            await client.close()
    return asyncio.run(go())
address.plays_real
"""
BY_HAND = """
sent(lambda: practice_client(address))
"""
BARE_CCXT = """
from workbench.exchange.ccxt_client.build import build_async_exchange
from workbench.exchange.credentials import Credentials
async def go():
    exchange = build_async_exchange(ClientSettings(exchange="practice", base_url=address.url,
                                                   credentials=Credentials(address.key, address.secret)))
    try:
        return await exchange.create_order("BTC/USDT", "market", "buy", 0.001)
    finally:
        await exchange.close()
asyncio.run(go())
"""
FAKE_PERMIT = """
from workbench.exchange import CcxtClient
from workbench.exchange.credentials import Credentials
class Permit:
    credentials = Credentials(address.key, address.secret)
    covers = lambda self, *_: True
    refusal = lambda self, *_: None
sent(lambda: CcxtClient(ClientSettings(exchange="practice", base_url=address.url, credentials=Permit.credentials,
                                       permit=Permit())))
"""
PAPER = """
from workbench.live.exchange_source import ExchangeSource
wb.LiveSessionConfig(name="paper", strategy=wb.strategy.buy_and_hold(), symbols=("BTC/USDT",), timeframe="1m",
                     source=ExchangeSource("practice", address=address), execution="exchange")
"""
ARM_BY_PIPE = """
done = subprocess.run([sys.executable, "-c", "import sys; from workbench.cli import main; sys.exit(main())", "arm",
                       "main", "--symbols", "BTC/USDT", "--max-order-notional", "1e6", "--max-position-notional", "1e6",
                       "--max-daily-loss", "1"], input="yes\\n" * 9, text=True, capture_output=True)
f"{done.returncode} {done.stderr}"
"""
FORGED_FILE = """
import time
from pathlib import Path
folder = Path(os.environ["XDG_CONFIG_HOME"]) / "workbench" / "armed"
folder.mkdir(mode=0o700, exist_ok=True)
now = time.time_ns()
caps = dict(max_order_notional=1e9, max_position_notional=1e9, max_daily_notional=1e9, max_orders_per_minute=1000,
            price_collar=0.9, max_daily_loss=1.0, max_drawdown=1.0)
boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
text = json.dumps(dict(version=1, account="main", exchange="practice", symbols=["BTC/USDT"], caps=caps, made_ns=now,
                       expires_ns=now + 3_600_000_000_000, boot=boot, seal="0" * 64))
with open(os.open(folder / "main.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
    file.write(text)
live()
"""
OTHER_FOLDER = """
os.environ["XDG_CONFIG_HOME"] = os.environ["WORKBENCH_CONFIG_DIR"] = "/nowhere"
from workbench.exchange.real_money import config_folder, started_environment
str(config_folder(started_environment()))
"""
HIDDEN_CHILD = """
from workbench.exchange.real_money import child_environment
child = "from workbench.exchange.real_money import started_environment as started; print(started().get('%s'))"
child = child % "WORKBENCH_ENABLE_REAL_TRADING"
subprocess.run([sys.executable, "-c", child], env=child_environment(), text=True, capture_output=True).stdout.strip()
"""


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PracticeExchange]:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    config = PracticeConfig(is_registered=True, plays_real=True)
    with PracticeExchange([BTC], speed=60, config=config) as exchange:
        yield exchange
        assert exchange.orders() == []
        assert exchange.trades() == []


def vault_of(exchange: PracticeExchange, folder: Path) -> Vault:
    return Vault(folder, key=exchange.credentials.key, secret=exchange.credentials.secret)


def cells_of(vault: Vault, *cells: str) -> list[str]:
    return [START.replace("{sentence!r}", repr(vault.terms(RISK).sentence)), *cells]


def test_armed_account_is_out_of_reach_of_a_process_that_was_not_started_for_it(
    exchange: PracticeExchange, tmp_path: Path
) -> None:
    vault = vault_of(exchange, tmp_path)
    vault.arm_now()
    cells = cells_of(
        vault,
        "%env WORKBENCH_ENABLE_REAL_TRADING=1\nlive()",
        "os.environ['WORKBENCH_ENABLE_REAL_TRADING'] = '1'\nos.putenv('WORKBENCH_ENABLE_REAL_TRADING', '1')\nlive()",
        "import workbench.exchange.real_money.started as started\nimportlib.reload(started)\nlive()",
        BY_HAND,
        BARE_CCXT,
        FAKE_PERMIT,
        PAPER,
        HIDDEN_CHILD,
        "wb.sessions()",
    )
    answers, printed = run_cells(cells, tmp_path, is_switched_on=False)
    assert answers[0] == ("", "True")
    for answer in answers[1:4]:
        assert answer.error == "RealTradingDisabledError"
        assert "WORKBENCH_ENABLE_REAL_TRADING=1 must be set where this process is started" in answer.text
    assert [answer.error for answer in answers[4:7]] == ["RealTradingDisabledError"] * 3
    assert answers[7].error == "ConfigError"
    assert answers[8] == ("", "None")
    assert answers[9] == ("", "()")
    assert vault.secret not in printed


def test_process_that_was_started_for_it_is_held_by_arming_sentence_and_caps(
    exchange: PracticeExchange, tmp_path: Path
) -> None:
    vault = vault_of(exchange, tmp_path)
    cells = cells_of(
        vault, "live()", ARM_BY_PIPE, FORGED_FILE, OTHER_FOLDER, BY_HAND, "[str(one.state) for one in wb.sessions()]"
    )
    answers, printed = run_cells(cells, tmp_path, is_switched_on=True)
    assert answers[1].error == "RealTradingDisabledError"
    assert "is not armed" in answers[1].text
    assert answers[2].text.startswith("1 ")
    assert "asks a person: run it in a terminal" in answers[2].text
    assert answers[3].error == "RealTradingDisabledError"
    assert "it was not made by `workbench arm` for this key" in answers[3].text
    assert answers[4] == ("", str(tmp_path / "config" / "workbench"))
    assert answers[5].error == "RealTradingDisabledError"
    assert answers[6] == ("", "['PREPARED']")  # made, and never started
    assert vault.secret not in printed


def test_armed_process_still_wants_the_sentence_and_keeps_to_the_caps(
    exchange: PracticeExchange, tmp_path: Path
) -> None:
    vault = vault_of(exchange, tmp_path)
    vault.arm_now()
    raised = f"""
path = {str(vault.armed_file)!r}
document = json.load(open(path))
document["caps"]["max_order_notional"] = 1e9
json.dump(document, open(path, "w"))
live()
"""
    cells = cells_of(
        vault,
        "live(confirm=None)",
        "live(confirm='yes')",
        "live(max_order_notional=200.0)",
        "wide = sentence.replace('100 USDT', '200 USDT')\nlive(confirm=wide, max_order_notional=200.0)",
        "live(max_drawdown=None)",
        raised,
    )
    answers, printed = run_cells(cells, tmp_path, is_switched_on=True)
    for answer in answers[1:4]:
        assert answer.error == "RealTradingDisabledError"
        assert "to start it pass confirm='trade real money on practice with key main: BTC/USDT" in answer.text
    assert "beyond what 'main' is armed for: max_order_notional must be at most 100, was 200" in answers[4].text
    assert answers[5].error == "ConfigError"
    assert "it was not made by `workbench arm` for this key" in answers[6].text
    assert vault.secret not in printed
    assert vault.key not in json.dumps(answers)
