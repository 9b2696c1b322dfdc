"""What a panel says where the kernel may deliver its clicks late."""

from __future__ import annotations

import re
import sys
from typing import Final

__all__ = ["late_clicks_note"]

# From and below: these deliver a click on a thread of its own while a cell runs, others after the cell.
_PROMPT: Final = ((7, 1), (7, 4))


def late_clicks_note(name: str, *, has_process: bool, version: str | None = None) -> str:
    """Return how a session is stopped when clicks wait for a running cell; nothing where they do not.

    Parameters
    ----------
    name : str
        Of the session.
    has_process : bool
        Whether the session has a process of its own, which a terminal can speak to.
    version : str, optional
        Of ipykernel. Default: of the one that runs here, none outside of a kernel.

    Examples
    --------
    >>> late_clicks_note("btc-1", has_process=True, version="7.3.0")
    ''
    >>> late_clicks_note("btc-1", has_process=True, version="7.4.0")
    'With ipykernel 7.4.0 buttons wait until a running cell ends. In a terminal at once: workbench stop btc-1'
    """
    if version is None:
        version = getattr(sys.modules.get("ipykernel"), "__version__", "")
    found = re.match(r"(\d+)\.(\d+)", version or "")
    if found is None or _PROMPT[0] <= (int(found[1]), int(found[2])) < _PROMPT[1]:
        return ""
    way = f"In a terminal at once: workbench stop {name}" if has_process else "Interrupt the cell to stop at once"
    return f"With ipykernel {version} buttons wait until a running cell ends. {way}"
