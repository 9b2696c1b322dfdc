"""Panels and results of several symbols."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.unit.live.markets import BTC, ETH, run_to_end, session_config, two_walks
from workbench.errors import ConfigError
from workbench.live import LiveSession
from workbench.panels import session_panel
from workbench.panels.result_source import ResultSource, chart_state_of
from workbench.research import BacktestResult
from workbench.strategy import sma_cross


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return run_to_end(session_config(two_walks(120), strategy=sma_cross(fast=3, slow=8)))


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    return wb.backtest(sma_cross(fast=3, slow=8), two_walks(120), cash=10_000.0)


def test_panel_opens_on_the_symbol_that_is_asked_for_and_says_whose_figures_it_shows(session: LiveSession) -> None:
    panel = session_panel(session, symbol=ETH)
    tiles = panel._tiles.value  # noqa: SLF001  what the panel shows
    last = session.chart_state(ETH).bars[-1, 4]
    assert f"Last price, ETH</span><b>{last:,.3f}</b>" in tiles
    (held,) = session.snapshot().positions
    assert f"Position, {held.symbol[:3]}</span>" in tiles
    panel.close()


def test_picture_without_a_kernel_is_of_the_same_symbol(session: LiveSession) -> None:
    pictures = {}
    for symbol in (BTC, ETH):
        panel = session_panel(session, symbol=symbol)
        pictures[symbol] = panel.still()
        panel.close()
    default = session_panel(session)
    assert default.still() == pictures[BTC]
    assert pictures[BTC].partition("<svg")[2] != pictures[ETH].partition("<svg")[2]
    default.close()


def test_panel_of_a_wrong_symbol_is_refused(session: LiveSession) -> None:
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'eth'"):
        session_panel(session, symbol="eth")


def test_panel_of_one_symbol_says_nothing_of_symbols() -> None:
    panel = session_panel(run_to_end(session_config()))
    assert "symbols" not in panel.chart.title
    assert "Last price</span>" in panel._tiles.value  # noqa: SLF001  what the panel shows
    panel.close()


def test_result_has_a_chart_of_each_symbol(result: BacktestResult) -> None:
    source = ResultSource(result)
    assert source.chart_symbols == (BTC, ETH)
    for symbol in (BTC, ETH):
        state = source.chart_state(symbol)
        fills = result.fills[result.fills["symbol"] == symbol]
        np.testing.assert_array_equal(state.bars[:, 4], result.bars.one(symbol).values[3, 0])
        assert [mark[1] for mark in state.marks] == fills["price"].tolist()
        assert len(fills)
        assert state.equity[-1, 1] == result.equity.iloc[-1]
    assert chart_state_of(result).symbol == source.chart_state().symbol == BTC
    assert source.chart_state(ETH) is source.chart_state(ETH)
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was 'XRP/USDT'"):
        source.chart_state("XRP/USDT")


def test_another_result_is_another_one_of_each_symbol(result: BacktestResult) -> None:
    source = ResultSource(result)
    before = source.chart_state(ETH)
    source.show(wb.backtest(sma_cross(fast=2, slow=20), two_walks(120), cash=10_000.0))
    after = source.chart_state(ETH)
    assert after.sequence == before.sequence + 2
    assert after.marks != before.marks
