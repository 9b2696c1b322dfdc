"""A session on the trades of a scripted exchange, through real ccxt: for what no good exchange would send."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from tests.practice_session import BTC, MIDNIGHT, SECOND, WAIT_S
from tests.scripted_exchange import KEY, MS, SECRET, ScriptedExchange, trade_message, trade_row
from workbench.exchange.practice import SteppedClock
from workbench.exchange.practice.registry import PracticeAddress
from workbench.live import EngineCallbacks, LiveSession, LiveSessionConfig
from workbench.live.exchange_source import ExchangeSource
from workbench.model import Costs, Timeframe
from workbench.strategy import buy_and_hold

# Not everything that a session tells comes with a step.
LOOK_S = 0.02
# Half a minute past midnight: prices may carry at most a bar more.
NOW_NS = MIDNIGHT + 30 * SECOND


class Wire:
    """The exchange's end of the line, and the session at the other."""

    def __init__(self, exchange: ScriptedExchange, session: LiveSession, bars: list[Any]) -> None:
        self.exchange = exchange
        self.session = session
        self.bars = bars
        self._changed = threading.Condition()
        session.subscribe(self._notify)

    def _notify(self, _update: Any) -> None:
        with self._changed:
            self._changed.notify_all()

    async def send(self, *messages: dict[str, Any]) -> None:
        await self.exchange.send("market", *messages)

    async def until(self, is_met: Callable[[], bool]) -> None:
        """Wait until something holds."""

        def look() -> bool:
            with self._changed:
                return any(is_met() or (self._changed.wait(LOOK_S) and is_met()) for _ in range(round(WAIT_S / LOOK_S)))

        assert await asyncio.to_thread(look), self.texts()

    @property
    def counts(self) -> dict[str, int]:
        return self.session.metrics()["counts"]

    def texts(self) -> list[str]:
        return [event.text for event in self.session.events()]


def print_of(number: int, second: float, price: float | str = 100.0) -> dict[str, Any]:
    """Return the message of trade `number`, so many seconds after midnight."""
    return trade_message(number, price, time_ms=MIDNIGHT // MS + round(second * 1_000) - number)  # type: ignore[arg-type]  # text is a fault


def run_wire(test: Callable[[Wire], Awaitable[None]]) -> None:
    """Run a test with a session that hears what the test sends; trade 1, at midnight, has been sent and taken."""

    async def whole() -> None:
        exchange = ScriptedExchange()
        exchange.now_ms = lambda: NOW_NS // MS  # type: ignore[method-assign]  # its clock stands still
        exchange.trades = [trade_row(1, 100.0, time_ms=MIDNIGHT // MS - 1)]
        async with exchange.running() as server:
            address = PracticeAddress(url=server.base_url, key=KEY, secret=SECRET, speed=1.0)
            source = ExchangeSource("practice", address=address, clock=SteppedClock(NOW_NS))
            config = LiveSessionConfig(
                name="wire", strategy=buy_and_hold(), symbols=(BTC,), timeframe=Timeframe("1m"), source=source,
                costs=Costs(), warmup_bars=0,
            )  # fmt: skip
            bars: list[Any] = []
            session = await asyncio.to_thread(LiveSession, config, callbacks=EngineCallbacks(new_bar=bars.append))
            await asyncio.to_thread(session.start)
            try:
                wire = Wire(exchange, session, bars)
                await exchange.subscribed("market")
                await wire.send(print_of(1, 0))
                await wire.until(lambda: wire.counts["ticks"] == 1)
                await test(wire)
                assert session.parity().is_identical
            finally:
                await asyncio.to_thread(session.kill)
                session.close()

    asyncio.run(asyncio.wait_for(whole(), 2 * WAIT_S))
