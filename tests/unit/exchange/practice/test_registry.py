"""How other processes find a running exchange, and what they may command."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.exchange.practice.ccxt_clients import sync_client
from workbench.errors import ConfigError, ExchangeUnavailableError
from workbench.exchange.practice import (
    PracticeAddress,
    PracticeConfig,
    PracticeExchange,
    PracticeRemote,
    SteppedClock,
    find_practice_exchange,
)
from workbench.exchange.practice.__main__ import main
from workbench.exchange.practice.registry import register

REGISTERED = PracticeConfig(is_registered=True)
NOBODY = 4_194_304  # above the highest process number there can be


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run"


def address(**changes: object) -> PracticeAddress:
    return PracticeAddress(**({"url": "http://127.0.0.1:1", "key": "k", "secret": "s", "speed": 1.0} | changes))


def test_nothing_runs_nothing_is_found(folder: Path) -> None:
    assert find_practice_exchange() is None
    assert not folder.exists()


def test_registered_exchange_is_found_until_it_stops(folder: Path) -> None:
    with PracticeExchange(["BTC/USDT"], config=REGISTERED) as exchange:
        found = find_practice_exchange()
        assert found == exchange.address
        (path,) = folder.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_exchange_that_was_not_registered_is_not_found() -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()):
        assert find_practice_exchange() is None


def test_last_started_exchange_is_found_first() -> None:
    with PracticeExchange(["BTC/USDT"], config=REGISTERED) as first:
        path = register(first.address)
        os.utime(path, ns=(0, 0))
        with PracticeExchange(["BTC/USDT"], config=REGISTERED) as second:
            assert find_practice_exchange() == second.address
        assert find_practice_exchange() == first.address


def test_exchange_is_found_by_its_url() -> None:
    with PracticeExchange(["BTC/USDT"], config=REGISTERED) as first:
        os.utime(register(first.address), ns=(0, 0))
        with PracticeExchange(["BTC/USDT"], config=REGISTERED) as second:
            assert find_practice_exchange(first.url) == first.address
            assert find_practice_exchange(second.url) == second.address
        assert find_practice_exchange(second.url) is None


def test_file_of_a_dead_process_is_ignored_and_removed() -> None:
    path = register(address(pid=NOBODY))
    assert find_practice_exchange() is None
    assert not path.exists()


def test_file_of_a_live_process_that_does_not_answer_is_ignored() -> None:
    path = register(address())
    assert find_practice_exchange() is None
    assert path.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"url": "http://127.0.0.1:1"}'])
def test_file_with_nonsense_is_ignored(text: str) -> None:
    register(address()).write_text(text)
    assert find_practice_exchange() is None


def test_file_that_others_can_write_or_a_link_is_not_believed(folder: Path) -> None:
    with PracticeExchange(["BTC/USDT"], config=REGISTERED):
        (path,) = folder.iterdir()
        path.chmod(0o644)
        assert find_practice_exchange() is None
        path.chmod(0o600)
        assert find_practice_exchange() is not None
        elsewhere = path.rename(folder / "elsewhere")
        path.symlink_to(elsewhere)
        assert find_practice_exchange() is None
        path.unlink()


@pytest.mark.parametrize(
    "url",
    ["http://example.com:80", "https://127.0.0.1:1", "http://127.0.0.1:1@example.com", "http://localhost:1", "x"],
)
def test_address_elsewhere_cannot_be_made(url: str) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1"):
        address(url=url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_of_its_own_is_found_serves_and_ends_cleanly(folder: Path, number: signal.Signals) -> None:
    options = ["--port", "0", "--speed", "60", "--start", "2024-02-29", "BTC/USDT"]
    command = [sys.executable, "-m", "workbench.exchange.practice", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = find_practice_exchange()
            assert found is not None
            assert found.url in line
            assert (found.pid, found.speed) == (process.pid, 60.0)
            assert found.start_ns == 1_709_164_800_000_000_000  # 2024-02-29 00:00 UTC
            remote = PracticeRemote(found)
            assert remote.state()["spot"] == ["BTC/USDT"]
            process.send_signal(number)
            assert process.wait(90) == 0
        finally:
            process.kill()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--speed", "5000"], "speed must be in [1, 1000], was 5000.0\n"),
        (["--start", "soon"], "start must be ISO 8601 text"),
        (["--start", "1999-01-01"], "start must be in the years 2009 to 2099"),
        (["--start", "2010-01-01"], "give it a clock that starts inside"),
        (["btcusdt"], "symbol must look like"),
    ],
)
def test_process_refuses_bad_options_in_one_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_looking_for_an_exchange_loads_no_server_and_no_client() -> None:
    code = "import sys, workbench.exchange.practice\nprint({'aiohttp', 'ccxt', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout == "set()\n"


def test_remote_orders_faults_and_sees_their_hits(exchange: PracticeExchange) -> None:
    remote = PracticeRemote(exchange.address)
    remote.add_fault("rate_limited", where="GET /api/v3/klines", times=2, seconds=3)
    assert exchange.faults.strike("rate_limited", "GET /api/v3/klines").seconds == 3
    (fault,) = remote.state()["faults"]
    assert (fault["hits"], fault["times"]) == (1, 1)
    remote.set_skew(500)
    remote.revoke_key()
    remote.clear_faults()
    assert remote.state()["faults"] == []
    assert sync_client(exchange).fetch_balance()["free"]["USDT"] == 10_000


def test_remote_edits_balances_and_trades_as_somebody_else(exchange: PracticeExchange) -> None:
    remote = PracticeRemote(exchange.address)
    remote.set_balance("BTC", 2.5)
    number = remote.trade_as_other("BTC/USDT", "sell", 0.5)
    assert exchange.trades()[0].order_id == number
    assert exchange.balances()["BTC"] == 2
    remote.drop_connections()


@pytest.mark.parametrize(
    "command",
    [
        lambda remote: remote.add_fault("explode"),
        lambda remote: remote.add_fault("dropped", times=0),
        lambda remote: remote.add_fault("dropped", seconds=-1),
        lambda remote: remote.set_balance("BTC", -1),
        lambda remote: remote.set_balance("BTC", float("nan")),
        lambda remote: remote.trade_as_other("BTC/USDT", "buy", 1_000),
        lambda remote: remote.trade_as_other("NO/SUCH", "buy", 1),
    ],
)
def test_remote_is_told_why_a_command_is_refused(exchange: PracticeExchange, command: object) -> None:
    with pytest.raises(ConfigError, match=r"^the practice exchange refuses: [^{]"):
        command(PracticeRemote(exchange.address))
    assert exchange.orders() == []


def test_drill_of_an_unknown_kind_names_those_there_are_or_the_nearest(exchange: PracticeExchange) -> None:
    remote = PracticeRemote(exchange.address)
    asked = {"where": None, "times": 1, "seconds": 1.0}
    with pytest.raises(ConfigError, match=r"no fault of the kind 'silent_streem'; did you mean 'silent_stream'\?$"):
        remote.drill("silent_streem", **asked)
    with pytest.raises(
        ConfigError, match="'lost'; kinds are clear, connection_lost, clock_skew, executed_then_dropped"
    ):
        remote.drill("lost", **asked)
    assert remote.state()["faults"] == []
    remote.drill("silent_stream", **asked)
    assert [fault["kind"] for fault in remote.state()["faults"]] == ["silent_stream"]
    remote.drill("clear", **asked)
    assert remote.state()["faults"] == []


def test_command_without_the_key_is_refused(exchange: PracticeExchange) -> None:
    stranger = address(url=exchange.url, key="wrong")
    with pytest.raises(ConfigError, match="refuses: Invalid API-key"):
        PracticeRemote(stranger).state()
    assert not stranger.answers()


def test_remote_of_nobody_is_an_error_of_its_own() -> None:
    with pytest.raises(ExchangeUnavailableError, match="does not answer"):
        PracticeRemote(address()).state()
