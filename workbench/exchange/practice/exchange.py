"""The practice exchange as an object: starts its server on a thread of its own, and is spoken to from any other."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Self, TypeVar

from workbench.errors import ConfigError, ExchangeTimeoutError, ExchangeUnavailableError
from workbench.exchange.practice import registry
from workbench.exchange.practice.clock import RunningClock, SteppedClock
from workbench.exchange.practice.config import PracticeConfig
from workbench.exchange.practice.faults import FaultPlan
from workbench.exchange.practice.listing import Fees, Listing
from workbench.exchange.practice.sources import AnyMarket, sources_of, start_of
from workbench.exchange.practice.venue import Venue
from workbench.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.exchange.practice.clock import PracticeClock
    from workbench.exchange.practice.credentials import PracticeCredentials
    from workbench.exchange.practice.orders import PracticeFill, PracticeOrder
    from workbench.exchange.practice.perpetual_account import PracticePosition
    from workbench.exchange.practice.server import PracticeServer

__all__ = ["DEFAULT_MARKETS", "PracticeExchange"]

_COINS: Final = ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LTC", "LINK")
_PERPETUALS: Final = ("BTC", "ETH", "BNB", "SOL", "XRP")

DEFAULT_MARKETS: Final = (
    *(f"{coin}/USDT" for coin in _COINS),
    "ETH/BTC",
    *(f"{coin}/USDT:USDT" for coin in _PERPETUALS),
)
"""What is listed unless markets are named."""

_NS_PER_S: Final = 1_000_000_000
_START_TIMEOUT_S: Final = 30.0
_CALL_TIMEOUT_S: Final = 60.0

Answer = TypeVar("Answer")


class PracticeExchange:
    """A practice exchange in this process.

    Use it as a context manager, or call `start` and `stop`. Every method may be called from any thread but the
    exchange's own.

    Parameters
    ----------
    markets : iterable of str, Bars or MarketSource, optional
        Symbols of the practice market, bars (of one or several symbols) to be played as ticks, or recorded ticks;
        default `DEFAULT_MARKETS`.
    speed : float, default 1.0
        Seconds of the exchange in a real one, 1 to 1,000.
    clock : PracticeClock, optional
        Instead of a speed: a `SteppedClock` stands still until `advance`. By default time starts at
        ``PRACTICE_LIVE_START``, or, when no market of the practice market is listed, where all markets have begun.
    config : PracticeConfig, optional
        Balances, fees, latency, port.

    Raises
    ------
    ConfigError
        The speed is out of range, or comes with a clock of its own.
    DataError
        A market cannot be played.

    Examples
    --------
    >>> with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
    ...     exchange.advance(60)
    ...     exchange.balances()["USDT"]
    Decimal('10000')
    """

    def __init__(
        self,
        markets: Iterable[AnyMarket] | None = None,
        *,
        speed: float = 1.0,
        clock: PracticeClock | None = None,
        config: PracticeConfig | None = None,
    ) -> None:
        if clock is not None and speed != 1.0:
            raise ConfigError(f"a clock brings its own speed: leave speed at 1, was {speed}")
        self.config = PracticeConfig() if config is None else config
        named = DEFAULT_MARKETS if markets is None else markets
        sources = [source for market in named for source in sources_of(market)]
        if not sources:
            raise ConfigError("an exchange must list at least one market")
        self.clock: PracticeClock = RunningClock(start_of(sources), speed=speed) if clock is None else clock
        fees = Fees(_exact(self.config.taker_fee), _exact(self.config.maker_fee), self.config.fee_asset)
        self._venue = Venue(
            [(Listing(source.instrument, fees), source) for source in sources],
            self.clock,
            {asset: _exact(amount) for asset, amount in self.config.balances.items()},
            {asset: _exact(amount) for asset, amount in self.config.wallets.items()},
            FaultPlan(self.config.seed),
            plays_real=self.config.plays_real,
        )
        self._server: PracticeServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._is_ready = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Open the port and begin to play; return when requests are answered.

        Raises
        ------
        ExchangeUnavailableError
            The port cannot be opened.
        ConfigError
            The exchange was started before.
        """
        if self._thread is not None:
            raise ConfigError("a practice exchange starts once; make another one")
        self._thread = threading.Thread(target=self._run, name="practice-exchange", daemon=True)
        self._thread.start()
        self._is_ready.wait(_START_TIMEOUT_S)
        if self._failure is not None or self._server is None:
            self._thread.join(_START_TIMEOUT_S)
            raise ExchangeUnavailableError(
                f"the practice exchange cannot listen on port {self.config.port}: {self._failure}",
                exchange="practice",
                retryable=False,
            ) from self._failure
        if self.config.is_registered:
            registry.register(self.address)

    def stop(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        if self._loop is None or self._stopping is None or self._thread is None:
            return
        if self.config.is_registered:
            registry.unregister(self.address)
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop = None

    @property
    def url(self) -> str:
        """Where it answers, such as ``http://127.0.0.1:40001``."""
        if self._server is None:
            raise ConfigError("the practice exchange has no address before it is started: call start()")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def address(self) -> registry.PracticeAddress:
        """Everything that a client needs to know: where it is, its key, and its clock."""
        clock = self.clock
        return registry.PracticeAddress(
            url=self.url,
            key=self.credentials.key,
            secret=self.credentials.secret,
            speed=clock.speed,
            start_ns=clock.start_ns if isinstance(clock, RunningClock) else None,
            origin_ns=clock.origin_ns if isinstance(clock, RunningClock) else None,
        )

    @property
    def credentials(self) -> PracticeCredentials:
        """The key and secret that this exchange, and nothing else, accepts."""
        return self._venue.credentials

    @property
    def faults(self) -> FaultPlan:
        """What is to go wrong; may be changed from any thread."""
        return self._venue.faults

    def advance(self, seconds: float) -> None:
        """Move a `SteppedClock` on and play what falls due; return when it has been sent.

        Raises
        ------
        ConfigError
            The clock runs by itself, or the seconds are negative or not finite.
        """
        if not 0.0 <= seconds < float("inf"):
            raise ConfigError(f"seconds must be in [0, inf), was {seconds}")
        clock = self.clock
        if not isinstance(clock, SteppedClock):
            raise ConfigError("only a SteppedClock can be moved; this exchange's clock runs by itself")

        def move(server: PracticeServer) -> None:
            clock.advance(round(seconds * _NS_PER_S))
            server.catch_up()

        self._call(move)

    def orders(self, section: str = "spot") -> list[PracticeOrder]:
        """Return copies of all orders of a section, ``"spot"`` or ``"perpetual"``, oldest first."""

        def copies(server: PracticeServer) -> list[PracticeOrder]:
            orders = server.venue.section(section).engine.orders.values()
            return [replace(order, fills=list(order.fills)) for order in orders]

        return self._call(copies)

    def trades(self, section: str = "spot") -> list[PracticeFill]:
        """Return the account's fills of a section, ``"spot"`` or ``"perpetual"``, oldest first."""
        return self._call(lambda server: list(server.venue.section(section).engine.fills))

    def balances(self) -> dict[str, Decimal]:
        """Return what the spot account has of each coin, free or set aside."""

        def totals(server: PracticeServer) -> dict[str, Decimal]:
            account = server.venue.spot_account
            return {asset: account.total(asset) for asset in account.free}

        return self._call(totals)

    def wallets(self) -> dict[str, Decimal]:
        """Return the margin balances of perpetuals."""
        return self._call(lambda server: dict(server.venue.perpetual_account.wallets))

    def positions(self) -> list[PracticePosition]:
        """Return copies of the positions in perpetuals that are not flat."""

        def copies(server: PracticeServer) -> list[PracticePosition]:
            return [replace(p) for p in server.venue.perpetual_account.positions.values() if p.amount]

        return self._call(copies)

    def set_balance(self, asset: str, free: float | Decimal) -> None:
        """Set the spot balance of a coin behind the session's back, as a deposit or withdrawal would.

        Parameters
        ----------
        asset : str
            The coin.
        free : float or Decimal
            What is to be free of it, finite and not negative.

        Raises
        ------
        ConfigError
            The coin has no name, or the amount is none.
        """
        self._call(lambda server: server.venue.set_balance(asset, _exact(free)))

    def trade_as_other(self, symbol: str, side: str, quantity: float | Decimal) -> int:
        """Trade the account by market order as somebody else would, and return the order's number.

        Parameters
        ----------
        symbol : str
            As listed, such as ``"BTC/USDT"`` or ``"BTC/USDT:USDT"``.
        side : {"buy", "sell"}
            Direction.
        quantity : float or Decimal
            In the base.

        Raises
        ------
        ConfigError
            The exchange refuses the order; the message has its words.
        """
        return self._call(lambda server: server.venue.trade_as_other(symbol, side, _exact(quantity)))

    def set_skew(self, milliseconds: int) -> None:
        """Let the exchange's clock, as it tells it and judges timestamps by it, be ahead by so many `milliseconds`."""
        self._call(lambda server: setattr(server.venue.guard, "skew_ms", milliseconds))

    def revoke_key(self, *, is_revoked: bool = True) -> None:
        """Take the account's key back; with ``is_revoked=False`` give it back."""
        self._call(lambda server: setattr(server.venue.guard, "is_revoked", is_revoked))

    def drop_connections(self) -> int:
        """Cut every websocket off without a goodbye; return how many there were."""
        return self._call(lambda server: server.drop_sockets())

    def hide_candles(self, symbol: str, timeframe: str | Timeframe, start_ns: int, end_ns: int) -> None:
        """Leave candles out of every answer and stream: a hole in the history.

        Parameters
        ----------
        symbol : str
            As listed, such as ``"BTC/USDT"``.
        timeframe : str or Timeframe
            Length of the candles; those of other lengths stay.
        start_ns, end_ns : int
            The candles with labels in ``[start_ns, end_ns)``, ns UTC.

        Raises
        ------
        ConfigError
            The symbol is not listed, or the timeframe is unknown.
        """
        frame = Timeframe.of(timeframe)
        self._call(lambda server: server.venue.tape_of(symbol).hide(frame, start_ns, end_ns))

    def _call(self, action: Callable[[PracticeServer], Answer]) -> Answer:
        """Do something on the exchange's own thread and return what came of it."""
        server, loop = self._server, self._loop
        if server is None or loop is None:
            raise ConfigError("the practice exchange is not running")

        async def run() -> Answer:
            server.venue.catch_up()
            try:
                return action(server)
            finally:
                server.flush()

        try:
            return asyncio.run_coroutine_threadsafe(run(), loop).result(_CALL_TIMEOUT_S)
        except TimeoutError as error:
            raise ExchangeTimeoutError(
                f"the practice exchange was busy for more than {_CALL_TIMEOUT_S:g} s; what was asked may still be done",
                exchange="practice",
                retryable=False,
            ) from error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:
            self._failure = failure
            # What breaks before anybody was let in is told by `start`; later there is nobody to tell but the thread.
            if self._is_ready.is_set():
                raise
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        from workbench.exchange.practice.server import PracticeServer  # noqa: PLC0415 - aiohttp costs whoever starts it

        # One thread for slow answers: they hold the interpreter anyway, and the tapes stay out of each other's way.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="workbench-practice"))
        server = PracticeServer(self._venue, latency_s=self.config.latency_s, on_order=self.config.on_order)
        await server.start(self.config.port)
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._is_ready.set()
        try:
            await self._stopping.wait()
        finally:
            await server.stop()


def _exact(value: float | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)).removesuffix(".0"))
