"""Make a ccxt exchange: any by name, hooked, trimmed to what is needed, and on this machine when that is asked for."""

from __future__ import annotations

import difflib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.hooks import AsyncHooks, CommonHooks, silent_logger
from workbench.exchange.ccxt_client.repoint import repoint

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.settings import ClientSettings

__all__ = ["build_async_exchange", "build_sync_exchange", "exchange_names", "near"]

_MARKET_TYPES: Final = {"spot": ("spot",), "linear_perpetual": ("linear", "swap")}
_DEFAULT_TYPE: Final = {"spot": "spot", "linear_perpetual": "swap"}
# ccxt forgets what came first when more comes between two looks, so there is room for a second of the busiest market;
# for orders, each of which it looks for in the whole cache, there is less.
_CACHE_ROWS: Final = {"tradesLimit": 10_000, "ordersLimit": 1_000, "OHLCVLimit": 500}
_UNREADABLE: Final = 1_000


def exchange_names() -> tuple[str, ...]:
    """Return the names of all exchanges that ccxt knows, sorted. Imports ccxt, which takes a second."""
    import ccxt  # noqa: PLC0415 - only a connection may cost the second that this takes

    return tuple(sorted(ccxt.exchanges))


def build_sync_exchange(exchange_name: str, *, base_url: str | None = None) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return a synchronous exchange without a key, for history.

    Parameters
    ----------
    exchange_name : str
        As ccxt spells it.
    base_url : str, optional
        A server on this machine that every call goes to.

    Raises
    ------
    ConfigError
        There is no such exchange, or the address is not on this machine.
    """
    check_name(exchange_name)
    import ccxt  # noqa: PLC0415 - only a connection may cost the second that this takes

    base = getattr(ccxt, exchange_name)
    exchange = type(base.__name__, (CommonHooks, base), {})({"enableRateLimit": True})
    if base_url is not None:
        _trim_markets(exchange, (*_MARKET_TYPES["spot"], *_MARKET_TYPES["linear_perpetual"]))
        repoint(exchange, base_url)
    return exchange


def build_async_exchange(settings: ClientSettings) -> Any:  # noqa: ANN401 - ccxt has no types
    """Return an asynchronous exchange, with websockets where ccxt has them.

    Raises
    ------
    ConfigError
        There is no such exchange.
    """
    name = settings.ccxt_name
    check_name(name)
    import ccxt.pro  # noqa: PLC0415 - only a connection may cost the second that this takes

    base = getattr(ccxt.pro, name, None) or getattr(ccxt.async_support, name)
    hooked = type(base.__name__, (AsyncHooks, base), {})
    exchange = hooked(
        {
            "enableRateLimit": True,
            "timeout": int(settings.timeout_s * 1_000),
            "newUpdates": True,
            "options": dict(settings.options),
        }
    )
    exchange.logger = silent_logger()
    exchange.unreadable = deque(maxlen=_UNREADABLE)
    exchange.credentials = settings.credentials
    _trim(exchange, settings)
    if settings.base_url is not None:
        repoint(exchange, settings.base_url)
        # ccxt waits after closing for lines to the far side of an encrypted network; here there is none.
        exchange.timeout_on_exit = 0
    return exchange


def check_name(exchange_name: str) -> None:
    """Raise ConfigError, naming near ones, unless ccxt knows the exchange."""
    names = exchange_names()
    if exchange_name not in names:
        raise ConfigError(f"there is no exchange {exchange_name!r}{near(exchange_name, names)}")


def near(word: str, names: tuple[str, ...]) -> str:
    """Return the end of a message that names what a `word` may have meant among `names`; empty for nothing near."""
    close = difflib.get_close_matches(word, names, n=3)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def _trim(exchange: Any, settings: ClientSettings) -> None:  # noqa: ANN401 - ccxt has no types
    """Keep to one kind of market, one sending of each request, and room for what streams bring."""
    options = exchange.options
    options["defaultType"] = _DEFAULT_TYPE[settings.kind]
    if settings.kind == "linear_perpetual":
        options["defaultSubType"] = "linear"
    options["maxRetriesOnFailure"] = 0
    options["recvWindow"] = int(settings.recv_window_ms)
    options["adjustForTimeDifference"] = False
    options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    options.update(_CACHE_ROWS)
    _trim_markets(exchange, _MARKET_TYPES[settings.kind])


def _trim_markets(exchange: Any, wanted: tuple[str, ...]) -> None:  # noqa: ANN401 - ccxt has no types
    """Ask for the wanted types of markets only, where an exchange has a list of types, and for nothing besides."""
    options = exchange.options
    # With a key, ccxt asks for every coin's deposit networks and margin pairs, at addresses of their own, before the
    # first market.
    exchange.has = {**exchange.has, "fetchCurrencies": False}
    options["fetchCurrencies"] = False
    options["fetchMargins"] = False
    where = options.get("fetchMarkets")
    types = where.get("types") if isinstance(where, dict) else where
    if not isinstance(types, list):
        return
    kept = [name for name in types if name in wanted]
    if not kept:
        return
    if isinstance(where, dict):
        options["fetchMarkets"] = {**where, "types": kept}
    else:
        options["fetchMarkets"] = kept
