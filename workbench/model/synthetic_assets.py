"""What the made-up markets know of each coin: price, how it follows the market, and the steps of its orders."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from workbench.errors import ConfigError
from workbench.model.instrument import Instrument

__all__ = ["Asset", "MarketSymbol", "asset_of", "parse_market_symbol", "practice_instrument"]

_SYMBOL: Final = re.compile(r"(?P<base>[A-Z0-9]{1,20})/(?P<quote>[A-Z0-9]{1,20})(?::(?P<settle>[A-Z0-9]{1,20}))?")
_MAX_PRICE_DECIMALS: Final = 12


class Asset(NamedTuple):
    """One coin or currency of the made-up markets.

    Attributes
    ----------
    usd_price : float
        Price in dollars at the start of the live practice market, 2025-07-01 00:00 UTC.
    market_beta : float
        How many percent it moves for one percent of the whole market; Bitcoin is the market, a dollar has 0.
    own_deviation : float
        Deviation of the daily moves that are its own, as a fraction; 0 means that it has none.
    tick_turnover : float
        Dollars that change hands in a usual tick.
    """

    usd_price: float
    market_beta: float
    own_deviation: float
    tick_turnover: float


_ASSETS: Final = {
    "BTC": Asset(105_000.0, 1.0, 0.0, 50_000.0),
    "ETH": Asset(2_500.0, 1.1, 0.016, 30_000.0),
    "BNB": Asset(650.0, 0.8, 0.016, 8_000.0),
    "SOL": Asset(150.0, 1.2, 0.022, 12_000.0),
    "XRP": Asset(2.2, 0.9, 0.025, 10_000.0),
    "DOGE": Asset(0.17, 1.2, 0.025, 3_000.0),
    "ADA": Asset(0.58, 1.1, 0.022, 2_000.0),
    "LTC": Asset(86.0, 0.9, 0.020, 2_000.0),
    "LINK": Asset(13.5, 1.15, 0.022, 2_000.0),
    "SHIB": Asset(0.0000115, 1.15, 0.025, 1_500.0),
    "EUR": Asset(1.17, 0.0, 0.004, 2_000.0),
    "GBP": Asset(1.36, 0.0, 0.004, 2_000.0),
    "JPY": Asset(0.0069, 0.0, 0.005, 2_000.0),
    "USDC": Asset(1.0, 0.0, 0.0001, 20_000.0),
    "DAI": Asset(1.0, 0.0, 0.0002, 5_000.0),
} | dict.fromkeys(("USD", "USDT", "BUSD", "FDUSD", "TUSD"), Asset(1.0, 0.0, 0.0, 20_000.0))


class MarketSymbol(NamedTuple):
    """A symbol of the made-up markets, taken apart."""

    base: str
    quote: str
    is_perpetual: bool


def parse_market_symbol(symbol: str) -> MarketSymbol:
    """Take a symbol apart: ``BASE/QUOTE`` is spot, ``BASE/QUOTE:QUOTE`` a linear perpetual.

    Raises
    ------
    ConfigError
        The symbol has another form, trades a coin against itself, or settles in something else than its quote.

    Examples
    --------
    >>> parse_market_symbol("BTC/USDT:USDT")
    MarketSymbol(base='BTC', quote='USDT', is_perpetual=True)
    """
    match = _SYMBOL.fullmatch(str(symbol))
    if match is None:
        raise ConfigError(
            f'symbol must look like "BTC/USDT" (spot) or "BTC/USDT:USDT" (perpetual), in capitals, was {symbol!r}'
        )
    base, quote, settle = match["base"], match["quote"], match["settle"]
    if base == quote:
        raise ConfigError(f"symbol must trade two different things, was {symbol!r}")
    if settle not in {None, quote}:
        raise ConfigError(
            f'symbol must settle in its quote, as "{base}/{quote}:{quote}" does, was {symbol!r}: '
            "only linear perpetuals are made up here"
        )
    return MarketSymbol(base, quote, settle is not None)


def asset_of(name: str) -> Asset:
    """Return what is known of a coin.

    One that is not in the table gets a price from 0.0004 to 102.4 dollars, and its habits, from its name.

    Examples
    --------
    >>> asset_of("BTC").usd_price
    105000.0
    >>> asset_of("NEWCOIN") == asset_of("NEWCOIN")
    True
    """
    known = _ASSETS.get(name)
    if known is not None:
        return known
    digest = hashlib.blake2b(name.encode(), digest_size=4).digest()
    cents, beta, own = (digest[0] + 1) * (1, 10, 100, 1000)[digest[1] % 4], digest[2] / 255.0, digest[3] / 255.0
    return Asset(cents / 2500.0, 0.8 + 0.6 * beta, 0.02 + 0.015 * own, 1_000.0)


def price_decimals(symbol: str) -> int:
    """Return how many digits stand behind the point in prices of a symbol."""
    base, quote, is_perpetual = parse_market_symbol(symbol)
    exponent = _decimal_exponent(asset_of(base).usd_price / asset_of(quote).usd_price)
    if exponent >= 6:  # noqa: PLR2004 - a price in millions, as in yen, needs no decimals
        return 0
    decimals = min(max(2, 4 - exponent), _MAX_PRICE_DECIMALS)
    return decimals - 1 if is_perpetual else decimals


def lot_decimals(symbol: str) -> int:
    """Return how many digits stand behind the point in quantities: one lot is worth cents to a few dollars."""
    base, _, is_perpetual = parse_market_symbol(symbol)
    exponent = _decimal_exponent(asset_of(base).usd_price)
    return min(max(0, exponent - 2 if is_perpetual else exponent + 1), 5)


def practice_instrument(symbol: str) -> Instrument:
    """Return the trading rules of a symbol on the practice market.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE`` for spot or ``BASE/QUOTE:QUOTE`` for a linear perpetual, any coins: unknown ones are made up from
        their name.

    Returns
    -------
    Instrument
        With lot, tick and smallest order; BTC/USDT has the lot 0.00001, the tick 0.01 and at least 5 USDT an order.

    Raises
    ------
    ConfigError
        The symbol has another form.

    Examples
    --------
    >>> practice_instrument("BTC/USDT").tick
    0.01
    >>> practice_instrument("ETH/USDT:USDT").kind
    'linear_perpetual'
    """
    parts = parse_market_symbol(symbol)
    return Instrument(
        symbol,
        kind="linear_perpetual" if parts.is_perpetual else "spot",
        lot=power_of_ten(-lot_decimals(symbol)),
        tick=power_of_ten(-price_decimals(symbol)),
        min_notional=float(f"5e{-_decimal_exponent(asset_of(parts.quote).usd_price)}"),
    )


def _decimal_exponent(value: float) -> int:
    """Return the exponent of the leading digit: 5 for 105 000, -2 for 0.023."""
    # By way of the printed number and not of a logarithm, which may be off by one at a power of ten.
    return int(f"{value:e}".partition("e")[2])


def power_of_ten(exponent: int) -> float:
    """Return the double nearest to a power of ten, which ``10.0**exponent`` need not be on every machine."""
    return float(f"1e{exponent}")
