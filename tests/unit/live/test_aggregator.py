from __future__ import annotations

import datetime as dt
import math
import threading
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.live.aggregator import BarAggregator, TickCounts
from workbench.model import Bar

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
MIDNIGHT = 1_735_689_600 * SECOND  # 2025-01-01T00:00Z


def aggregator(timeframe: str = "1m", *, since_ns: int | None = MIDNIGHT) -> BarAggregator:
    return BarAggregator("BTC/USDT", timeframe, since_ns=since_ns)


def add_all(bars: BarAggregator, *rows: tuple[int, float, float]) -> list[Bar]:
    """Add (nanoseconds after midnight, price, volume) and return the bars that closed."""
    closed = (bars.add_price(MIDNIGHT + after, price, volume) for after, price, volume in rows)
    return [bar for bar in closed if bar is not None]


def ohlcv(bar: Bar | None) -> tuple[float, ...]:
    assert bar is not None
    return (bar.open, bar.high, bar.low, bar.close, bar.volume)


def test_open_is_the_first_price_close_the_last_and_volume_the_sum() -> None:
    bars = aggregator()
    add_all(bars, (1_000, 100, 1), (2_000, 95, 1), (3_000, 105, 1))
    assert ohlcv(bars.forming) == (100, 105, 95, 105, 3)  # 1 + 1 + 1


def test_a_price_older_than_the_last_one_is_dropped_and_counted() -> None:
    bars = aggregator()
    add_all(bars, (1_000, 1.0, 1), (500, 1.00001, 1))
    assert bars.counts == TickCounts(accepted=1, late=1)
    assert ohlcv(bars.forming) == (1.0, 1.0, 1.0, 1.0, 1)


def test_prices_of_equal_time_are_all_kept_in_the_order_of_arrival() -> None:
    bars = aggregator()
    add_all(bars, *((1_000, price, 1) for price in (1.0, 3.0, 2.0, 1.5, 1.25)))
    assert bars.counts.accepted == 5
    assert ohlcv(bars.forming) == (1.0, 3.0, 1.0, 1.25, 5)


def test_prices_at_the_first_instant_and_a_second_later_make_one_bar() -> None:
    bars = aggregator()
    add_all(bars, (0, 1.00001, 2), (0, 1.00002, 2), (SECOND, 1.0, 1))
    assert ohlcv(bars.forming) == (1.00001, 1.00002, 1.0, 1.0, 5)  # 2 + 2 + 1


def test_a_new_bar_opens_at_its_own_first_price_and_not_at_the_close_before() -> None:
    bars = aggregator()
    closed = add_all(
        bars, (100, 110, 1), (MINUTE, 100, 1), (MINUTE + 200, 101, 1), (MINUTE + 300, 200, 1), (2 * MINUTE, 7, 1)
    )
    assert [ohlcv(bar) for bar in closed] == [(110, 110, 110, 110, 1), (100, 200, 100, 200, 3)]


def test_a_price_exactly_at_the_end_of_a_bar_belongs_to_the_next_bar() -> None:
    bars = aggregator()
    (closed,) = add_all(bars, (0, 1.0, 1), (MINUTE - 1, 2.0, 1), (MINUTE, 9.0, 4))
    assert (closed.time_ns, ohlcv(closed)) == (MIDNIGHT, (1.0, 2.0, 1.0, 2.0, 2))
    assert (bars.forming.time_ns, ohlcv(bars.forming)) == (MIDNIGHT + MINUTE, (9.0, 9.0, 9.0, 9.0, 4))


def test_bars_are_labelled_by_their_open() -> None:
    bars = aggregator("1h")
    (closed,) = add_all(bars, (61 * MINUTE, 1.0, 1), (121 * MINUTE, 2.0, 1))
    assert closed.time_ns == MIDNIGHT + 60 * MINUTE  # 01:01 lies in [01:00, 02:00)


def test_an_interval_without_prices_has_no_bar() -> None:
    bars = aggregator()
    closed = add_all(bars, (0, 1.0, 1), (5 * MINUTE, 2.0, 1), (6 * MINUTE, 3.0, 1))
    assert [(bar.time_ns - MIDNIGHT) // MINUTE for bar in closed] == [0, 5]


def test_nothing_forms_before_the_first_price() -> None:
    assert aggregator().forming is None


def test_a_first_bar_whose_beginning_was_missed_is_partial_and_only_that_one() -> None:
    bars = aggregator(since_ns=MIDNIGHT + 1)
    first, second = add_all(bars, (30 * SECOND, 1.0, 1), (MINUTE, 2.0, 1), (2 * MINUTE, 3.0, 1))
    assert (first.is_partial, second.is_partial) == (True, False)


def test_a_first_bar_is_whole_when_prices_are_known_to_come_since_before_its_open() -> None:
    bars = aggregator(since_ns=MIDNIGHT)
    (first,) = add_all(bars, (30 * SECOND, 1.0, 1), (MINUTE, 2.0, 1))
    assert not first.is_partial


@pytest.mark.parametrize(("after_ns", "is_partial"), [(0, False), (1, True)])
def test_without_knowing_since_when_prices_come_only_one_at_the_open_makes_a_whole_bar(
    after_ns: int, is_partial: bool
) -> None:
    bars = aggregator(since_ns=None)
    (first,) = add_all(bars, (after_ns, 1.0, 1), (MINUTE, 2.0, 1))
    assert first.is_partial is is_partial


@pytest.mark.parametrize(
    "price",
    [
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -1.0,
        "100",
        None,
        True,
        1e300,
        10**400,
        Decimal(100),
        np.float64("nan"),
        b"1",
    ],
)
def test_a_bad_price_is_counted_and_never_raises_or_reaches_a_bar(price: object) -> None:
    bars = aggregator()
    assert bars.add_price(MIDNIGHT, price, 1.0) is None  # type: ignore[arg-type]  # the fault under test
    assert bars.counts == TickCounts(bad_price=1)
    assert bars.forming is None


@pytest.mark.parametrize("volume", [math.nan, math.inf, -1e-9, "1", None, 1e300])
def test_a_bad_volume_is_counted_and_never_raises_or_reaches_a_bar(volume: object) -> None:
    bars = aggregator()
    assert bars.add_price(MIDNIGHT, 1.0, volume) is None  # type: ignore[arg-type]  # the fault under test
    assert bars.counts == TickCounts(bad_volume=1)
    assert bars.forming is None


@pytest.mark.parametrize(
    "timestamp",
    [
        None,
        "2025-01-01",
        1.7e18,
        True,
        -1,
        1_735_689_600,  # seconds
        1_735_689_600_000,  # milliseconds
        2**80,
        pd.NaT,
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    ],
)
def test_a_bad_time_is_counted_and_never_raises(timestamp: object) -> None:
    bars = aggregator()
    assert bars.add_price(timestamp, 1.0, 1.0) is None  # type: ignore[arg-type]  # the fault under test
    assert bars.counts == TickCounts(bad_time=1)


def test_a_naive_datetime_raises_because_it_is_the_programs_error() -> None:
    with pytest.raises(DataError, match="time zone"):
        aggregator().add_price(dt.datetime(2025, 1, 1), 1.0)  # noqa: DTZ001  the fault under test


@pytest.mark.parametrize("symbol", ["", None, 5])
def test_a_symbol_that_is_no_name_is_refused_before_any_price(symbol: Any) -> None:
    with pytest.raises(ConfigError, match="symbol must be a name, was"):
        BarAggregator(symbol, "1m")


def test_aware_datetimes_and_numpy_numbers_are_taken() -> None:
    bars = aggregator()
    east = dt.timezone(dt.timedelta(hours=2))
    bars.add_price(dt.datetime(2025, 1, 1, 2, 0, 1, tzinfo=east), np.float32(2.5), np.int64(3))
    bars.add_price(pd.Timestamp(MIDNIGHT + SECOND + 1, tz="UTC"), 4, 1)
    assert bars.counts == TickCounts(accepted=2)
    assert ohlcv(bars.forming) == (2.5, 4.0, 2.5, 4.0, 4.0)
    assert bars.forming.time_ns == MIDNIGHT


def test_a_price_from_the_future_does_not_make_the_following_ones_late() -> None:
    bars = BarAggregator("BTC/USDT", "1m", latest_ns=lambda: MIDNIGHT + MINUTE)
    add_all(bars, (0, 1.0, 1), (MINUTE + 1, 2.0, 1), (SECOND, 3.0, 1))
    assert bars.counts == TickCounts(accepted=2, future=1)


def test_the_reason_of_the_last_rejection_names_the_values() -> None:
    bars = aggregator()
    assert bars.last_rejection is None
    bars.add_price(MIDNIGHT, -5.0, 1.0)
    assert bars.last_rejection == f"bad_price: time {MIDNIGHT}, price -5.0, volume 1.0"


def test_a_rejected_price_never_closes_a_bar() -> None:
    bars = aggregator()
    add_all(bars, (0, 1.0, 1))
    assert bars.add_price(MIDNIGHT + MINUTE, math.nan, 1.0) is None
    assert bars.counts.bars == 0


def test_many_threads_lose_no_price_and_no_volume() -> None:
    bars = aggregator("1d")
    start = threading.Barrier(4)

    def feed() -> None:
        start.wait(60)
        for _ in range(2_000):
            bars.add_price(MIDNIGHT, 1.0, 1.0)

    threads = [threading.Thread(target=feed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert bars.counts.accepted == 8_000  # 4 * 2000
    assert bars.forming.volume == 8_000.0
