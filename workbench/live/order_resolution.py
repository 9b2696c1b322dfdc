"""What a person may say of an order of which nobody can tell, after having looked at the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.core.order_state import LiveOrder

__all__ = ["RESOLUTIONS", "check_resolution", "problem_of"]

RESOLUTIONS: Final = ("never_arrived",)
"""It is not at the exchange and never was: it ends with nothing filled. A fill that shows up later is booked all the
same, as a fact; what was filled without a trade that can be found, `reconcile` adopts."""

# Real seconds for which an order is asked for before a person may end it: it may be on its way.
_NOT_BEFORE_S: Final = 60.0


def check_resolution(number: object, answer: object) -> None:
    """Raise ConfigError when this is no number of an order, or nothing that a person may say of one."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ConfigError(f"number must be a whole number from 0, was {number!r}")
    if answer not in RESOLUTIONS:
        raise ConfigError(f"answer must be one of {', '.join(RESOLUTIONS)}, was {answer!r}")


def problem_of(number: int, order: LiveOrder | None, asked_s: float, *, is_held_back: bool) -> str | None:
    """Return why a person may not end an order, None when that is right.

    Parameters
    ----------
    number : int
        As it was given.
    order : LiveOrder or None
        The order of this number, when there is one.
    asked_s : float
        For how long it has been asked for, real seconds.
    is_held_back : bool
        Whether it is an exit that was refused too often, and so is known well.
    """
    if order is None:
        return f"order {number} is none of this session"
    if is_held_back:
        return f"order {number} was refused, which is known: resume() or flatten() tries it anew"
    if order.is_answered:
        return f"order {number} is known: {order.status.replace('_', ' ')}"
    if asked_s < _NOT_BEFORE_S:
        return f"order {number} may be on its way: it is asked for since {asked_s:.0f} s, wait for {_NOT_BEFORE_S:g} s"
    return None
