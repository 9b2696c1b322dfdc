"""Starting, stopping and asking a practice exchange in this process."""

import asyncio
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from decimal import Decimal

import aiohttp
import numpy as np
import pytest

from tests.unit.exchange.practice.ccxt_clients import sync_client
from workbench.errors import ConfigError, DataError, ExchangeUnavailableError, MissingDataError
from workbench.exchange.practice import (
    BarsSource,
    PracticeConfig,
    PracticeExchange,
    RunningClock,
    SteppedClock,
    TickSource,
)
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.practice import PRACTICE_LIVE_START

HOUR = 3_600_000_000_000
PLAIN = Instrument("BTC/USDT")


def hours(count: int = 48, symbols: str = "BTC/USDT") -> Bars:
    times = PRACTICE_LIVE_START + np.arange(count, dtype=np.int64) * HOUR
    opens = 100.0 + np.arange(count)
    return Bars.from_arrays(symbols, "1h", times, opens, opens + 2, opens - 2, opens + 1, np.full(count, 0.3))


def test_it_listens_on_loopback_alone_and_ends_with_its_thread() -> None:
    exchange = PracticeExchange(["BTC/USDT"])
    exchange.start()
    port = int(exchange.url.rpartition(":")[2])
    assert exchange.url == f"http://127.0.0.1:{port}"
    socket.create_connection(("127.0.0.1", port)).close()
    exchange.stop()
    exchange.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not any(thread.name == "practice-exchange" for thread in threading.enumerate())


def test_it_never_uses_the_callers_loop() -> None:
    async def inside() -> None:
        with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
            assert exchange.balances() == {"USDT": 10_000}

    asyncio.run(inside())


def test_it_starts_once_and_says_so() -> None:
    exchange = PracticeExchange(["BTC/USDT"])
    with pytest.raises(ConfigError, match="no address before it is started"):
        _ = exchange.url
    with pytest.raises(ConfigError, match="not running"):
        exchange.balances()
    with exchange, pytest.raises(ConfigError, match="starts once"):
        exchange.start()


def test_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        exchange = PracticeExchange(["BTC/USDT"], config=PracticeConfig(port=port))
        with pytest.raises(ExchangeUnavailableError, match=f"port {port}"):
            exchange.start()


def test_config_names_every_bad_field() -> None:
    with pytest.raises(ConfigError) as error:
        PracticeConfig(taker_fee=float("nan"), latency_s=-1, port=70_000, fee_asset="", balances={"USDT": -1.0})
    for name in ("taker_fee", "latency_s", "port", "fee_asset", "balances"):
        assert name in str(error.value)


@pytest.mark.parametrize("speed", [0.5, 1_001, float("nan")])
def test_speed_out_of_range_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match=r"speed must be in \[1, 1000\]"):
        PracticeExchange(speed=speed)


def test_speed_beside_a_clock_is_refused() -> None:
    with pytest.raises(ConfigError, match="brings its own speed"):
        PracticeExchange(speed=2, clock=SteppedClock())


def test_running_clock_cannot_be_moved() -> None:
    with PracticeExchange(["BTC/USDT"]) as exchange, pytest.raises(ConfigError, match="runs by itself"):
        exchange.advance(1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_is_moved_forward_by_a_finite_amount(seconds: float) -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        with pytest.raises(ConfigError, match="seconds must be in"):
            exchange.advance(seconds)
        assert exchange.clock.now_ns() == PRACTICE_LIVE_START
    with pytest.raises(ConfigError, match="duration_ns must be >= 0"):
        SteppedClock().advance(-1)


def test_market_may_be_listed_once() -> None:
    with pytest.raises(ConfigError, match="BTCUSDT came twice"):
        PracticeExchange(["BTC/USDT", hours()])
    with pytest.raises(ConfigError, match="at least one market"):
        PracticeExchange([])


def test_clock_must_start_inside_the_data() -> None:
    with pytest.raises(MissingDataError, match="give it a clock that starts inside"):
        PracticeExchange([hours()], clock=SteppedClock(PRACTICE_LIVE_START + 48 * HOUR))


def test_balances_edited_to_nonsense_are_refused() -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        for amount in (-1, float("nan"), float("inf")):
            with pytest.raises(ConfigError, match="finite and >= 0"):
                exchange.set_balance("BTC", amount)
        with pytest.raises(ConfigError, match="'DOGE/EUR' is not listed"):
            exchange.trade_as_other("DOGE/EUR", "buy", 1)
        with pytest.raises(ConfigError, match="-2010"):
            exchange.trade_as_other("BTC/USDT", "buy", 1_000)


def test_secret_is_in_no_repr() -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        shown = repr(exchange.credentials) + repr(exchange.address) + repr(exchange)
        assert exchange.credentials.secret not in shown
        assert exchange.credentials.key.startswith("practice-")


def test_bars_are_played_as_ticks_that_make_the_same_bars_again() -> None:
    bars = hours()
    with PracticeExchange([bars], clock=SteppedClock(PRACTICE_LIVE_START)) as exchange:
        exchange.advance(30 * 3_600)
        served = sync_client(exchange).fetch_ohlcv("BTC/USDT", "1h", since=PRACTICE_LIVE_START // 1_000_000)
        assert [row[1:] for row in served[:30]] == bars.values[:, 0, :30].T.tolist()
        trades = sync_client(exchange).fetch_trades("BTC/USDT", since=PRACTICE_LIVE_START // 1_000_000, limit=4)
        assert [trade["price"] for trade in trades] == [100.0, 98.0, 102.0, 101.0]
        total = 0.0
        for trade in trades:
            total += trade["amount"]
            assert trade["amount"] > 0
        assert total == 0.3


def test_bars_are_joined_into_longer_candles() -> None:
    bars = hours()
    with PracticeExchange([bars], clock=SteppedClock(PRACTICE_LIVE_START)) as exchange:
        exchange.advance(25 * 3_600)
        day = sync_client(exchange).fetch_ohlcv("BTC/USDT", "1d", since=PRACTICE_LIVE_START // 1_000_000)[0]
    assert day[1:5] == [100.0, 125.0, 98.0, 124.0]


def test_recorded_ticks_are_played_as_they_are() -> None:
    times = PRACTICE_LIVE_START + np.array([0, 1, 1, 5]) * 1_000_000_000
    source = TickSource(PLAIN, times, [1e-7, 2.5, 2.5, 3.0], [1.0, 0.0, 4e-9, 2.0])
    with PracticeExchange([source], clock=SteppedClock(PRACTICE_LIVE_START)) as exchange:
        exchange.advance(4)
        with urllib.request.urlopen(f"{exchange.url}/api/v3/trades?symbol=BTCUSDT") as answer:  # noqa: S310 - loopback
            trades = json.load(answer)
    assert [(trade["price"], trade["qty"]) for trade in trades] == [
        ("0.0000001", "1.0"),
        ("2.5", "0.0"),
        ("2.5", "0.000000004"),
    ]


@pytest.mark.parametrize(
    ("times", "prices", "volumes"),
    [
        ([], [], []),
        ([2, 1], [1.0, 1.0], [1.0, 1.0]),
        ([1, 2], [1.0], [1.0, 1.0]),
        ([1], [float("nan")], [1.0]),
        ([1], [0.0], [1.0]),
        ([1], [1.0], [-1.0]),
    ],
)
def test_ticks_that_cannot_be_are_refused(times: list[int], prices: list[float], volumes: list[float]) -> None:
    with pytest.raises(DataError):
        TickSource(PLAIN, times, prices, volumes)


def test_bars_of_several_symbols_are_a_market_each() -> None:
    both = Bars.join([hours(), hours(symbols="ETH/USDT")])
    with pytest.raises(DataError, match="one symbol"):
        BarsSource(both)
    with PracticeExchange([both], clock=SteppedClock(PRACTICE_LIVE_START + HOUR)) as exchange:
        assert set(sync_client(exchange).fetch_tickers()) == {"BTC/USDT", "ETH/USDT"}


def test_latency_delays_an_answer() -> None:
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock(), config=PracticeConfig(latency_s=0.05)) as exchange:
        started = time.monotonic()
        urllib.request.urlopen(f"{exchange.url}/api/v3/ping").close()  # noqa: S310 - loopback
        assert time.monotonic() - started >= 0.05


def test_latency_delays_a_stream() -> None:
    async def hear(exchange: PracticeExchange) -> float:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{exchange.url}/ws") as socket_:
            await socket_.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
            await socket_.receive()
            started = time.monotonic()
            await asyncio.to_thread(exchange.advance, 60)
            await socket_.receive()
            return time.monotonic() - started

    with PracticeExchange(["BTC/USDT"], clock=SteppedClock(), config=PracticeConfig(latency_s=0.1)) as exchange:
        assert asyncio.run(asyncio.wait_for(hear(exchange), 10)) >= 0.05


def test_clock_of_the_address_shows_the_exchanges_time() -> None:
    with PracticeExchange(["BTC/USDT"], speed=1_000) as exchange:
        clock = exchange.address.clock()
        assert isinstance(clock, RunningClock)
        before = exchange.clock.now_ns()
        here = clock.now_ns()
        assert before <= here <= exchange.clock.now_ns()
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        assert exchange.address.clock() is None


def test_fast_market_plays_by_itself() -> None:
    count = 100_000  # a print a second, up and down
    times = PRACTICE_LIVE_START + np.arange(count) * 1_000_000_000
    source = TickSource(PLAIN, times, np.tile([100.0, 99.0], count // 2), np.full(count, 5.0))
    with PracticeExchange([source], speed=1_000) as exchange:
        client = sync_client(exchange)
        order = client.create_order("BTC/USDT", "limit", "buy", 1, 99)
        while client.fetch_order(order["id"], "BTC/USDT")["status"] == "open":
            assert exchange.clock.now_ns() < times[-1]
        assert exchange.trades()[-1].price in {99, 99 + Decimal("1e-8")}


def test_body_that_is_no_text_is_refused(exchange: PracticeExchange) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{exchange.url}/api/v3/order", data=b"\xff\xfe", headers={"X-MBX-APIKEY": exchange.credentials.key}
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)  # noqa: S310 - loopback
    with error.value:
        assert json.load(error.value)["code"] == -1102


def test_unknown_path_is_refused_in_json(exchange: PracticeExchange) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{exchange.url}/api/v3/withdraw")  # noqa: S310 - loopback
    with error.value:
        assert json.load(error.value)["code"] == -5000
