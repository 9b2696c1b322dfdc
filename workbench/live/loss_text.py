"""How far a loss went that tripped a breaker, in words."""

from __future__ import annotations

__all__ = ["loss_text"]


def loss_text(loss: float, limit: float) -> str:
    """Return a `loss` and its `limit`, fractions of equity, as a person reads them.

    Examples
    --------
    >>> loss_text(0.003076, 0.003)
    'a loss of 0.3076 % reached the limit of 0.3 %'
    """
    return f"a loss of {100.0 * loss:.4g} % reached the limit of {100.0 * limit:.4g} %"
