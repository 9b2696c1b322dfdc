"""From a price to the order that follows from it: a session over websockets, real ccxt, a practice exchange apart.

The exchange runs in a process of its own. What
is timed is the way from the arrival of the trade that closed the bar to the moment at which the client is told to send,
and on to the exchange's answer. Then a day of the market is played at 1,000 times its speed, and the trades that the
session took are counted against those of the market.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from machine import print_machine

import workbench as wb
from workbench.exchange import find_practice_exchange
from workbench.live import LiveSession, LiveSessionConfig
from workbench.live.exchange_source import ExchangeSource
from workbench.model import Timeframe
from workbench.model.practice import practice_ticks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from workbench.exchange import ExchangeClient, OrderTicket
    from workbench.exchange.real_money import RealTradingPermit

SYMBOL = "BTC/USDT"
PATH_SPEED, PATH_S = 300, 60
DAY_SPEED, DAY_S = 1_000, 95
DAY_NS = 86_400_000_000_000
ARRIVED: list[float] = []
SENT: list[tuple[float, float, float]] = []


class TimedClient:
    """A client that notes when trades arrive, when it is told to send an order, and when that is answered."""

    def __init__(self, client: ExchangeClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the client has
        return getattr(self._client, name)

    async def watch_trades(self, symbol: str) -> AsyncIterator[Any]:
        """Pass the stream on."""
        async for event in self._client.watch_trades(symbol):
            ARRIVED[:] = [time.perf_counter()]
            yield event

    async def place_order(self, ticket: OrderTicket) -> Any:  # noqa: ANN401  as the client's
        """Pass an order on."""
        told = time.perf_counter()
        arrived = ARRIVED[0]
        outcome = await self._client.place_order(ticket)
        SENT.append((arrived, told, time.perf_counter()))
        return outcome


@dataclass(frozen=True, slots=True)
class TimedSource(ExchangeSource):
    """The practice exchange through a timed client."""

    def _client(self, permit: RealTradingPermit | None) -> tuple[Callable[[], Any], Any]:
        open_client, timing = ExchangeSource._client(self, permit)  # noqa: SLF001  its own, timed
        return (lambda: TimedClient(open_client())), timing


@wb.strategy
def turns(m: Any) -> wb.Rules:  # noqa: ANN401  a market view
    """Hold after a bar that rose, and nothing after one that fell: half of the bars make an order."""
    rose = m.close > m.close.shift(1)
    return wb.Rules(enter_long=rose, exit_long=~rose)


def session_on(speed: int, seconds: float, source: ExchangeSource) -> LiveSession:
    """Run a session on an exchange of its own for some real seconds."""
    exchange = subprocess.Popen(
        [sys.executable, "-m", "workbench.exchange.practice", "--speed", str(speed), SYMBOL],
        stdout=subprocess.DEVNULL,
    )
    try:
        pause = threading.Event()
        for _ in range(300):
            if find_practice_exchange() is not None:
                break
            pause.wait(0.1)
        config = LiveSessionConfig(
            name=f"speed-{speed}",
            strategy=turns(),
            symbols=(SYMBOL,),
            timeframe=Timeframe("1m"),
            source=source,
            cash=5_000.0,
            execution="exchange",
        )
        session = LiveSession(config).start()
        pause.wait(seconds)
        session.stop()
        return session
    finally:
        exchange.terminate()
        exchange.wait(10)


def order_path() -> None:
    """Print how long a price takes to become an order."""
    session = session_on(PATH_SPEED, PATH_S, TimedSource("practice"))
    told = np.array([(sent - arrived) * 1e3 for arrived, sent, _ in SENT[5:]])
    answered = np.array([(end - arrived) * 1e3 for arrived, _, end in SENT[5:]])
    steps = session.metrics()["step_us"]
    print(
        f"{told.size} orders; trade received to order handed to the client: median {statistics.median(told):.2f} ms, "
        f"p99 {np.percentile(told, 99):.2f} ms; to the exchange's answer: median {statistics.median(answered):.2f} ms, "
        f"p99 {np.percentile(answered, 99):.2f} ms; a step of the session: median {steps['p50']:.0f} us, "
        f"p99 {steps['p99']:.0f} us"
    )


def whole_day() -> None:
    """Print whether a day at 1,000 times its speed loses a trade."""
    session = session_on(DAY_SPEED, DAY_S, ExchangeSource("practice"))
    events = session._engine.cut().events  # noqa: SLF001  what the session was fed
    times = events["time_ns"][events["kind"] == 1]
    first, last = int(times[0]), int(times[-1])
    market = np.concatenate([practice_ticks(SYMBOL, day).time_ns for day in range(first // DAY_NS, last // DAY_NS + 1)])
    expected = int(np.count_nonzero((market >= first) & (market <= last)))
    print(
        f"{(last - first) / DAY_NS:.2f} days at {DAY_SPEED}x: {times.size:,} trades of the market's {expected:,}; "
        f"{len(session.fills()):,} fills; parity {session.parity()!r}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # Of its own, so that no other practice exchange is found.
        os.environ["WORKBENCH_RUNTIME_DIR"] = folder
        print_machine()
        order_path()
        whole_day()
