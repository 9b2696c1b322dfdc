"""The practice exchange: a local server that speaks enough of Binance for the real ccxt client, and fails on command.

It lists spot markets and linear perpetuals, plays them at 1x to 1000x, matches the orders of one account, and answers
on a port of 127.0.0.1 alone. In a process of its own::

    python -m workbench.exchange.practice --port 0 --speed 60

or in this one, here with a clock that stands still until it is told to move:

>>> from workbench.exchange.practice import PracticeExchange, SteppedClock
>>> with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
...     fault = exchange.faults.add("rate_limited", where="GET /api/v3/klines")
...     exchange.advance(60)  # plays a minute of the market

A ccxt client comes to it by its addresses: every REST address keeps its path and gets `PracticeExchange.url` in place
of scheme and host, ``urls["api"]["ws"]["spot"]`` becomes ``address.spot_stream_url``, ``["ws"]["linear"]``
``address.perpetual_stream_url`` and ``["ws"]["ws-api"]["spot"]`` ``address.spot_interface_url`` (of
`PracticeExchange.address` or `find_practice_exchange`); ``apiKey`` and ``secret`` are those of
`PracticeExchange.credentials`. Requests may be signed with real time or with the exchange's, which
`PracticeAddress.clock` tells without asking; a fixed offset between the two holds at 1x only.

The market is the one of ``load_bars("practice", ...)``, print for print. It has no book of its own: orders that take
meet one tick of spread and levels of 5,000 smallest orders each, and the account's orders never move the price. Candles
say nothing true of turnover and counts, prints nothing of sides; perpetuals have cross margin only, and a fixed funding
rate. Each start begins at the same time of the exchange, with a fresh account, and nothing is kept when it ends.
"""

from __future__ import annotations

from workbench.exchange.practice.clock import PracticeClock, RunningClock, SteppedClock
from workbench.exchange.practice.config import PracticeConfig
from workbench.exchange.practice.exchange import DEFAULT_MARKETS, PracticeExchange
from workbench.exchange.practice.faults import FAULT_KINDS, Fault, FaultPlan
from workbench.exchange.practice.registry import PracticeAddress, find_practice_exchange
from workbench.exchange.practice.remote import PracticeRemote
from workbench.exchange.practice.sources import BarsSource, MarketSource, PracticeSource, TickSource

__all__ = [
    "DEFAULT_MARKETS",
    "FAULT_KINDS",
    "BarsSource",
    "Fault",
    "FaultPlan",
    "MarketSource",
    "PracticeAddress",
    "PracticeClock",
    "PracticeConfig",
    "PracticeExchange",
    "PracticeRemote",
    "PracticeSource",
    "RunningClock",
    "SteppedClock",
    "TickSource",
    "find_practice_exchange",
]
