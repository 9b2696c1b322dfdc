"""F08: the same session, or the same symbol of an account, is started twice."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.journal_cases import new_journal, rows
from tests.process_sessions import process_config
from workbench.errors import JournalError, SessionError
from workbench.exchange.practice import PracticeConfig, PracticeExchange
from workbench.live.exchange_source import ExchangeSource
from workbench.live.journal import Journal, JournalReader
from workbench.live.process.registry import SessionRegistry
from workbench.strategy import sma_cross


def test_second_start_attaches_and_says_so(registry: SessionRegistry) -> None:
    first, is_new = registry.start(process_config("f08-twice"))
    again, is_new_again = registry.start(process_config("f08-twice"))
    assert (is_new, is_new_again) == (True, False)
    assert (again.process, again.session_id) == (first.process, first.session_id)


def test_another_session_of_that_name_is_refused_and_the_differences_are_named(registry: SessionRegistry) -> None:
    first, _ = registry.start(process_config("f08-other"))
    with pytest.raises(SessionError, match=r"strategy.fast: 3 -> 4.*cash: 10000.0 -> 5000.0"):
        registry.start(process_config("f08-other", strategy=sma_cross(fast=4, slow=8), cash=5_000.0))
    assert registry.find("f08-other").process == first.process


def test_of_starts_at_the_same_moment_one_starts_and_the_others_attach(registry: SessionRegistry) -> None:
    barrier = threading.Barrier(4)
    outcomes = []

    def start() -> None:
        barrier.wait()
        info, is_new = registry.start(process_config("f08-race"))
        outcomes.append((info.process, is_new))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_new for _, is_new in outcomes) == [False, False, False, True]
    assert len({process for process, _ in outcomes}) == 1


def test_process_of_a_session_that_runs_already_ends_at_once(registry: SessionRegistry) -> None:
    first, _ = registry.start(process_config("f08-copy"))
    with pytest.raises(SessionError, match=f"is locked by process {first.process.pid}"):
        registry._ask(first.folder, "resume")  # noqa: SLF001 - past the look that would say so before
    assert registry.find("f08-copy").process == first.process


def test_second_session_on_the_same_symbol_of_an_account_is_refused_and_the_first_is_named(
    registry: SessionRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    config = PracticeConfig(is_registered=True)
    with PracticeExchange(["BTC/USDT", "ETH/USDT"], speed=60, config=config) as exchange:
        source = ExchangeSource("practice", address=exchange.address)
        settings: dict[str, Any] = {"source": source, "execution": "exchange", "speed": 1.0, "warmup_bars": None}
        first, _ = registry.start(process_config("f08-first", **settings))
        # Its orders and the other's would be taken for each other's, and both would sell what one of them bought.
        with pytest.raises(SessionError, match=r"BTC/USDT on account .* is traded by session 'f08-first'"):
            registry.start(process_config("f08-second", **settings, cash=5_000.0))
        assert registry.find("f08-first").process == first.process
        registry.start(process_config("f08-third", **settings | {"symbols": ("ETH/USDT",)}))
        # Free again when it has ended.
        registry.kill("f08-first")
        registry.start(process_config("f08-fourth", **settings))
        registry.kill("f08-third", "f08-fourth")


def test_writer_of_an_older_life_can_record_nothing_and_so_send_nothing(tmp_path: Path) -> None:
    with new_journal(tmp_path) as stale, Journal.open(stale.path) as current:
        stale.append(rows(1))
        stale.note("intent", 1, {"client_order_id": "a"})
        for _ in range(2):
            with pytest.raises(JournalError, match=r"this writer \(epoch 1\) must stop"):
                stale.commit()
        current.note("intent", 1, {"client_order_id": "a"})
        current.commit()
        # Each row says in which life it was written.
        assert [(note.epoch, note.kind) for note in JournalReader(current.path).notes()] == [(2, "intent")]
