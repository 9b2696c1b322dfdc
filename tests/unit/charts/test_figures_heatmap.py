import numpy as np
import pytest

from workbench.charts.heatmap import heatmap_figure, line_figure
from workbench.charts.surface import Surface
from workbench.charts.theme import palette_of


def surface(values, **changes):
    values = np.array(values, dtype=np.float64)
    parts = {
        "title": "cross",
        "subtitle": "BTC/USDT",
        "x_name": "fast",
        "y_name": "slow",
        "x": list(range(values.shape[1])),
        "y": list(range(values.shape[0])),
        "values": values,
        "measure": "Sharpe",
        "unit": "ratio",
        "centre": 0.0,
        "is_better_high": True,
    }
    return Surface(**{**parts, **changes})


def colours(heat):
    return [colour for _, colour in heat.colorscale]


def test_good_is_teal_and_bad_is_red_around_the_centre():
    heat = heatmap_figure(surface([[-1.0, 0.0], [0.5, 1.0]]), theme="light").data[0]
    palette = palette_of("light")
    assert colours(heat) == [palette.down, palette.neutral, palette.up]
    assert heat.zmin == -heat.zmax


def test_where_less_is_better_the_colours_change_sides():
    heat = heatmap_figure(surface([[-1.0, 1.0]], is_better_high=False), theme="light").data[0]
    assert colours(heat)[0] == palette_of("light").up


@pytest.mark.parametrize(("values", "colour"), [([[-3.0, -2.0]], "down"), ([[2.0, 3.0]], "up")])
def test_on_one_side_of_the_centre_the_whole_scale_tells_them_apart(values, colour):
    heat = heatmap_figure(surface(values), theme="light").data[0]
    palette = palette_of("light")
    assert set(colours(heat)) == {getattr(palette, colour), palette.neutral}
    assert np.nanmin(values) <= heat.zmin < heat.zmax <= np.nanmax(values)


def test_without_a_centre_the_scale_fades_to_blue():
    heat = heatmap_figure(surface([[1.0, 2.0]], centre=None), theme="dark").data[0]
    assert colours(heat)[-1] == palette_of("dark").equity


def test_one_lucky_corner_does_not_wash_out_the_rest():
    values = np.linspace(-1.0, 1.0, 10_000).reshape(100, 100)
    values[0, 0] = 1e6
    heat = heatmap_figure(surface(values)).data[0]
    assert heat.zmax < 1.1


@pytest.mark.parametrize("values", [[[np.nan, np.nan]], [[0.0, 0.0]]])
def test_nothing_to_tell_apart_makes_a_figure_all_the_same(values):
    assert heatmap_figure(surface(values)).to_json()


def test_steps_of_one_size_have_a_numeric_axis_and_others_a_category_each():
    figure = heatmap_figure(surface([[1.0, 2.0, 3.0]] * 3, x=[5, 10, 20], y=["ema", "sma", "wma"]))
    assert list(figure.data[0].x) == ["5", "10", "20"]
    assert figure.layout.xaxis.type == "category"
    even = heatmap_figure(surface([[1.0, 2.0, 3.0]], x=[0.1, 0.2, 0.3]))
    assert list(even.data[0].x) == [0.1, 0.2, 0.3]


def test_truth_values_are_categories():
    figure = heatmap_figure(surface([[1.0, 2.0]], x=[False, True]))
    assert list(figure.data[0].x) == ["False", "True"]


def test_fractions_are_shown_as_percent():
    heat = heatmap_figure(surface([[0.1, 0.2]], unit="fraction", measure="Total return")).data[0]
    assert "%{z:.2%}" in heat.hovertemplate
    assert heat.colorbar.tickformat.endswith("%")


def test_the_marked_cell_has_a_ring():
    ring = heatmap_figure(surface([[1.0, 2.0], [3.0, 4.0]], marked=(1, 0))).data[1]
    assert (ring.x[0], ring.y[0]) == (0, 1)


def test_a_line_marks_its_best_value_with_a_larger_dot():
    figure = line_figure(surface([[1.0, 3.0, 2.0]], y_name="", y=[""], marked=(0, 1)))
    assert list(figure.data[0].y) == [1.0, 3.0, 2.0]
    assert list(figure.data[0].marker.size) == [6, 13, 6]
