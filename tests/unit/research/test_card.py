from html.parser import HTMLParser

import numpy as np
import pytest

from workbench.charts.card_markup import figure_tile, notes_list
from workbench.model import RiskConfig
from workbench.research import backtest
from workbench.research.sparkline import DOWN, MAX_POINTS, UP, sparkline
from workbench.strategy import Signals, sma_cross

pytestmark = pytest.mark.timeout(600)


class Balance(HTMLParser):
    """Fail on a tag that is closed in the wrong order or not at all."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  the parser's signature
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def assert_balanced(html):
    parser = Balance()
    parser.feed(html)
    assert parser.open == []


def test_the_card_shows_the_headline_figures(wavy):
    result = backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000)
    card = result._repr_html_()
    assert_balanced(card)
    for name in ("total_return", "sharpe", "max_drawdown", "trade_count", "profit_factor"):
        assert result.stats.shown(name) in card
    assert "sma_cross(fast=3, slow=12, stop=0.02)" in card
    assert "from 1,000.00 USDT" in card
    assert "BTC/USDT 1h  ·  2025-01-01 to 2025-01-10 UTC  ·  240 bars" in card


def test_the_card_is_small_and_asks_for_nothing_outside(wavy):
    card = backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000)._repr_html_()
    assert len(card) < 20_000
    assert "<script" not in card
    assert "http" not in card


def test_the_card_carries_the_warnings(make_bars, free):
    risk = RiskConfig(max_drawdown=0.1)
    enter = Signals(enter_long=np.array([True, False, False, False]))
    result = backtest(enter, make_bars([100, 100, 80, 80]), cash=1_000, costs=free, risk=risk)
    card = result._repr_html_()
    assert "<div>Halted by max_drawdown on 2025-01-01 02:00 UTC" in card
    assert len(result.warnings) == 3
    assert all(f"<div>{warning}</div>" in card for warning in result.warnings)


def test_text_from_users_is_escaped():
    assert "<b>" not in figure_tile("<b>", "1", "2", 0.0).replace("<b>1</b>", "")
    assert notes_list(("<script>",)) == "<div class='wb-notes'><div>&lt;script&gt;</div></div>"
    assert notes_list(()) == ""


def test_text_repr_has_measures_and_warnings(wavy):
    text = repr(backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000))
    assert text.startswith("sma_cross(fast=3, slow=12, stop=0.02) on BTC/USDT 1h, 1,000.00 USDT\n\nFinal equity")
    assert "\n\n! " in text


def test_summary_is_one_line(wavy):
    summary = backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000).summary
    assert "\n" not in summary
    assert "Sharpe" in summary


@pytest.mark.parametrize(("values", "colour"), [([1.0, 2.0], UP), ([2.0, 1.0], DOWN), ([1.0, 1.0], UP)])
def test_a_sparkline_is_green_when_it_ends_at_or_above_its_base(values, colour):
    assert sparkline(np.array(values), base=values[0], label="Equity").count(colour) == 2


@pytest.mark.parametrize("size", [1, 2, MAX_POINTS, MAX_POINTS + 1, 100_000])
def test_a_sparkline_of_any_length_stays_small_and_ends_at_its_last_value(size):
    values = np.sin(np.arange(size) / 7.0)
    values[-1] = 5.0
    svg = sparkline(values, base=0.0, label="Equity")
    assert_balanced(svg.replace("/>", "></x>").replace("></x>", "/>"))
    assert len(svg) < 12_000
    line = svg.split("<path d='")[2].split("'")[0]
    # the highest value lies 2 px below the upper edge
    assert line.endswith("600.0,2.0")


def test_a_sparkline_keeps_the_extremes():
    values = np.zeros(10_000)
    values[5_001] = -3.0
    values[7_003] = 2.0
    line = sparkline(values, base=0.0, label="").split("<path d='")[2].split("'")[0]
    heights = [float(point.split(",")[1]) for point in line[1:].split(" L")]
    assert (min(heights), max(heights)) == (2.0, 62.0)


def test_a_label_is_escaped():
    assert "<title>a &lt; b</title>" in sparkline(np.array([1.0]), base=1.0, label="a < b")
