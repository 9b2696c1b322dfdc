from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.charts import figure as figure_module
from workbench.charts.figure import Figure
from workbench.charts.session_figure import session_figure
from workbench.charts.still_axis import StillAxis, values_of
from workbench.charts.still_figure import still_figure
from workbench.charts.theme import PALETTES, template_of
from workbench.charts.waterfall import waterfall_figure
from workbench.model import EquityPart, EquityWaterfall

SVG = "{http://www.w3.org/2000/svg}"
DARK = PALETTES["dark"]


def texts(picture: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314  our own text


def paths(picture: str, color: str) -> list[str]:
    found = ET.fromstring(picture).iter(f"{SVG}path")  # noqa: S314  as above
    return [node.get("d", "") for node in found if color in (node.get("fill"), node.get("stroke"))]


def plain(*traces: Any, **layout: Any) -> Figure:
    figure = Figure(list(traces))
    terms: dict[str, Any] = {"height": 400, "margin": {"t": 100}, "yaxis": {"side": "right"}, **layout}
    return figure.update_layout(template=template_of(DARK), **terms)


def test_picture_of_a_session_holds_what_its_figure_says() -> None:
    session = FakeSession(bars=30)
    if session.position is None:
        session.enter()
    figure = session_figure(session, title="fake", theme="dark")
    picture = still_figure(figure)
    assert any(text.startswith("fake  ·  BTC/USDT 1m") for text in texts(picture))
    assert {"Price, USDT", "Equity, USDT", "Drawdown", "Equity", "Buy"} <= set(texts(picture))
    bodies = sum(
        path.count("h")
        for color in (DARK.up, DARK.down)
        for path in paths(picture, color)
        if "V" in path and "h" in path
    )
    # Each candle has a body of two horizontal lines.
    assert bodies == 2 * len(figure.data[1].x)
    assert "<script" not in picture


def test_line_goes_where_its_values_are() -> None:
    line = go.Scatter(x=[0, 5, 10], y=[0.0, 5.0, 10.0], mode="lines", line={"color": "#123456"})
    picture = still_figure(plain(line, xaxis={"range": [0, 10]}, yaxis={"range": [0, 10], "side": "right"}))
    # From 12 to 860 - 74 across, and from 400 - 26 up to 100.
    assert paths(picture, "#123456") == ["M12.0 374.0L399.0 237.0L786.0 100.0"]


def test_line_breaks_where_there_is_no_value() -> None:
    line = go.Scatter(x=[0, 1, None, 2, 3], y=[1.0, 2.0, None, 2.0, 1.0], mode="lines", line={"color": "#123456"})
    assert paths(still_figure(plain(line)), "#123456")[0].count("M") == 2


def test_long_series_are_thinned() -> None:
    times = np.arange(5_000).astype("datetime64[m]")
    waves = np.sin(np.arange(5_000) / 50.0) + 10.0
    candles = go.Candlestick(x=times, open=waves, high=waves + 1, low=waves - 1, close=waves)
    line = go.Scatter(x=times, y=waves, mode="lines", line={"color": "#123456"})
    candles.update(increasing={"line": {"color": DARK.up}}, decreasing={"line": {"color": DARK.down}})
    picture = still_figure(plain(candles, line, xaxis={"type": "date"}))
    assert len(picture) < 25_000
    assert paths(picture, "#123456")[0].count("L") < 240


def test_columns_of_a_waterfall_begin_where_the_one_before_ends() -> None:
    parts = (EquityPart(name="latency", amount=-2.0, meaning="a"), EquityPart(name="fees", amount=-1.0, meaning="b"))
    picture = still_figure(
        waterfall_figure(EquityWaterfall(currency="USDT", start=100.0, end=97.0, parts=parts), theme="dark")
    )
    first, second = paths(picture, DARK.down)
    end = re.search(r"V([\d.]+)", first)
    begin = re.match(r"M\d+ ([\d.]+)", second)
    assert end is not None
    assert begin is not None
    assert end[1] == begin[1]
    assert {"latency", "fees", "-2.00", "-1.00", "-3.00"} <= set(texts(picture))


@pytest.mark.parametrize(("is_reversed", "counts"), [(False, [1, 2]), (True, [2, 1])])
def test_map_is_coloured_by_its_scale_and_empty_where_nothing_is(*, is_reversed: bool, counts: list[int]) -> None:
    scale = [[0.0, "#000000"], [1.0, "#ffffff"]]
    cells = [[0.0, 1.0], [np.nan, 1.0]]
    heat = go.Heatmap(x=[1, 2], y=[1, 2], z=cells, colorscale=scale, reversescale=is_reversed)
    picture = still_figure(plain(heat))
    assert [paths(picture, color)[0].count("M") for color in ("#000000", "#ffffff")] == counts


def test_text_from_outside_stays_text() -> None:
    picture = still_figure(plain(go.Scatter(x=[1], y=[1], name="<b>a</b> & 'b'"), title={"text": "<img src=x> & co"}))
    assert "<img" not in picture
    assert "<b>" not in picture


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [(0.0, 10.0, ["0", "2", "4", "6", "8", "10"]), (-0.02, 0.02, ["-0.02", "-0.01", "0.00", "0.01", "0.02"])],
)
def test_labels_are_round_numbers(low: float, high: float, labels: list[str]) -> None:
    assert [text for _, text in StillAxis("linear", low, high, 0.0, 100.0).ticks(5)] == labels


def test_labels_of_a_logarithmic_axis_are_values() -> None:
    axis = StillAxis("log", 0.0, 2.0, 100.0, 0.0)
    assert [text for _, text in axis.ticks(5)] == ["1", "2", "5", "10", "20", "50", "100"]
    assert axis.pixels([1.0, 10.0, 100.0]).tolist() == [100.0, 50.0, 0.0]


def test_labels_of_times_are_utc_and_as_long_as_they_need_to_be() -> None:
    hours = values_of(np.array(["2025-01-01T00:00", "2025-01-01T12:00"], dtype="datetime64[m]"), "date")
    axis = StillAxis("date", hours[0], hours[1], 0.0, 100.0)
    assert [text for _, text in axis.ticks(4)] == [
        "01-01 00:00",
        "01-01 03:00",
        "01-01 06:00",
        "01-01 09:00",
        "01-01 12:00",
    ]
    days = StillAxis("date", hours[0], hours[0] + 4 * 86_400_000, 0.0, 100.0)
    assert days.ticks(4)[0][1] == "2025-01-01"


def test_picture_stands_beside_the_figure_for_pages_that_run_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    bundle = plain(go.Scatter(x=[1, 2], y=[1, 2]))._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json", "image/svg+xml"}
    assert bundle["image/svg+xml"].startswith("<svg")


def test_display_in_a_notebook_sends_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, *, raw: shown.append((sorted(bundle), raw)))
    plain(go.Scatter(x=[1, 2], y=[1, 2]))._ipython_display_()
    assert shown == [(["application/vnd.plotly.v1+json", "image/svg+xml"], True)]


def test_figure_that_cannot_be_pictured_is_shown_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    bundle = plain(go.Pie(values=[1, 2]))._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.plotly.v1+json"}


def test_every_figure_of_the_project_is_of_the_class_with_the_picture() -> None:
    folder = __import__("pathlib").Path(figure_module.__file__).parent
    assert [
        path.name for path in folder.glob("*.py") if "go.Figure(" in path.read_text() and path.stem != "figure"
    ] == []
