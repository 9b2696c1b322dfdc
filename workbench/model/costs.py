"""What a fill costs besides its price."""

from dataclasses import dataclass
from typing import Final

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks, Interval

__all__ = ["Costs"]

_FRACTION: Final = Interval(0.0, 0.5, includes_low=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Fees and slippage as fractions of a fill's notional; an instrument's own fees, when it has them, come first.

    Parameters
    ----------
    taker_fee : float, default 0.001
        Fee of a market or stop order's fill (0.001 is 0.1 %), in [0, 0.5).
    maker_fee : float, default 0.001
        Fee of a limit or target order's fill, in [0, 0.5).
    slippage : float, default 0.0002
        How far a market or stop order's price moves against us, as a fraction of the price (0.0002 is 2 basis points),
        in [0, 0.5). Limit and target orders have none.

    Raises
    ------
    ConfigError
        Any field is out of its range, ``nan`` or no number; the message names them all.

    Examples
    --------
    >>> Costs(taker_fee=0.0005)
    Costs(taker_fee=0.0005, maker_fee=0.001, slippage=0.0002)
    >>> Costs(slippage=2)
    Traceback (most recent call last):
        ...
    workbench.errors.ConfigError: slippage must be in [0, 0.5), was 2
    """

    taker_fee: float = 0.001
    maker_fee: float = 0.001
    slippage: float = 0.0002

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        checks.in_interval("taker_fee", self.taker_fee, _FRACTION)
        checks.in_interval("maker_fee", self.maker_fee, _FRACTION)
        checks.in_interval("slippage", self.slippage, _FRACTION)
        checks.raise_if_any(ConfigError)
