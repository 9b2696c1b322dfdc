from __future__ import annotations

import pytest

from tests.unit.live.markets import BTC, ETH, MIDNIGHT, MINUTE, walk
from workbench.errors import ConfigError, DataError
from workbench.live import BarsSource, PracticeSource
from workbench.model import Bars, Timeframe
from workbench.model.practice import PRACTICE_LIVE_START, practice_instrument

ONE_MINUTE = Timeframe("1m")


def test_a_replay_feeds_its_first_bars_as_history_and_replays_the_rest() -> None:
    bars = walk(50)
    market = BarsSource(bars).open((BTC,), ONE_MINUTE, 20)
    assert market.history == bars[:20]
    assert market.feed.start_ns == bars.time_ns[20]
    assert market.feed.is_bar_only


def test_a_replay_has_no_history_unless_asked_so_that_it_equals_a_backtest() -> None:
    source = BarsSource(walk(50))
    assert source.usual_warmup(30) == 0
    assert source.open((BTC,), ONE_MINUTE, 0).history is None


def test_a_replay_needs_bars_after_its_history() -> None:
    with pytest.raises(DataError, match="at most 49, was 50"):
        BarsSource(walk(50)).open((BTC,), ONE_MINUTE, 50)


def test_a_replay_of_bars_has_the_timeframe_of_the_bars() -> None:
    with pytest.raises(ConfigError, match="must be that of the bars, 1m, was 5m"):
        BarsSource(walk(50)).open((BTC,), Timeframe("5m"), 0)


def test_a_replay_of_ticks_may_make_longer_bars() -> None:
    market = BarsSource(walk(50), as_ticks=True).open((BTC,), Timeframe("5m"), 0)
    assert not market.feed.is_bar_only
    assert market.since_ns == MIDNIGHT


def test_some_symbols_of_a_replay_come_in_the_order_of_the_session() -> None:
    bars = Bars.join([walk(10), walk(10, seed=2, symbol=ETH), walk(10, seed=3, symbol="SOL/USDT")])
    market = BarsSource(bars).open((ETH, BTC), ONE_MINUTE, 5)
    assert market.history is not None
    assert market.history.symbols == (ETH, BTC)


def test_an_unknown_symbol_is_named() -> None:
    with pytest.raises(DataError, match="SOL/USDT"):
        BarsSource(walk(10)).instruments(("SOL/USDT",))


def test_equal_replays_print_the_same_and_others_do_not() -> None:
    assert repr(BarsSource(walk(10))) == repr(BarsSource(walk(10)))
    assert repr(BarsSource(walk(10))) != repr(BarsSource(walk(10, seed=2)))


def test_practice_history_ends_where_its_ticks_begin() -> None:
    source = PracticeSource()
    market = source.open((BTC, ETH), ONE_MINUTE, 30)
    assert market.history is not None
    assert len(market.history) == 30
    assert market.history.time_ns[-1] == PRACTICE_LIVE_START - MINUTE
    assert (market.feed.start_ns, market.since_ns) == (PRACTICE_LIVE_START, PRACTICE_LIVE_START)
    assert source.instruments((BTC,)) == (practice_instrument(BTC),)


def test_practice_feeds_500_bars_of_history_or_what_the_strategy_needs() -> None:
    assert PracticeSource().usual_warmup(30) == 500
    assert PracticeSource().usual_warmup(800) == 800


def test_practice_history_cannot_begin_before_its_market() -> None:
    with pytest.raises(DataError, match="the practice market begins at 2017-01-01"):
        PracticeSource().open((BTC,), Timeframe("1d"), 10_000)
