import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.real_money import KEY, SECRET, Vault
from workbench.cli import main
from workbench.exchange.real_money import load_key, read_arming

CALL = [sys.executable, "-c", "import sys; from workbench.cli import main; sys.exit(main())"]
LIMITS = ["--symbols", "BTC/USDT", "--max-order-notional", "100", "--max-position-notional", "250"]
ARM = ["arm", "main", *LIMITS, "--max-daily-loss", "0.02"]
SENTENCE = "arm main on practice: BTC/USDT, at most 100 USDT an order"


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    vault = Vault(tmp_path)
    # The folder of this process is its user's own, and stays out of it.
    monkeypatch.setattr("workbench.cli_arming._folder", lambda: vault.folder)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(vault.jupyter))
    return vault


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a person sit at a terminal and type lines."""

    def types(*lines: str) -> None:
        left = iter(lines)
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("builtins.input", lambda _prompt="": next(left))
        monkeypatch.setattr("getpass.getpass", lambda _prompt="": next(left))

    return types


class Terminal:
    def isatty(self) -> bool:
        return True


def test_arming_takes_the_sentence_and_says_what_it_allows(
    vault: Vault, person: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    person(SENTENCE)
    assert main([*ARM, "--expires", "90m"]) == 0
    told = capsys.readouterr().out
    assert f"To allow it, type:\n  {SENTENCE}" in told
    assert "at most 100 USDT an order, 250 USDT a position, 2500 USDT a day, 10 orders a minute" in told
    assert "daily loss 2 %, drawdown 4 %" in told  # twice the daily loss
    arming = read_arming(vault.folder, "main", load_key(vault.folder, "main").credentials)
    assert arming is not None
    assert arming.expires_ns - arming.made_ns == 90 * 60 * 1_000_000_000
    assert vault.armed_file.stat().st_mode & 0o777 == 0o600
    assert main(["arm", "--list"]) == 0
    assert capsys.readouterr().out.startswith("main on practice: BTC/USDT; at most 100 USDT an order")
    assert main(["disarm", "main"]) == 0
    assert main(["disarm", "main"]) == 0
    assert capsys.readouterr().out == "main was disarmed\nmain was not armed\n"
    assert main(["arm", "--list"]) == 0
    assert capsys.readouterr().out == "nothing is armed\n"


@pytest.mark.parametrize("typed", ["", "yes", SENTENCE.upper(), SENTENCE + " ", SENTENCE.replace("100", "1000")])
def test_anything_else_arms_nothing(vault: Vault, person: Any, capsys: pytest.CaptureFixture[str], typed: str) -> None:
    person(typed)
    assert main(ARM) == 1
    assert "nothing was armed" in capsys.readouterr().err
    assert not vault.armed_file.exists()


@pytest.mark.parametrize("words", [ARM, ["keys", "add", "other", "--exchange", "practice"]], ids=["arm", "keys"])
def test_who_has_no_terminal_is_refused(
    vault: Vault, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    class Pipe:
        def isatty(self) -> bool:
            return False

    monkeypatch.setattr("sys.stdin", Pipe())
    assert main(words) == 1
    assert "asks a person: run it in a terminal, not from a notebook" in capsys.readouterr().err
    assert not vault.armed_file.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["arm"], "arm needs the name of a key"),
        (["arm", "main"], "arm needs --symbols, --max-order-notional, --max-position-notional, --max-daily-loss"),
        ([*ARM, "--expires", "25h"], "at most 24 h, was 25 h"),
        ([*ARM, "--expires", "8"], "expires must be a time such as 90m or 8h, was '8'"),
        ([*ARM, "--expires", "0h"], "must last more than 0"),
        ([*ARM, "--max-order-notional", "nan"], "max_order_notional must be in (0, inf), was nan"),
        ([*ARM, "--max-daily-loss", "2"], "max_daily_loss must be in (0, 1], was 2.0"),
        (["arm", "nobody", *ARM[2:]], "there is no key 'nobody', there are: main"),
        (["arm", "../main", *ARM[2:]], "account must be 1 to 64 of a-z"),
        (["disarm", "../main"], "account must be 1 to 64 of a-z"),
        (["keys", "remove", "../keys/main"], "account must be 1 to 64 of a-z"),
    ],
)
def test_bad_words_are_named(
    vault: Vault, person: Any, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    person(SENTENCE)
    assert main(words) == 1
    assert reason in capsys.readouterr().err
    assert not vault.armed_file.exists()
    assert load_key(vault.folder, "main").name == "main"


def test_open_notebook_server_stops_the_arming(vault: Vault, person: Any, capsys: pytest.CaptureFixture[str]) -> None:
    info = {"pid": os.getpid(), "url": "http://localhost:8888/", "hostname": "localhost", "token": ""}
    (vault.jupyter / "jpserver-1.json").write_text(json.dumps(info))
    person(SENTENCE)
    assert main(ARM) == 1
    assert "the notebook server at http://localhost:8888/ asks for no token" in capsys.readouterr().err


def test_key_is_added_once_listed_without_it_and_removed(
    vault: Vault, person: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["keys", "add", "other", "--exchange", "kraken", "--passphrase"]
    person("key-0123456789", "secret-0123456789", "passphrase", "no")
    assert main(words) == 0
    stored = load_key(vault.folder, "other")
    assert (stored.exchange, stored.can_withdraw) == ("kraken", "no")
    assert stored.credentials.reveal("password") == "passphrase"
    person("key-9876543210", "secret-9876543210", "passphrase", "no")
    assert main(words) == 1
    assert main(["keys", "ls"]) == 0
    told = capsys.readouterr()
    assert "there is a key 'other' already" in told.err
    assert told.out.endswith("main  practice  may withdraw: no\nother  kraken  may withdraw: no\n")
    assert "0123456789" not in told.out + told.err
    assert main(["keys", "remove", "other"]) == 0
    assert main(["keys", "ls"]) == 0
    assert capsys.readouterr().out.endswith("main  practice  may withdraw: no\n")


@pytest.mark.parametrize(
    ("answer", "reason"), [("yes", "make one at kraken that may only trade"), ("maybe", "can_withdraw must be one of")]
)
def test_key_that_may_withdraw_is_not_added(
    vault: Vault, person: Any, capsys: pytest.CaptureFixture[str], answer: str, reason: str
) -> None:
    person("key-0123456789", "secret-0123456789", answer)
    assert main(["keys", "add", "other", "--exchange", "kraken"]) == 1
    assert reason in capsys.readouterr().err
    assert not (vault.folder / "keys" / "other.json").exists()


def test_arming_goes_with_its_key(vault: Vault) -> None:
    vault.arm()
    assert main(["keys", "remove", "main"]) == 0
    assert not vault.armed_file.exists()


def test_at_a_real_terminal_the_key_is_not_shown(tmp_path: Path) -> None:
    main_end, terminal = os.openpty()
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    words = ["keys", "add", "main", "--exchange", "practice"]
    with subprocess.Popen(
        [*CALL, *words],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        stop = threading.Timer(30.0, process.kill)
        stop.start()
        told = ""
        for prompt, line in (("key: ", KEY), ("secret: ", SECRET), ("unknown: ", "no")):
            while not told.endswith(prompt):
                letter = process.stdout.read(1)
                assert letter, told
                told += letter
            os.write(main_end, f"{line}\n".encode())
        told += process.stdout.read()
        stop.cancel()
        stop.join()
    echoed = os.read(main_end, 65_536).decode()
    os.close(terminal)
    os.close(main_end)
    assert process.returncode == 0, told
    assert SECRET not in told + echoed
    assert KEY not in told + echoed
    folder = tmp_path / "config" / "workbench"
    assert load_key(folder, "main").credentials.reveal("secret") == SECRET
    assert (folder / "keys" / "main.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
