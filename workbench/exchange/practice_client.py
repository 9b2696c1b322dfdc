"""The real ccxt client, connected to a practice exchange of this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.client import CcxtClient
from workbench.exchange.ccxt_client.limiter import RateBudget
from workbench.exchange.ccxt_client.settings import PRACTICE, ClientSettings
from workbench.exchange.ccxt_client.timing import SystemTiming
from workbench.exchange.credentials import Credentials
from workbench.exchange.practice.registry import find_practice_exchange

if TYPE_CHECKING:
    from workbench.exchange.practice.clock import PracticeClock
    from workbench.exchange.practice.registry import PracticeAddress
    from workbench.exchange.real_money.permit import RealTradingPermit
    from workbench.model.instrument import InstrumentKind

__all__ = ["PracticeTiming", "practice_client"]

# The exchange is on this machine and has no limit: as many calls as the client can make.
_UNLIMITED: Final = RateBudget(cost_per_s=1e6, burst=1e6)


class PracticeTiming(SystemTiming):
    """The time of a practice exchange, which may have another date and run faster; durations stay real.

    Parameters
    ----------
    clock : PracticeClock
        The exchange's.
    """

    def __init__(self, clock: PracticeClock) -> None:
        self._clock = clock
        self.speed = clock.speed

    def now_ns(self) -> int:
        """Return the exchange's time in ns UTC."""
        return self._clock.now_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds of real time since an unnamed instant."""
        return time.monotonic_ns()


def practice_client(
    address: PracticeAddress | None = None,
    *,
    kind: InstrumentKind = "spot",
    clock: PracticeClock | None = None,
    timeout_s: float = 10.0,
    permit: RealTradingPermit | None = None,
) -> CcxtClient:
    """Return a client of a practice exchange, by its own clock.

    Parameters
    ----------
    address : PracticeAddress, optional
        Which one; without it, the one of this user that started last.
    kind : {"spot", "linear_perpetual"}, default "spot"
        Which account and markets.
    clock : PracticeClock, optional
        The exchange's clock, when it is moved by hand in this process; one that runs is known from the address.
    timeout_s : float, default 10.0
        Longest time for one answer.
    permit : RealTradingPermit, optional
        What an exchange that plays a real one wants to see before an order.

    Raises
    ------
    ConfigError
        No practice exchange is running.
    """
    address = find_practice_exchange() if address is None else address
    if address is None:
        raise ConfigError("no practice exchange is running: start one, as with PracticeExchange().start()")
    clock = address.clock() if clock is None else clock
    # A permit is good for one key: the very one that it was made with.
    is_its_key = permit is not None and permit.credentials.reveal("apiKey") == address.key
    fresh = Credentials(address.key, address.secret, label=PRACTICE)
    credentials = permit.credentials if permit is not None and is_its_key else fresh
    settings = ClientSettings(
        exchange=PRACTICE,
        kind=kind,
        base_url=address.url,
        credentials=credentials,
        permit=permit,
        timeout_s=timeout_s,
        budget=_UNLIMITED,
    )
    return CcxtClient(settings, timing=None if clock is None else PracticeTiming(clock))
