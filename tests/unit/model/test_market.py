import dataclasses
from typing import Any

import pytest

from workbench.errors import BarError, DataError
from workbench.model import Bar, Tick

TIME_NS = 1_735_689_600_000_000_000
NAN, INF = float("nan"), float("inf")


def bar(**changes: Any) -> Bar:
    numbers = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0, "time_ns": TIME_NS}
    return Bar("BTC/USDT", **(numbers | changes))


def test_good_bar_keeps_its_numbers() -> None:
    assert dataclasses.astuple(bar()) == ("BTC/USDT", TIME_NS, 10.0, 12.0, 9.0, 11.0, 5.0, False)


def test_bar_without_movement_or_volume_is_good() -> None:
    assert bar(open=10.0, high=10.0, low=10.0, close=10.0, volume=0.0).volume == 0.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"open": NAN}, r"BTC/USDT bar: open must be in \(0, inf\), was nan"),
        ({"high": INF}, r"high must be in \(0, inf\), was inf"),
        ({"low": 0.0}, r"low must be in \(0, inf\), was 0.0"),
        ({"close": -1.0}, r"close must be in \(0, inf\), was -1.0"),
        ({"close": "11"}, r"close must be in \(0, inf\), was '11'"),
        ({"high": 8.0}, r"high 8.0 is below low 9.0"),
        ({"open": 12.5}, r"open 12.5 is outside low..high 9.0..12.0"),
        ({"close": 8.5}, r"close 8.5 is outside low..high 9.0..12.0"),
        ({"volume": -0.5}, r"volume must be in \[0, inf\), was -0.5"),
        ({"volume": NAN}, r"volume must be in \[0, inf\), was nan"),
        ({"time_ns": 1_735_689_600}, r"it looks like seconds"),
        ({"time_ns": 1.7e18}, r"time must be an integer of nanoseconds"),
    ],
)
def test_bad_bar_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BarError, match=words):
        bar(**changes)


def test_good_tick_keeps_its_numbers() -> None:
    assert dataclasses.astuple(Tick("BTC/USDT", TIME_NS, 10.0, 0.0)) == ("BTC/USDT", TIME_NS, 10.0, 0.0)


@pytest.mark.parametrize(
    ("time_ns", "price", "volume", "words"),
    [
        (TIME_NS, 0.0, 1.0, r"BTC/USDT tick: price must be in \(0, inf\), was 0.0"),
        (TIME_NS, NAN, 1.0, r"price must be in \(0, inf\), was nan"),
        (TIME_NS, INF, 1.0, r"price must be in \(0, inf\), was inf"),
        (TIME_NS, "10", 1.0, r"price must be in \(0, inf\), was '10'"),
        (TIME_NS, 10.0, -1.0, r"volume must be in \[0, inf\), was -1.0"),
        (TIME_NS, 10.0, NAN, r"volume must be in \[0, inf\), was nan"),
        (TIME_NS // 10**6, 10.0, 1.0, r"it looks like milliseconds"),
    ],
)
def test_bad_tick_is_refused_with_the_reason(time_ns: int, price: float, volume: float, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Tick("BTC/USDT", time_ns, price, volume)


def test_ticks_and_bars_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        bar().close = 5.0  # type: ignore[misc]  # the point of the test
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tick("BTC/USDT", TIME_NS, 10.0, 0.0).price = 5.0  # type: ignore[misc]  # the point of the test
