"""Clients for candles alone: synchronous, without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.build import build_sync_exchange
from workbench.exchange.ccxt_client.settings import PRACTICE
from workbench.exchange.practice.registry import find_practice_exchange

if TYPE_CHECKING:
    from workbench.exchange.practice.clock import PracticeClock

__all__ = ["open_candle_client", "practice_candle_client"]

_NS_PER_MS: Final = 1_000_000
_SPOKEN: Final = "binance"  # whose interface the practice exchange speaks


def open_candle_client(exchange_name: str) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return a fresh ccxt exchange without keys, which keeps to the exchange's rate limit; close it after use.

    Parameters
    ----------
    exchange_name : str
        Name of an exchange that ccxt knows, or ``"practice"`` for the practice exchange that runs on this machine.

    Raises
    ------
    ConfigError
        There is no such exchange; the message names near ones. Or no practice exchange is running.
    """
    if exchange_name != PRACTICE:
        return build_sync_exchange(exchange_name)
    address = find_practice_exchange()
    clock = None if address is None else address.clock()
    if address is None or clock is None:
        raise ConfigError("no practice exchange is running: start one with `workbench practice`")
    return practice_candle_client(address.url, clock)


def practice_candle_client(url: str, clock: PracticeClock) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return a client for the candles of a practice exchange, by its clock and without a rate limit.

    Parameters
    ----------
    url : str
        Where it is, on this machine.
    clock : PracticeClock
        Its time, which is not this machine's.
    """
    client = build_sync_exchange(_SPOKEN, base_url=url)
    client.enableRateLimit = False
    # What has closed is told by the exchange's time; asking for it would cost an answer each time.
    client.milliseconds = lambda: clock.now_ns() // _NS_PER_MS
    return client
