"""What is allowed, in numbers, and the sentence by which a person says yes to it."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks, Interval

if TYPE_CHECKING:
    from workbench.model.risk_config import RiskConfig

__all__ = ["ACCOUNT_NAME", "RealConsent", "RealTerms", "TradingCaps", "quote_of", "require_protections"]

ACCOUNT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What a key, and so the account that it opens, may be called."""

_POSITIVE: Final = Interval(0.0, math.inf)
_BELOW_ONE: Final = Interval(0.0, 1.0)
_UP_TO_ONE: Final = Interval(0.0, 1.0, includes_high=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingCaps:
    """The limits of one arming: no session on the account may go beyond any of them.

    Parameters
    ----------
    max_order_notional : float
        Largest entry order in the quote currency, above 0.
    max_position_notional : float
        Largest position in the quote currency, above 0.
    max_daily_notional : float
        Sum of all entry orders of a day (UTC) in the quote currency, above 0.
    max_orders_per_minute : int
        Entry orders within 60 seconds, from 1.
    price_collar : float
        How far, as a fraction, the price of an entry order may lie from the last trade, in (0, 1).
    max_daily_loss : float
        Largest daily loss limit that a session may have, a fraction of equity in (0, 1].
    max_drawdown : float
        Largest drawdown limit that a session may have, a fraction of equity in (0, 1].

    Raises
    ------
    ConfigError
        Any field is out of its range; the message names them all.
    """

    max_order_notional: float
    max_position_notional: float
    max_daily_notional: float
    max_orders_per_minute: int
    price_collar: float
    max_daily_loss: float
    max_drawdown: float

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        for name in ("max_order_notional", "max_position_notional", "max_daily_notional"):
            checks.in_interval(name, getattr(self, name), _POSITIVE)
        count = self.max_orders_per_minute
        is_count = isinstance(count, int) and not isinstance(count, bool) and count >= 1
        checks.require("max_orders_per_minute", count, "be a whole number from 1", is_met=is_count)
        checks.in_interval("price_collar", self.price_collar, _BELOW_ONE)
        for name in ("max_daily_loss", "max_drawdown"):
            checks.in_interval(name, getattr(self, name), _UP_TO_ONE)
        checks.raise_if_any(ConfigError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTerms:
    """What one session with real money is allowed, as its own risk limits say.

    Parameters
    ----------
    exchange : str
        Where, as ccxt spells it.
    account : str
        Name of the key.
    symbols : tuple of str
        What is traded, each once, all in one quote currency.
    max_order_notional, max_position_notional : float
        In the quote currency.
    max_orders_per_minute : int
        Of entries.
    price_collar, daily_loss_limit, max_drawdown : float
        Fractions.

    Raises
    ------
    ConfigError
        A name is none, or the symbols have several quote currencies.
    """

    exchange: str
    account: str
    symbols: tuple[str, ...]
    max_order_notional: float
    max_position_notional: float
    max_orders_per_minute: int
    price_collar: float
    daily_loss_limit: float
    max_drawdown: float

    def __post_init__(self) -> None:
        """Check the names; numbers are those of a `RiskConfig`, which has checked them."""
        checks = FieldChecks()
        checks.is_name("exchange", self.exchange)
        check_account(checks, self.account)
        check_symbols(checks, self.symbols)
        checks.raise_if_any(ConfigError)

    @classmethod
    def of(cls, exchange: str, account: str, symbols: tuple[str, ...], risk: RiskConfig) -> RealTerms:
        """Return the terms of a session on an `account` of an `exchange`, for its `symbols` and `risk` limits.

        Raises
        ------
        ConfigError
            A limit that real trading needs is off; the message names them all.
        """
        names = [one.name for one in fields(cls)][3:]
        limits = {name: getattr(risk, name) for name in names}
        missing = [name for name, value in limits.items() if value is None]
        if missing:
            raise ConfigError(f"with real money risk must set {', '.join(missing)}: none of them may be off")
        return cls(exchange=exchange, account=account, symbols=symbols, **limits)

    @property
    def sentence(self) -> str:
        """What a person types to say yes.

        Examples
        --------
        >>> from workbench.model.risk_config import RiskConfig
        >>> risk = RiskConfig(max_order_notional=100, max_position_notional=250, max_orders_per_minute=4,
        ...                   price_collar=0.02, daily_loss_limit=0.03, max_drawdown=0.1, stop_loss=0.02)
        >>> RealTerms.of("binance", "main", ("BTC/USDT",), risk).sentence
        'trade real money on binance with key main: BTC/USDT, at most 100 USDT an order and 250 USDT a position'
        """
        quote = quote_of(self.symbols[0])
        return (
            f"trade real money on {self.exchange} with key {self.account}: {', '.join(self.symbols)}, at most "
            f"{self.max_order_notional:.12g} {quote} an order and {self.max_position_notional:.12g} {quote} a position"
        )

    def beyond(self, caps: TradingCaps) -> tuple[str, ...]:
        """Return each limit that is wider than these `caps` allow, as a sentence; empty when all are within."""
        allowed = asdict(caps) | {"daily_loss_limit": caps.max_daily_loss}
        names = [one.name for one in fields(self)][3:]
        return tuple(
            f"{name} must be at most {allowed[name]:.12g}, was {getattr(self, name):.12g}"
            for name in names
            if not getattr(self, name) <= allowed[name]
        )


@dataclass(frozen=True, slots=True)
class RealConsent:
    """Terms, and what was typed for them.

    Parameters
    ----------
    terms : RealTerms
        What is wanted.
    sentence : str or None
        What a person typed; the gate compares it letter by letter.
    """

    terms: RealTerms
    sentence: str | None


def require_protections(risk: RiskConfig, *, has_strategy_stop: bool) -> None:
    """Check that every position has a protective stop from its first moment on.

    Parameters
    ----------
    risk : RiskConfig
        Of the session.
    has_strategy_stop : bool
        Whether the strategy itself sets a stop with every entry.

    Raises
    ------
    ConfigError
        There is none.
    """
    is_trailed = risk.trailing_stop is not None and (
        risk.trailing_activate_at is None or risk.trailing_distance_after is not None
    )
    if not (has_strategy_stop or is_trailed or risk.stop_loss is not None or risk.max_loss_per_trade is not None):
        raise ConfigError(
            "with real money there must be a protective stop: set stop_loss, max_loss_per_trade or trailing_stop in "
            "risk"
        )


def quote_of(symbol: str) -> str:
    """Return the currency that a `symbol` is priced in.

    Examples
    --------
    >>> quote_of("BTC/USDT:USDT")
    'USDT'
    """
    return symbol.partition("/")[2].partition(":")[0]


def check_account(checks: FieldChecks, account: object) -> None:
    """Complain unless an account has a name that a file may have."""
    is_name = isinstance(account, str) and ACCOUNT_NAME.fullmatch(account) is not None
    rule = "be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"
    checks.require("account", account, rule, is_met=is_name)


def check_symbols(checks: FieldChecks, symbols: object) -> None:
    """Complain unless these are unified symbols, each once, in one quote currency."""
    is_tuple = isinstance(symbols, tuple) and bool(symbols) and all(isinstance(one, str) for one in symbols)
    names: tuple[str, ...] = symbols if isinstance(symbols, tuple) and is_tuple else ()
    is_met = is_tuple and len(set(names)) == len(names) and len({quote_of(one) for one in names} - {""}) == 1
    is_met = is_met and all(quote_of(one) for one in names)
    checks.require("symbols", symbols, "be symbols such as BTC/USDT, each once, in one quote currency", is_met=is_met)
