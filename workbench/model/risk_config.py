"""The limits that protect an account."""

from dataclasses import dataclass
from typing import Final

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks, Interval

__all__ = ["RiskConfig"]

_BELOW_ONE: Final = Interval(0.0, 1.0)
_UP_TO_ONE: Final = Interval(0.0, 1.0, includes_high=True)
_POSITIVE: Final = Interval(0.0, float("inf"))
_LEVERAGE: Final = Interval(0.0, 1_000.0, includes_high=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskConfig:
    """The limits that protect an account; all are off (``None``) except ``max_leverage``.

    Distances of stops, targets and trails are fractions of price from the entry fill (slippage included), not divided
    by leverage. A strategy's own exits apply as well: the nearer level and the shorter time win. Exits are never
    refused.

    Parameters
    ----------
    stop_loss : float or None
        Close when the price is this fraction worse than the entry, in (0, 1).
    take_profit : float or None
        Close when the price is this fraction better than the entry, above 0.
    trailing_stop : float or None
        Close when the price comes this fraction back from the best price since the entry fill, in (0, 1). With
        ``trailing_activate_at`` but without ``trailing_distance_after`` the trail starts only at that profit.
    trailing_activate_at : float or None
        Profit, as a fraction of the entry price above 0, at which the trail starts or tightens. Needs one of the two
        distances.
    trailing_distance_after : float or None
        Distance of the trail from the best price once ``trailing_activate_at`` has been reached, in (0, 1) and at most
        ``trailing_stop``. Needs ``trailing_activate_at``.
    max_holding_s : float or None
        Close at the first price this many seconds or more after the entry, above 0.
    max_loss_per_trade : float or None
        Close when one position has lost this fraction of the equity at its entry, in (0, 1].
    max_drawdown : float or None
        Flatten and halt when equity is this fraction or more below its peak over every event's mark, in (0, 1].
    daily_loss_limit : float or None
        Flatten and halt when equity is this fraction or more below that of the last mark before 00:00 UTC, in (0, 1].
    max_position_notional : float or None
        Largest size of one position in the quote currency, above 0.
    max_order_notional : float or None
        Largest size of one order in the quote currency, above 0.
    max_leverage : float, default 1.0
        Largest sum of all position sizes over equity, in (0, 1000]; the instrument's own maximum applies as well.
    max_orders_per_minute : int or None
        Largest number of entry orders in one minute of the clock (UTC), from 1.
    price_collar : float or None
        Refuse an entry whose price is further than this fraction from the last fresh price, in (0, 1).
    cooldown_s : float or None
        Seconds without entries in a symbol after a stop closed it, above 0.

    Raises
    ------
    ConfigError
        Any field is out of its range, ``nan`` or no number; the message names them all.

    Examples
    --------
    >>> RiskConfig().max_leverage
    1.0
    >>> RiskConfig(stop_loss=5, max_drawdown=float("nan"))
    Traceback (most recent call last):
        ...
    workbench.errors.ConfigError: stop_loss must be in (0, 1), was 5; max_drawdown must be in (0, 1], was nan
    """

    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    trailing_activate_at: float | None = None
    trailing_distance_after: float | None = None
    max_holding_s: float | None = None
    max_loss_per_trade: float | None = None
    max_drawdown: float | None = None
    daily_loss_limit: float | None = None
    max_position_notional: float | None = None
    max_order_notional: float | None = None
    max_leverage: float = 1.0
    max_orders_per_minute: int | None = None
    price_collar: float | None = None
    cooldown_s: float | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        checks = FieldChecks()
        for name, interval in _OPTIONAL_RANGES.items():
            checks.in_interval_or_off(name, getattr(self, name), interval)
        checks.in_interval("max_leverage", self.max_leverage, _LEVERAGE)
        checks.is_count_or_off("max_orders_per_minute", self.max_orders_per_minute)
        self._check_trail(checks)
        checks.raise_if_any(ConfigError)

    def _check_trail(self, checks: FieldChecks) -> None:
        """Complain about a trail whose parts do not fit together."""
        has_distance = self.trailing_stop is not None or self.trailing_distance_after is not None
        checks.require(
            "trailing_activate_at",
            self.trailing_activate_at,
            "come with trailing_stop or trailing_distance_after",
            is_met=self.trailing_activate_at is None or has_distance,
        )
        checks.require(
            "trailing_distance_after",
            self.trailing_distance_after,
            "come with trailing_activate_at",
            is_met=self.trailing_distance_after is None or self.trailing_activate_at is not None,
        )
        if self.trailing_stop in _BELOW_ONE and self.trailing_distance_after in _BELOW_ONE:
            checks.require(
                "trailing_distance_after",
                self.trailing_distance_after,
                f"be at most trailing_stop ({self.trailing_stop:g}), as a trail only tightens",
                is_met=self.trailing_distance_after <= self.trailing_stop,  # type: ignore[operator]  # both are numbers, the interval says
            )


_OPTIONAL_RANGES: Final = {
    "stop_loss": _BELOW_ONE,
    "take_profit": _POSITIVE,
    "trailing_stop": _BELOW_ONE,
    "trailing_activate_at": _POSITIVE,
    "trailing_distance_after": _BELOW_ONE,
    "max_holding_s": _POSITIVE,
    "max_loss_per_trade": _UP_TO_ONE,
    "max_drawdown": _UP_TO_ONE,
    "daily_loss_limit": _UP_TO_ONE,
    "max_position_notional": _POSITIVE,
    "max_order_notional": _POSITIVE,
    "price_collar": _BELOW_ONE,
    "cooldown_s": _POSITIVE,
}
