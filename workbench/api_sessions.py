"""The door to real money: `live`, which is `wb.live(...)`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.api import free_name, opened
from workbench.errors import ConfigError
from workbench.live import LiveSessionConfig
from workbench.live.real_mode import REAL_NAME_PREFIX
from workbench.model import Costs, RiskConfig, Timeframe
from workbench.strategy.lowering import configured

if TYPE_CHECKING:
    from workbench.exchange.practice import PracticeExchange
    from workbench.live.session_handle import SessionHandle

__all__ = ["live"]


def live(  # noqa: PLR0913  the public door: keyword-only, and each has one meaning
    strategy: Any,  # noqa: ANN401  a configured strategy or a strategy with defaults
    *,
    exchange: "str | PracticeExchange",
    key: str,
    symbol: str | Sequence[str],
    timeframe: str | Timeframe,
    risk: RiskConfig,
    confirm: str | None = None,
    cash: float = 10_000.0,
    costs: Costs | None = None,
    name: str | None = None,
    warmup_bars: int | None = None,
    feed: str = "trades",
    start: bool = True,
    inline: bool | None = None,
) -> "SessionHandle":
    """Trade a strategy with REAL MONEY and return the session's handle at once.

    It is off unless all of this holds: ``WORKBENCH_ENABLE_REAL_TRADING=1`` where Jupyter was started; the account armed
    in a terminal with ``workbench arm``; every limit below set in `risk`, and none wider than what was armed; a
    protective stop; and `confirm`, the sentence that the error message of a first try shows. A stop rests at the
    exchange for each position, where the exchange takes stops. What this can and cannot protect against is said at
    `workbench.exchange.real_money.RealTradingGate`.

    Parameters
    ----------
    strategy : configured strategy or strategy
        What decides, as in `paper`.
    exchange : str or PracticeExchange
        As ccxt spells it: ``"binance"``, ``"binanceus"``, ``"binanceusdm"`` or ``"okx"``, where an order can be asked
        for by our own name of it; others are refused. ``"practice"`` is a practice exchange that plays a real one.
    key : str
        Name of the key, never the key: see ``workbench keys``.
    symbol : str or sequence of str
        What to trade.
    timeframe : str or Timeframe
        Length of a bar.
    risk : RiskConfig
        With max_order_notional, max_position_notional, max_orders_per_minute, price_collar, daily_loss_limit and
        max_drawdown, and a stop unless the strategy has one.
    confirm : str, optional
        The sentence that names exchange, key, symbols and limits, letter by letter. Without it nothing starts, and the
        error shows what to type.
    cash : float, default 10000
        What of the account's quote currency the session may use, above 0.
    costs : Costs, optional
        Fees and slippage that the core expects; default those of `Costs`.
    name : str, optional
        Unique name, ``a-z 0-9 _ -``; ``real-`` is put before it. Default: the strategy's name and a number.
    warmup_bars : int, optional
        Bars of history for the indicators. Default: 500.
    feed : {"trades", "candles"}, default "trades"
        What the bars are made of, as in `paper`.
    start : bool, default True
        False prepares a session whose panel shows Start.
    inline : bool, optional
        True: the session is a thread of this process, which then reads the key, and ends with it. Default:
        a process of its own, unless the exchange is an object of this process.

    Returns
    -------
    SessionHandle
        The handle, as of `paper`; its ``mode`` is ``"real"``.

    Raises
    ------
    RealTradingDisabledError
        A condition does not hold; the message names it and the way out.
    ConfigError
        A field is out of its range, or a limit is off; the message names every bad field.
    DataError
        There is not enough history.
    SessionError
        A session of this name runs with another configuration; the differences are named.
    """
    from workbench.exchange.real_money import RealConsent, RealTerms, RealTradingGate  # noqa: PLC0415  asyncio and the client, which a backtest never needs
    from workbench.live.exchange_source import ExchangeSource  # noqa: PLC0415  as above

    configured_strategy = configured(strategy)
    is_inline = not isinstance(exchange, str) if inline is None else inline
    symbols = (symbol,) if isinstance(symbol, str) else tuple(symbol)
    kinds = {"linear_perpetual" if ":" in one else "spot" for one in symbols}
    if len(kinds) != 1:
        raise ConfigError(f"symbols must be all spot or all perpetuals, were {', '.join(symbols) or 'none'}")
    exchange_name = exchange if isinstance(exchange, str) else "practice"
    consent = RealConsent(RealTerms.of(exchange_name, key, symbols, risk), confirm)
    gate = RealTradingGate.of_this_process()
    gate.precheck(consent)
    address, clock = (None, None) if isinstance(exchange, str) else (exchange.address, exchange.clock)
    config = LiveSessionConfig(
        name=_real_name(name, configured_strategy.name, is_inline=is_inline),
        strategy=configured_strategy,
        symbols=symbols,
        timeframe=Timeframe.of(timeframe),
        source=ExchangeSource(
            exchange_name, kind=kinds.pop(), feed=feed, address=address, clock=clock, consent=consent
        ),
        cash=cash,
        risk=risk,
        costs=Costs() if costs is None else costs,
        warmup_bars=warmup_bars,
        execution="exchange",
    )
    return opened(config, starts=start, is_inline=is_inline)


def _real_name(name: str | None, strategy_name: str, *, is_inline: bool) -> str:
    """Return the session's name, which says that it is about real money."""
    if name is None:
        return free_name(f"{REAL_NAME_PREFIX}{strategy_name}", is_inline=is_inline)
    return name if name.startswith(REAL_NAME_PREFIX) else f"{REAL_NAME_PREFIX}{name}"
