"""How far the exchange's clock is from ours, measured the way the network allows it best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, ExchangeError
from workbench.exchange.ccxt_client.limiter import CallPriority
from workbench.exchange.ccxt_client.taxonomy import read_problem
from workbench.exchange.ccxt_client.timing import NS_PER_MS, NS_PER_S
from workbench.exchange.market_data import ClockReading

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.calls import CallDesk
    from workbench.exchange.ccxt_client.timing import Timing

__all__ = ["ExchangeClock"]

_ROUND_TRIPS: Final = 5
# The exchange tells whole milliseconds, cut off: the truth is half of one later on average.
_CUT_OFF_NS: Final = NS_PER_MS // 2
_FRESH_FOR_S: Final = 1_200.0


class ExchangeClock:
    """The exchange's time by our clock and a measured offset.

    Parameters
    ----------
    exchange : ccxt exchange
        Asked for its time.
    desk : CallDesk
        Makes the calls.
    timing : Timing
        Our clock.

    Attributes
    ----------
    reading : ClockReading or None
        The reading in use.
    """

    def __init__(self, exchange: Any, desk: CallDesk, timing: Timing) -> None:  # noqa: ANN401 - ccxt has no types
        self.reading: ClockReading | None = None
        self._exchange = exchange
        self._desk = desk
        self._timing = timing
        self._measured_at_ns = 0

    @property
    def can_be_measured(self) -> bool:
        """Whether the exchange tells its time at all."""
        return bool(self._exchange.has.get("fetchTime"))

    @property
    def is_fresh(self) -> bool:
        """Whether the reading is younger than 20 minutes and the exchange has not thrown a request away since."""
        age_ns = self._timing.monotonic_ns() - self._measured_at_ns
        return self.reading is not None and not self._desk.is_clock_doubted and age_ns < _FRESH_FOR_S * NS_PER_S

    def now_ns(self) -> int:
        """Return the exchange's time as we know it, ns UTC."""
        return self._timing.now_ns() + (self.reading.offset_ns if self.reading is not None else 0)

    async def trust(self) -> None:
        """Measure again when the exchange threw a request away for its time; raises ExchangeError when that fails."""
        if self._desk.is_clock_doubted and self.can_be_measured:
            await self.measure()

    async def measure(self) -> ClockReading:
        """Measure the offset and use it from now on.

        Several round trips are made. The one with the smallest delay says most: its answer was written in its middle,
        give or take half of it.

        Raises
        ------
        ExchangeError
            No round trip succeeded.
        ConfigError
            The exchange does not tell its time.
        """
        if not self.can_be_measured:
            raise ConfigError(f"{self._desk.name} does not tell its time")
        readings: list[ClockReading] = []
        problem: ExchangeError | None = None
        for _ in range(_ROUND_TRIPS):
            reading = await self._round_trip()
            if isinstance(reading, ClockReading):
                readings.append(reading)
            else:
                problem = reading
        if not readings and problem is not None:
            raise problem
        self.reading = min(readings, key=lambda one: one.delay_ns)
        self._measured_at_ns = self._timing.monotonic_ns()
        self._desk.is_clock_doubted = False
        return self.reading

    async def _round_trip(self) -> ClockReading | ExchangeError:
        attempt = await self._desk.attempt(self._exchange.fetch_time, CallPriority.ENTRY)
        record = attempt.record
        if attempt.error is not None:
            return read_problem(self._desk.name, "its time", attempt.error, record, self._desk.redact)
        answer: Any = attempt.answer
        if not isinstance(answer, int) or record.left_ns is None or record.arrived_ns is None:
            return self._desk.garbage("its time", record)
        server_ns = answer * NS_PER_MS + _CUT_OFF_NS
        middle_ns = (record.left_ns + record.arrived_ns) // 2
        return ClockReading(server_ns - middle_ns, record.arrived_ns - record.left_ns, record.arrived_ns)
