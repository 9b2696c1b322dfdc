import os
import threading

import pytest

from workbench.errors import ConfigError
from workbench.research.threads import checked_threads, run_in_threads


@pytest.mark.parametrize(("count", "threads"), [(1, 1), (1, 8), (31, 2), (1_000, 3)])
def test_blocks_cover_all_work_once(count, threads):
    seen = []
    lock = threading.Lock()

    def work(block, stop):
        assert not stop.is_set()
        with lock:
            seen.extend(block)

    run_in_threads(count, work, threads=threads, progress=False, title="")
    assert sorted(seen) == list(range(count))


def test_two_threads_work_at_the_same_time():
    meet = threading.Barrier(2, timeout=60)
    run_in_threads(2, lambda _block, _stop: meet.wait(), threads=2, progress=False, title="")
    assert not meet.broken


def test_the_first_error_tells_the_others_to_stop():
    failed = threading.Event()
    told = []

    def work(block, stop):
        if 0 in block:
            failed.set()
            raise ValueError("first")
        failed.wait(60)
        told.append(stop.wait(60))

    with pytest.raises(ValueError, match="first"):
        run_in_threads(64, work, threads=2, progress=False, title="")
    # Of 32 blocks at most the one ran that had begun before the error, and it was told.
    assert all(told)
    assert len(told) <= 1


def test_threads_are_one_a_core_unless_given():
    assert 1 <= checked_threads(None) <= (os.cpu_count() or 1)
    assert checked_threads(7) == 7


@pytest.mark.parametrize("threads", [0, -1, 257, 1.5, "2", True])
def test_a_number_of_threads_that_is_none_is_refused(threads):
    with pytest.raises(ConfigError, match=r"threads must be None or a whole number in \[1, 256\]"):
        checked_threads(threads)
