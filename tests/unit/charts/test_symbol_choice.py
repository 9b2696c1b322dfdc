"""A chart of several symbols, of which the page chooses one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.unit.charts.test_live_chart import PATIENCE_S, Clock, RecordedChart
from tests.unit.live.markets import BTC, ETH, run_to_end, session_config, two_walks, walk
from tests.unit.panels.fake_session import FakeSession
from workbench.charts.live import ChartOptions
from workbench.charts.live_stream import ChartStream
from workbench.charts.symbol_source import SymbolSource, symbol_source
from workbench.errors import ConfigError
from workbench.strategy import sma_cross


class TwoSymbols:
    """A session with two symbols, made of two sessions that move alone; it remembers who listens to which."""

    chart_symbols = (BTC, ETH)
    state = "ACTIVE"

    def __init__(self) -> None:
        self.parts = {
            symbol: FakeSession(bars=20, seed=number, symbol=symbol) for number, symbol in enumerate((BTC, ETH))
        }
        self.callbacks: list[tuple[str, Callable[[Any], None]]] = []

    def chart_state(self, symbol: str | None = None) -> Any:
        return self.parts[symbol or BTC].chart_state()

    def subscribe(self, callback: Callable[[Any], None], symbol: str | None = None) -> Callable[[], None]:
        entry = (symbol or BTC, callback)
        self.callbacks.append(entry)
        end = self.parts[symbol or BTC].subscribe(callback)

        def unsubscribe() -> None:
            self.callbacks.remove(entry)
            end()

        return unsubscribe


@pytest.fixture
def session() -> TwoSymbols:
    return TwoSymbols()


@pytest.fixture
def chart(session: TwoSymbols) -> Iterator[RecordedChart]:
    chart = RecordedChart(session)
    yield chart
    chart.close()


def ask(chart: RecordedChart, symbol: object) -> None:
    chart._handle_custom_msg({"kind": "snapshot", "symbol": symbol}, [])  # noqa: SLF001  as the page does


def snapshot_of(chart: RecordedChart, symbol: str) -> np.ndarray:
    """Return the bars of the first snapshot of a symbol."""
    while True:
        content, buffers = chart.sent.get(timeout=PATIENCE_S)
        if content["kind"] == "snapshot" and content["symbol"] == symbol:
            return np.frombuffer(buffers[0]).reshape(-1, 6)


def test_page_is_told_what_there_is_to_choose(chart: RecordedChart) -> None:
    assert chart.title["symbols"] == [BTC, ETH]
    assert (chart.title["symbol"], chart.symbol) == (BTC, BTC)


def test_chart_of_one_symbol_says_nothing_of_symbols() -> None:
    for source in (FakeSession(bars=3), run_to_end(session_config(walk(30)))):
        chart = RecordedChart(source)
        assert set(chart.title) == {"symbol", "timeframe", "quote", "mode", "is_shown"}
        chart.say("beat")
        assert set(chart.next("snapshot")) == {"kind", "sequence", "final", "marks", "lines", "study"}
        ask(chart, ETH)  # of another page or version
        assert chart.symbol == BTC
        chart.close()


def test_page_gets_the_symbol_that_it_asks_for_and_that_one_alone(session: TwoSymbols, chart: RecordedChart) -> None:
    chart.say("beat")
    np.testing.assert_array_equal(snapshot_of(chart, BTC), session.chart_state(BTC).bars)
    ask(chart, ETH)
    np.testing.assert_array_equal(snapshot_of(chart, ETH), session.chart_state(ETH).bars)
    assert chart.symbol == ETH
    assert chart.last_price == session.chart_state(ETH).bars[-1, 4]
    assert [symbol for symbol, _ in session.callbacks] == [ETH]
    assert chart.chart_state().symbol == ETH


def test_what_is_no_symbol_of_the_session_changes_nothing(session: TwoSymbols, chart: RecordedChart) -> None:
    for nonsense in ("SOL/USDT", None, 7, ["ETH/USDT"]):
        ask(chart, nonsense)
        snapshot_of(chart, BTC)
    assert [symbol for symbol, _ in session.callbacks] == [BTC]


def test_chart_opens_on_a_symbol_and_refuses_one_that_is_not_there() -> None:
    session = run_to_end(session_config(two_walks(30)))
    chart = RecordedChart(session, ChartOptions(symbol=ETH))
    assert (chart.title["symbol"], chart.symbol) == (ETH, ETH)
    chart.close()
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'SOL/USDT'"):
        RecordedChart(session, ChartOptions(symbol="SOL/USDT"))


def test_charts_of_one_session_choose_each_for_itself(session: TwoSymbols, chart: RecordedChart) -> None:
    other = RecordedChart(session)
    for one in (chart, other):
        one.say("beat")
        snapshot_of(one, BTC)
    ask(other, ETH)
    snapshot_of(other, ETH)
    assert (chart.symbol, other.symbol) == (BTC, ETH)
    other.close()


def test_an_update_of_the_symbol_before_does_not_reach_the_candles_of_the_next(session: TwoSymbols) -> None:
    """Both symbols count their updates alike: by its number, one that was on its way would fit."""
    clock = Clock()
    btc, eth = SymbolSource(session, BTC), SymbolSource(session, ETH)
    stream = ChartStream(btc, clock=clock)
    late = stream.follow(btc)
    stream.hear({"kind": "beat"})
    assert stream.pump()[0].content["symbol"] == BTC
    clock.now += 1
    taker = stream.follow(eth)
    assert math.isnan(stream.last_price)  # it was that of the other symbol
    assert stream.pump()[0].content["symbol"] == ETH
    clock.now += 0.1
    told: list[Any] = []
    ends = [session.subscribe(told.append, symbol) for symbol in (BTC, ETH)]
    session.parts[BTC].tick()
    session.parts[ETH].tick()
    assert told[0].sequence == told[1].sequence == session.chart_state(ETH).sequence
    late(told[0])
    assert stream.pump() == ()
    taker(told[1])
    (message,) = stream.pump()
    assert set(message.content) == {"kind", "sequence", "marks", "lines"}  # as with one symbol
    assert message.content["kind"] == "delta"
    assert np.frombuffer(message.buffers[0]).reshape(-1, 6)[-1, 4] == session.chart_state(ETH).bars[-1, 4]
    for end in ends:
        end()


def test_strategy_levels_are_those_of_the_chosen_symbol() -> None:
    session = run_to_end(session_config(two_walks(60), strategy=sma_cross(fast=3, slow=8)))
    chart = RecordedChart(session)
    chart.say("beat")
    snapshot_of(chart, BTC)
    ask(chart, ETH)
    shown, levels = BTC, np.empty((0, 3))
    while shown == BTC or not len(levels):
        content, buffers = chart.sent.get(timeout=PATIENCE_S)
        shown = content.get("symbol", shown)
        levels = np.frombuffer(buffers[2]).reshape(-1, 3) if content.get("study", {}).get("names") else levels[:0]
    closes = session.chart_state(ETH).bars[:, 4]
    assert levels[-1, 1] == pytest.approx(closes[-3:].mean(), rel=1e-12)
    assert content["study"]["fault"].endswith("this chart has the bars of ETH/USDT alone")
    chart.close()


def test_the_only_symbol_is_the_source_itself(session: TwoSymbols) -> None:
    alone = run_to_end(session_config(walk(10)))
    assert symbol_source(alone, None) is symbol_source(alone, BTC) is alone
    assert isinstance(symbol_source(session, None), SymbolSource)
    assert symbol_source(session, None).symbol == BTC
