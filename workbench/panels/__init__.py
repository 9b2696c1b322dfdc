"""Control panels for notebooks; they hold no state of their own and speak to sessions through handles."""

from workbench.panels.control_panel import ControlPanel
from workbench.panels.dashboard import Dashboard
from workbench.panels.session_panel import SessionPanel, session_panel

__all__ = ["ControlPanel", "Dashboard", "SessionPanel", "session_panel"]
