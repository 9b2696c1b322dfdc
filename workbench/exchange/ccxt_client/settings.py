"""What a client is made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.exchange.ccxt_client.repoint import check_loopback
from workbench.model.field_checks import FieldChecks, Interval
from workbench.model.instrument import INSTRUMENT_KINDS, InstrumentKind

if TYPE_CHECKING:
    from workbench.exchange.ccxt_client.limiter import RateBudget
    from workbench.exchange.credentials import Credentials
    from workbench.exchange.real_money.permit import RealTradingPermit

__all__ = ["PRACTICE", "ClientSettings"]

PRACTICE: Final = "practice"
"""The name of the practice exchange, which speaks as Binance does."""

_TIMEOUT: Final = Interval(0.0, 120.0, includes_high=True)
_WINDOW: Final = Interval(0.0, 60_000.0, includes_high=True)
_SIZE: Final = Interval(1_000.0, math.inf)
_OFFSET: Final = Interval(0.0, math.inf)
# What would print a key, or put one where it can be printed.
_REFUSED_OPTIONS: Final = ("apiKey", "password", "secret", "uid", "verbose")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Everything about one client of one exchange; it cannot be changed afterwards.

    Parameters
    ----------
    exchange : str
        Name as ccxt spells it, or ``"practice"``.
    kind : {"spot", "linear_perpetual"}, default "spot"
        Which account and which markets: one client has one kind.
    base_url : str, optional
        A server on this machine that every call goes to, in place of the exchange; the practice exchange needs it.
    credentials : Credentials, optional
        Without them only market data can be read.
    timeout_s : float, default 10.0
        Longest time for one answer, in (0, 120].
    recv_window_ms : float, default 2000
        Age at which the exchange throws a signed request away, where it has such a rule, in (0, 60 000]. Short: the
        outcome of a lost order is unknown for as long.
    max_body_bytes : int, default 50 000 000
        Longest answer that is read, after decompression.
    max_clock_offset_s : float or None, default 60.0
        No order is sent while the exchange's clock is further from ours; None = any offset.
    budget : RateBudget, optional
        How often to call; without it, as often as ccxt says that the exchange allows.
    options : mapping, optional
        Options of ccxt. Those that repeat calls (``maxRetriesOnFailure``), print secrets or hold them are refused.

    permit : RealTradingPermit, optional
        What lets orders through to real money; it must be about this exchange and these credentials.

    Raises
    ------
    ConfigError
        Any field is out of its range, or the key does not belong where it would be sent; the message names them all.

    Examples
    --------
    >>> ClientSettings(exchange="binance", options={"maxRetriesOnFailure": 3})
    Traceback (most recent call last):
        ...
    workbench.errors.ConfigError: options must not set maxRetriesOnFailure: it sends an order again whose outcome is
    unknown, and doubles it
    """

    exchange: str
    kind: InstrumentKind = "spot"
    base_url: str | None = None
    credentials: Credentials | None = None
    timeout_s: float = 10.0
    recv_window_ms: float = 2_000
    max_body_bytes: int = 50_000_000
    max_clock_offset_s: float | None = 60.0
    budget: RateBudget | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    permit: RealTradingPermit | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check every field, and that the key belongs where it would go."""
        checks = FieldChecks()
        checks.is_name("exchange", self.exchange)
        checks.is_one_of("kind", self.kind, INSTRUMENT_KINDS)
        checks.in_interval("timeout_s", self.timeout_s, _TIMEOUT)
        checks.in_interval("recv_window_ms", self.recv_window_ms, _WINDOW)
        checks.in_interval("max_body_bytes", self.max_body_bytes, _SIZE)
        checks.in_interval_or_off("max_clock_offset_s", self.max_clock_offset_s, _OFFSET)
        checks.raise_if_any(ConfigError)
        if self.base_url is not None:
            check_loopback(self.base_url)
        elif self.exchange == PRACTICE:
            raise ConfigError("base_url is missing: the practice exchange is a server on this machine")
        self._check_key()
        if self.permit is not None and not self.permit.covers(self.exchange, self.credentials):
            raise ConfigError(f"the permit is not one for {self.exchange} with these credentials")
        _check_options(self.options)

    @property
    def ccxt_name(self) -> str:
        """Which class of ccxt speaks to it."""
        return "binance" if self.exchange == PRACTICE else self.exchange

    @property
    def is_practice(self) -> bool:
        """Whether every call goes to a server on this machine, which only plays an exchange."""
        return self.base_url is not None

    @property
    def is_play_money(self) -> bool:
        """Whether an order can cost nothing: it stays on this machine, and the exchange there does not play a real one.

        Without a key there is no account at all.
        """
        return self.is_practice and not (self.credentials is not None and self.credentials.plays_real)

    def _check_key(self) -> None:
        """Keep practice keys on this machine, and real keys away from everything that only plays an exchange."""
        if self.credentials is None:
            return
        if self.base_url is None and self.credentials.is_practice:
            raise ConfigError(f"the key {self.credentials.label!r} is for a practice exchange, not for {self.exchange}")
        if self.base_url is not None and not self.credentials.is_practice:
            raise ConfigError(
                f"the key {self.credentials.label!r} is not one of the practice exchange and is not sent to it: "
                "a real key belongs to its exchange alone"
            )


def _check_options(node: Any) -> None:  # noqa: ANN401 - options nest to any depth
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "maxRetriesOnFailure":
                raise ConfigError(
                    "options must not set maxRetriesOnFailure: it sends an order again whose outcome is unknown, "
                    "and doubles it"
                )
            if key in _REFUSED_OPTIONS:
                raise ConfigError(f"options must not set {key}: keys go into credentials, and nothing prints them")
            _check_options(value)
    elif isinstance(node, list | tuple):
        for value in node:
            _check_options(value)
