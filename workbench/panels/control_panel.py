"""A form that starts a session, with that session's panel beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from workbench.errors import ConfigError, SessionError
from workbench.panels import markup
from workbench.panels.commands import CommandRunner
from workbench.panels.faults import faults_by_field
from workbench.panels.found_things import found_bars, found_strategies
from workbench.panels.market_fields import MarketFields
from workbench.panels.markup import Cell, Column, Table
from workbench.panels.real_fields import RealFields
from workbench.panels.risk_fields import RiskFields
from workbench.panels.session_menu import SessionMenu
from workbench.panels.session_panel import session_panel
from workbench.panels.still import StillPicture
from workbench.panels.strategy_fields import StrategyFields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.model import Bars, RiskConfig
    from workbench.panels.doors import Doors
    from workbench.panels.handle import SessionHandle

__all__ = ["ControlPanel"]

_START: Final = "Start"
_START_REAL: Final = "Start with REAL MONEY"
_ELSEWHERE: Final = "start"


class ControlPanel(StillPicture, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A form for a session: strategy, market, risk; Start calls ``wb.paper`` or ``wb.live`` and nothing else.

    Everything that is wrong is said at once, each beside its field, and nothing starts before all of it is right. Start
    is idempotent: pressed again with the same name and settings it shows the session that runs.

    Parameters
    ----------
    doors : Doors
        The public functions.
    strategies : tuple of strategy
        Offered first.
    bars : mapping of str to Bars
        Offered for a replay.
    risk : RiskConfig
        What the risk settings show first.
    """

    def __init__(
        self, doors: Doors, strategies: tuple[object, ...], bars: Mapping[str, Bars], risk: RiskConfig
    ) -> None:
        self._doors, self._given, self._given_bars = doors, strategies, bars
        self._refused: Mapping[str, str] = {}
        self._suggested, self._told = "", Cell("")
        self._shown: Any = None
        # First of all widgets: ipywidgets closes also a form that was refused before it was made.
        self.slot = ipywidgets.VBox([])
        self._runner = CommandRunner(self._ran)
        namespace = doors.namespace()
        self._bars = found_bars(bars, namespace)
        self.sessions = SessionMenu(doors.listing, self._attach, self._look)
        self.strategy = StrategyFields(found_strategies(strategies, namespace), self._changed)
        self.market = MarketFields(self._bars, self.sessions.is_running, self._changed)
        self.risk = RiskFields(risk, self._changed)
        self.real = RealFields(doors, self._changed)
        self.start = self._button(_START, "Start the session", "start", self._start)
        self.try_out = self._button(
            "Backtest first", "Run the same on history, and show what came of it", "try", self._try
        )
        self._heading, self._status, self._result = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        super().__init__([self._form(), self.slot])
        self._suggest_name()
        self.refresh()

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return "ControlPanel()"

    @property
    def complaints(self) -> dict[str, str]:
        """What is wrong with the form, by field; empty when a session can start."""
        return {**self._refused, **self._faults()}

    def refresh(self) -> None:
        """Show the form as it is now."""
        is_real = self.market.is_real
        self.real.box.layout.display = None if is_real else "none"
        (self._panel.add_class if is_real else self._panel.remove_class)("wb-is-real")
        badge = Cell("● REAL MONEY", "real") if is_real else Cell("○ PAPER", "muted")
        self._heading.value = markup.heading("New session", "", [badge], "")
        if is_real:
            risk = None if self.risk.faults() else self.risk.risk()
            self.real.describe(str(self.market.fields["exchange"].value), self.market.symbols, risk)
        faults = self.complaints
        self.market.show({**self._refused, **self.market.faults()}, self.market.shut)
        for group in (self.strategy, self.risk, self.real):
            # Each its own: a parameter of a strategy may be called like a risk setting.
            group.show({**self._refused, **group.faults()})
        self._show_status(faults)
        self.start.description = _START_REAL if is_real else _START
        is_busy = any(self._runner.is_under_way(name) for name in (_START, "Show"))
        self.start.disabled = is_busy or bool(faults) or (is_real and not self.real.can_start)
        wrong = [name for name in faults if name not in self.real.fields]
        self.try_out.disabled = bool(wrong) or self._runner.is_under_way("Backtest")

    def still(self) -> str:
        """Return what the form holds, without the fields about real money, and the panel beneath it."""
        held = [
            (name, field.value)
            for group in (self.strategy, self.market, self.risk)
            for name, field in group.fields.items()
        ]
        texts = [("strategy", str(self.strategy.menu.value)), *((name, str(value)) for name, value in held)]
        rows = [[Cell(name), Cell(text)] for name, text in texts if text not in {"", "None", "()"}]
        columns = [Column("Field", is_text=True), Column("Value", is_text=True)]
        form = markup.table(Table(columns, rows, "Nothing is filled in"))
        shown = "".join(panel.still() for panel in self.slot.children if isinstance(panel, StillPicture))
        return f"{self._heading.value}{form}{self._status.value}{shown}"

    def close(self) -> None:
        """Remove the form and the panel beneath it from the page; sessions go on."""
        self._put(None)
        super().close()

    def _form(self) -> ipywidgets.VBox:
        style = ipywidgets.HTML(markup.style_sheet())
        style.add_class("wb-style")
        buttons = ipywidgets.Box([self.start, self.try_out])
        buttons.add_class("wb-controls")
        groups = (self.strategy, self.market, self.risk, self.real)
        parts = (*(group.box for group in groups), buttons, self._status, self._result)
        self._panel = ipywidgets.VBox([style, self._heading, self.sessions.box, *parts])
        self._panel.add_class("wb-panel")
        self._panel.add_class("wb-start-form")
        return self._panel

    def _button(self, label: str, tip: str, name: str, press: Callable[[], None]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=label, tooltip=tip)
        button.add_class("wb-button")
        button.add_class(f"wb-{name}")
        button.on_click(lambda _button: press())
        return button

    def _faults(self) -> dict[str, str]:
        groups = (self.strategy, self.market, self.risk, *((self.real,) if self.market.is_real else ()))
        return {name: text for group in groups for name, text in group.faults().items()}

    def _show_status(self, faults: Mapping[str, str]) -> None:
        beside = {name for group in (self.strategy, self.market, self.risk, self.real) for name in group.fields}
        general = "; ".join(text for name, text in faults.items() if name not in beside)
        if self._told.text:
            # The newest: every change of a field takes it away.
            self._status.value = markup.reason(self._told.text, self._told.tone)
        elif general:
            self._status.value = markup.reason(f"✗ {general}", "down")
        elif faults:
            told = "; ".join(f"{name}: {text}" for name, text in faults.items())
            self._status.value = markup.reason(f"✗ Nothing can start yet: {told}", "down")
        else:
            self._status.value = markup.reason("")

    def _changed(self, name: str) -> None:
        self._refused, self._told = {}, Cell("")
        if name == "strategy":
            self._suggest_name()
        if name == "money":
            # Real money is traded at an exchange and nowhere else: the field, which is shut then, says so.
            self.market.fields["execution"].adopt("exchange" if self.market.is_real else "simulated")
        bars = self._bars.get(self.market.replayed or "")
        if name == "exchange" and bars is not None:
            self.market.fields["symbol"].adopt(", ".join(bars.symbols))
        self.refresh()

    def _suggest_name(self) -> None:
        field = self.market.fields["name"]
        # A name that somebody typed stays.
        if field.value in ("", self._suggested):
            self._suggested = self._doors.free_name(self.strategy.chosen.name)
            field.adopt(self._suggested)

    def _look(self) -> None:
        """Read anew what there is, and keep what was typed."""
        namespace = self._doors.namespace()
        self.strategy.offer(found_strategies(self._given, namespace))
        self._bars.update(found_bars(self._given_bars, namespace))
        self.sessions.look()
        self.real.look()
        self._refused = {}
        self.refresh()

    def _start(self) -> None:
        # Looked at once more: another tab may have changed a field after the button was drawn.
        if self._faults():
            self.refresh()
            return
        settings = self._settings()
        is_real = self.market.is_real
        if is_real:
            # Each start asks anew.
            self.real.forget()
        self._told = Cell("starting …", "muted")
        self._runner.run(_START, lambda: self._open(settings, is_real=is_real))

    def _open(self, settings: Mapping[str, Any], *, is_real: bool) -> None:
        self._refused = {}
        try:
            handle = (self._doors.live if is_real else self._doors.paper)(**settings)
        except ConfigError as error:
            fields = {name for group in (self.strategy, self.market, self.risk) for name in group.fields}
            self._refused, self._told = faults_by_field(str(error), fields, _ELSEWHERE), Cell("")
            return
        except SessionError as error:
            # Most often a session of this name with other settings.
            self._refused, self._told = {"name": str(error)}, Cell("")
            return
        self._put(handle)
        self._told = Cell(f"● {handle.name} is shown beneath", "up")

    def _settings(self) -> dict[str, Any]:
        """Return the arguments of ``wb.paper`` or ``wb.live``."""
        market, values = self.market, self.market.values
        common = {
            "strategy": self.strategy.strategy(),
            "symbol": market.symbols or None,
            "cash": values["cash"],
            "risk": self.risk.risk(),
            "name": values["name"],
        }
        if market.is_real:
            place = {"exchange": values["exchange"], "key": self.real.key, "timeframe": values["timeframe"]}
            return {**common, **place, "confirm": self.real.confirm}
        if market.replayed is not None:
            return {**common, "exchange": self._bars[market.replayed], "speed": values["speed"]}
        return {**common, **{name: values[name] for name in ("exchange", "timeframe", "execution", "speed")}}

    def _attach(self, name: str) -> None:
        self._told = Cell("")
        self._runner.run("Show", lambda: self._put(self._doors.attach(name)))

    def _try(self) -> None:
        settings = self._settings()
        market = self.market
        self._told = Cell("running the backtest …", "muted")
        self._runner.run("Backtest", lambda: self._backtest(settings, market.replayed, market.values))

    def _backtest(self, settings: Mapping[str, Any], replayed: str | None, market: Mapping[str, Any]) -> None:
        symbols = settings["symbol"]
        bars = (
            self._doors.load_bars(market["exchange"], symbols[0] if len(symbols) == 1 else symbols, market["timeframe"])
            if replayed is None
            else self._bars[replayed]
        )
        result = self._doors.backtest(settings["strategy"], bars, cash=settings["cash"], risk=settings["risk"])
        card = getattr(result, "_repr_html_", None)
        self._result.value = markup.note(repr(result)) if card is None else str(card())

    def _put(self, handle: SessionHandle | None) -> None:
        """Show a session's panel beneath, and let go of the one before."""
        before = self._shown
        self._shown = None if handle is None else session_panel(handle)
        self.slot.children = () if self._shown is None else (self._shown,)
        if before is not None:
            before.close()

    def _ran(self, complaint: str) -> None:
        if complaint:
            self._told = Cell(f"✗ {complaint}", "down")
        elif not any(self._runner.is_under_way(name) for name in (_START, "Show", "Backtest")):
            self._told = Cell("") if self._told.tone == "muted" else self._told
            self.sessions.look()
        self.refresh()
