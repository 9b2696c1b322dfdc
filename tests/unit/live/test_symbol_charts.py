from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.live.fake_core import EMPTY
from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import BTC, ETH, JOIN_S, MIDNIGHT, MINUTE, run_to_end, session_config, two_walks
from workbench.errors import ConfigError
from workbench.live import BarsSource, LiveSession
from workbench.live.host import SessionHost
from workbench.live.records import LiveStep, StepUpdate
from workbench.live.symbol_charts import SymbolCharts
from workbench.model import Bar, Fill, PositionSnapshot, RiskConfig, StepResult, Timeframe
from workbench.strategy import sma_cross

MS = 1_000_000
HELD = PositionSnapshot(ETH, 1.0, "long", 50.0, MIDNIGHT, 51.0, 51.0, 1.0, 45.0, 60.0, None, None)
BOUGHT = Fill(0, ETH, "buy", 1.0, 50.0, 0.0, MIDNIGHT, "signal", is_maker=False)


def charts(*symbols: str) -> SymbolCharts:
    errors: list[Exception] = []
    return SymbolCharts(symbols or (BTC, ETH), Timeframe("1m"), capacity=2, on_error=errors.append)


def bar(minute: int, close: float, symbol: str) -> Bar:
    return Bar(symbol, MIDNIGHT + minute * MINUTE, close, close, close, close, 2.0)


def both(minute: int, *fills: Fill) -> LiveStep:
    """Return a step in which a bar of each symbol closes, and ETH's next is open."""
    account = replace(EMPTY, equity=900.0 + minute, drawdown=0.1, positions=(HELD,))
    closed = (bar(minute, 100.0 + minute, BTC), bar(minute, 50.0 + minute, ETH))
    return LiveStep(StepResult(fills, (), (), (), account), closed, (bar(minute + 1, 40.0, ETH),), MIDNIGHT)


def test_each_symbol_has_bars_fills_and_levels_of_its_own_and_the_equity_of_the_account() -> None:
    book = charts()
    book.add(both(0, BOUGHT))
    btc, eth = book.state(), book.state(ETH)
    assert (btc.symbol, eth.symbol) == (BTC, ETH)
    assert btc.bars[:, 4].tolist() == [100.0]
    assert eth.bars[:, 4].tolist() == [50.0, 40.0]  # the second one forms
    assert (btc.marks, [mark[1] for mark in eth.marks]) == ((), [50.0])
    assert (dict(btc.lines), dict(eth.lines)) == ({}, {"entry": 50.0, "stop": 45.0, "take profit": 60.0})
    assert btc.equity.tolist() == eth.equity.tolist() == [[MIDNIGHT / MS, 900.0, -0.1]]
    assert btc.now == eth.now == (900.0, -0.1)


def test_who_follows_a_symbol_hears_of_it_alone_and_what_nobody_hears_is_kept() -> None:
    book = charts()
    told: list[StepUpdate] = []
    end = book.subscribe(told.append, ETH)
    book.tell(book.add(both(0, BOUGHT)))
    assert [update.bar_rows[:, 4].tolist() for update in told] == [[50.0, 40.0]]
    assert [(update.sequence, len(update.marks), update.lines["stop"]) for update in told] == [(1, 1, 45.0)]
    end()
    assert book.add(both(1)) == []
    assert book.state(ETH).sequence == book.state(BTC).sequence == 2
    first: list[StepUpdate] = []
    book.subscribe(first.append)
    book.tell(book.add(both(2)))
    assert [(update.sequence, update.bar_rows[:, 4].tolist()) for update in first] == [(3, [102.0])]
    assert len(told) == 1


def test_memory_is_bounded_for_each_symbol() -> None:
    book = charts()
    for minute in range(5):
        book.add(both(minute))
    assert [len(book.state(symbol).bars) for symbol in (BTC, ETH)] == [2, 2]
    # Of 5 bars of BTC and 6 of ETH two each are left, and two of the five points of each.
    assert book.dropped == {"bars": 3 + 4, "equity": 3 + 3, "marks": 0}


def test_a_symbol_that_is_not_traded_is_refused_by_name() -> None:
    book = charts()
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'SOL/USDT'"):
        book.state("SOL/USDT")
    with pytest.raises(ConfigError, match="symbol must be one of"):
        book.subscribe(lambda _: None, "SOL/USDT")


def traded(record: KeptRecord | None = None, *, as_ticks: bool = False) -> LiveSession:
    source = BarsSource(two_walks(120), as_ticks=as_ticks)
    rules = {"strategy": sma_cross(fast=3, slow=8), "risk": RiskConfig(stop_loss=0.05), "warmup_bars": 20}
    config = session_config(two_walks(120), source=source, **rules)
    return run_to_end(config, **({} if record is None else {"host": SessionHost(record=record)}))


def test_a_session_of_two_symbols_has_a_chart_of_each() -> None:
    session, bars = traded(), two_walks(120)
    assert session.chart_symbols == (BTC, ETH)
    for symbol in (BTC, ETH):
        state = session.chart_state(symbol)
        np.testing.assert_array_equal(state.bars[:, 1:], bars.one(symbol).values[:, 0].T)
        fills = [fill for fill in session.fills() if fill.symbol == symbol]
        assert fills
        assert [mark[:2] for mark in state.marks] == [(fill.time_ns, fill.price) for fill in fills]
    assert session.chart_state().symbol == BTC


def test_the_figure_of_a_session_shows_the_symbol_that_is_asked_for() -> None:
    session = traded()
    figure = session.plot(symbol=ETH)
    assert "ETH/USDT 1m" in figure.layout.title.text
    candles = next(one for one in figure.data if one.type == "candlestick")
    assert candles.close[-1] == session.chart_state(ETH).bars[-1, 4]
    assert "this chart has the bars of ETH/USDT alone" in figure.layout.title.subtitle.text
    level = next(one for one in figure.data if one.name == "sma(close, 3)")
    assert level.y[-1] == pytest.approx(session.chart_state(ETH).bars[-3:, 4].mean(), rel=1e-12)
    assert "BTC/USDT 1m" in session.plot().layout.title.text
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'XRP/USDT'"):
        session.plot(symbol="XRP/USDT")


@pytest.mark.parametrize("as_ticks", [False, True])
def test_a_session_that_goes_on_shows_each_symbol_as_before(as_ticks: bool) -> None:
    record = KeptRecord()
    before = traded(record, as_ticks=as_ticks)
    after = LiveSession(before.config, host=SessionHost(record=record.survivor()))
    after.restore()
    for symbol in (BTC, ETH):
        one, other = before.chart_state(symbol), after.chart_state(symbol)
        np.testing.assert_array_equal(one.bars, other.bars)
        np.testing.assert_array_equal(one.equity[:, :2], other.equity[:, :2])
        assert len(one.equity) > 90
        assert one.marks == other.marks


def test_a_session_of_one_symbol_takes_its_name_and_no_other() -> None:
    session = run_to_end(session_config())
    assert session.wait(JOIN_S)
    assert session.chart_state(BTC).sequence == session.chart_state().sequence
    assert "BTC/USDT" in session.plot(symbol=BTC).layout.title.text
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, was 'ETH/USDT'"):
        session.plot(symbol=ETH)
