"""How long a stop takes: until nothing new is ordered, until everything is withdrawn, until the session has ended.

A kernel of its own starts a session that rests an entry in each of nine markets and re-prices it with every bar, and
then holds its interpreter in a regular expression for ever. `workbench stop` comes from another process; what it takes
until it has come up and asks is shown apart. The second session is stopped while the exchange answers nothing. The
goals, from the asking on: 1 s, 5 s and 30 s.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from machine import print_machine

from workbench.exchange.practice import PracticeConfig, PracticeExchange
from workbench.live import LiveSessionConfig
from workbench.live.exchange_source import ExchangeSource
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.supervisor_client import ask_supervisor
from workbench.strategy import Strategy, enter_long, hold

SYMBOLS = tuple(f"{coin}/USDT" for coin in ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK"))
LOOK_S = 0.005
PLENTY_S = 240.0
KERNEL = "kernel"
STOP = [sys.executable, "-c", "import sys; from workbench.cli import main; sys.exit(main())", "stop"]


class WaitsBelow(Strategy):
    """Rests an entry below the price, a new one with every bar."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ANN401 - bars and positions of the core
        """Rest an entry while nothing is held."""
        return enter_long(size=0.1, limit=0.9 * now.close) if position.is_flat else hold()


def kernel(root: Path, name: str) -> None:
    """Start a session and hang in C."""
    config = LiveSessionConfig(
        name=name, strategy=WaitsBelow(), symbols=SYMBOLS, timeframe="1m", source=ExchangeSource("practice"),
        execution="exchange", warmup_bars=0,
    )  # fmt: skip
    SessionRegistry(root).start(config)
    sys.stdout.write("started\n")
    sys.stdout.flush()
    re.match(r"(a+)+$", "a" * 60 + "b")


class Looker:
    """Looks at the exchange all the time, and notes when the last order came and when none was open any more."""

    def __init__(self, exchange: PracticeExchange) -> None:
        self._exchange = exchange
        self._ends = threading.Event()
        self.last_new_s = self.none_open_s = 0.0
        self.open = 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        count = 0
        while not self._ends.wait(LOOK_S):
            orders = self._exchange.orders()
            now_s = time.time()
            if len(orders) != count:
                count, self.last_new_s = len(orders), now_s
            is_open = sum(order.is_open for order in orders)
            if self.open and not is_open:
                self.none_open_s = now_s
            self.open = is_open

    def end(self) -> None:
        """Stop looking."""
        self._ends.set()
        self._thread.join()


def measure(root: Path, name: str, *, is_silent: bool) -> None:
    """Start a session from a kernel that hangs, stop it from outside, and say how long that took."""
    with PracticeExchange(list(SYMBOLS), speed=60, config=PracticeConfig(is_registered=True)) as exchange:
        looker = Looker(exchange)
        words = [sys.executable, __file__, KERNEL, str(root), name]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as hanging:
            try:
                hanging.stdout.readline()  # type: ignore[union-attr]
                until_s = time.time() + PLENTY_S
                while looker.open < len(SYMBOLS) and time.time() < until_s:
                    time.sleep(LOOK_S)
                resting = looker.open
                if is_silent:
                    exchange.faults.add("executed_then_silent", where="/api/", times=None, seconds=PLENTY_S)
                environment = {**os.environ, "WORKBENCH_HOME": str(root.parent)}
                asked_s = time.time()
                told = subprocess.run([*STOP, name], env=environment, capture_output=True, text=True, check=False)
                ended_s = time.time()
                began_s, asked_s = asked_s, float(json.loads((root / name / "request.json").read_text())["time_s"])
            finally:
                hanging.kill()
        looker.end()
    what = "answers nothing" if is_silent else "answers"
    print(f"exchange that {what}, {resting} orders rest, kernel in C:")
    print(f"  command line came up in     {asked_s - began_s:6.2f} s; from then on:")
    print(f"  nothing new ordered after   {max(0.0, looker.last_new_s - asked_s):6.2f} s")
    if not is_silent:
        print(f"  everything withdrawn after  {looker.none_open_s - asked_s:6.2f} s, {looker.open} open")
    print(f"  `workbench stop` done after {ended_s - asked_s:6.2f} s: {(told.stdout + told.stderr).strip()[:120]}")
    SessionRegistry(root).kill(name)


def main() -> None:
    """Measure both."""
    if sys.argv[1:2] == [KERNEL]:
        kernel(Path(sys.argv[2]), sys.argv[3])
        return
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_RUNTIME_DIR"] = f"{folder}/run"
        root = Path(folder) / "sessions"
        try:
            measure(root, "answered", is_silent=False)
            measure(root, "silent", is_silent=True)
        finally:
            ask_supervisor(root, {"op": "end"}, starts=False)


if __name__ == "__main__":
    main()
