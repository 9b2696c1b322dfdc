"""What a candle file does not say of itself."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass

from workbench.errors import ConfigError

__all__ = ["FileFormat"]

_SEPARATORS = (",", ";", "\t", "|", " ")
_LEAST_BYTES = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How a file of candles or funding rates is written, where it is not the usual way.

    Nothing of this is guessed: a file that does not fit is refused, and the message says what looks likely.

    Parameters
    ----------
    separator : str, default ","
        Between the fields of a CSV file: a comma, semicolon, tab, bar or space.
    decimal : str, default "."
        The decimal sign of a CSV file, ``.`` or ``,``.
    thousands : str or None, default None
        Between groups of three digits in a CSV file, such as ``,`` in ``1,234.5``.
    skip_rows : int, default 0
        Lines of a CSV file above its header.
    header : tuple of str or None, default None
        Names of the columns of a CSV file that has no header line.
    time_zone : str or None, default None
        Zone of times that name none, such as ``"UTC"`` or ``"Europe/Berlin"``; without it they are refused.
    max_size_bytes : int, default 1073741824
        Refuse a larger file, or one that would be larger when it is unpacked.

    Raises
    ------
    ConfigError
        Any field is none of these; the message names them all.

    Examples
    --------
    >>> FileFormat(separator=";", decimal=",", time_zone="UTC").decimal
    ','
    """

    separator: str = ","
    decimal: str = "."
    thousands: str | None = None
    skip_rows: int = 0
    header: tuple[str, ...] | None = None
    time_zone: str | None = None
    max_size_bytes: int = 1_073_741_824

    def __post_init__(self) -> None:
        """Check every field."""
        problems = []
        if self.separator not in _SEPARATORS:
            problems.append(f"separator must be one of {', '.join(map(repr, _SEPARATORS))}, was {self.separator!r}")
        if self.decimal not in {".", ","}:
            problems.append(f"decimal must be '.' or ',', was {self.decimal!r}")
        if self.separator == self.decimal:
            problems.append(f"separator and decimal must differ, were both {self.decimal!r}")
        if self.thousands is not None and (self.thousands not in {",", ".", " ", "'", "_"}):
            problems.append(f"thousands must be None or one of , . space ' _, was {self.thousands!r}")
        if self.thousands == self.decimal:
            problems.append(f"thousands and decimal must differ, were both {self.decimal!r}")
        if not isinstance(self.skip_rows, int) or self.skip_rows < 0:
            problems.append(f"skip_rows must be a whole number from 0, was {self.skip_rows!r}")
        if self.header is not None and (isinstance(self.header, str) or not self.header):
            problems.append(f"header must be names of columns, was {self.header!r}")
        if self.time_zone is not None and not _is_zone(self.time_zone):
            problems.append(f"time_zone must be a name such as 'UTC' or 'Europe/Berlin', was {self.time_zone!r}")
        if not self.max_size_bytes >= _LEAST_BYTES:
            problems.append(f"max_size_bytes must be at least {_LEAST_BYTES}, was {self.max_size_bytes!r}")
        if problems:
            raise ConfigError("; ".join(problems))


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        return False
    return True
