"""The control panel of one session: buttons, state, parameters, figures, live chart, breakers and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.charts.live import ChartOptions, LiveChart, quote_currency
from workbench.charts.live_stream import StreamLimits
from workbench.errors import WorkbenchError
from workbench.panels import markup, readout
from workbench.panels.actions import RUNNING, Situation
from workbench.panels.breakers import breaker_lights
from workbench.panels.controls import Controls
from workbench.panels.kernel_notes import late_clicks_note
from workbench.panels.markup import Cell
from workbench.panels.parameters import ParameterForm
from workbench.panels.record_tabs import RecordTabs
from workbench.panels.setup import setup_of
from workbench.panels.still import StillPicture
from workbench.panels.still_chart import still_chart

if TYPE_CHECKING:
    from workbench.model import AccountState
    from workbench.panels.handle import SessionHandle

__all__ = ["SessionPanel", "session_panel"]

# Ten chart messages and about eight changes of text a second stay together below the twenty a page may get.
_LIMITS: Final = StreamLimits(interval_s=0.1)
# No process looks at prices, so no breaker is armed.
_UNWATCHED: Final = frozenset({"STOPPED", "FAILED", "CRASHED"})


class SessionPanel(StillPicture, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Panel of one session; holds nothing but widgets, so any number of panels may show one session.

    The panel is written by the writer thread of its chart, at most four times a second and only while a page shows it;
    a text that did not change is not sent. Buttons and fields call methods of the handle and nothing else, on whatever
    thread the front end delivers them; what may take long, the buttons' commands, runs on a thread of its own.

    Parameters
    ----------
    handle : SessionHandle
        Handle of the session.
    symbol : str, optional
        Which of several symbols the chart shows first; the first by default.
    """

    def __init__(self, handle: SessionHandle, *, symbol: str | None = None) -> None:
        self._handle = handle
        self._complaint = ""
        self._setup = setup_of(handle)
        self._quote = quote_currency(handle.symbols[0])
        self._title = (", ".join(handle.symbols), f"{handle.timeframe} · {handle.strategy.name}")
        self.chart = LiveChart(handle, ChartOptions(is_titled=False, height=470, symbol=symbol, limits=_LIMITS))
        is_at_exchange = self._setup.execution != "simulated"
        self.controls = Controls(handle, self._pressed, has_answers=is_at_exchange)
        self.form = ParameterForm(handle, self.chart.wake)
        self.tabs = RecordTabs(handle, self._setup, self._quote)
        parts = (ipywidgets.HTML() for _ in range(5))
        self._heading, self._status, self._reason, self._lights, self._tiles = parts
        style = ipywidgets.HTML(markup.style_sheet())
        style.add_class("wb-style")
        bar = ipywidgets.Box([self._reason, self._status])
        bar.add_class("wb-bar")
        late = late_clicks_note(handle.name, has_process=self._setup.has_process)
        warnings = [ipywidgets.HTML(markup.note(late, "warning", late))] if late else []
        texts = [*warnings, bar, self.form.box, self._lights, self._tiles]
        super().__init__([style, self._heading, self.controls.box, *texts, self.chart, self.tabs.box])
        self.add_class("wb-panel")
        if is_at_exchange:
            self.add_class("wb-at-exchange")
        if self._setup.is_real:
            self.add_class("wb-is-real")
        self.refresh()
        self.chart.carry(self.refresh)

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return f"SessionPanel({self._handle.name!r})"

    def refresh(self) -> None:
        """Write what the handle says now; called by the chart's writer thread while a page looks."""
        handle = self._handle
        state, reason = str(handle.state), handle.reason or ""
        badges = [self._setup.badge, readout.state_badge(state)]
        self._heading.value = markup.heading(*self._title, badges, f"session {handle.name}")
        is_paused = is_halted = False
        try:
            self.form.refresh(state)
            account = handle.snapshot()
            is_paused, is_halted = account.is_paused, bool(account.halted)
            self._show_account(account, is_watched=state not in _UNWATCHED)
            facts = readout.status_facts(handle.health(), handle.metrics())
        except WorkbenchError as error:
            # A session that does not answer can still be stopped and killed from here: what was known stays.
            facts = [Cell(f"cannot be read: {error}", "warning", str(error))]
        trouble = self.tabs.trouble if state in RUNNING else ""
        told = readout.reason_on_panel(reason, handle.name)
        self._reason.value = markup.reason(told, readout.state_tone(state), trouble)
        complaints = [Cell(text, "down", text) for text in (self._complaint, *self.form.complaints)]
        self._status.value = markup.status_line([*complaints, *facts])
        can_start = not self.form.complaints
        self.controls.refresh(
            Situation(state=state, reason=reason, is_paused=is_paused, is_halted=is_halted, can_start=can_start)
        )

    def still(self) -> str:
        """Return the session as it is now, for a page without a kernel."""
        state = self.chart.chart_state()
        if not self.chart.is_writing:
            # No page has looked since, so nothing here was written since.
            self.chart.see(state)
            self.refresh()
        texts = (self._heading, self._reason, self._status, self._lights, self._tiles)
        return "".join(text.value for text in texts) + still_chart(state)

    def _show_account(self, account: AccountState, *, is_watched: bool) -> None:
        risk = self._setup.risk
        symbol = self.chart.symbol if len(self._handle.symbols) > 1 else ""
        figures = readout.account_tiles(account, self.chart.last_price, self._quote, risk, symbol=symbol)
        self._tiles.value = markup.tiles(figures)
        self._lights.value = markup.lights(breaker_lights(risk, account, is_watched=is_watched))
        self.tabs.refresh(account)

    def close(self) -> None:
        """Stop updating and remove the panel from the page; the session goes on."""
        self.chart.close()
        super().close()

    def _pressed(self, complaint: str) -> None:
        self._complaint = complaint
        self.chart.wake()


def session_panel(handle: SessionHandle, *, symbol: str | None = None) -> SessionPanel:
    """Return a control panel of a session, to be shown as the value of a notebook cell.

    Parameters
    ----------
    handle : SessionHandle
        Handle of a prepared, running or finished session.
    symbol : str, optional
        Which of several symbols the chart shows first; another one can be chosen on it. Default: the first.

    Returns
    -------
    SessionPanel
        The panel. It may be shown more than once; `close` removes it and leaves the session alone.

    Raises
    ------
    ConfigError
        The session does not trade the symbol.
    """
    if symbol is not None:
        handle.chart_state(symbol)  # refused here, and not by half a panel
    return SessionPanel(handle, symbol=symbol)
