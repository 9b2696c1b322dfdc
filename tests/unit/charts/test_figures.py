import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.charts.figures import backtest_figure
from workbench.charts.theme import PALETTES, palette_of
from workbench.errors import ConfigError, DataError
from workbench.model import Bars

MINUTE_NS = 60_000_000_000
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z


def minute_bars(rows, *, symbol="BTC/USDT"):
    close = 100.0 + 5.0 * np.sin(np.arange(rows) / 50.0)
    times = START_NS + MINUTE_NS * np.arange(rows)
    return Bars.from_arrays(symbol, "1m", times, close, close + 0.5, close - 0.5, close, np.ones(rows))


def at(minute):
    return pd.Timestamp(START_NS + minute * MINUTE_NS, tz="UTC")


def result_of(bars, trades=(), open_positions=()):
    """Return what the figure needs of a result; a trade is (side, in, price, out, price, pnl, stop, target)."""
    closes = pd.DatetimeIndex((bars.time_ns + MINUTE_NS).astype("datetime64[ns]"), name="time").tz_localize("UTC")
    equity = pd.Series(1_000.0 + np.arange(len(bars)) % 7, index=closes)
    table = pd.DataFrame(
        [
            (bars.symbols[0], side, 2.0, at(i), p, at(o), q, "stop_loss", pnl, pnl / 200.0, stop, target)
            for side, i, p, o, q, pnl, stop, target in trades
        ],
        columns=[
            *("symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason"),
            *("pnl", "return_", "stop", "target"),
        ],
    ).astype({"entry_time": "datetime64[ns, UTC]", "exit_time": "datetime64[ns, UTC]", "stop": float, "target": float})
    positions = pd.DataFrame(
        [(bars.symbols[0], side, 1.0, at(i), p, stop, np.nan) for side, i, p, stop in open_positions],
        columns=["symbol", "side", "quantity", "entry_time", "entry_price", "stop", "target"],
    ).astype({"entry_time": "datetime64[ns, UTC]", "stop": float, "target": float})
    return SimpleNamespace(
        title="cross(fast=3)",
        bars=bars,
        equity=equity,
        drawdown=1.0 - equity / equity.cummax(),
        buy_and_hold=equity * 1.1,
        trades=table.drop(columns=["stop", "target"]),
        trade_levels=table[["stop", "target"]],
        open_positions=positions,
    )


@pytest.fixture
def traded():
    trades = [
        ("long", 10, 101.0, 20, 103.0, 4.0, 99.0, 105.0),
        ("short", 30, 104.0, 40, 105.0, -2.0, 106.0, np.nan),
    ]
    return result_of(minute_bars(100), trades, [("long", 90, 102.0, 100.5)])


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_candles_are_the_bars_on_naive_utc_labels(traded):
    candles = backtest_figure(traded).data[0]
    assert candles.type == "candlestick"
    assert str(candles.x[0]).startswith("2025-01-01T00:00")
    np.testing.assert_array_equal(candles.close, traded.bars.close)


def test_entries_and_exits_stand_at_their_fills(traded):
    figure = backtest_figure(traded)
    long_entry = traces(figure, "Long entry")[0]
    # the closed trade and the open position
    assert list(long_entry.y) == [101.0, 102.0]
    assert [str(x)[11:16] for x in long_entry.x] == ["00:10", "01:30"]
    assert list(traces(figure, "Short entry")[0].y) == [104.0]
    won, lost = traces(figure, "Exit with profit")[0], traces(figure, "Exit with loss")[0]
    assert (list(won.y), list(lost.y)) == ([103.0], [105.0])
    # 4 of 200 is 2 %
    assert won.text[0] == "stop loss, +4.00 (+2.00 %)"


def test_levels_last_from_entry_to_exit_and_to_the_last_bar_while_open(traded):
    figure = backtest_figure(traded)
    stop, target = traces(figure, "Stop")[0], traces(figure, "Target")[0]
    assert list(stop.y) == [99.0, 99.0, None, 106.0, 106.0, None, 100.5, 100.5, None]
    assert [str(x)[11:16] for x in stop.x if x is not None] == ["00:10", "00:20", "00:30", "00:40", "01:30", "01:39"]
    assert list(target.y) == [105.0, 105.0, None]


def test_each_kind_of_trace_has_one_legend_entry(traded):
    names = [trace.name for trace in backtest_figure(traded).data if trace.showlegend is not False and trace.name]
    assert len(names) == len(set(names))
    assert {"Long entry", "Short entry", "Stop", "Target", "Equity", "Buy and hold"} <= set(names)


def test_a_result_without_trades_has_no_marks():
    figure = backtest_figure(result_of(minute_bars(50)))
    assert [trace.name for trace in figure.data] == ["BTC/USDT", "Buy and hold", "Equity", "Drawdown"]
    assert "0 trades" in figure.layout.title.subtitle.text


def test_drawdown_is_drawn_downwards_in_percent(traded):
    drawdown = traces(backtest_figure(traded), "Drawdown")[0]
    # equity falls from 1006 to 1000: 6 / 1006
    assert min(drawdown.y) == pytest.approx(-100.0 * 6 / 1_006)
    assert max(drawdown.y) == 0.0


def test_axes_name_units_and_utc_and_stand_on_the_right(traded):
    figure = backtest_figure(traded)
    layout = figure.layout
    assert {layout.yaxis.side, layout.yaxis2.side, layout.yaxis3.side} == {"right"}
    assert [note.text for note in layout.annotations] == ["Price, USDT", "Equity, USDT", "Drawdown"]
    assert layout.title.subtitle.text.startswith("2025-01-01 00:00 to 2025-01-01 01:39 UTC")
    assert layout.title.text == "cross(fast=3)  ·  BTC/USDT 1m"
    assert layout.xaxis.hoverformat.endswith("UTC")
    assert layout.xaxis.rangeslider.visible is False


def test_the_price_axis_holds_near_levels_but_not_far_ones():
    trades = [("long", 10, 100.0, 20, 100.0, 1.0, 94.0, 150.0)]
    low, high = backtest_figure(result_of(minute_bars(1_000), trades)).layout.yaxis.range
    # candles reach from 94.5 to 105.5; 94 is near, 150 would press them flat
    assert 93.0 < low < 94.0
    assert 105.5 < high < 107.0


def test_the_time_axis_holds_all_of_the_first_candle_and_the_end_of_the_last():
    # Half of the first candle, and a little, lies before its open: 0.6 of 60 s.
    start, end = backtest_figure(result_of(minute_bars(4))).layout.xaxis.range
    assert start == "2024-12-31T23:59:24.000"
    assert end >= "2025-01-01T00:04:00.000"
    # Of 1,000 minutes one in a hundred.
    assert backtest_figure(result_of(minute_bars(1_000))).layout.xaxis.range[0] == "2024-12-31T23:50:00.000"


def test_a_drawdown_that_never_was_lies_at_the_top_of_its_pane(traded):
    assert backtest_figure(traded).layout.yaxis3.range is None
    flat = result_of(minute_bars(4))  # 1000, 1001, 1002, 1003
    assert backtest_figure(flat).layout.yaxis3.range == (-1, 0)


def test_prices_and_equity_that_grow_manifold_have_a_logarithmic_axis():
    bars = minute_bars(100)
    close = np.geomspace(10.0, 1_000.0, 100)
    grown = Bars.from_arrays("BTC/USDT", "1m", bars.time_ns, close, close, close, close, np.ones(100))
    result = result_of(grown)
    layout = backtest_figure(result).layout
    assert (layout.yaxis.type, layout.yaxis2.type) == ("log", None)
    assert layout.annotations[0].text == "Price, USDT, log scale"
    # from 10 to 1000 with 5 % of the distance above: log10 of 9 and 1049.5
    assert layout.yaxis.range == pytest.approx((np.log10(9.0), np.log10(1_049.5)))
    result.equity = result.equity * np.geomspace(1.0, 20.0, 100)
    assert backtest_figure(result).layout.yaxis2.type == "log"


def test_a_symbol_without_any_bar_is_named():
    nothing = Bars.from_arrays("ETH/USDT", "1m", minute_bars(5).time_ns, *[np.full(5, np.nan)] * 5)
    result = result_of(Bars.join([minute_bars(5), nothing]))
    with pytest.raises(DataError, match="ETH/USDT has no bars to draw"):
        backtest_figure(result, symbol="ETH/USDT")


def test_many_bars_become_few_candles_and_the_subtitle_says_so():
    figure = backtest_figure(result_of(minute_bars(129_600)))
    candles = figure.data[0]
    assert len(candles.x) <= 1_500
    # 90 days of 1,440 minutes in 1,500 candles need 86.4 minutes: 2 hours is the next round length
    assert len(candles.x) == 90 * 12
    assert "129,600 bars drawn as 1,080 candles of 2h" in figure.layout.title.subtitle.text
    assert sum(len(trace.x) for trace in figure.data) < 25_000
    assert len(figure.to_json()) < 2_000_000


def test_of_many_trades_the_largest_are_drawn_and_the_subtitle_says_so():
    trades = [("long", i, 100.0, i + 1, 100.0, i * (-1.0) ** i, np.nan, np.nan) for i in range(1_200)]
    figure = backtest_figure(result_of(minute_bars(1_300), trades))
    marks = sum(len(trace.x) for trace in figure.data[1:] if trace.mode == "markers" and trace.x[0])
    assert marks == 2_000
    assert "1,200 trades, the 1,000 with the largest profit or loss drawn" in figure.layout.title.subtitle.text
    # profits and losses grow with time, the 200 smallest are left out: the first drawn is trade 200, at 03:20
    assert str(traces(figure, "Long entry")[0].x[0])[11:16] == "03:20"


def test_marks_stand_on_the_candle_that_holds_them():
    trades = [("long", 61, 100.0, 3_599, 100.0, 1.0, np.nan, np.nan)]
    figure = backtest_figure(result_of(minute_bars(3_600), trades))
    # 3,600 minutes in candles of 3 minutes: minute 61 lies in the one of 60, 3,599 in the one of 3,597
    assert str(traces(figure, "Long entry")[0].x[0])[11:16] == "01:00"
    assert str(traces(figure, "Exit with profit")[0].x[0])[11:16] == "11:57"


def test_another_symbol_can_be_drawn_with_its_own_trades():
    both = Bars.join([minute_bars(50), minute_bars(50, symbol="ETH/USDT")])
    result = result_of(both, [("long", 10, 101.0, 20, 103.0, 4.0, np.nan, np.nan)])
    assert traces(backtest_figure(result), "Long entry")
    figure = backtest_figure(result, symbol="ETH/USDT")
    assert figure.data[0].name == "ETH/USDT"
    assert not traces(figure, "Long entry")


def test_an_unknown_symbol_or_theme_is_named(traded):
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, was 'DOGE/USDT'"):
        backtest_figure(traded, symbol="DOGE/USDT")
    with pytest.raises(ConfigError, match="theme must be one of auto, light, dark, was 'blue'"):
        backtest_figure(traded, theme="blue")


@pytest.mark.parametrize("theme", PALETTES)
def test_a_theme_colours_candles_and_page(theme, traded):
    figure = backtest_figure(traded, theme=theme)
    palette = palette_of(theme)
    assert figure.data[0].increasing.fillcolor == palette.up
    assert figure.layout.template.layout.paper_bgcolor == palette.background
    json.loads(figure.to_json())


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#111418"])
@pytest.mark.parametrize("name", ["text", "muted", "up", "down", "equity", "reference", "stop", "target"])
def test_the_auto_theme_has_a_contrast_of_three_on_light_and_dark_pages(name, page):
    # WCAG 2.1, 1.4.11: (lighter + 0.05) / (darker + 0.05)
    shades = sorted((luminance(dataclasses.asdict(palette_of("auto"))[name]), luminance(page)))
    assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 3.0
