"""The practice exchange: orders a second by a bare client and by ccxt, and ticks a second out to twenty listeners.

The exchange runs in a process of its own, as it does beside a session; clients share the other cores.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ccxt
import numpy as np
from machine import print_machine

from workbench.exchange.practice import (
    PracticeAddress,
    PracticeConfig,
    PracticeExchange,
    TickSource,
    find_practice_exchange,
)
from workbench.model.instrument import Instrument

ORDERS = 5_000
CCXT_ORDERS = 500
LISTENERS = 20
SECONDS = 5.0
DENSE_TICKS = 1_000_000
MARK = b'"t":'
START_NS = 1_751_328_000_000_000_000
NS_PER_MS = 1_000_000
ANSWER_SIZE = 65_536


def signed(address: PracticeAddress, params: str) -> str:
    """Return the parameters of a request with time and signature."""
    payload = f"{params}&timestamp={time.time_ns() // NS_PER_MS}"
    signature = hmac.new(address.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return f"{payload}&signature={signature}"


def bare_orders(address: PracticeAddress, params: str) -> float:
    """Return how many orders a second a bare socket places, one after another."""
    port = int(address.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        for _ in range(ORDERS):
            body = signed(address, params)
            head = f"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: {address.key}\r\n"
            kind = "Content-Type: application/x-www-form-urlencoded\r\n"
            connection.sendall(f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = connection.recv(ANSWER_SIZE)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
        return ORDERS / (time.perf_counter() - started)


def ccxt_orders(address: PracticeAddress) -> float:
    """Return how many market orders a second the synchronous ccxt client places."""
    client = ccxt.binance({"enableRateLimit": False, "apiKey": address.key, "secret": address.secret})
    client.urls["api"] = {
        name: url if isinstance(url, dict) else f"{address.url}/{url.split('/', 3)[3]}"
        for name, url in client.urls["api"].items()
    }
    client.options |= {"fetchMargins": False, "fetchMarkets": {"types": ["spot"]}}
    client.has["fetchCurrencies"] = False
    client.load_markets()
    sides = ("buy", "sell")
    started = time.perf_counter()
    for number in range(CCXT_ORDERS):
        client.create_order("BTC/USDT", "market", sides[number % 2], 0.001)
    return CCXT_ORDERS / (time.perf_counter() - started)


class Listener(asyncio.Protocol):
    """A websocket client that counts trades and does not read them, to leave the processor to the exchange."""

    def __init__(self, name: str) -> None:
        self.count = 0
        self.first = self.last = b""
        self._name = name
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands and subscribe."""
        lines = ("GET /stream/ws HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade")
        keys = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        wish = json.dumps({"method": "SUBSCRIBE", "params": [self._name], "id": 1}).encode()
        frame = bytes((0x81, 0x80 | len(wish), 0, 0, 0, 0)) + wish  # masked with zeros
        transport.write("\r\n".join((*lines, *keys, "", "")).encode() + frame)

    def data_received(self, data: bytes) -> None:
        """Count the trades, also one that comes in two pieces."""
        joined = self._tail + data
        self.count += joined.count(MARK)
        self._tail = joined[-len(MARK) + 1 :]
        if not self.first and MARK in joined:
            self.first = joined
        self.last = joined if MARK in joined else self.last

    def lost(self) -> int:
        """Return how many trades between the first and the last one seen did not come."""
        whole = re.compile(MARK + rb"(\d+),")
        first, last = whole.findall(self.first), whole.findall(self.last)
        cut_short = self.last.count(MARK) - len(last)
        return int(last[-1]) - int(first[0]) + 1 - (self.count - cut_short)


async def live_ticks(address: PracticeAddress, seconds: float) -> tuple[float, list[Listener]]:
    """Return how many trades a second twenty websockets get together, and the listeners."""
    loop = asyncio.get_running_loop()
    port = int(address.url.rpartition(":")[2])
    listeners = [Listener("btcusdt@trade") for _ in range(LISTENERS)]
    pairs = [await loop.create_connection(lambda one=one: one, "127.0.0.1", port) for one in listeners]
    await asyncio.sleep(1.0)
    before = [one.count for one in listeners]
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    taken = time.perf_counter() - started
    got = sum(one.count for one in listeners) - sum(before)
    for transport, _ in pairs:
        transport.abort()
    return got / taken, listeners


def dense_market() -> PracticeExchange:
    """Return an exchange that prints ten times in a second, played at 1000x: 10,000 ticks a real second."""
    steps = np.random.default_rng(8).choice([-0.01, 0.0, 0.01], DENSE_TICKS)
    times = START_NS + np.arange(DENSE_TICKS, dtype=np.int64) * (NS_PER_MS * 100)
    instrument = Instrument("BTC/USDT", lot=0.00001, tick=0.01, min_notional=5.0)
    source = TickSource(instrument, times, np.round(100_000 + np.cumsum(steps), 2), np.full(DENSE_TICKS, 0.25))
    return PracticeExchange([source], speed=1_000, config=PracticeConfig(is_registered=True))


def serve_dense_market() -> None:
    """Serve the dense market until the input ends."""
    with dense_market() as exchange:
        print(exchange.url, flush=True)
        sys.stdin.read()


def measure_ticks() -> None:
    """Print how many ticks reach twenty listeners."""
    command = [sys.executable, __file__, "--serve-dense-market"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        rate, listeners = asyncio.run(live_ticks(find_practice_exchange(), SECONDS))
        lost = sum(one.lost() for one in listeners)
        each = rate / LISTENERS
        print(f"10,000 ticks/s to {LISTENERS} websockets: {rate:,.0f} messages/s, {each:,.0f} each, {lost} lost")
        process.stdin.close()


def measure_orders() -> None:
    """Print how many orders a second are placed."""
    command = [sys.executable, "-m", "workbench.exchange.practice", "--cash", "1e9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        process.stdout.readline()
        address = find_practice_exchange()
        order = "symbol=BTCUSDT&side=BUY&quantity=0.00100&type="
        print(f"market orders, bare client: {bare_orders(address, f'{order}MARKET'):,.0f}/s")
        limit = f"{order}LIMIT&timeInForce=GTC&price=50000"
        print(f"resting limit orders, bare client: {bare_orders(address, limit):,.0f}/s")
        print(f"market orders, ccxt: {ccxt_orders(address):,.0f}/s")
        process.terminate()


def main() -> None:
    """Print the figures."""
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_RUNTIME_DIR"] = folder
        measure_orders()
        measure_ticks()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve-dense-market"]:
        serve_dense_market()
    else:
        main()
