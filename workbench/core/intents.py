"""What a strategy wants after a bar, and what it sees of its position, the same compiled and interpreted.

numba ties cached machine code to the namedtuple class it was compiled with, so there is exactly one `Intent` and one
`PositionView`, importable from here.
"""

import math
from typing import NamedTuple

from workbench.core.compiled import jitable
from workbench.errors import OrderError

__all__ = [
    "DEFAULT",
    "ENTER_LONG",
    "ENTER_SHORT",
    "EXIT",
    "FRACTION",
    "HOLD",
    "NOTIONAL",
    "RISK",
    "SIZINGS",
    "UNITS",
    "Intent",
    "PositionView",
    "enter_long",
    "enter_short",
    "exit_position",
    "hold",
]

HOLD = 0
ENTER_LONG = 1
ENTER_SHORT = 2
EXIT = 3

DEFAULT = 0
FRACTION = 1
NOTIONAL = 2
UNITS = 3
RISK = 4

# Position in the tuple is the sizing code.
SIZINGS = ("default", "fraction", "notional", "units", "risk")

_NAN = math.nan


class Intent(NamedTuple):
    """One decision of a strategy; make it with `enter_long`, `enter_short`, `exit_position` or `hold`.

    Attributes
    ----------
    action : int
        `HOLD`, `ENTER_LONG`, `ENTER_SHORT` or `EXIT`.
    sizing : int
        How `size` is meant: `DEFAULT` (all equity after costs), `FRACTION` of equity, `NOTIONAL` in quote currency,
        `UNITS` of the base currency, or `RISK`: the fraction of equity lost when the stop is hit.
    size : float
        Amount in the unit of `sizing`; nan with `DEFAULT`.
    limit, stop : float
        Price of a resting limit or stop entry; nan for a market order.
    stop_loss, take_profit, trailing_stop : float
        Distances from the entry fill as fractions of its price; nan = none.
    max_holding_s : float
        Longest time in the position in seconds; nan = no limit.
    """

    action: int
    sizing: int
    size: float
    limit: float
    stop: float
    stop_loss: float
    take_profit: float
    trailing_stop: float
    max_holding_s: float


class PositionView(NamedTuple):
    """What `on_bar` sees of the position in its symbol, as of the close of the bar.

    Attributes
    ----------
    quantity : float
        Signed quantity in units of the base currency; negative is short, 0.0 is flat.
    entry_price : float
        Price of the entry fill; nan while flat.
    entry_time_ns : int
        Time of the entry fill in ns UTC; 0 while flat.
    bars_held : int
        Bars closed since the entry fill; 0 while flat.
    unrealized_return : float
        Open profit as a fraction of the entry price, positive when winning; 0.0 while flat.
    equity : float
        Equity of the whole account in quote currency.
    is_flat, is_long, is_short : bool
        Exactly one of them is true.
    """

    quantity: float
    entry_price: float
    entry_time_ns: int
    bars_held: int
    unrealized_return: float
    equity: float
    is_flat: bool
    is_long: bool
    is_short: bool


@jitable
def _above_zero(value: float | None, message: str) -> float:
    """Return the value as a float, nan for None; raise OrderError unless 0 < value < infinity."""
    if value is None:
        return _NAN
    number = float(value)
    # Written so that nan fails: an indicator without a value must not quietly mean "no stop".
    if not 0.0 < number < math.inf:
        raise OrderError(message)
    return number


@jitable
def _fraction(value: float | None, message: str) -> float:
    """Return the value as a float, nan for None; raise OrderError unless 0 < value < 1."""
    if value is None:
        return _NAN
    number = float(value)
    if not 0.0 < number < 1.0:
        raise OrderError(message)
    return number


@jitable
def _sizing(size: float | None, notional: float | None, units: float | None, risk: float | None) -> tuple[int, float]:
    """Return the sizing code and amount of the one size that was given."""
    fraction_of_equity = _above_zero(size, "size must be > 0 and finite")
    notional_amount = _above_zero(notional, "notional must be > 0 and finite")
    unit_amount = _above_zero(units, "units must be > 0 and finite")
    risk_fraction = _fraction(risk, "risk must be in (0, 1)")
    given = 0
    code = DEFAULT
    amount = _NAN
    if not math.isnan(fraction_of_equity):
        given, code, amount = given + 1, FRACTION, fraction_of_equity
    if not math.isnan(notional_amount):
        given, code, amount = given + 1, NOTIONAL, notional_amount
    if not math.isnan(unit_amount):
        given, code, amount = given + 1, UNITS, unit_amount
    if not math.isnan(risk_fraction):
        given, code, amount = given + 1, RISK, risk_fraction
    if given > 1:
        raise OrderError("give only one of size, notional, units and risk")
    return code, amount


@jitable
def _enter(  # noqa: PLR0913  every part of an entry is optional and named
    action: int,
    size: float | None,
    notional: float | None,
    units: float | None,
    risk: float | None,
    limit: float | None,
    stop: float | None,
    stop_loss: float | None,
    take_profit: float | None,
    trailing_stop: float | None,
    max_holding_s: float | None,
) -> Intent:
    if limit is not None and stop is not None:
        raise OrderError("give only one of limit and stop: an entry rests at one price")
    code, amount = _sizing(size, notional, units, risk)
    return Intent(
        action,
        code,
        amount,
        _above_zero(limit, "limit must be > 0 and finite"),
        _above_zero(stop, "stop must be > 0 and finite"),
        _fraction(stop_loss, "stop_loss must be in (0, 1)"),
        _above_zero(take_profit, "take_profit must be > 0 and finite"),
        _fraction(trailing_stop, "trailing_stop must be in (0, 1)"),
        _above_zero(max_holding_s, "max_holding_s must be > 0 and finite"),
    )


@jitable
def enter_long(  # noqa: PLR0913  every part of an entry is optional and named
    size: float | None = None,
    notional: float | None = None,
    units: float | None = None,
    risk: float | None = None,
    limit: float | None = None,
    stop: float | None = None,
    stop_loss: float | None = None,
    take_profit: float | None = None,
    trailing_stop: float | None = None,
    max_holding_s: float | None = None,
) -> Intent:
    """Return the wish to be long from the next price on.

    Ignored while long; while short it closes the short and enters. ``None`` leaves a part out. The same function runs
    in plain Python and inside compiled strategies.

    Parameters
    ----------
    size, notional, units, risk : float, optional
        At most one: a fraction of equity (> 0; 1.0 is all of it), an amount in quote currency (> 0), a quantity of the
        base currency (> 0), or the fraction of equity in (0, 1) to lose when the stop is hit. None of them: all equity
        after costs, within the account's leverage.
    limit, stop : float, optional
        Price (> 0) at which the entry rests, at most one of the two. None: enter at the market.
    stop_loss, trailing_stop : float, optional
        Distance below the entry price, or below the best price since, as a fraction in (0, 1).
    take_profit : float, optional
        Distance above the entry price as a fraction > 0.
    max_holding_s : float, optional
        Longest time in the position in seconds, > 0.

    Returns
    -------
    Intent
        What `on_bar` returns.

    Raises
    ------
    OrderError
        A value is outside its range (nan always is), or two sizes or two prices were given.

    Examples
    --------
    >>> intent = enter_long(risk=0.01, stop_loss=0.02)
    >>> intent.size, SIZINGS[intent.sizing], intent.stop_loss
    (0.01, 'risk', 0.02)
    """
    return _enter(
        ENTER_LONG, size, notional, units, risk, limit, stop, stop_loss, take_profit, trailing_stop, max_holding_s
    )


@jitable
def enter_short(  # noqa: PLR0913  every part of an entry is optional and named
    size: float | None = None,
    notional: float | None = None,
    units: float | None = None,
    risk: float | None = None,
    limit: float | None = None,
    stop: float | None = None,
    stop_loss: float | None = None,
    take_profit: float | None = None,
    trailing_stop: float | None = None,
    max_holding_s: float | None = None,
) -> Intent:
    """Return the wish to be short from the next price on; denied on spot instruments.

    Parameters
    ----------
    size, notional, units, risk, limit, stop, max_holding_s : float, optional
        As in `enter_long`.
    stop_loss, trailing_stop, take_profit : float, optional
        As in `enter_long`, mirrored: losses lie above the entry price, profits below it.

    Raises
    ------
    OrderError
        As in `enter_long`.

    Examples
    --------
    >>> enter_short(units=2).action == ENTER_SHORT
    True
    """
    return _enter(
        ENTER_SHORT, size, notional, units, risk, limit, stop, stop_loss, take_profit, trailing_stop, max_holding_s
    )


@jitable
def exit_position(
    size: float | None = None,
    notional: float | None = None,
    units: float | None = None,
    limit: float | None = None,
) -> Intent:
    """Return the wish to close the position, or a part of it, at the next price; does nothing while flat.

    An exit is never denied: a part larger than the position closes it, and its protection stays on what is left.

    Parameters
    ----------
    size, notional, units : float, optional
        At most one: a fraction of the position (> 0), an amount in quote currency (> 0) or a quantity of the base
        currency (> 0), rounded down to the lot. None of them: the whole position.
    limit : float, optional
        Price (> 0) at which the exit rests. None: at the market. A new decision or a protective exit cancels it.

    Returns
    -------
    Intent
        What `on_bar` returns.

    Raises
    ------
    OrderError
        A value is outside its range (nan always is), or two sizes were given.

    Examples
    --------
    >>> exit_position().action == EXIT
    True
    >>> exit_position(size=0.5).size
    0.5
    """
    code, amount = _sizing(size, notional, units, None)
    level = _above_zero(limit, "limit must be > 0 and finite")
    return Intent(EXIT, code, amount, level, _NAN, _NAN, _NAN, _NAN, _NAN)


# Most answers are this one: made once.
_HOLD = Intent(HOLD, DEFAULT, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN)


@jitable
def hold() -> Intent:
    """Return the wish to change nothing; `on_bar` may as well return None.

    Examples
    --------
    >>> hold().action == HOLD
    True
    """
    return _HOLD
