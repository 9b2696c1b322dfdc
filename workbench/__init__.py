"""Research crypto strategies in a notebook, then run the same object on paper.

>>> import workbench as wb

The public names are loaded when they are first used (PEP 562): importing the package loads no numpy, numba, pandas,
ccxt, plotly or ipywidgets, so a kernel starts, and the command line answers, at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench import errors
    from workbench.api import (
        attach,
        backtest,
        dashboard,
        download,
        drill,
        load_bars,
        paper,
        quality_report,
        read_funding,
        resample,
        sessions,
        sweep,
    )
    from workbench.api_panels import control_panel
    from workbench.api_sessions import live
    from workbench.core import PortfolioSimulator
    from workbench.data import CandleStore, FileFormat
    from workbench.exchange.practice import PracticeExchange
    from workbench.exchange.simulated import SimulatedClient
    from workbench.live import BarAggregator, LiveSession, LiveSessionConfig, LiveSessionManager, LiveTradingEngine
    from workbench.model import (
        AccountState,
        Bar,
        Bars,
        ClosedTrade,
        Costs,
        Fill,
        Instrument,
        OrderRequest,
        PositionSnapshot,
        RiskConfig,
        Tick,
        Timeframe,
    )
    from workbench.recordings import replay
    from workbench.strategy import (
        Rules,
        Signals,
        Strategy,
        enter_long,
        enter_short,
        exit_position,
        hold,
        param,
        strategy,
    )

__all__ = [
    "AccountState",
    "Bar",
    "BarAggregator",
    "Bars",
    "CandleStore",
    "ClosedTrade",
    "Costs",
    "FileFormat",
    "Fill",
    "Instrument",
    "LiveSession",
    "LiveSessionConfig",
    "LiveSessionManager",
    "LiveTradingEngine",
    "OrderRequest",
    "PortfolioSimulator",
    "PositionSnapshot",
    "PracticeExchange",
    "RiskConfig",
    "Rules",
    "Signals",
    "SimulatedClient",
    "Strategy",
    "Tick",
    "Timeframe",
    "attach",
    "backtest",
    "control_panel",
    "dashboard",
    "download",
    "drill",
    "enter_long",
    "enter_short",
    "errors",
    "exit_position",
    "hold",
    "live",
    "load_bars",
    "paper",
    "param",
    "quality_report",
    "read_funding",
    "replay",
    "resample",
    "sessions",
    "strategy",
    "sweep",
]

# Where each public name lives. A name equal to its module's last part is that module itself: `errors`, and `strategy`
# and `live`, whose rooms can be called, so that each means one thing however the room was imported.
_MODULE_OF = {
    "AccountState": "workbench.model",
    "Bar": "workbench.model",
    "BarAggregator": "workbench.live",
    "Bars": "workbench.model",
    "CandleStore": "workbench.data",
    "ClosedTrade": "workbench.model",
    "Costs": "workbench.model",
    "FileFormat": "workbench.data",
    "Fill": "workbench.model",
    "Instrument": "workbench.model",
    "LiveSession": "workbench.live",
    "LiveSessionConfig": "workbench.live",
    "LiveSessionManager": "workbench.live",
    "LiveTradingEngine": "workbench.live",
    "OrderRequest": "workbench.model",
    "PortfolioSimulator": "workbench.core",
    "PracticeExchange": "workbench.exchange.practice",
    "PositionSnapshot": "workbench.model",
    "RiskConfig": "workbench.model",
    "Rules": "workbench.strategy",
    "Signals": "workbench.strategy",
    "SimulatedClient": "workbench.exchange.simulated",
    "Strategy": "workbench.strategy",
    "Tick": "workbench.model",
    "Timeframe": "workbench.model",
    "attach": "workbench.api",
    "backtest": "workbench.research",
    "control_panel": "workbench.api_panels",
    "dashboard": "workbench.api",
    "download": "workbench.api",
    "drill": "workbench.api",
    "enter_long": "workbench.strategy",
    "enter_short": "workbench.strategy",
    "errors": "workbench.errors",
    "exit_position": "workbench.strategy",
    "hold": "workbench.strategy",
    "live": "workbench.live",
    "load_bars": "workbench.api",
    "paper": "workbench.api",
    "param": "workbench.strategy",
    "quality_report": "workbench.api",
    "read_funding": "workbench.api",
    "replay": "workbench.recordings",
    "resample": "workbench.api",
    "sessions": "workbench.api",
    "strategy": "workbench.strategy",
    "sweep": "workbench.api",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use and keep it."""
    path = _MODULE_OF.get(name)
    if path is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=None)
    module = import_module(path)
    value: object = module if path == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, so that completion shows them before they are loaded."""
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
