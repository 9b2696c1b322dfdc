"""The panel of a sweep: its heat map, the trades of the chosen cell on the price chart, and the way to paper."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from workbench.charts.live import ChartOptions, LiveChart
from workbench.charts.pane import Pane
from workbench.panels import markup
from workbench.panels.commands import CommandRunner
from workbench.panels.fields import labelled
from workbench.panels.result_source import ResultSource
from workbench.panels.session_panel import session_panel
from workbench.panels.still import StillPicture, close_tree
from workbench.panels.still_chart import still_chart
from workbench.panels.sweep_map import chosen_figures, map_marks, map_tips, sweep_map
from workbench.panels.sweep_slice import PLATEAU, SweepSlice
from workbench.research.formatting import format_parameter
from workbench.research.measures import MEASURES, SWEEP_MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.panels.handle import SessionHandle
    from workbench.research import BacktestResult, SweepResult

__all__ = ["SweepPanel"]

_LONGEST_NAME: Final = 48


class SweepPanel(StillPicture, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Panel of one sweep: choose a combination by a click, arrow keys or fields, see what it did, and paper it.

    The map is the plane through the chosen combination, so that every cell is one combination; it begins at the best
    plateau. Each choice is one backtest on the sweep's bars and terms.

    Parameters
    ----------
    sweep : SweepResult
        The sweep.
    paper : callable
        Starts a paper session and returns its handle; called with the strategy and keyword arguments of
        `workbench.paper`.
    terms : mapping of str to object, optional
        Arguments that take precedence over those of the sweep: symbols, timeframe, cash, risk and costs.
    """

    def __init__(
        self, sweep: SweepResult, paper: Callable[..., SessionHandle], terms: Mapping[str, Any] | None = None
    ) -> None:
        self._sweep = sweep
        self._paper = paper
        self._terms = dict(terms or {})
        self._lock = threading.RLock()
        self._is_moving = False
        self._chosen = sweep.best().index if sweep.has_best else 0
        self._result = self._backtest(self._chosen)
        self._source = ResultSource(self._result)
        self._runner = CommandRunner(self._told)
        self.pane = Pane(self._look, self.act, interval_s=float("inf"))
        # Among the newest bars there may be no trade at all.
        options = ChartOptions(height=430, mode="backtest of the chosen cell", is_whole=True)
        self.chart = LiveChart(self._source, options)
        self.metric = _dropdown("Cells show", _metrics(sweep), sweep.rank_by)
        self.axes = self._axis_choosers()
        self.values = {name: self._value_chooser(name) for name in sweep.grid.names}
        self.name = ipywidgets.Text(
            _session_name(sweep, self._chosen), description="Session name", continuous_update=False
        )
        self.button = ipywidgets.Button(description="Paper this", tooltip="Start a paper session with this combination")
        self.note = ipywidgets.HTML(markup.note(""))
        self.below = ipywidgets.VBox()
        self._connect()
        super().__init__(self._layout())
        self.add_class("wb-panel")
        self.add_class("wb-sweep")

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return f"SweepPanel({self._sweep.name!r}, {len(self._sweep):,} combinations)"

    @property
    def chosen(self) -> int:
        """Row of the chosen combination in the sweep's table."""
        return self._chosen

    @property
    def plane(self) -> SweepSlice:
        """The map's cells."""
        x_name, y_name = self.axes["x"].value, self.axes["y"].value or ""
        return SweepSlice(self._sweep, self._chosen, x_name, y_name, self.metric.value)

    def act(self, name: str, value: str) -> None:
        """Do what the page asks: choose the cell of a column and a line, or the one beside the chosen one."""
        if name == "cell":
            column, _, line = value.partition(",")
            row = self.plane.at(int(column), int(line)) if column.isdecimal() and line.isdecimal() else None
        else:
            row = self.plane.beside(value) if name == "move" else None
        if row is not None:
            self.choose(row)

    def choose(self, row: int) -> None:
        """Choose a combination by its row in the sweep's table; ConfigError when there is none."""
        with self._lock:
            result = self._backtest(row)
            is_own_name = self.name.value == _session_name(self._sweep, self._chosen)
            self._chosen, self._result = row, result
            self._source.show(result)
            self._is_moving = True
            try:
                for name, value in zip(self._sweep.grid.names, self._sweep.grid.combinations[row], strict=True):
                    self.values[name].value = self._sweep.grid.values[name].index(value)
                if is_own_name:
                    self.name.value = _session_name(self._sweep, row)
            finally:
                self._is_moving = False
            self._say("")
        self.pane.wake()

    def start(self) -> None:
        """Start a paper session of the chosen combination and show its panel beneath."""
        with self._lock:
            strategy, config = self._result.strategy, self._result.config
            name = self.name.value.strip() or None
        given = {"symbol": self._sweep.bars.symbols, "timeframe": self._sweep.bars.timeframe, "cash": config.cash}
        handle = self._paper(
            strategy, **{**given, "risk": config.risk, "costs": config.costs, "name": name, **self._terms}
        )
        before = self.below.children
        self.below.children = (session_panel(handle),)
        for one in before:
            close_tree(one)

    def close(self) -> None:
        """Stop updating and remove the panel from the page; a session that was started goes on."""
        close_tree(self.below)
        self.pane.close()
        self.chart.close()
        super().close()

    def still(self) -> str:
        """Return the map and the chosen combination, for a page without a kernel."""
        plane = self.plane
        board = f'<div class="wb-map">{sweep_map(plane, slotted=False)}</div>'
        figures = chosen_figures(self._sweep, self._chosen, self._result)
        caption = f'<div class="wb-hint wb-muted">{plane.measure}; dashed: best plateau, framed: chosen</div>'
        return self._heading() + caption + board + figures + still_chart(self.chart.chart_state())

    def _look(self) -> dict[str, str]:
        with self._lock:
            plane, row, result = self.plane, self._chosen, self._result
        return {
            "": '<div class="wb-map" data-slot="map"></div><div data-slot="figures"></div>',
            "map": sweep_map(plane, slotted=True),
            "marks": map_marks(plane),
            "tips": map_tips(plane),
            "figures": chosen_figures(self._sweep, row, result),
        }

    def _backtest(self, row: int) -> BacktestResult:
        return self._sweep.row(row).backtest()

    def _heading(self) -> str:
        bars = self._sweep.bars
        market = f"{', '.join(bars.symbols)} {bars.timeframe}  ·  {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d} UTC"
        return markup.heading(f"{self._sweep.name} sweep", market, [], f"{len(self._sweep):,} combinations")

    def _axis_choosers(self) -> dict[str, Any]:
        names = [name for name in self._sweep.grid.names if len(self._sweep.grid.values[name]) > 1]
        names = names or list(self._sweep.grid.names)
        second = names[1] if len(names) > 1 else ""
        ups = [(name, name) for name in names] if second else [("none", "")]
        return {
            "x": _dropdown("Across", [(name, name) for name in names], names[0]),
            "y": _dropdown("Up", ups, second),
        }

    def _value_chooser(self, name: str) -> Any:  # noqa: ANN401  ipywidgets has no types
        values = self._sweep.grid.values[name]
        options = [(format_parameter(value), place) for place, value in enumerate(values)]
        place = self._sweep.grid.places[self._chosen][self._sweep.grid.names.index(name)]
        return _dropdown(name, options, place)

    def _connect(self) -> None:
        self.metric.observe(lambda _change: self.pane.wake(), names="value")
        for axis, other in (("x", "y"), ("y", "x")):
            self.axes[axis].observe(lambda change, other=other: self._turn(change, other), names="value")
        for name, chooser in self.values.items():
            chooser.observe(lambda _change, name=name: self._choose_values(name), names="value")
        self.button.on_click(lambda _button: self._runner.run("Starting the session", self.start))

    def _turn(self, change: Mapping[str, Any], other: str) -> None:
        """Let the two axes differ: one that takes the other's parameter gives it its own."""
        if self.axes[other].value == change["new"]:
            self.axes[other].value = change["old"]
        self.pane.wake()

    def _choose_values(self, changed: str) -> None:
        """Choose the combination that the fields say, or say that it was not tried."""
        if self._is_moving:
            return
        wanted = tuple(chooser.value for chooser in self.values.values())
        places = self._sweep.grid.places
        if wanted in places:
            self.choose(places.index(wanted))
        else:
            value = format_parameter(self._sweep.grid.values[changed][self.values[changed].value])
            self._say(f"with {changed} {value} this combination was not tried: change another field as well")

    def _told(self, complaint: str) -> None:
        self.button.disabled = self._runner.is_under_way("Starting the session")
        self._say(complaint)

    def _say(self, complaint: str) -> None:
        self.note.value = markup.note(complaint, "down", complaint)

    def _layout(self) -> list[Any]:
        style = ipywidgets.HTML(markup.style_sheet())
        style.add_class("wb-style")
        choosers = (self.metric, *self.axes.values(), *self.values.values())
        fields = [labelled(chooser, chooser.description) for chooser in choosers]
        form = ipywidgets.Box(fields)
        form.add_class("wb-form")
        self.button.add_class("wb-button")
        self.button.add_class("wb-start")
        self.name.add_class("wb-name")
        row = ipywidgets.Box([self.name, self.button, self.note])
        row.add_class("wb-paper")
        return [style, ipywidgets.HTML(self._heading()), form, self.pane, self.chart, row, self.below]


def _metrics(sweep: SweepResult) -> list[tuple[str, str]]:
    ranking = (f"{MEASURES[sweep.rank_by].label}, plateau", PLATEAU)
    return [*((MEASURES[name].label, name) for name in SWEEP_MEASURES), ranking]


def _dropdown(label: str, options: Any, value: object) -> Any:  # noqa: ANN401  ipywidgets has no types
    return ipywidgets.Dropdown(options=options, value=value, description=label)


def _session_name(sweep: SweepResult, row: int) -> str:
    """Return a name that tells the combination, in the letters that a session's name may have."""
    values = "-".join(format_parameter(value) for value in sweep.grid.combinations[row])
    return re.sub(r"[^a-z0-9]+", "-", f"{sweep.name}-{values}".lower()).strip("-")[:_LONGEST_NAME]
