"""The facade: what `import workbench as wb` offers, and the only place that joins rooms that do not know each other."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.data import QualityReport, download, load_bars, quality_report, read_funding, resample
from workbench.errors import ConfigError
from workbench.live import BarsSource, LiveSession, LiveSessionConfig, PracticeSource, default_manager
from workbench.live.sources import MarketSource
from workbench.model import Bars, Costs, RiskConfig, Timeframe
from workbench.research import backtest, sweep
from workbench.strategy.lowering import configured

if TYPE_CHECKING:
    from workbench.charts.theme import Figure
    from workbench.panels import SessionPanel

__all__ = [
    "attach",
    "backtest",
    "download",
    "load_bars",
    "paper",
    "quality_report",
    "read_funding",
    "resample",
    "sessions",
    "sweep",
]

_NUMBERS = itertools.count(1)


def paper(  # noqa: PLR0913  the public door: keyword-only, and each has one meaning
    strategy: Any,  # noqa: ANN401  a configured strategy or a strategy with defaults
    *,
    exchange: str | Bars = "practice",
    symbol: str | Sequence[str] | None = None,
    timeframe: str | Timeframe | None = None,
    cash: float = 10_000.0,
    risk: RiskConfig | None = None,
    costs: Costs | None = None,
    name: str | None = None,
    speed: float = 1.0,
    start: bool = True,
    path: str = "adverse",
    warmup_bars: int | None = None,
    as_ticks: bool = False,
) -> LiveSession:
    """Trade a strategy with play money on the practice market, or on replayed bars, and return its handle at once.

    Orders are filled by the same core as in `backtest`; nothing leaves this computer.

    Parameters
    ----------
    strategy : configured strategy or strategy
        What decides; a strategy without parameters given runs with its defaults. Signals from arrays are refused.
    exchange : str or Bars, default "practice"
        ``"practice"``: the practice market, from its live start on, endless. Bars: a replay of them.
    symbol : str or sequence of str, optional
        What to trade. Default: all symbols of replayed bars, ``"BTC/USDT"`` on the practice market.
    timeframe : str or Timeframe, optional
        Length of a bar. Default: that of replayed bars, ``"1m"`` on the practice market.
    cash : float, default 10000
        Start capital in quote currency, above 0.
    risk : RiskConfig, optional
        Protections and caps; default all off.
    costs : Costs, optional
        Fees and slippage; default those of `Costs`.
    name : str, optional
        Unique name, ``a-z 0-9 _ -``. Default: the strategy's name and a number. The name of a running session of the
        same configuration attaches to it.
    speed : float, default 1
        Market seconds in a real second: 1 to 1,000, or ``inf`` for as fast as it goes.
    start : bool, default True
        False prepares a session whose panel shows Start.
    path : str, default "adverse"
        Order in which a replayed bar visits its extremes; means nothing for ticks.
    warmup_bars : int, optional
        Bars of history for the indicators. Default: 500 on the practice market, none for a replay, which so equals a
        backtest of the same bars.
    as_ticks : bool, default False
        Replay four ticks for each bar in place of whole bars.

    Returns
    -------
    LiveSession
        The handle: ``panel() snapshot() fills() pause() resume() flatten() stop() parity()``.

    Raises
    ------
    ConfigError
        A field is out of its range, or there is no such exchange in this version; the message names every bad field.
    DataError
        There is not enough history.
    SessionError
        A session of this name runs with another configuration; the differences are named.
    SessionLimitError
        There are 100 sessions already.

    Examples
    --------
    >>> import workbench as wb
    >>> session = wb.paper(wb.strategy.sma_cross(fast=5, slow=20), name="doc-example", speed=1000, start=False)
    >>> session.state
    'PREPARED'
    >>> session.close()
    """
    configured_strategy = configured(strategy)
    source, symbols, bar_length = _market(exchange, symbol, timeframe, as_ticks=as_ticks)
    config = LiveSessionConfig(
        name=f"{_slug(configured_strategy.name)}-{next(_NUMBERS)}" if name is None else name,
        strategy=configured_strategy,
        symbols=symbols,
        timeframe=bar_length,
        source=source,
        cash=cash,
        risk=RiskConfig() if risk is None else risk,
        costs=Costs() if costs is None else costs,
        speed=speed,
        path=path,
        warmup_bars=warmup_bars,
    )
    session = default_manager().create(config)
    return session.start() if start and session.state == "PREPARED" else session


def sessions() -> tuple[LiveSession, ...]:
    """Return all sessions of this process, oldest first, with those that ended within the last hour.

    Examples
    --------
    >>> isinstance(sessions(), tuple)
    True
    """
    return default_manager().sessions()


def attach(name: str) -> LiveSession:
    """Return the session with this name or id.

    Parameters
    ----------
    name : str
        Name or id of the session.

    Raises
    ------
    SessionNotFoundError
        There is none; the message lists those there are.
    """
    return default_manager().get(name)


def _market(
    exchange: str | Bars, symbol: str | Sequence[str] | None, timeframe: str | Timeframe | None, *, as_ticks: bool
) -> tuple[MarketSource, tuple[str, ...], Timeframe]:
    """Return where prices come from, with the symbols and the length of a bar."""
    names = (symbol,) if isinstance(symbol, str) else None if symbol is None else tuple(symbol)
    if isinstance(exchange, Bars):
        length = exchange.timeframe if timeframe is None else Timeframe.of(timeframe)
        return BarsSource(exchange, as_ticks=as_ticks), names or exchange.symbols, length
    if exchange != "practice":
        raise ConfigError(
            f"exchange must be 'practice' or Bars to replay, was {exchange!r}; paper sessions on live data of other "
            "exchanges are not part of this version"
        )
    return PracticeSource(), names or ("BTC/USDT",), Timeframe.of("1m" if timeframe is None else timeframe)


def _slug(name: str) -> str:
    """Return a strategy's name in the letters that a session's name may have."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return (text or "session")[:48]


def _panel(session: LiveSession) -> "SessionPanel":
    """Return a control panel of the `session`."""
    from workbench.panels import session_panel  # noqa: PLC0415  ipywidgets only when a panel is wanted

    return session_panel(session)


def _quality_figure(report: QualityReport) -> "Figure":
    """Return the figure of a quality `report`."""
    from workbench.charts import quality_figure  # noqa: PLC0415  plotly only when a figure is wanted

    return quality_figure(report)


# A report's figure and a session's panel live above their rooms; these are the hooks that reach up.
QualityReport.figure_factory = _quality_figure
LiveSession.panel_factory = _panel
