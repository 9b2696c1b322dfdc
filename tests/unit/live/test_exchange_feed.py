from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.manual_timing import ManualTiming
from tests.unit.live.fake_exchange import FakeExchange, SteppedLine, batch, candle, gap, trade
from tests.unit.live.markets import BTC, MIDNIGHT, MINUTE, SECOND
from workbench.errors import AuthError, DataError, ExchangeUnavailableError
from workbench.exchange import BadRecord, CandleBatch, StreamInterrupted
from workbench.live import exchange_feed
from workbench.live.exchange_feed import ExchangeFeed
from workbench.model import Timeframe

NO_ANSWER = ExchangeUnavailableError("no answer", exchange="fake", retryable=True)


class Market:
    """A feed of a scripted exchange."""

    def __init__(self) -> None:
        self.exchange = FakeExchange()
        self.line = SteppedLine(self.exchange)
        self.feed: Any = None

    def open(self, *, is_bar_only: bool = False, symbols: tuple[str, ...] = (BTC,)) -> ExchangeFeed:
        self.feed = ExchangeFeed(
            self.line,  # type: ignore[arg-type]  # stands in for the real line
            symbols,
            Timeframe("1m"),
            since_ns=MIDNIGHT,
            is_bar_only=is_bar_only,
        )
        self.line.settle()
        return self.feed

    def stream(self, *events: Any, symbol: str = BTC) -> None:
        self.line.put(f"trades {symbol}", *events)

    def stream_candles(self, *candles: Any) -> None:
        self.line.put(f"candles {BTC}", *[CandleBatch(BTC, "1m", (one,), False, 0) for one in candles])

    def poll(self) -> tuple[list[str | None], list[float], list[int]]:
        """Return (symbols of the holes, texts counted as None, prices, seconds) of one poll."""
        rows = self.feed.poll(0)
        holes = [notice.hole_in for notice in self.feed.notices()]
        return holes, rows["a"].tolist(), ((rows["time_ns"] - MIDNIGHT) // SECOND).tolist()

    def texts(self) -> list[str]:
        texts = []
        while True:
            rows = self.feed.poll(0)
            notices = self.feed.notices()
            texts += [notice.text for notice in notices]
            if not len(rows) and not notices:
                return texts

    def closes(self) -> list[tuple[int, float]]:
        """Return (minute, close) of the bars that came."""
        rows = self.feed.poll(0)
        return [((row[2] - MIDNIGHT) // MINUTE, row[6]) for row in rows.tolist()]


@pytest.fixture
def market() -> Iterator[Market]:
    made = Market()
    yield made
    made.line.close()


# ---- trades ----


def test_trades_before_the_stream_come_first_and_the_streams_own_are_not_doubled(market: Market) -> None:
    market.exchange.answer("trades", tuple(trade(number) for number in (1, 2, 3, 4, 5)))
    market.open()
    market.stream(batch(trade(3), trade(4)), batch(trade(5)))
    assert market.poll() == ([], [100.0] * 5, [1, 2, 3, 4, 5])
    assert market.exchange.asked("trades") == [[BTC, MIDNIGHT, None]]


def test_trades_from_before_the_start_are_left_out(market: Market) -> None:
    market.exchange.answer("trades", (trade(-5), trade(0), trade(1)))
    market.open()
    market.stream(batch(trade(1)))
    assert market.poll()[2] == [0, 1]


def test_what_was_missed_is_fetched_page_by_page(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_feed, "_PAGE", 2)
    market.exchange.answer("trades", (trade(1), trade(2)), (trade(3), trade(4)), (trade(5),))
    market.open()
    market.stream(batch(trade(5)))
    assert market.poll() == ([], [100.0] * 5, [1, 2, 3, 4, 5])
    assert market.exchange.asked("trades")[1:] == [[BTC, None, "2"], [BTC, None, "4"]]


def test_a_page_of_the_latest_trades_that_may_not_reach_the_start_is_a_hole(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_feed, "_PAGE", 3)
    market.exchange.answer("trades", (trade(40), trade(41), trade(42)))
    market.open()
    market.stream(batch(trade(42)))
    assert market.poll()[0] == [BTC]


def test_a_list_that_ends_before_the_stream_begins_is_a_hole(market: Market) -> None:
    market.exchange.answer("trades", (trade(1),))
    market.open()
    market.stream(batch(trade(9)))
    assert market.poll() == ([BTC], [100.0], [1])
    assert market.poll() == ([BTC], [100.0], [9])


@pytest.mark.parametrize("error", [NO_ANSWER, DataError("a trade that cannot be")])
def test_a_failing_back_fill_is_a_hole_and_the_stream_goes_on(market: Market, error: Exception) -> None:
    market.exchange.answer("trades", error)
    market.open()
    market.stream(batch(trade(9)), batch(trade(10)))
    assert market.poll() == ([BTC, BTC], [100.0, 100.0], [9, 10])


def test_a_hole_stands_between_the_prices_before_and_behind_it(market: Market) -> None:
    market.exchange.answer("trades", (trade(1),))
    market.open()
    market.stream(batch(trade(1), trade(2)), gap(missing=3, recovered=0), batch(trade(6)))
    assert market.poll() == ([], [100.0, 100.0], [1, 2])
    assert market.poll() == ([BTC], [100.0], [6])


def test_a_hole_that_was_filled_whole_is_told_and_is_no_hole(market: Market) -> None:
    market.exchange.answer("trades", (trade(1),))
    market.open()
    market.stream(batch(trade(1)), gap(missing=1, recovered=1), batch(trade(2), is_backfill=True), batch(trade(3)))
    market.poll()
    assert market.poll() == ([None], [100.0, 100.0], [2, 3])


@pytest.mark.parametrize("missing", [5, None])
def test_a_hole_that_was_filled_in_part_lies_before_and_behind_what_was_fetched(
    market: Market, missing: int | None
) -> None:
    market.exchange.answer("trades", (trade(1),))
    market.open()
    market.stream(
        batch(trade(1)), gap(missing=missing, recovered=1), batch(trade(70), is_backfill=True), batch(trade(130))
    )
    market.poll()
    assert market.poll() == ([BTC], [100.0], [70])
    assert market.poll() == ([BTC], [100.0], [130])


def test_what_goes_wrong_with_a_stream_is_told(market: Market) -> None:
    market.open()
    market.stream(
        StreamInterrupted(BTC, "silent", "no data for 60 s", MIDNIGHT, 0, 0.5),
        BadRecord(BTC, "price must be above 0, was -1"),
        gap(missing=None, recovered=0),
    )
    assert market.texts() == [
        "BTC/USDT: the stream is silent (no data for 60 s); next try in 0.5 s",
        "BTC/USDT: price must be above 0, was -1",
        "BTC/USDT: an unknown number missing between 2025-01-01T00:00Z and 2025-01-01T00:01Z; 0 of them were fetched",
    ]


def test_a_feed_ends_when_a_stream_dies_for_good_and_what_came_before_was_taken(market: Market) -> None:
    market.exchange.answer("trades", (trade(1),))
    feed = market.open()
    market.stream(batch(trade(1)), AuthError("the key is not accepted", exchange="fake", retryable=False))
    assert not feed.is_ended
    assert market.poll()[1] == [100.0]
    assert market.texts() == ["the stream ended for good: AuthError: the key is not accepted"]
    assert feed.is_ended


def test_a_batch_has_a_bounded_size(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_feed, "BATCH_ROWS", 3)
    market.open()
    market.stream(batch(*[trade(number) for number in range(1, 6)]))
    assert [len(market.poll()[1]) for _ in range(3)] == [3, 2, 0]


def test_a_session_that_is_too_far_behind_loses_its_stream_and_hears_why(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_feed, "_MOST_WAITING", 5)
    market.exchange.answer("trades", (trade(1),))
    market.open()
    market.stream(batch(*[trade(number) for number in range(1, 5)]), batch(trade(5), trade(6)))
    assert len(market.poll()[1]) == 4
    assert "more than 5 prices behind" in market.texts()[0]


def test_words_that_nobody_takes_do_not_pile_up_and_a_hole_is_never_left_out(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange_feed, "_MOST_WAITING", 5)
    market.open()
    market.stream(*[BadRecord(BTC, "bad")] * 20, gap(missing=None, recovered=0))
    assert market.poll()[0] == [None] * 5 + [BTC]


# ---- the exchange's own candles as the bars of a hole ----


def test_closed_bars_are_those_before_a_price_that_has_come_whatever_our_clock_says(market: Market) -> None:
    market.exchange.answer("candles", (candle(0), candle(1), candle(2, is_closed=False), candle(3, is_closed=False)))
    feed = market.open()
    bars = feed.closed_bars(BTC, MIDNIGHT + MINUTE, MIDNIGHT + 3 * MINUTE)
    assert [(bar.time_ns - MIDNIGHT) // MINUTE for bar in bars] == [1, 2]
    assert not any(bar.is_partial for bar in bars)


def test_an_exchange_that_does_not_answer_raises(market: Market) -> None:
    market.exchange.answer("candles", NO_ANSWER)
    with pytest.raises(ExchangeUnavailableError):
        market.open().closed_bars(BTC, MIDNIGHT, MIDNIGHT + MINUTE)


# ---- candles ----


def test_candles_since_the_start_that_closed_before_the_stream_are_fetched(market: Market) -> None:
    market.exchange.answer("candles", (candle(0, 1.0), candle(1, 2.0, is_closed=False)))
    market.open(is_bar_only=True)
    assert market.closes() == [(0, 1.0)]


def test_a_streamed_candle_closes_by_a_later_one_and_the_exchanges_word(market: Market) -> None:
    market.exchange.answer("candles", (), (candle(1, 5.0), candle(2, is_closed=False)))
    market.open(is_bar_only=True)
    market.stream_candles(candle(1, 4.0, is_closed=None))
    assert market.closes() == []
    market.stream_candles(candle(2, is_closed=None))
    assert market.closes() == [(1, 5.0)]


def test_a_confirmation_that_fails_is_told_and_asked_for_again(market: Market) -> None:
    market.exchange.answer("candles", (), NO_ANSWER, (candle(1, 5.0),))
    feed = market.open(is_bar_only=True)
    market.stream_candles(candle(1, is_closed=None), candle(2, is_closed=None))
    assert market.texts() == ["BTC/USDT: the candles from 2025-01-01T00:01Z on could not be fetched: no answer"]
    assert not feed.is_ended
    market.stream_candles(candle(2, 6.0, is_closed=None))
    assert market.closes() == [(1, 5.0)]


def test_a_start_without_candles_is_told_and_the_stream_goes_on(market: Market) -> None:
    market.exchange.answer("candles", NO_ANSWER)
    feed = market.open(is_bar_only=True)
    market.stream_candles(candle(1, 7.0))
    assert market.texts() == ["BTC/USDT: the candles from 2025-01-01T00:00Z on could not be fetched: no answer"]
    assert not feed.is_ended


def test_a_revised_candle_is_told_and_brings_no_bar(market: Market) -> None:
    market.open(is_bar_only=True)
    market.stream_candles(candle(1, 7.0), candle(1, 8.0))
    assert market.closes() == [(1, 7.0)]
    assert market.texts() == [
        "BTC/USDT: the candle of 2025-01-01T00:01Z was revised: open 7 -> 8, high 7 -> 8, low 7 -> 8, close 7 -> 8"
    ]


def test_candles_that_were_missed_are_fetched_page_by_page(market: Market) -> None:
    # A session that was away for longer than one call of the exchange tells of.
    market.line.timing = ManualTiming(MIDNIGHT + 4 * MINUTE + 30 * SECOND)
    market.exchange.answer(
        "candles",
        (candle(0, 1.0), candle(1, 2.0)),
        (candle(2, 3.0), candle(3, 4.0)),
        (candle(4, 5.0, is_closed=False),),
    )
    market.open(is_bar_only=True)
    assert market.closes() == [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]
    assert [since_ns for _, since_ns in market.exchange.asked("candles")] == [
        MIDNIGHT,
        MIDNIGHT + 2 * MINUTE,
        MIDNIGHT + 4 * MINUTE,
    ]
