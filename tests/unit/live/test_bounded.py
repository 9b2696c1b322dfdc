from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.live.bounded import BoundedLog


@given(st.lists(st.integers()), st.integers(1, 10), st.integers(0, 20))
def test_the_newest_items_are_kept_and_the_dropped_ones_are_counted(
    items: list[int], capacity: int, limit: int
) -> None:
    log: BoundedLog[int] = BoundedLog(capacity)
    log.extend(items)
    kept = items[-capacity:]
    assert log.newest() == tuple(kept)
    assert log.newest(limit) == tuple(kept[len(kept) - min(limit, len(kept)) :])
    assert (len(log), log.added, log.dropped) == (len(kept), len(items), len(items) - len(kept))


def test_threads_that_add_at_once_lose_no_count() -> None:
    log: BoundedLog[int] = BoundedLog(10)
    threads = [threading.Thread(target=log.extend, args=(range(1_000),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (log.added, log.dropped) == (4_000, 3_990)  # 4 * 1000, of which 10 are kept


def test_a_log_for_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="capacity must be >= 1, was 0"):
        BoundedLog(0)


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ConfigError, match="limit must be >= 0 or None, was -1"):
        BoundedLog[int](1).newest(-1)
