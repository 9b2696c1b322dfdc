import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import ccxt
import pytest

from tests.unit.data.scripted_exchange import ScriptedExchange
from workbench.cli import main
from workbench.data import CandleStore, Span
from workbench.model.synthetic import synthetic_bars

ROOT = Path(__file__).parents[2]
HOUR = 3_600_000_000_000
CALL = [sys.executable, "-c", "import sys; from workbench.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CandleStore:
    monkeypatch.setenv("WORKBENCH_DATA_DIR", str(tmp_path / "data"))
    return CandleStore()


@pytest.fixture
def filled(store: CandleStore) -> CandleStore:
    hours = synthetic_bars("BTC/USDT", "1h", 100, start="2025-01-01")
    start = int(hours.time_ns[0])
    store.append("testex", hours[:50])
    store.append("testex", hours[60:80], covered=Span(start + 60 * HOUR, start + 90 * HOUR))
    store.append("testex", synthetic_bars("BTC/USDT:USDT", "1m", 1_440, start="2025-01-01"))
    return store


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> ScriptedExchange:
    client = ScriptedExchange(symbols=("BTC/USDT", "ETH/USDT"))
    client.close = lambda: None  # type: ignore[attr-defined] # as ccxt's
    monkeypatch.setattr("workbench.exchange.history.open_candle_client", lambda _: client)
    return client


def test_download_fills_the_store_and_says_what_it_did(
    exchange: ScriptedExchange, store: CandleStore, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["download", "testex", "BTC/USDT", "--since", "2025-01-01", "--until", "2025-01-02", "-q"]
    assert main(words) == 0
    assert capsys.readouterr() == (
        (
            "testex 1m, 2025-01-01T00:00Z to 2025-01-02T00:00Z, 1,440 new candles\n"
            "  BTC/USDT: 1,440 new, 0 before, 2 answers\n"
        ),
        "",
    )
    assert len(store.read("testex", "BTC/USDT", "1m")) == 1_440
    exchange.asked.clear()
    assert main(words) == 0
    assert exchange.asked == []


def test_another_store_can_be_named(exchange: ScriptedExchange, store: CandleStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    words = ["download", "testex", "BTC/USDT", "ETH/USDT", "--since", "2025-01-01", "-q", "--store", str(other)]
    exchange.now = 60
    assert main(words) == 0
    assert store.series() == ()
    assert len(CandleStore(other).series()) == 2


def test_list_of_the_store_is_a_table(filled: CandleStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "ls"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["EXCHANGE", "SYMBOL", "LENGTH", "CANDLES", "FROM", "TO", "SIZE"]
    assert first.split()[:5] == ["testex", "BTC/USDT", "1h", "70", "2025-01-01T00:00Z"]
    assert "2025-01-04T18:00Z in 2 pieces" in first
    assert second.split()[:4] == ["testex", "BTC/USDT:USDT", "1m", "1,440"]
    assert filled.root not in head


def test_empty_store_says_where_it_is(store: CandleStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "ls"]) == 0
    assert capsys.readouterr().out == f"nothing is stored in {store.root}\n"


def test_show_tells_times_holes_and_hash(filled: CandleStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "show", "testex", "BTC/USDT", "1h"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "testex BTC/USDT 1h"
    assert lines[1].startswith("candles  70 in 1 months, ")
    assert lines[2:6] == [
        "covered  2025-01-01T00:00Z to 2025-01-03T02:00Z",
        "covered  2025-01-03T12:00Z to 2025-01-04T18:00Z",
        "holes    1, 10 candles that the exchange does not have",
        "         2025-01-04T08:00Z to 2025-01-04T18:00Z",
    ]
    assert lines[6] == f"sha256   {filled.info('testex', 'BTC/USDT', '1h').content_hash}"


def test_check_of_a_clean_series_is_0_and_of_one_with_a_gap_3(
    filled: CandleStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert filled.series()
    assert main(["data", "check", "testex", "BTC/USDT:USDT", "1m"]) == 0
    assert capsys.readouterr().out.endswith("clean\n")
    assert main(["data", "check", "testex", "BTC/USDT", "1h"]) == 3
    assert "2025-01-03T02:00Z, 10: until 2025-01-03T12:00Z, not downloaded" in capsys.readouterr().out


def test_check_compares_the_content_of_a_series_with_its_hash(
    store: CandleStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("workbench.data.month_file._hash", lambda *_: "0" * 64)
        store.append("testex", synthetic_bars("BTC/USDT", "1h", 50, start="2025-01-01"))
    assert main(["data", "check", "testex", "BTC/USDT", "1h"]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert "2025-01.parquet is damaged: its content does not have the hash that it names" in error


def test_check_of_a_file_takes_its_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = synthetic_bars("BTC/USDT", "1h", 50, start="2025-01-01").to_frame().tz_localize(None).reset_index()
    frame.to_csv(tmp_path / "rows.csv", index=False, sep=";")
    words = ["data", "check", str(tmp_path / "rows.csv"), "BTC/USDT", "1h"]
    assert main(words) == 1
    assert main([*words, "--separator", ";"]) == 1
    assert "has no zone" in capsys.readouterr().err
    assert main([*words, "--separator", ";", "--time-zone", "UTC"]) == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["data", "show", "testex", "ETH/USDT", "1h"], "has no testex ETH/USDT 1h; it has testex BTC/USDT 1h"),
        (["data", "show", "../x", "BTC/USDT", "1h"], "exchange must be 1 to 64 lower-case letters"),
        (["data", "show", "testex", "BTC/USDT", "1y"], "timeframe must be"),
        (["data", "check", "nowhere", "BTC/USDT", "1h"], "nowhere is neither a file nor an exchange of the store"),
        (["data", "check", "gone.csv", "BTC/USDT", "1h"], "there is no file gone.csv"),
        (["data", "check", "gone.csv", "BTC/USDT", "1h", "--time-zone", "Mars"], "time_zone must be a name"),
        (["download", "testex", "BTC/USDT", "--since", "soon"], "since must be ISO 8601 text"),
        (["download", "testex", "DOGE/USDT", "--since", "2025-01-01"], "testex does not trade 'DOGE/USDT'"),
    ],
)
def test_error_is_one_line_without_a_traceback(
    filled: CandleStore, exchange: ScriptedExchange, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert filled.series()
    assert main(words) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("workbench: ")
    assert reason in error
    assert error.count("\n") == 1
    assert exchange.asked == []


def test_failure_of_the_exchange_is_one_line_too(
    exchange: ScriptedExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ccxt.BadRequest("line one\nline two")

    exchange.before = fail  # type: ignore[assignment] # as the constructor takes it
    assert main(["download", "testex", "BTC/USDT", "--since", "2025-01-01", "-q"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_interrupt_is_told_without_a_traceback(exchange: ScriptedExchange, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    exchange.before = interrupt  # type: ignore[assignment] # as above
    assert main(["download", "testex", "BTC/USDT", "--since", "2025-01-01", "-q"]) == 130
    assert capsys.readouterr().err == "workbench: interrupted\n"


@pytest.mark.parametrize("words", [[], ["data"], ["buy"], ["download", "binance"], ["data", "show", "binance"]])
def test_wrong_command_line_ends_with_2_and_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: workbench")


@pytest.mark.parametrize(
    "words",
    [["-h"], ["download", "-h"], ["data", "-h"], ["data", "ls", "-h"], ["data", "check", "-h"], ["practice", "-h"]],
)
def test_help_is_there_for_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: workbench")
    assert all(len(line) <= 100 for line in text.splitlines())


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import sys\nfrom workbench.cli import main\n"
        "try: main(['--version'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'pandas', 'pyarrow', 'ccxt', 'aiohttp', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stdout.startswith("workbench 0.")


def test_script_of_the_package_is_this_one() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"workbench": "workbench.cli:main"}


def test_reader_that_leaves_early_causes_no_traceback(filled: CandleStore) -> None:
    assert filled.series()
    process = subprocess.Popen([*CALL, "data", "ls"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()  # type: ignore[union-attr] # a pipe, as asked
    assert process.stderr.read() == b""  # type: ignore[union-attr] # as above
    process.stderr.close()  # type: ignore[union-attr] # as above
    assert process.wait(90) == 1


def test_practice_exchange_serves_until_interrupted(tmp_path: Path) -> None:
    environment = {**os.environ, "WORKBENCH_RUNTIME_DIR": str(tmp_path)}
    command = [*CALL, "practice", "BTC/USDT", "--speed", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = process.stdout.readline()  # type: ignore[union-attr] # a pipe, as asked
        assert line.startswith("practice exchange at http://127.0.0.1:")
        words = ["download", "practice", "BTC/USDT", "-t", "1h", "--since", "2025-06-30", "--until", "2025-07-01"]
        done = subprocess.run(
            [*CALL, *words, "-q"], capture_output=True, text=True, env=environment, check=False, timeout=200
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "BTC/USDT: 24 new" in done.stdout
    finally:
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=200)
    assert (process.returncode, error) == (0, "")


def test_practice_exchange_refuses_a_wrong_speed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["practice", "--speed", "0"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
