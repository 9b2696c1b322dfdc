import math
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.live.markets import session_config, walk
from tests.unit.panels.fake_session import FakeSession
from workbench.charts.live_palette import LIVE_COLORS
from workbench.charts.live_study import StudyNews
from workbench.charts.session_figure import session_figure
from workbench.errors import ConfigError, DataError
from workbench.live import LiveSession
from workbench.model import RiskConfig
from workbench.strategy import sma_cross

JOIN_S = 60.0


def played() -> LiveSession:
    """Return a session that has traded to the end of 200 bars, 50 of them history."""
    config = session_config(
        walk(200), strategy=sma_cross(fast=3, slow=8), warmup_bars=50, risk=RiskConfig(stop_loss=0.05)
    )
    session = LiveSession(config).start()
    assert session.wait(JOIN_S)
    return session


@pytest.fixture(scope="module")
def figure() -> Any:
    return played().plot(theme="dark")


def trace(figure: Any, name: str) -> Any:
    return next(one for one in figure.data if one.name == name)


def test_figure_shows_what_the_live_chart_shows(figure: Any) -> None:
    names = [one.name for one in figure.data]
    assert {"Volume", "sma(close, 3)", "sma(close, 8)", "Equity", "Backtest", "Drawdown", "Buy", "Sell"} <= set(names)
    assert figure.layout.title.text.startswith("test: sma_cross(fast=3, slow=8")
    assert "BTC/USDT 1m" in figure.layout.title.text
    assert "UTC" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.type == "date"


def test_lines_have_the_colours_of_the_live_chart(figure: Any) -> None:
    dark = LIVE_COLORS["dark"]
    assert trace(figure, "sma(close, 3)").line.color == dark["level_1"]
    assert trace(figure, "sma(close, 8)").line.color == dark["level_2"]
    assert trace(figure, "Backtest").line.color == dark["ghost"]
    assert figure.layout.paper_bgcolor is None  # the template's
    assert figure.layout.template.layout.paper_bgcolor == dark["background"]


def test_session_on_whole_bars_lies_on_its_backtest(figure: Any) -> None:
    own, ghost = trace(figure, "Equity"), trace(figure, "Backtest")
    np.testing.assert_array_equal(own.y, ghost.y)
    assert len(own.y) == 150  # 200 bars, 50 of them before the session


def test_equity_lies_above_the_backtest_with_the_gap_shaded(figure: Any) -> None:
    names = [one.name for one in figure.data]
    assert names.index("Equity") == names.index("Backtest") + 1
    assert trace(figure, "Equity").fill == "tonexty"


def test_held_times_are_shaded_from_fill_to_fill(figure: Any) -> None:
    held = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    buys = trace(figure, "Buy").x
    assert len(held) == len(buys)
    assert str(held[0].x0) == str(buys[0])


def test_volume_takes_the_foot_of_the_price_pane(figure: Any) -> None:
    volume = trace(figure, "Volume")
    assert figure.layout.yaxis4.range[1] == pytest.approx(max(volume.y) / 0.16)


def test_levels_of_an_open_position_are_named_lines() -> None:
    session = FakeSession(bars=30)
    if session.position is None:
        session.enter()
    figure = session_figure(session, title="fake")
    lines = {shape.label.text.rpartition(" ")[0]: shape.y0 for shape in figure.layout.shapes if shape.type == "line"}
    assert lines == pytest.approx(session.chart_state().lines)
    assert not any(math.isnan(level) for level in lines.values())


def test_session_without_a_known_strategy_has_the_rest() -> None:
    names = [one.name for one in session_figure(FakeSession(bars=30), title="fake").data]
    assert {"BTC/USDT", "Volume", "Equity", "Drawdown"} <= set(names)
    assert "Backtest" not in names


def test_reason_why_there_is_no_backtest_stands_above(monkeypatch: pytest.MonkeyPatch) -> None:
    news = StudyNews(is_whole=True, fault="two symbols")
    monkeypatch.setattr("workbench.charts.session_figure.study_now", lambda *_: news)
    figure = session_figure(FakeSession(bars=30), title="fake")
    assert figure.layout.title.subtitle.text.endswith("no backtest: two symbols")


def test_session_without_bars_says_so() -> None:
    empty = SimpleNamespace(
        symbol="BTC/USDT", timeframe_ns=60 * 10**9, bars=np.empty((0, 6)), equity=np.empty((0, 3)), marks=(), lines={}
    )
    with pytest.raises(DataError, match="no bars to draw yet: start the session first"):
        session_figure(SimpleNamespace(chart_state=lambda: empty), title="empty")  # type: ignore[arg-type]  # no more is asked


def test_unknown_theme_is_refused() -> None:
    with pytest.raises(ConfigError, match="theme must be one of"):
        session_figure(FakeSession(bars=5), title="fake", theme="pink")  # type: ignore[arg-type]  # that is the test


def test_handles_load_plotly_only_when_they_draw() -> None:
    code = "import sys, workbench.live; print(sorted({'plotly', 'anywidget'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
