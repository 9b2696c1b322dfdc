import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.panels.fake_session import FakeSession
from workbench.errors import ConfigError
from workbench.model.synthetic import synthetic_bars
from workbench.panels.result_source import ResultSource, chart_state_of
from workbench.panels.sweep_map import map_marks, sweep_map
from workbench.panels.sweep_panel import SweepPanel
from workbench.panels.sweep_slice import PLATEAU, SweepSlice
from workbench.research import SweepResult, sweep
from workbench.strategy import sma_cross

BARS = synthetic_bars("BTC/USDT", "1h", 900, seed=3)
FAST, SLOW, STOP = (5, 10, 15, 20), (10, 20, 30), (0.02, 0.04)
CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def result() -> SweepResult:
    """Return a sweep of three parameters without the averages in the wrong order: 8 of 12, twice."""
    grid = {"fast": FAST, "slow": SLOW, "stop": STOP}
    return sweep(sma_cross(), BARS, grid=grid, where=lambda p: p.fast < p.slow, threads=1, progress=False)


class Paper:
    """Takes what `workbench.paper` would be called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.fault: Exception | None = None

    def __call__(self, strategy: Any, **terms: Any) -> FakeSession:
        if self.fault is not None:
            raise self.fault
        self.calls.append({"strategy": strategy, **terms})
        return FakeSession(bars=20, name=terms["name"] or "free-1")


class Stage:
    def __init__(self, result: SweepResult, **terms: Any) -> None:
        self.sweep = result
        self.paper = Paper()
        self.panel = SweepPanel(result, self.paper, terms)

    def parts(self) -> dict[str, str]:
        return self.panel._look()  # noqa: SLF001  what the page gets

    def chosen(self) -> tuple[object, ...]:
        return self.sweep.grid.combinations[self.panel.chosen]

    def choose(self, *combination: object) -> None:
        self.panel.choose(self.sweep.grid.combinations.index(combination))

    def press(self) -> None:
        self.panel.button.click()
        for thread in threading.enumerate():
            if thread.name == "workbench-command":
                thread.join(60)


@pytest.fixture
def stage(result: SweepResult) -> Iterator[Stage]:
    stage = Stage(result)
    yield stage
    stage.panel.close()


def test_it_begins_at_the_best_plateau(stage: Stage) -> None:
    assert stage.panel.chosen == stage.sweep.best().index
    assert "#1 of 16" in stage.parts()["figures"]


def test_every_cell_is_one_combination_of_the_plane_through_the_chosen_one(result: SweepResult) -> None:
    chosen = result.grid.combinations.index((10, 30, 0.04))
    plane = SweepSlice(result, chosen, "fast", "slow", "sharpe")
    found = [[result.grid.combinations[row] if row >= 0 else None for row in line] for line in plane.rows.tolist()]
    assert found == [
        [(5, 10, 0.04), None, None, None],
        [(5, 20, 0.04), (10, 20, 0.04), (15, 20, 0.04), None],
        [(5, 30, 0.04), (10, 30, 0.04), (15, 30, 0.04), (20, 30, 0.04)],
    ]
    assert plane.texts[0][1:] == ["not tried", "not tried", "not tried"]
    assert plane.values[2][1] == result.table["sharpe"].iloc[chosen] or plane.texts[2][1] == "n/a"


def test_plateau_of_the_ranking_measure_can_be_shown(result: SweepResult) -> None:
    row = result.best().index
    plane = SweepSlice(result, row, "fast", "slow", PLATEAU)
    column, line = plane.place(row) or (-1, -1)
    assert plane.values[line][column] == result.table["plateau"].iloc[row]
    assert plane.measure == "Sharpe, plateau"


def test_values_given_in_another_order_are_drawn_in_numeric_order() -> None:
    grid = {"fast": (9, 3), "slow": (20, 10)}
    result = sweep(sma_cross(), BARS, grid=grid, threads=1, progress=False)
    plane = SweepSlice(result, 0, "fast", "slow", "sharpe")
    assert (plane.x, plane.y) == (["3", "9"], ["10", "20"])
    assert result.grid.combinations[plane.at(1, 0) or 0] == (9, 10)


def test_click_on_a_cell_chooses_its_combination_everywhere(stage: Stage) -> None:
    stage.choose(5, 20, 0.04)
    stage.panel.act("cell", "2,2")  # the third fast average, the third slow one
    assert stage.chosen() == (15, 30, 0.04)
    assert [chooser.value for chooser in stage.panel.values.values()] == [2, 2, 1]
    assert "sma_cross(fast=15, slow=30, stop=0.04)" in stage.parts()["figures"]
    trades = stage.sweep.row(stage.panel.chosen).backtest().trades
    assert f"<b>{len(trades):,}</b>" in stage.parts()["figures"]


@pytest.mark.parametrize("value", ["3,0", "9,9", "-1,0", "", "a,b", "1"])
def test_cell_that_was_not_tried_or_is_none_changes_nothing(stage: Stage, value: str) -> None:
    before = stage.panel.chosen
    stage.panel.act("cell", value)
    assert stage.panel.chosen == before


def test_arrow_keys_move_over_what_was_tried(stage: Stage) -> None:
    stage.choose(15, 20, 0.02)
    for step, expected in (
        ("right", (15, 20, 0.02)),  # 20 is not below 20, and nothing comes after it
        ("up", (15, 30, 0.02)),
        ("right", (20, 30, 0.02)),
        ("down", (20, 30, 0.02)),
        ("left", (15, 30, 0.02)),
        ("sideways", (15, 30, 0.02)),
    ):
        stage.panel.act("move", step)
        assert stage.chosen() == expected


def test_fields_choose_a_combination_and_say_when_it_was_not_tried(stage: Stage) -> None:
    stage.choose(5, 20, 0.02)
    stage.panel.values["stop"].value = 1
    assert stage.chosen() == (5, 20, 0.04)
    stage.panel.values["fast"].value = 3
    assert stage.chosen() == (5, 20, 0.04)
    assert "with fast 20 this combination was not tried" in stage.panel.note.value
    stage.panel.values["slow"].value = 2
    assert stage.chosen() == (20, 30, 0.04)
    assert "not tried" not in stage.panel.note.value


def test_axes_can_be_turned_and_never_are_the_same(stage: Stage) -> None:
    stage.panel.axes["x"].value = "slow"
    assert (stage.panel.axes["x"].value, stage.panel.axes["y"].value) == ("slow", "fast")
    stage.panel.axes["y"].value = "stop"
    assert json.loads(stage.parts()["tips"])["names"][:2] == ["slow", "stop"]


def test_metric_changes_the_map_alone(stage: Stage) -> None:
    before = stage.parts()
    stage.panel.metric.value = "max_drawdown"
    after = stage.parts()
    assert sorted(name for name in after if after[name] != before[name]) == ["map", "marks", "tips"]


def test_sweep_of_one_parameter_is_one_row() -> None:
    result = sweep(sma_cross(), BARS, grid={"fast": FAST}, threads=1, progress=False)
    stage = Stage(result)
    plane = stage.panel.plane
    assert (plane.values.shape, plane.y_name) == ((1, 4), "")
    stage.panel.act("cell", "0,0")
    assert stage.chosen() == (5,)
    stage.panel.close()


def test_chart_gets_the_trades_and_the_equity_of_the_chosen_one(stage: Stage) -> None:
    stage.choose(5, 20, 0.02)
    backtest = stage.sweep.row(stage.panel.chosen).backtest()
    state = chart_state_of(backtest)
    assert len(state.marks) == len(backtest.fills)
    assert [mark[2] for mark in state.marks[:2]] == [1, -1]
    assert state.equity[:, 1].tolist() == backtest.equity.tolist()
    assert state.equity[:, 2].tolist() == (-backtest.drawdown).tolist()
    assert state.bars[:, 4].tolist() == BARS.values[3, 0].tolist()


def test_chart_opens_on_the_whole_run(stage: Stage) -> None:
    # Among the newest bars there may be no trade at all.
    assert stage.panel.chart.is_whole


def test_more_bars_than_a_chart_takes_are_joined(monkeypatch: pytest.MonkeyPatch, result: SweepResult) -> None:
    monkeypatch.setattr("workbench.panels.result_source.MOST_BARS", 300)
    backtest = result.row(0).backtest()
    state = chart_state_of(backtest)
    # 900 bars of an hour in at most 300 candles: of three hours.
    assert (len(state.bars), state.timeframe_ns) == (300, 3 * 3_600 * 10**9)
    assert state.bars[:, 5].sum() == pytest.approx(BARS.values[4, 0].sum())
    assert state.equity[-1, 1] == backtest.equity.iloc[-1]
    assert -state.equity[:, 2].min() == backtest.drawdown.max()


def test_another_result_is_told_by_a_gap(result: SweepResult) -> None:
    source = ResultSource(result.row(0).backtest())
    told: list[Any] = []
    end = source.subscribe(told.append)
    before = source.chart_state().sequence
    source.show(result.row(1).backtest())
    assert told[0].sequence == source.chart_state().sequence == before + 2
    end()
    source.show(result.row(0).backtest())
    assert len(told) == 1


def test_paper_this_starts_the_chosen_one_on_the_terms_of_the_sweep(stage: Stage) -> None:
    stage.choose(10, 30, 0.04)
    assert stage.panel.name.value == "sma-cross-10-30-0-04"
    stage.press()
    call = stage.paper.calls[0]
    assert dict(call["strategy"].parameters) == {"fast": 10, "slow": 30, "stop": 0.04}
    assert (call["symbol"], str(call["timeframe"]), call["cash"]) == (("BTC/USDT",), "1h", 10_000.0)
    assert call["name"] == "sma-cross-10-30-0-04"
    assert repr(stage.panel.below.children[0]) == "SessionPanel('sma-cross-10-30-0-04')"


def test_name_that_was_changed_stays_and_an_empty_one_is_left_to_paper(stage: Stage) -> None:
    stage.panel.name.value = "mine"
    stage.choose(10, 30, 0.04)
    stage.press()
    stage.panel.name.value = " "
    stage.press()
    assert [call["name"] for call in stage.paper.calls] == ["mine", None]
    assert len(stage.panel.below.children) == 1


def test_own_terms_take_precedence(result: SweepResult) -> None:
    stage = Stage(result, cash=500.0, exchange="binance")
    stage.press()
    assert (stage.paper.calls[0]["cash"], stage.paper.calls[0]["exchange"]) == (500.0, "binance")
    stage.panel.close()


def test_session_that_cannot_be_started_is_a_complaint(stage: Stage) -> None:
    stage.paper.fault = ConfigError(f"name must be another, was {CANARY}")
    stage.press()
    assert "Starting the session failed: name must be another" in stage.panel.note.value
    assert CANARY not in stage.panel.note.value
    assert stage.panel.below.children == ()
    assert not stage.panel.button.disabled


def test_map_marks_the_chosen_cell_and_the_best_one(result: SweepResult) -> None:
    chosen = result.grid.combinations.index((5, 10, 0.02))
    plane = SweepSlice(result, chosen, "fast", "slow", "sharpe")
    marks = map_marks(plane)
    # Lowest of three lines: it begins at two thirds from above.
    assert 'class="wb-map-chosen" style="left:0.000%;top:66.667%;width:25.000%;height:33.333%"' in marks
    assert 'data-columns="4" data-rows="3"' in sweep_map(plane, slotted=True)


def test_chosen_cell_is_said_in_words_too(result: SweepResult) -> None:
    chosen = result.grid.combinations.index((5, 10, 0.02))
    plane = SweepSlice(result, chosen, "fast", "slow", "sharpe")
    value = plane.texts[0][0]  # the first column of the lowest line
    assert f'<span class="wb-spoken">fast 5, slow 10: Sharpe {value}; arrow keys move</span>' in map_marks(plane)


def test_map_of_too_many_cells_is_left_out(monkeypatch: pytest.MonkeyPatch, result: SweepResult) -> None:
    monkeypatch.setattr("workbench.panels.sweep_map._MOST_CELLS", 11)
    plane = SweepSlice(result, 0, "fast", "slow", "sharpe")
    assert "12 cells are too many for a map" in sweep_map(plane, slotted=True)


def test_picture_for_pages_without_a_kernel(stage: Stage) -> None:
    bundle = stage.panel._repr_mimebundle_()
    assert bundle["text/plain"] == "SweepPanel('sma_cross', 16 combinations)"
    for text in ("wb-map-chosen", "Plateau rank", "wb-still-chart", "16 combinations"):
        assert text in bundle["text/html"]
    assert "data-act=" not in bundle["text/html"]


def test_panel_comes_with_the_facade(monkeypatch: pytest.MonkeyPatch, result: SweepResult) -> None:
    monkeypatch.setattr(SweepResult, "panel_factory", None)
    with pytest.raises(ConfigError, match=r"import workbench\.api"):
        result.panel()
