"""What a panel shows of a session's configuration: real money or paper, who fills, and the risk settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.live.real_mode import REAL_NAME_PREFIX
from workbench.panels.markup import Cell

if TYPE_CHECKING:
    from workbench.model import RiskConfig
    from workbench.panels.handle import SessionHandle

__all__ = ["Setup", "setup_of"]


@dataclass(frozen=True, slots=True)
class Setup:
    """The configuration of a session as far as it is known here.

    Attributes
    ----------
    is_real : bool
        Whether the session trades real money.
    execution : str
        Who fills; empty when it is not known.
    risk : RiskConfig or None
        Protections and caps; None when they are not known.
    has_process : bool
        Whether the session has a process of its own.
    """

    is_real: bool
    execution: str = ""
    risk: RiskConfig | None = None
    has_process: bool = False

    @property
    def badge(self) -> Cell:
        """What stands beside the symbol, so that nobody mistakes one kind of money for the other."""
        who = {"simulated": " · SIMULATED", "exchange": " · EXCHANGE"}.get(self.execution, "")
        return Cell("● REAL MONEY", "real") if self.is_real else Cell(f"PAPER{who}", "muted")


def setup_of(handle: SessionHandle) -> Setup:
    """Return the setup of a session; what cannot be read of it is left open."""
    # The name tells in every case: a session with real money has this prefix and no other session may.
    is_real = handle.name.startswith(REAL_NAME_PREFIX)
    # Only these have a folder, by which a terminal finds them.
    has_process = getattr(handle, "folder", None) is not None
    try:
        config = handle.config
    except (WorkbenchError, OSError):
        return Setup(is_real, has_process=has_process)
    return Setup(is_real, config.execution, config.risk, has_process)
