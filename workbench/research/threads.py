"""Blocks of work in threads, with a progress bar; made for kernels that let go of the GIL."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, TypeAlias

from workbench.errors import ConfigError

MAX_THREADS: Final = 256
# Small enough for a bar that moves, large enough that handing out blocks costs nothing.
MAX_BLOCK: Final = 32
BLOCKS_PER_THREAD: Final = 16

Work: TypeAlias = Callable[[range, threading.Event], None]


def checked_threads(threads: int | None) -> int:
    """Return the number of threads to use: the given one, or one for each core that this process may use.

    Raises
    ------
    ConfigError
        It is no whole number in [1, 256].
    """
    if threads is None:
        # A container may own fewer cores than the machine has; not every system can say.
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(usable, MAX_THREADS)
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"threads must be None or a whole number in [1, {MAX_THREADS}], was {threads!r}")
    return threads


def run_in_threads(count: int, work: Work, *, threads: int, progress: bool | None, title: str) -> None:
    """Call ``work`` on blocks that together cover ``range(count)``, and return when all are done.

    The first error ends the run: ``work`` is told by its event, the threads are waited for, and the error is raised.

    Parameters
    ----------
    count : int
        Pieces of work.
    work : callable
        Called with a range of pieces and an event after which it should return soon.
    threads : int
        How many run at a time.
    progress : bool or None
        Show a bar always, never, or only after a second.
    title : str
        In front of the bar.
    """
    from workbench.data.progress import progress_bar  # noqa: PLC0415  a first backtest waits for no room of data

    size = max(1, min(MAX_BLOCK, count // (threads * BLOCKS_PER_THREAD)))
    blocks = [range(start, min(start + size, count)) for start in range(0, count, size)]
    stop = threading.Event()

    def done(block: range) -> int:
        if not stop.is_set():
            try:
                work(block, stop)
            except BaseException:
                # At once, not when the waiting thread hears of it: the pool would begin the next block meanwhile.
                stop.set()
                raise
        return len(block)

    with (
        progress_bar(count, title, "runs", progress=progress) as bar,
        ThreadPoolExecutor(min(threads, len(blocks)), thread_name_prefix="workbench-sweep") as pool,
    ):
        futures = [pool.submit(done, block) for block in blocks]
        try:
            for future in as_completed(futures):
                bar.update(future.result())
        except BaseException:
            # Also for Ctrl-C, which only this thread sees: leaving the pool would run all that is left.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
