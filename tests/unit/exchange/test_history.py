from collections.abc import Mapping
from typing import Any

import ccxt
import pytest

from workbench.data import load_bars
from workbench.errors import (
    BarError,
    ConfigError,
    ExchangeError,
    ExchangeTimeoutError,
    ExchangeUnavailableError,
    MissingDataError,
    RateLimitError,
)
from workbench.exchange.history import exchange_names, fetch_ohlcv_history, open_archive
from workbench.model.instrument import Instrument

START_MS = 1_735_689_600_000  # 2025-01-01 00:00 UTC
MINUTE_MS = 60_000
NS_PER_MS = 1_000_000
SPOT = {
    "spot": True,
    "swap": False,
    "linear": None,
    "taker": 0.001,
    "maker": 0.0008,
    "precision": {"amount": 0.00001, "price": 0.01},
    "limits": {"cost": {"min": 5.0}},
}


class ScriptedExchange:
    """Minute candles of one symbol, some of them missing, in pages of up to `page` candles."""

    precisionMode = 4  # noqa: N815 - ccxt's spelling

    def __init__(
        self,
        candles: int = 2_500,
        *,
        missing: range = range(0),
        now_ms: int = START_MS + 10_000 * MINUTE_MS,
        page: int = 1_000,
        error: Exception | None = None,
    ) -> None:
        self.timeframes = {"1m": "1m", "1h": "1h"}
        self.rows = [
            [START_MS + index * MINUTE_MS, 10.0, 12.0, 9.0, 11.0, 1.0 + index]
            for index in range(candles)
            if index not in missing
        ]
        self.market: Mapping[str, Any] = SPOT
        self.now_ms = now_ms
        self.page = page
        self.error = error
        self.asked: list[int] = []

    def load_markets(self) -> Mapping[str, Mapping[str, Any]]:
        return {"BTC/USDT": self.market}

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        assert (symbol, timeframe) == ("BTC/USDT", "1m")
        if self.error is not None:
            raise self.error
        self.asked.append(since)
        window = [row for row in self.rows if row[0] >= since and row[0] < since + limit * MINUTE_MS]
        return window[: min(limit, self.page)]

    def milliseconds(self) -> int:
        return self.now_ms


def volumes(client: ScriptedExchange, first: float, last: float) -> list[float]:
    """Download the candles from one minute until another; the volume of minute `i` is `1 + i`."""
    start, end = (int((START_MS + minute * MINUTE_MS) * NS_PER_MS) for minute in (first, last))
    bars = fetch_ohlcv_history("testex", "BTC/USDT", "1m", start, end, client=client)
    assert [
        1.0 + (time - START_MS * NS_PER_MS) / (MINUTE_MS * NS_PER_MS) for time in bars.time_ns
    ] == bars.volume.tolist()
    return bars.volume.tolist()


@pytest.mark.parametrize("page", [1_000, 300, 1])
def test_pages_of_any_size_join_without_loss_or_repetition(page: int) -> None:
    last = 50 if page == 1 else 2_500
    assert volumes(ScriptedExchange(page=page), 0, last) == [1.0 + minute for minute in range(last)]


def test_only_candles_wholly_in_the_range_are_returned() -> None:
    # From 2.5 the first whole candle is that of minute 3; at 7.5 that of minute 7 is still open.
    assert volumes(ScriptedExchange(), 2.5, 7.5) == [4.0, 5.0, 6.0, 7.0]
    # A nanosecond after its open a candle is no longer whole.
    start_ns = START_MS * NS_PER_MS + 1
    bars = fetch_ohlcv_history("testex", "BTC/USDT", "1m", start_ns, start_ns + 13 * 10**10, client=ScriptedExchange())
    assert bars.volume.tolist() == [2.0]


def test_candle_that_is_still_open_on_the_exchange_is_left_out() -> None:
    client = ScriptedExchange(10, now_ms=START_MS + 9 * MINUTE_MS + 1)
    assert volumes(client, 0, 100) == [1.0 + minute for minute in range(9)]
    bars = fetch_ohlcv_history("testex", "BTC/USDT", "1m", START_MS * NS_PER_MS, client=client)
    assert len(bars) == 9


def test_holes_longer_than_a_page_are_crossed_and_stay_holes() -> None:
    got = volumes(ScriptedExchange(4_000, missing=range(500, 3_200)), 0, 4_000)
    assert got == [1.0 + minute for minute in (*range(500), *range(3_200, 4_000))]


@pytest.mark.parametrize("told", [True, False])
def test_exchange_with_small_answers_loses_nothing_behind_a_hole(told: bool) -> None:
    class Small(ScriptedExchange):
        def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
            return super().fetch_ohlcv(symbol, timeframe, since, min(limit, 100))

    client = Small(2_000, missing=range(250, 950))
    if told:
        client.features = {"spot": {"fetchOHLCV": {"limit": 100}}}  # type: ignore[attr-defined] # as ccxt has it
    assert volumes(client, 0, 2_000) == [1.0 + minute for minute in (*range(250), *range(950, 2_000))]


def test_pages_tell_which_time_they_answer_for() -> None:
    client = ScriptedExchange(3_000, missing=range(1_200, 2_500))
    client.features = {"spot": {"fetchOHLCV": {"limit": 1_000}}}  # type: ignore[attr-defined] # as ccxt has it
    archive = open_archive("testex", "BTC/USDT", "1m", client=client)
    pages = list(archive.pages(START_MS * NS_PER_MS, (START_MS + 2_800 * MINUTE_MS) * NS_PER_MS))
    edges = [(page.start_ns // NS_PER_MS - START_MS) // MINUTE_MS for page in pages]
    # 1,000 candles; then 1,000 to 1,199 of the next thousand; from 1,200 on nothing; then 2,500 on; then the rest.
    assert edges == [0, 1_000, 1_200, 2_200]
    assert [len(page.time_ns) for page in pages] == [1_000, 200, 0, 300]
    assert [first.end_ns for first in pages[:-1]] == [second.start_ns for second in pages[1:]]
    assert pages[-1].end_ns == (START_MS + 2_800 * MINUTE_MS) * NS_PER_MS


def test_time_before_the_listing_is_crossed() -> None:
    assert volumes(ScriptedExchange(2_500, missing=range(2_400)), 0, 2_500) == [
        1.0 + minute for minute in range(2_400, 2_500)
    ]


def test_asking_ends_at_the_end_of_the_range() -> None:
    client = ScriptedExchange()
    volumes(client, 0, 2_000)
    assert client.asked == [START_MS, START_MS + 1_000 * MINUTE_MS]


def test_exchange_that_rounds_since_down_gives_no_candle_twice() -> None:
    class Rounding(ScriptedExchange):
        def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
            return super().fetch_ohlcv(symbol, timeframe, since - 7 * MINUTE_MS, limit)

    assert volumes(Rounding(), 10, 2_300) == [1.0 + minute for minute in range(10, 2_300)]


def test_instrument_has_the_exchanges_rules() -> None:
    bars = fetch_ohlcv_history("testex", "BTC/USDT", "1m", START_MS * NS_PER_MS, client=ScriptedExchange(3))
    assert bars.instruments == (
        Instrument("BTC/USDT", lot=0.00001, tick=0.01, min_notional=5.0, taker_fee=0.001, maker_fee=0.0008),
    )


def test_precisions_that_count_digits_are_not_taken_for_steps() -> None:
    client = ScriptedExchange(3)
    client.precisionMode = 2
    instrument = fetch_ohlcv_history("testex", "BTC/USDT", "1m", START_MS * NS_PER_MS, client=client).instruments[0]
    assert (instrument.lot, instrument.tick) == (None, None)


def test_market_that_is_neither_spot_nor_linear_is_refused() -> None:
    client = ScriptedExchange()
    client.market = {"spot": False, "swap": True, "linear": False}
    with pytest.raises(ConfigError, match="'BTC/USDT' of testex is neither spot nor a linear perpetual"):
        volumes(client, 0, 10)


def test_nothing_in_the_range_says_so() -> None:
    with pytest.raises(MissingDataError, match="testex has no closed 1m candle of BTC/USDT in this range"):
        volumes(ScriptedExchange(10), 100, 200)


def test_symbol_and_timeframe_that_the_exchange_lacks_are_refused_with_near_ones() -> None:
    client = ScriptedExchange()
    with pytest.raises(ConfigError, match="testex does not trade 'BTC/USD'; did you mean 'BTC/USDT'"):
        fetch_ohlcv_history("testex", "BTC/USD", "1m", START_MS * NS_PER_MS, client=client)
    with pytest.raises(ConfigError, match="testex has no candles of 7m; it has 1m, 1h"):
        fetch_ohlcv_history("testex", "BTC/USDT", "7m", START_MS * NS_PER_MS, client=client)


def test_unknown_exchange_is_refused_with_near_ones() -> None:
    with pytest.raises(ConfigError, match="there is no exchange 'binanse'; did you mean 'binance"):
        fetch_ohlcv_history("binanse", "BTC/USDT", "1m", START_MS * NS_PER_MS)
    assert {"binance", "kraken"} <= set(exchange_names())


@pytest.mark.parametrize(
    ("error", "expected", "retryable"),
    [
        (ccxt.RequestTimeout("slow"), ExchangeTimeoutError, True),
        (ccxt.RateLimitExceeded("too many"), RateLimitError, True),
        (ccxt.DDoSProtection("wait"), RateLimitError, True),
        (ccxt.NetworkError("no route"), ExchangeUnavailableError, True),
        (ccxt.ExchangeNotAvailable("maintenance"), ExchangeUnavailableError, True),
        (ccxt.BadSymbol("what"), ExchangeError, False),
    ],
)
def test_errors_of_ccxt_become_ours(error: Exception, expected: type[ExchangeError], retryable: bool) -> None:
    with pytest.raises(expected) as caught:
        volumes(ScriptedExchange(error=error), 0, 10)
    assert type(caught.value) is expected
    assert (caught.value.exchange, caught.value.retryable) == ("testex", retryable)


def test_candle_that_cannot_be_is_refused() -> None:
    client = ScriptedExchange(5)
    client.rows[3][2] = 8.0
    with pytest.raises(BarError, match=r"row 3 \(2025-01-01T00:03Z\): high 8.* is below low 9"):
        volumes(client, 0, 5)


def test_load_bars_takes_an_exchange_object() -> None:
    bars = load_bars("testex", "BTC/USDT", "1m", start="2025-01-01", end="2025-01-01T00:10Z", client=ScriptedExchange())
    assert len(bars) == 10


def test_own_client_is_closed_even_when_the_download_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Opened(ScriptedExchange):
        def __init__(self, settings: dict[str, Any]) -> None:
            super().__init__(error=ccxt.NetworkError("no route"))
            assert settings == {"enableRateLimit": True}

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(ccxt, "binance", Opened)
    with pytest.raises(ExchangeUnavailableError):
        fetch_ohlcv_history("binance", "BTC/USDT", "1m", START_MS * NS_PER_MS)
    assert closed == [True]
