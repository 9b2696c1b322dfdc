"""Download through the real ccxt client, over loopback, from the practice exchange."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.data import CandleStore, Span, download, load_bars
from workbench.errors import ConfigError, RateLimitError
from workbench.exchange.candle_client import open_candle_client, practice_candle_client
from workbench.exchange.history import open_archive
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.model.practice import PRACTICE_LIVE_START

MINUTE = 60_000_000_000
NAME = ("practice", "BTC/USDT", "1m")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def exchange(clock: SteppedClock) -> Iterator[PracticeExchange]:
    with PracticeExchange(["BTC/USDT", "ETH/USDT"], clock=clock) as practice:
        yield practice


@pytest.fixture
def client(exchange: PracticeExchange, clock: SteppedClock) -> Iterator[object]:
    opened = practice_candle_client(exchange.url, clock)
    yield opened
    opened.close()


def load(store: CandleStore, client: object) -> int:
    symbols = ["BTC/USDT", "ETH/USDT"]
    return download("practice", symbols, "1m", since="2025-06-29", store=store, client=client, progress=False).new  # type: ignore[arg-type] # ccxt's


def test_what_is_downloaded_is_what_is_computed(tmp_path: Path, client: object) -> None:
    store = CandleStore(tmp_path)
    assert load(store, client) == 2 * 2 * 1_440
    for symbol in ("BTC/USDT", "ETH/USDT"):
        computed = load_bars("practice", symbol, "1m", start="2025-06-29", end="2025-07-01")
        assert store.read("practice", symbol, "1m") == computed


def test_download_goes_on_and_keeps_the_holes_of_the_exchange(
    tmp_path: Path, exchange: PracticeExchange, client: object
) -> None:
    store = CandleStore(tmp_path)
    hole = Span(PRACTICE_LIVE_START - 300 * MINUTE, PRACTICE_LIVE_START - 240 * MINUTE)
    exchange.hide_candles("BTC/USDT", "1m", *hole)
    assert load(store, client) == 2 * 2 * 1_440 - 60
    assert store.holes(*NAME) == (hole,)
    exchange.advance(330)
    # Five minutes have closed since; the sixth is open.
    assert load(store, client) == 2 * 5
    assert store.coverage(*NAME) == (Span(PRACTICE_LIVE_START - 2_880 * MINUTE, PRACTICE_LIVE_START + 5 * MINUTE),)


def test_exchange_says_how_long_it_wants_to_be_left_alone(exchange: PracticeExchange, client: object) -> None:
    archive = open_archive("practice", "BTC/USDT", "1m", client=client)  # type: ignore[arg-type] # ccxt's
    exchange.faults.add("rate_limited", where="GET /api/v3/klines", seconds=7)
    with pytest.raises(RateLimitError) as caught:
        list(archive.pages(PRACTICE_LIVE_START - 60 * MINUTE, PRACTICE_LIVE_START))
    assert caught.value.retry_after_s == 7.0


def test_rules_of_the_exchange_are_stored(tmp_path: Path, client: object) -> None:
    store = CandleStore(tmp_path)
    load(store, client)
    rules = store.read(*NAME).instruments[0]
    computed = load_bars("practice", "BTC/USDT", "1m", start="2025-06-30").instruments[0]
    assert (rules.tick, rules.lot) == (computed.tick, computed.lot)


def test_practice_exchange_has_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="no practice exchange is running: start one with `workbench practice`"):
        open_candle_client("practice")
