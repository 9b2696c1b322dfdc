"""The length of a bar."""

import re
from dataclasses import dataclass, field
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.model.field_checks import shown
from workbench.model.times import NS_PER_SECOND

__all__ = ["Timeframe"]

_SECONDS_PER_UNIT: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PATTERN: Final = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_WEEK_NS: Final = 604_800 * NS_PER_SECOND
# 1970-01-01 was a Thursday; exchanges open their weekly bars on Monday, the first of which was four days later.
_FIRST_MONDAY_NS: Final = 4 * 86_400 * NS_PER_SECOND


@dataclass(frozen=True, slots=True, order=True)
class Timeframe:
    """The length of a bar, such as ``1m``, ``4h`` or ``1d``.

    Two timeframes of the same length are equal, whatever they are called, and compare by length.

    Parameters
    ----------
    name : str
        A whole number from 1 and one of the units ``s m h d w``. There is no month: it has no fixed length.

    Raises
    ------
    ConfigError
        The name has another form.

    Examples
    --------
    >>> Timeframe("5m").seconds
    300
    >>> Timeframe("60m") == Timeframe("1h") < Timeframe("1d")
    True
    """

    name: str = field(compare=False)
    ns: int = field(init=False, repr=False)
    """Length in nanoseconds."""

    def __post_init__(self) -> None:
        """Read the name."""
        match = _PATTERN.fullmatch(str(self.name))
        if match is None:
            form = f"a whole number from 1 and one of {', '.join(_SECONDS_PER_UNIT)}, such as '1m' or '4h'"
            no_month = "there is no month, as it has no fixed length"
            raise ConfigError(f"timeframe must be {form} ({no_month}), was {shown(self.name)}")
        object.__setattr__(self, "ns", int(match[1]) * _SECONDS_PER_UNIT[match[2]] * NS_PER_SECOND)

    @classmethod
    def of(cls, timeframe: "str | Timeframe") -> "Timeframe":
        """Return ``timeframe`` itself, or the one that the text names.

        Examples
        --------
        >>> Timeframe.of("1h") == Timeframe.of(Timeframe("1h"))
        True
        """
        return timeframe if isinstance(timeframe, Timeframe) else cls(timeframe)

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return self.ns // NS_PER_SECOND

    @property
    def bars_per_year(self) -> float:
        """Bars in a year of 365 days, as crypto markets never close.

        Examples
        --------
        >>> Timeframe("1m").bars_per_year
        525600.0
        """
        return 365 * 86_400 / self.seconds

    @overload
    def floor(self, time_ns: int) -> int: ...

    @overload
    def floor(self, time_ns: NDArray[np.int64]) -> NDArray[np.int64]: ...

    def floor(self, time_ns: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
        """Return the open label of the bar that contains a moment.

        Parameters
        ----------
        time_ns : int or ndarray of int64
            Nanoseconds UTC.

        Returns
        -------
        int or ndarray of int64
            The latest multiple of this length at or before the moment, counted from 1970-01-01T00:00Z; whole weeks are
            counted from a Monday.

        Examples
        --------
        >>> Timeframe("1m").floor(1_735_689_659_999_999_999)
        1735689600000000000
        """
        origin_ns = 0 if self.ns % _WEEK_NS else _FIRST_MONDAY_NS
        return time_ns - (time_ns - origin_ns) % self.ns

    def __str__(self) -> str:
        """Return the name."""
        return self.name
