"""The facade: what `import workbench as wb` offers, and the only place that joins rooms that do not know each other."""

import itertools
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from workbench.data import QualityReport, download, load_bars, quality_report, read_funding, resample
from workbench.errors import ConfigError
from workbench.live import BarsSource, LiveSession, LiveSessionConfig, PracticeSource, default_manager
from workbench.live.cards import SessionList, account_card, waterfall_card
from workbench.live.session_handle import SessionHandle
from workbench.live.sources import MarketSource
from workbench.model import AccountState, Bars, Costs, EquityWaterfall, RiskConfig, Timeframe
from workbench.research import SweepResult, backtest, sweep
from workbench.strategy.lowering import configured

if TYPE_CHECKING:
    from workbench.charts.theme import Figure
    from workbench.exchange.practice import PracticeExchange
    from workbench.exchange.simulated import SimulatedClient
    from workbench.live.session_handle import SessionHandle
    from workbench.panels import Dashboard, SessionPanel
    from workbench.panels.sweep_panel import SweepPanel

__all__ = [
    "attach",
    "backtest",
    "dashboard",
    "download",
    "drill",
    "load_bars",
    "paper",
    "quality_report",
    "read_funding",
    "resample",
    "sessions",
    "sweep",
]


def paper(  # noqa: PLR0913  the public door: keyword-only, and each has one meaning
    strategy: Any,  # noqa: ANN401  a configured strategy or a strategy with defaults
    *,
    exchange: "str | Bars | PracticeExchange | SimulatedClient" = "practice",
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
    execution: str = "simulated",
    feed: str = "trades",
    rests_stop: bool = False,
    inline: bool | None = None,
) -> "SessionHandle":
    """Trade a strategy with play money and return the session's handle at once.

    A live session gets a process of its own, which the kernel's interrupts, restarts and end do not touch: after them,
    `attach` gives the handle again, and so does the same call if it names the session; without a ``name`` it starts
    another one. Orders are filled by the same core as in `backtest`, or go to a practice exchange of this computer by
    the client that speaks to real ones. No order ever leaves this computer.

    Parameters
    ----------
    strategy : configured strategy or strategy
        What decides; a strategy without parameters given runs with its defaults. Signals from arrays are refused.
    exchange : str, Bars, PracticeExchange or SimulatedClient, default "practice"
        ``"practice"``: the practice market, from its live start on, endless; with ``execution="exchange"`` the
        practice exchange that runs on this computer, found by itself. A `PracticeExchange` of this process. Bars: a
        replay of them. A fresh `SimulatedClient`: its market and, with ``execution="exchange"``, its account. Any other
        name that ccxt knows, such as ``"binance"``: its live prices, needs the network.
    symbol : str or sequence of str, optional
        What to trade. Default: all symbols of replayed bars or a simulated client, ``"BTC/USDT"`` elsewhere.
    timeframe : str or Timeframe, optional
        Length of a bar. Default: that of replayed bars, ``"1m"`` on the practice market.
    cash : float, default 10000
        Start capital in quote currency, above 0.
    risk : RiskConfig, optional
        Protections and caps; default all off.
    costs : Costs, optional
        Fees and slippage; default those of `Costs`.
    name : str, optional
        Unique name, ``a-z 0-9 _ -``. Default: the strategy's name and the first number that is free. The name of a
        session of the same configuration that has not ended attaches to it.
    speed : float, default 1
        Market seconds in a real second: 1 to 1,000, or ``inf`` for as fast as it goes. An exchange has a speed of its
        own.
    start : bool, default True
        False prepares a session whose panel shows Start.
    path : str, default "adverse"
        Order in which a replayed bar visits its extremes; means nothing for ticks.
    warmup_bars : int, optional
        Bars of history for the indicators. Default: 500 on the practice market, none for a replay, which so equals a
        backtest of the same bars.
    as_ticks : bool, default False
        Replay four ticks for each bar in place of whole bars.
    execution : {"simulated", "exchange"}, default "simulated"
        Who fills: the fill model of `backtest` on live data, or the practice exchange or simulated client.
    feed : {"trades", "candles"}, default "trades"
        What the bars of an exchange are made of: its single trades, or its own closed candles.
    rests_stop : bool, default False
        With ``execution="exchange"``: whether a stop rests at the exchange for each position, at its nearest stop or
        trailing level, so that it is protected when the session is not there.
    inline : bool, optional
        True: the session is a thread of this process, and ends with it; False: it has a process of its own. Default: a
        thread for what belongs to this process (replayed bars, an exchange that is one of its objects).

    Returns
    -------
    SessionHandle
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
    is_inline = not isinstance(exchange, str) if inline is None else inline
    source, symbols, bar_length = _market(
        exchange, symbol, timeframe, as_ticks=as_ticks, is_sent=execution != "simulated", feed=feed
    )
    if source.has_own_clock and speed != 1.0:
        raise ConfigError(f"speed must be left at 1, was {speed}: {source.name} has a clock of its own")
    config = LiveSessionConfig(
        name=free_name(configured_strategy.name, is_inline=is_inline) if name is None else name,
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
        execution=execution,
        rests_stop=rests_stop,
    )
    return opened(config, starts=start, is_inline=is_inline)


def sessions() -> "tuple[SessionHandle, ...]":
    """Return all sessions of this user, by name, with those that ended within the last hour; inline ones come last.

    Examples
    --------
    >>> isinstance(sessions(), tuple)
    True
    """
    from workbench.live.process.registered import RegisteredSession  # noqa: PLC0415  sockets, which a backtest never needs
    from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415  as above

    hosted = tuple(RegisteredSession(info.folder) for info in SessionRegistry().list())
    return SessionList((*hosted, *default_manager().sessions()))


def attach(name: str) -> "SessionHandle":
    """Return the session with this name or id, whichever process it was started from.

    Parameters
    ----------
    name : str
        Name or id of the session.

    Raises
    ------
    SessionNotFoundError
        There is none; the message lists those there are.
    """
    from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415  sockets, which a backtest never needs

    inline = default_manager().sessions()
    if any(name in (one.name, one.session_id) for one in inline):
        return default_manager().get(name)
    return SessionRegistry().attach(name, others=tuple(one.name for one in inline))


def dashboard() -> "Dashboard":
    """Return a dashboard of all sessions of this user, to be shown as the value of a notebook cell.

    It shows what runs, what crashed and what finished within the last hour: state, age of the data, position, profit of
    the day (UTC), drawdown and equity. A click on a row shows that session's panel beneath; "Stop all" asks before it
    ends anything. It updates about once a second while a page looks, and costs nothing otherwise.

    Examples
    --------
    >>> dashboard()
    Dashboard()
    """
    from workbench.panels import Dashboard  # noqa: PLC0415  ipywidgets only when a panel is wanted

    return Dashboard()


def opened(config: LiveSessionConfig, *, starts: bool, is_inline: bool) -> "SessionHandle":
    """Return the handle of a new session, or of the one that has not ended and is the same."""
    if is_inline:
        session = default_manager().create(config)
        return session.start() if starts and session.state == "PREPARED" else session
    from workbench.live.process.prepared import PreparedSession  # noqa: PLC0415  sockets, which a backtest never needs
    from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415  as above

    registry = SessionRegistry()
    if starts:
        registry.start(config)
    elif not registry.has_same(config):
        return PreparedSession(registry, config)
    return registry.attach(config.name)


def drill(
    kind: str | None = None,
    *,
    where: str | None = None,
    times: int | None = 1,
    seconds: float = 1.0,
    exchange: "PracticeExchange | None" = None,
) -> tuple[dict[str, Any], ...]:
    """Make a practice exchange fail on command, and return the faults that it has been told to show, with their hits.

    Parameters
    ----------
    kind : str, optional
        One of `workbench.exchange.practice.FAULT_KINDS`, such as ``"executed_then_dropped"`` or ``"silent_stream"``;
        ``"connection_lost"`` cuts every websocket now, ``"clock_skew"`` sets the clock ahead by ``seconds`` (behind,
        if negative), ``"clear"`` takes everything back. None only asks.
    where : str, optional
        What it strikes, such as ``"POST /api/v3/order"``; default where the kind usually does.
    times : int or None, default 1
        How often; None until cleared.
    seconds : float, default 1
        Length of those that have one.
    exchange : PracticeExchange, optional
        Which one; default the one of this user that started last.

    Raises
    ------
    ConfigError
        There is no such kind, or no practice exchange is running.

    Examples
    --------
    >>> import workbench as wb
    >>> with wb.PracticeExchange(["BTC/USDT"]) as exchange:
    ...     faults = wb.drill("rate_limited", times=3, exchange=exchange)
    >>> faults[0]["kind"], faults[0]["times"]
    ('rate_limited', 3)
    """
    from workbench.exchange.practice import PracticeRemote, find_practice_exchange  # noqa: PLC0415  asyncio and the client, which a backtest never needs

    address = find_practice_exchange() if exchange is None else exchange.address
    if address is None:
        raise ConfigError("no practice exchange is running: start one with `workbench practice` in a terminal")
    remote = PracticeRemote(address)
    if kind is not None:
        remote.drill(kind, where=where, times=times, seconds=seconds)
    return tuple(remote.state()["faults"])


def _market(
    exchange: "str | Bars | PracticeExchange | SimulatedClient",
    symbol: str | Sequence[str] | None,
    timeframe: str | Timeframe | None,
    *,
    as_ticks: bool,
    is_sent: bool,
    feed: str,
) -> tuple[MarketSource, tuple[str, ...], Timeframe]:
    """Return where prices come from, with the symbols and the length of a bar."""
    if feed not in {"trades", "candles"}:  # also where it means nothing, as on the practice market
        raise ConfigError(f"feed must be 'trades' or 'candles', was {feed!r}")
    names = (symbol,) if isinstance(symbol, str) else None if symbol is None else tuple(symbol)
    if isinstance(exchange, Bars):
        length = exchange.timeframe if timeframe is None else Timeframe.of(timeframe)
        return BarsSource(exchange, as_ticks=as_ticks), names or exchange.symbols, length
    length = Timeframe.of("1m" if timeframe is None else timeframe)
    client = _simulated(exchange)
    if client is not None:
        from workbench.live.simulated_source import SimulatedSource  # noqa: PLC0415  asyncio and the client, which a backtest never needs

        return SimulatedSource(client, feed=feed), names or client.symbols, length
    names = names or ("BTC/USDT",)
    if exchange == "practice" and not is_sent:
        return PracticeSource(), names, length
    kinds = {"linear_perpetual" if ":" in name else "spot" for name in names}
    if len(kinds) > 1:
        raise ConfigError(f"symbols must be all spot or all perpetuals, were {', '.join(names)}")
    from workbench.live.exchange_source import ExchangeSource  # noqa: PLC0415  asyncio and the client, which a backtest never needs

    if is_sent:
        _warn_of_open_servers()
    kind = kinds.pop()
    if isinstance(exchange, str):
        return ExchangeSource(exchange, kind=kind, feed=feed), names, length
    practice = cast("PracticeExchange", exchange)
    source = ExchangeSource("practice", kind=kind, feed=feed, address=practice.address, clock=practice.clock)
    return source, names, length


def _warn_of_open_servers() -> None:
    """Warn of notebook servers that strangers can use: with real money they would be a reason to refuse."""
    from workbench.exchange.real_money import open_notebook_servers  # noqa: PLC0415  as above

    for found in open_notebook_servers():
        warnings.warn(f"{found}: whoever reaches it can run cells here", stacklevel=4)


def _simulated(exchange: object) -> "SimulatedClient | None":
    """Return the exchange if it is a simulated client; there is none where its room was never imported."""
    room = sys.modules.get("workbench.exchange.simulated")
    return exchange if room is not None and isinstance(exchange, room.SimulatedClient) else None


def free_name(strategy: str, *, is_inline: bool) -> str:
    """Return a name that no session has."""
    if is_inline:
        taken = {session.name for session in default_manager().sessions()}
    else:
        from workbench.live.process.registry import SessionRegistry  # noqa: PLC0415  sockets, which a backtest never needs

        taken = {info.name for info in SessionRegistry().list()}
    start = slug(strategy)
    return next(name for number in itertools.count(1) if (name := f"{start}-{number}") not in taken)


def slug(name: str) -> str:
    """Return a strategy's name in the letters that a session's name may have."""
    text = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return (text or "session")[:48]


def _panel(session: "SessionHandle", symbol: str | None) -> "SessionPanel":
    """Return a control panel of the `session`, with the chart of a `symbol`."""
    from workbench.panels import session_panel  # noqa: PLC0415  ipywidgets only when a panel is wanted

    return session_panel(session, symbol=symbol)


def _sweep_panel(result: SweepResult, terms: dict[str, Any]) -> "SweepPanel":
    """Return a panel of a sweep's `result`; the `terms` take precedence when it starts a session."""
    from workbench.panels.sweep_panel import SweepPanel  # noqa: PLC0415  as above

    return SweepPanel(result, paper, terms)


def _quality_figure(report: QualityReport) -> "Figure":
    """Return the figure of a quality `report`."""
    from workbench.charts import quality_figure  # noqa: PLC0415  plotly only when a figure is wanted

    return quality_figure(report)


def _waterfall_figure(waterfall: EquityWaterfall) -> "Figure":
    """Return the figure of a `waterfall`."""
    from workbench.charts import waterfall_figure  # noqa: PLC0415  plotly only when a figure is wanted

    return waterfall_figure(waterfall)


# A report's figure and a session's panel live above their rooms; these are the hooks that reach up.
QualityReport.figure_factory = _quality_figure
EquityWaterfall.figure_factory = _waterfall_figure
EquityWaterfall.card_factory = waterfall_card
AccountState.card_factory = account_card
LiveSession.panel_factory = _panel
SweepResult.panel_factory = _sweep_panel
