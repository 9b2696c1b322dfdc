"""An exchange as the source of a session: its history, its live prices by its own clock, and its account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import ConfigError, DataError, RealTradingDisabledError
from workbench.exchange import CcxtClient, ClientSettings, find_practice_exchange, practice_client
from workbench.exchange.practice.registry import PracticeAddress
from workbench.exchange.practice_client import PracticeTiming
from workbench.exchange.real_money import RealTradingGate, RealTradingPermit
from workbench.live.exchange_feed import ExchangeFeed
from workbench.live.exchange_line import ExchangeLine, LineClock
from workbench.live.order_line import OrderLine
from workbench.live.sources import Market
from workbench.model import Bars, Instrument, Timeframe, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.exchange import Candle, ExchangeClient
    from workbench.exchange.ccxt_client.timing import Timing
    from workbench.exchange.practice import PracticeClock
    from workbench.exchange.real_money import RealConsent

__all__ = ["ExchangeSource", "closed_history"]

_PRACTICE: Final = "practice"
_USUAL_HISTORY: Final = 500
_PAGE: Final = 1_000
# The session's thread waits as long for the exchange's time.
_CLOCK_TIMEOUT_S: Final = 5.0
# Market time of which a session that goes on fetches every trade: more of a busy market would take too many calls.
_LONGEST_TRADES_NS: Final = 1_800_000_000_000


@dataclass(frozen=True, slots=True)
class ExchangeSource:
    """An exchange by its name: ``"practice"`` for the practice exchange that runs on this machine, or any of ccxt's.

    Parameters
    ----------
    exchange : str
        Its name.
    kind : {"spot", "linear_perpetual"}, default "spot"
        Which markets.
    feed : {"trades", "candles"}, default "trades"
        What the session's bars are made of: single trades, so that levels are watched between closes too, or the
        exchange's own closed candles.
    address : PracticeAddress or str, optional
        Which practice exchange, or its URL, from which its keys are found as long as it runs; without it, the one that
        started last.
    clock : PracticeClock, optional
        The practice exchange's clock, when it is moved by hand in this process.
    consent : RealConsent, optional
        To trade real money: the terms, and the sentence that was typed for them. The key is read, and the gate asked,
        when the source is opened, so only in the process that trades.
    gate : RealTradingGate, optional
        Whom to ask; that of the process unless given.

    Raises
    ------
    ConfigError
        A field is out of its range.
    """

    exchange: str
    kind: str = "spot"
    feed: str = "trades"
    address: PracticeAddress | str | None = field(default=None, repr=False)
    clock: PracticeClock | None = field(default=None, repr=False, compare=False)
    consent: RealConsent | None = None
    gate: RealTradingGate | None = field(default=None, repr=False, compare=False)
    _known: dict[str, Instrument] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.kind not in ("spot", "linear_perpetual"):
            raise ConfigError(f"kind must be 'spot' or 'linear_perpetual', was {self.kind!r}")
        if self.feed not in ("trades", "candles"):
            raise ConfigError(f"feed must be 'trades' or 'candles', was {self.feed!r}")
        if self.consent is not None and self.consent.terms.exchange != self.exchange:
            raise ConfigError(f"exchange must be that of the terms, {self.consent.terms.exchange}, was {self.exchange}")

    @property
    def name(self) -> str:
        """Name of the exchange."""
        return self.exchange

    @property
    def has_account(self) -> bool:
        """Whether orders can be sent: to the practice exchange, and with a consent to an exchange of real money."""
        plays_real = isinstance(self.address, PracticeAddress) and self.address.plays_real
        return self.consent is not None or (self.exchange == _PRACTICE and not plays_real)

    @property
    def has_own_clock(self) -> bool:
        """True: its prices come when they come."""
        return True

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        """Return the exchange's rules of the `symbols`; it is asked once.

        Raises
        ------
        ConfigError
            The exchange does not trade a symbol.
        ExchangeError
            It could not be asked.
        """
        missing = [symbol for symbol in symbols if symbol not in self._known]
        if missing:
            line = self._line()
            try:
                for symbol in missing:
                    self._known[symbol] = line.ask(_rules_of(symbol))
            finally:
                line.close()
        return tuple(self._known[symbol] for symbol in symbols)

    def usual_warmup(self, needed: int) -> int:
        """Return 500 bars, or as many as are `needed` by the strategy."""
        return max(needed, _USUAL_HISTORY)

    def open(
        self, symbols: tuple[str, ...], timeframe: Timeframe, warmup: int, *, since_ns: int | None = None
    ) -> Market:
        """Return the last `warmup` closed candles, and the live feed that goes on where they end.

        With `since_ns`, the feed from then on; where that is too long ago for every trade to be fetched, from the open
        of the bar that is open now, and the market says that there is a hole. A session that goes on with real money
        is let in although the gate says no, but only to close its position, and the market says so.

        Raises
        ------
        DataError
            The exchange has fewer candles.
        ExchangeError
            It could not be asked.
        RealTradingDisabledError
            It is to trade real money, and the gate says no.
        """
        permit, closed_reason = self._permit(symbols, goes_on=since_ns is not None)
        line = self._line(permit)
        try:
            line.ask(_measured)
            if self.consent is not None and closed_reason is None:
                line.ask(_safe)
            open_ns = timeframe.floor(line.now_ns())
            rules = self.instruments(symbols)
            is_bar_only = self.feed == "candles"
            history = None
            has_hole = False
            if since_ns is None:
                history = closed_history(line, rules, timeframe, open_ns, warmup) if warmup else None
            elif not is_bar_only and open_ns - since_ns > max(_LONGEST_TRADES_NS, 2 * timeframe.ns):
                has_hole = True
            else:
                open_ns = since_ns
            feed = ExchangeFeed(line, symbols, timeframe, since_ns=open_ns, is_bar_only=is_bar_only)
        except BaseException:
            line.close()
            raise
        clock = LineClock(line)
        market = Market(
            history,
            feed,
            open_ns,
            clock,
            line.timing.speed,
            measure_clock=lambda: line.ask(_measured, timeout_s=_CLOCK_TIMEOUT_S),
            has_hole=has_hole,
            adopt=None if permit is None else permit.adopt,
            closed_reason=closed_reason,
        )
        if not self.has_account:
            return market
        return market._replace(open_orders=lambda session_id: OrderLine(line, rules, session_id))

    def _permit(self, symbols: tuple[str, ...], *, goes_on: bool) -> tuple[RealTradingPermit | None, str | None]:
        """Return what lets orders through to real money, None without a consent, and why they may only close."""
        if self.consent is None:
            return None, None
        if symbols != self.consent.terms.symbols:
            raise RealTradingDisabledError(
                f"symbols must be those of the terms, {self.consent.terms.symbols}, were {symbols}"
            )
        gate = self.gate or RealTradingGate.of_this_process()
        try:
            return RealTradingPermit(gate, self.consent), None
        except RealTradingDisabledError as error:
            if not goes_on:
                raise
            # Who cannot enter any more must still be able to leave.
            return RealTradingPermit(gate, self.consent, closed_reason=str(error)), str(error)

    def _line(self, permit: RealTradingPermit | None = None) -> ExchangeLine:
        open_client, timing = self._client(permit)
        return ExchangeLine(open_client, timing=timing)

    def _client(self, permit: RealTradingPermit | None) -> tuple[Callable[[], ExchangeClient], Timing | None]:
        if self.exchange != _PRACTICE:
            credentials = None if permit is None else permit.credentials
            settings = ClientSettings(exchange=self.exchange, kind=self.kind, credentials=credentials, permit=permit)  # type: ignore[arg-type]  # checked above
            return (lambda: CcxtClient(settings)), None
        address = self._address()
        clock = self.clock or address.clock()
        timing = None if clock is None else PracticeTiming(clock)
        return (lambda: practice_client(address, kind=self.kind, clock=clock, permit=permit)), timing  # type: ignore[arg-type]  # as above

    def _address(self) -> PracticeAddress:
        """Return where the practice exchange is."""
        if self.address is not None and not isinstance(self.address, str):
            return self.address
        found = find_practice_exchange(self.address, plays_real=self.consent is not None)
        if found is None:
            raise ConfigError(
                f"no practice exchange is running{f' at {self.address}' if self.address else ''}: start one with "
                "`workbench practice` in a terminal, or with PracticeExchange() in this process"
            )
        return found


def closed_history(
    line: ExchangeLine, instruments: tuple[Instrument, ...], timeframe: Timeframe, end_ns: int, count: int
) -> Bars:
    """Return the last closed candles of some `instruments` before a time, as many as there are of `count`.

    Raises
    ------
    DataError
        There are none of a symbol.
    ExchangeError
        The exchange could not be asked.
    """
    parts = [_closed_history(line, one, timeframe, end_ns, count) for one in instruments]
    return parts[0] if len(parts) == 1 else Bars.join(parts)


def _closed_history(line: ExchangeLine, instrument: Instrument, timeframe: Timeframe, end_ns: int, count: int) -> Bars:
    symbol = instrument.symbol
    start_ns = end_ns - count * timeframe.ns
    found: list[Candle] = []
    while start_ns < end_ns:
        page = line.ask(_candles_of(symbol, timeframe, start_ns))
        fresh = [one for one in page if one.is_closed and start_ns <= one.time_ns < end_ns]
        if not fresh:
            break
        found += fresh
        start_ns = fresh[-1].time_ns + timeframe.ns
    if not found:
        raise DataError(f"{line.name} has no {timeframe} candles of {symbol} before {utc_text(end_ns)}")
    values = np.array([[one.open, one.high, one.low, one.close, one.volume] for one in found]).T[:, np.newaxis]
    times = np.array([one.time_ns for one in found], dtype=np.int64)
    return Bars((symbol,), timeframe, (instrument,), times, values)


def _rules_of(symbol: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def ask(client: ExchangeClient) -> Instrument:
        return (await client.market_rules(symbol)).instrument

    return ask


def _candles_of(symbol: str, timeframe: Timeframe, start_ns: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def ask(client: ExchangeClient) -> tuple[Candle, ...]:
        return await client.candles(symbol, timeframe, start_ns, _PAGE)

    return ask


async def _safe(client: ExchangeClient) -> None:
    if not isinstance(client, CcxtClient):
        raise RealTradingDisabledError(f"{client.name} does not tell what its key may do")
    await client.require_safe_key()


async def _measured(client: ExchangeClient) -> None:
    await client.measure_clock()
