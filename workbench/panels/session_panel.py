"""The control panel of one session: parameters, buttons, figures, live chart, fills and a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.charts.live import ChartOptions, LiveChart, quote_currency
from workbench.charts.live_stream import StreamLimits
from workbench.panels import markup, readout
from workbench.panels.controls import Controls
from workbench.panels.markup import Cell
from workbench.panels.parameters import ParameterForm

if TYPE_CHECKING:
    from workbench.panels.handle import SessionHandle

__all__ = ["SessionPanel", "session_panel"]

_FILLS: Final = 6
_LOG_LINES: Final = 50
# Ten chart messages and about eight changes of text a second stay together below the twenty a page may get.
_LIMITS: Final = StreamLimits(interval_s=0.1)


class SessionPanel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Panel of one session; holds nothing but widgets, so any number of panels may show one session.

    The panel is written by the writer thread of its chart, which runs only while a page shows the panel. Buttons and
    fields call methods of the handle and nothing else, on whatever thread the front end delivers them; what may take
    long, the buttons' commands, runs on a thread of its own.

    Parameters
    ----------
    handle : SessionHandle
        Handle of the session.
    """

    def __init__(self, handle: SessionHandle) -> None:
        self._handle = handle
        self._complaint = ""
        self._quote = quote_currency(handle.symbols[0])
        self.chart = LiveChart(handle, ChartOptions(is_titled=False, height=470, limits=_LIMITS))
        self.controls = Controls(handle, self._pressed)
        self.form = ParameterForm(handle, self.chart.wake)
        self._heading, self._status, self._tiles, self._fills, self._log = (ipywidgets.HTML() for _ in range(5))
        bar = ipywidgets.Box([self.controls.box, self._status])
        bar.add_class("wb-bar")
        foot = ipywidgets.Box([self._fills, self._log])
        foot.add_class("wb-foot")
        style = ipywidgets.HTML(markup.style_sheet())
        style.add_class("wb-style")
        super().__init__([style, self._heading, bar, self.form.box, self._tiles, self.chart, foot])
        self.add_class("wb-panel")
        self.refresh()
        self.chart.carry(self.refresh)

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return f"SessionPanel({self._handle.name!r})"

    def refresh(self) -> None:
        """Write what the handle says now; called by the chart's writer thread while a page looks."""
        handle = self._handle
        state = handle.state
        account = handle.snapshot()
        self.form.refresh(state)
        self.controls.refresh(state, is_paused=account.is_paused, can_start=not self.form.complaints)
        self._heading.value = self._make_heading(state)
        self._status.value = self._make_status()
        self._tiles.value = markup.tiles(readout.account_tiles(account, self.chart.last_price, self._quote))
        rows = readout.fill_rows(handle.fills(_FILLS), handle.trades(_FILLS))
        self._fills.value = markup.table("Last fills", readout.FILL_COLUMNS, rows, height=_FILLS, empty="No fills yet")
        lines = readout.log_lines(handle.errors(_LOG_LINES), handle.denials(_LOG_LINES), _LOG_LINES)
        self._log.value = markup.log("Errors and denied orders", lines, "Nothing to report")

    def close(self) -> None:
        """Stop updating and remove the panel from the page; the session goes on."""
        self.chart.close()
        super().close()

    def _make_heading(self, state: str) -> str:
        handle = self._handle
        badges = [Cell("PAPER · SIMULATED", "muted"), Cell(state.replace("_", " "), readout.state_tone(state))]
        subtitle = f"{handle.timeframe} · {handle.strategy.name}"
        return markup.heading(", ".join(handle.symbols), subtitle, badges, f"session {handle.name}")

    def _make_status(self) -> str:
        facts = readout.status_facts(self._handle.reason, self._handle.metrics())
        return markup.status_line([*(Cell(text, "down") for text in (self._complaint, *self.form.complaints)), *facts])

    def _pressed(self, complaint: str) -> None:
        self._complaint = complaint
        self.chart.wake()


def session_panel(handle: SessionHandle) -> SessionPanel:
    """Return a control panel of a session, to be shown as the value of a notebook cell.

    Parameters
    ----------
    handle : SessionHandle
        Handle of a prepared, running or finished session.

    Returns
    -------
    SessionPanel
        The panel. It may be shown more than once; `close` removes it and leaves the session alone.
    """
    return SessionPanel(handle)
