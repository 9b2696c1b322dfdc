"""The lower part of a panel: tables of what a session does and did, and its risk settings; one of them is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.panels import markup, tables
from workbench.panels.open_orders_table import open_orders_table, unknown_orders_table
from workbench.panels.risk_table import risk_table

if TYPE_CHECKING:
    from workbench.model import AccountState
    from workbench.panels.handle import SessionHandle
    from workbench.panels.setup import Setup

__all__ = ["RecordTabs"]

_NEWEST: Final = 50
_TITLES: Final = ("Orders", "Fills", "Trades", "Denials", "Events", "Errors", "Risk")
# What is looked at most; an open order is there for a moment only.
_FIRST: Final = _TITLES.index("Fills")


class RecordTabs:
    """Tables of a session, the newest fifty rows of each, all of one height.

    Parameters
    ----------
    handle : SessionHandle
        The session; asked for rows only where there are new ones.
    setup : Setup
        Its configuration.
    quote : str
        Name of the quote currency.

    Attributes
    ----------
    trouble : str
        What went wrong with the last order; empty when nothing did.
    """

    def __init__(self, handle: SessionHandle, setup: Setup, quote: str) -> None:
        self._handle = handle
        self._quote = quote
        self._execution = setup.execution
        self._shown: object = None
        self._filled_ns = 0
        self.trouble = ""
        self.pages = {title: ipywidgets.HTML() for title in _TITLES}
        self.pages["Risk"].value = markup.table(risk_table(setup.risk))
        self.box = ipywidgets.Tab(list(self.pages.values()), titles=_TITLES, selected_index=_FIRST)
        self.box.add_class("wb-tabs")

    def refresh(self, account: AccountState) -> None:
        """Show what has been added."""
        handle, quote = self._handle, self._quote
        orders = self._orders(account)
        self._show("Orders", orders, len(orders.rows))
        counts = (account.fill_count, account.trade_count, account.denial_count)
        if counts != self._shown:
            trades = handle.trades(_NEWEST)
            fills = handle.fills(_NEWEST)
            self._filled_ns = max((fill.time_ns for fill in fills), default=0)
            self._show("Fills", tables.fill_table(fills, trades, quote), counts[0])
            self._show("Trades", tables.trade_table(trades, quote), counts[1])
            self._show("Denials", tables.denial_table(handle.denials(_NEWEST)), counts[2])
            self._shown = counts
        events = handle.events(_NEWEST)
        self.trouble = tables.newest_trouble(events, self._filled_ns)
        self._show("Events", tables.event_table(events), 0)
        errors = tables.error_table(handle.errors(_NEWEST))
        self._show("Errors", errors, len(errors.rows))

    def _orders(self, account: AccountState) -> markup.Table:
        try:
            # One that was not started has no orders, and nobody yet who could be asked.
            orders = () if str(self._handle.state) == "PREPARED" else self._handle.open_orders()
        except WorkbenchError:
            # A process that is gone, or of a version that does not tell.
            return unknown_orders_table()
        return open_orders_table(orders, account.time_ns, self._execution)

    def _show(self, title: str, content: markup.Table, count: int) -> None:
        self.pages[title].value = markup.table(content)
        more = "+" if title == "Errors" and count >= _NEWEST else ""
        text = f"{title} {count:,}{more}" if count else title
        number = _TITLES.index(title)
        if self.box.get_title(number) != text:
            self.box.set_title(number, text)
