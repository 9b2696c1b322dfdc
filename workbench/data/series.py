"""What a stored series is called: an exchange, a symbol and a timeframe, and the folder that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workbench.errors import ConfigError
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe

__all__ = ["Series", "is_exchange_name"]

_EXCHANGE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_MAX_SYMBOL: Final = 100
# A tilde is in no symbol, and neither file systems nor the keys of object stores give it a meaning.
_SLASH: Final = "~"
_NS_PER_UNIT: Final = (
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
)


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """The name of one series of candles.

    Parameters
    ----------
    exchange : str
        Lower-case letters, digits, ``_`` and ``-``, such as ``"binance"``; at most 64.
    symbol : str
        ``"BTC/USDT"`` or ``"BTC/USDT:USDT"``; at most 100 characters.
    timeframe : Timeframe
        Length of a candle.

    Raises
    ------
    ConfigError
        A part has another form, so that it could name a folder elsewhere.

    Examples
    --------
    >>> Series("binance", "BTC/USDT:USDT", Timeframe("60m")).folder
    'binance/BTC~USDT~USDT/1h'
    """

    exchange: str
    symbol: str
    timeframe: Timeframe

    def __post_init__(self) -> None:
        """Check the parts and give the timeframe its shortest name."""
        if not is_exchange_name(self.exchange):
            raise ConfigError(
                f"exchange must be 1 to 64 lower-case letters, digits, _ or -, such as 'binance', was {self.exchange!r}"
            )
        if len(self.symbol) > _MAX_SYMBOL:
            raise ConfigError(f"symbol must have at most {_MAX_SYMBOL} characters, had {len(self.symbol)}")
        if self.symbol.startswith("."):
            raise ConfigError(f"symbol must not begin with a dot, was {self.symbol!r}")
        Instrument.of(self.symbol)
        object.__setattr__(self, "timeframe", _shortest(self.timeframe))

    @property
    def folder(self) -> str:
        """Folder of the series below the store's root; different series never share one."""
        return f"{self.exchange}/{self.symbol.replace('/', _SLASH).replace(':', _SLASH)}/{self.timeframe}"

    @classmethod
    def of_folder(cls, folder: str) -> Series | None:
        """Return the series that a folder below the root belongs to, or None when it is nobody's.

        Parameters
        ----------
        folder : str
            Three names with slashes between.

        Examples
        --------
        >>> str(Series.of_folder("binance/BTC~USDT/1m"))
        'binance BTC/USDT 1m'
        >>> Series.of_folder("lost+found/x/y") is None
        True
        """
        exchange, _, rest = folder.partition("/")
        coins, _, length = rest.partition("/")
        try:
            series = cls(exchange, coins.replace(_SLASH, "/", 1).replace(_SLASH, ":", 1), Timeframe(length))
        except ConfigError:
            return None
        return series if series.folder == folder else None

    def __str__(self) -> str:
        """Return the three parts with spaces between."""
        return f"{self.exchange} {self.symbol} {self.timeframe}"


def is_exchange_name(text: str) -> bool:
    """Return whether a text can be the name of an exchange in the store.

    Parameters
    ----------
    text : str
        What may be one.

    Examples
    --------
    >>> is_exchange_name("my-broker"), is_exchange_name("../x")
    (True, False)
    """
    return _EXCHANGE.fullmatch(text) is not None


def _shortest(timeframe: Timeframe) -> Timeframe:
    """Return an equal timeframe named with the largest unit that divides it: 1h for 60m."""
    for unit, ns in _NS_PER_UNIT:
        if timeframe.ns % ns == 0:
            return Timeframe(f"{timeframe.ns // ns}{unit}")
    return timeframe
