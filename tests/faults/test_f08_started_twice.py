"""F08: the same session, or the same symbol of an account, is started twice."""

import threading

import pytest

from tests.process_sessions import process_config
from workbench.errors import SessionError
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
