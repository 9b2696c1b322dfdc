"""A session that trades through real ccxt on a practice exchange whose clock is moved by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from workbench.exchange.practice import PracticeConfig, PracticeExchange, SteppedClock
from workbench.exchange.practice.sources import TickSource
from workbench.live import Clock, EngineCallbacks, LiveSession, LiveSessionConfig, SystemClock
from workbench.live.exchange_source import ExchangeSource
from workbench.live.host import SessionHost
from workbench.model import Costs, Instrument, Timeframe

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
MIDNIGHT = 1_735_689_600 * SECOND  # 2025-01-01T00:00Z
BTC = "BTC/USDT"
WAIT_S = 90.0
# Not everything that a session tells comes with a step.
LOOK_S = 0.02
RULES = Instrument(BTC, tick=0.01, lot=0.00001, min_notional=5.0)


class HurriedClock(SystemClock):
    """A clock by which a minute passes in a second, so that what is due now and then is due soon."""

    def now_ns(self) -> int:
        # Both go alike: one that does not is a computer's clock that is set back all the time.
        return self.monotonic_ns()

    def monotonic_ns(self) -> int:
        return 60 * super().monotonic_ns()


class Stage:
    """A market of given prices, an exchange that plays it, and a session on that exchange.

    Parameters
    ----------
    ticks : sequence of (float, float)
        Seconds after midnight, and price.
    feed : {"trades", "candles"}
        What the session's bars are made of.
    fee_asset : str
        In which coin the exchange takes its fees, as for `PracticeConfig`.
    open_source : callable, optional
        Makes the session's source of the running exchange, which then plays a real one.
    coins : float, optional
        BTC that the account has already.
    clock : Clock, optional
        Real time of the session.
    host : SessionHost, optional
        What the session outlives its process with.
    """

    def __init__(
        self,
        ticks: Sequence[tuple[float, float]],
        strategy: Any,
        *,
        feed: str = "trades",
        fee_asset: str = "quote",
        open_source: Callable[[PracticeExchange], ExchangeSource] | None = None,
        coins: float | None = None,
        clock: Clock | None = None,
        host: SessionHost | None = None,
        **changes: Any,
    ) -> None:
        self._coins = coins
        self._clock = clock
        self._host = host
        times, prices = zip(*ticks, strict=True)
        market = TickSource(RULES, MIDNIGHT + (np.array(times) * SECOND).astype(np.int64), prices, np.ones(len(prices)))
        self.exchange = PracticeExchange(
            [market],
            clock=SteppedClock(MIDNIGHT),
            config=PracticeConfig(fee_asset=fee_asset, plays_real=open_source is not None),
        )
        self._changed = threading.Condition()
        self._open_source = open_source or self._practice_source
        settings: dict[str, Any] = {
            "name": "staged",
            "strategy": strategy,
            "symbols": (BTC,),
            "timeframe": Timeframe("1m"),
            "costs": Costs(),
            "execution": "exchange",
            "warmup_bars": 0,
            "cash": 10_000.0,
        }
        self._settings = settings | changes
        self._feed = feed
        self.bars: list[Any] = []
        self.session: Any = None

    def start(self) -> None:
        """Start the exchange and the session, and wait until its streams are heard."""
        self.begin()
        self.until_heard()
        # It asks for its account after that, and time that jumps meanwhile would make its question too old.
        self.until_any(lambda: self.session.state != "STARTING")

    def begin(self) -> None:
        """Start the exchange and the session."""
        self.exchange.start()
        if self._coins is not None:
            self.exchange.set_balance("BTC", self._coins)
        source = self._open_source(self.exchange)
        callbacks = EngineCallbacks(new_bar=self._take_bar)
        config = LiveSessionConfig(source=source, **self._settings)
        self.session = LiveSession(config, callbacks=callbacks, clock=self._clock, host=self._host)
        self.session.subscribe(self._notify)
        self.session.start()

    def _practice_source(self, exchange: PracticeExchange) -> ExchangeSource:
        return ExchangeSource("practice", feed=self._feed, address=exchange.address, clock=exchange.clock)

    def until_heard(self) -> None:
        """Wait until the exchange has somebody who listens to its streams."""
        stream = "btcusdt@trade" if self._feed == "trades" else "btcusdt@kline_1m"
        needs_account = self.session.config.execution == "exchange"

        def is_heard(server: Any) -> bool:
            section = server.venue.section("spot")
            feed = next(iter(section.feeds.values()))
            is_user_heard = server.venue.outbox.is_heard("spot") or not needs_account
            return stream in feed._listeners and is_user_heard  # noqa: SLF001  nothing else tells of a listener

        while not self.exchange._call(is_heard):  # noqa: SLF001  as above
            assert not self.session.is_finished, self.session.reason

    def _take_bar(self, bar: Any) -> None:
        self.bars.append(bar)

    def _notify(self, _update: Any) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, is_met: Callable[[], bool]) -> None:
        """Wait until something holds, looked at after every step of the session."""
        with self._changed:
            assert self._changed.wait_for(is_met, WAIT_S), self.texts()

    def play(self, seconds: float, *, bars: int | None = None, ticks: int | None = None) -> None:
        """Let the exchange's time go on, and wait until the session has so many bars or ticks in all."""
        self.exchange.advance(seconds)
        if ticks is not None:
            self.until(lambda: self.counts["ticks"] >= ticks)
        if bars is not None:
            self.until(lambda: len(self.bars) >= bars)

    @property
    def counts(self) -> dict[str, int]:
        return self.session.metrics()["counts"]

    def closes(self) -> list[tuple[int, float, bool]]:
        """Return (minute, close, is partial) of the bars that the session closed."""
        return [((bar.time_ns - MIDNIGHT) // MINUTE, bar.close, bar.is_partial) for bar in self.bars]

    def texts(self) -> list[str]:
        return [event.text for event in self.session.events()]

    def told(self, part: str) -> bool:
        return any(part in text for text in self.texts())

    def wait_told(self, part: str) -> None:
        """Wait until the session has told something."""
        self.until_any(lambda: self.told(part))

    def until_any(self, is_met: Callable[[], bool]) -> None:
        """Wait until something holds that no step of the session comes with."""
        with self._changed:
            for _ in range(round(WAIT_S / LOOK_S)):
                if is_met():
                    return
                self._changed.wait(LOOK_S)
        raise AssertionError(self.texts())

    def orders(self) -> list[tuple[str, float]]:
        """Return (side, quantity filled) of the orders at the exchange."""
        return [(str(order.wanted.side).lower(), float(order.filled)) for order in self.exchange.orders()]

    def check_books(self) -> None:
        """Assert what every fault leaves true: the session has the exchange's own trades, and replays to the byte."""
        theirs = [(float(fill.quantity), float(fill.price)) for fill in self.exchange.trades()]
        ours = [(fill.quantity, fill.price) for fill in self.session.fills()]
        assert ours == theirs
        assert self.session.parity().is_identical, self.session.parity()

    def stop(self) -> None:
        if self.session is not None:
            self.session.kill()
            self.session.close()
        self.exchange.stop()


@contextmanager
def staged(ticks: Sequence[tuple[float, float]], strategy: Any, **changes: Any) -> Iterator[Stage]:
    """Run a session on a practice exchange for as long as the block goes."""
    stage = Stage(ticks, strategy, **changes)
    try:
        stage.start()
        yield stage
    finally:
        stage.stop()
