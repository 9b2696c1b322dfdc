"""The inlet goes on where a record ends, as if it had seen the record itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.live.markets import MIDNIGHT, MINUTE
from workbench.errors import DataError
from workbench.live.inlet import Inlet, bar_rows
from workbench.model import BAR, BAR_CLOSED, EVENT, TICK, Bar, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

SYMBOLS = ("BTC/USDT", "ETH/USDT")


def at(minute: int) -> int:
    return MIDNIGHT + minute * MINUTE


def whole_bar(minute: int, close: float, symbol: str = "BTC/USDT") -> NDArray[np.void]:
    """Return the event of a bar whose four prices are its close."""
    return bar_rows(BAR, SYMBOLS, [Bar(symbol, at(minute), close, close, close, close, 1.0)])


def tick(time_ns: int, price: float) -> NDArray[np.void]:
    return np.array([(TICK, 0, time_ns, price, 1.0, 0.0, 0.0, 0.0, 0)], EVENT)


def restored(*events: NDArray[np.void]) -> Inlet:
    inlet = Inlet(SYMBOLS, Timeframe("1m"))
    inlet.restore(np.concatenate(events))
    return inlet


def test_a_bar_that_was_recorded_is_late_after_a_restart() -> None:
    inlet = restored(whole_bar(100, 50.0), whole_bar(101, 51.0))
    # The exchange sends the newest bar again on a new connection; 101 ended at 102, so the next one may open there.
    assert list(inlet.batch(whole_bar(101, 51.0))) == []
    assert inlet.counts["late_bars"] == 1
    (piece,) = inlet.batch(whole_bar(102, 52.0))
    assert piece.closed[0].close == 52.0
    assert piece.time_ns == at(103)


def test_each_symbol_goes_on_at_its_own_bar() -> None:
    inlet = restored(whole_bar(101, 51.0), whole_bar(100, 3.0, "ETH/USDT"))
    assert inlet.prices == {"BTC/USDT": 51.0, "ETH/USDT": 3.0}
    (piece,) = inlet.batch(np.concatenate([whole_bar(101, 51.0), whole_bar(101, 3.1, "ETH/USDT")]))
    assert [bar.symbol for bar in piece.closed] == ["ETH/USDT"]  # Bitcoin's 101 is recorded, Ether's is not
    assert piece.rows["remaining"].tolist() == [0]


def test_counts_and_the_market_s_time_are_those_of_the_record() -> None:
    inlet = Inlet(SYMBOLS, Timeframe("1m"))
    assert inlet.restore(np.concatenate([whole_bar(100, 50.0), whole_bar(101, 51.0)])) == at(102)
    assert inlet.counts["bars"] == 2
    assert Inlet(SYMBOLS, Timeframe("1m")).restore(np.zeros(0, EVENT)) == 0
    with pytest.raises(DataError, match="was fed bars before and cannot take prices"):
        inlet.tick("BTC/USDT", at(102), 52.0, 1.0)


def test_the_forming_bar_is_made_of_the_prices_after_the_last_closed_one() -> None:
    closed = bar_rows(BAR_CLOSED, SYMBOLS, [Bar("BTC/USDT", at(100), 9.0, 9.0, 9.0, 9.0, 1.0)])
    first, second = tick(at(101), 10.0), tick(at(101) + 5, 12.0)
    inlet = restored(tick(at(100), 9.0), closed, first, second)
    (forming,) = inlet.forming
    assert (forming.open, forming.high, forming.low, forming.close) == (10.0, 12.0, 10.0, 12.0)  # the 9 is not in it
    # One closed bar and three prices; the next minute closes 101 whole, because its first price was seen.
    assert (inlet.counts["bars"], inlet.counts["ticks"]) == (1, 3)
    closing, _ = inlet.tick("BTC/USDT", at(102), 11.0, 1.0)
    assert closing.rows["kind"].tolist() == [BAR_CLOSED]
    assert closing.closed[0].close == 12.0


def test_a_price_of_a_closed_bar_is_late_after_a_restart() -> None:
    closed = bar_rows(BAR_CLOSED, SYMBOLS, [Bar("BTC/USDT", at(100), 9.0, 9.0, 9.0, 9.0, 1.0)])
    inlet = restored(tick(at(100), 9.0), closed)
    assert inlet.tick("BTC/USDT", at(101) - 1, 8.0, 1.0) == ()
    assert inlet.counts["late_ticks"] == 1
    assert inlet.missing_from() == {"BTC/USDT": at(101)}
