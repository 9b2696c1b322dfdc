"""The breakers of a session as lights: off, armed with limit and value, or tripped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.panels.formats import limit, percent
from workbench.panels.markup import Light

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.model import AccountState, RiskConfig
    from workbench.panels.markup import LightState

__all__ = ["breaker_lights", "day_loss"]

# Name of a breaker in an account, the field of its limit, and what people call it.
_BREAKERS: Final[Mapping[str, tuple[str, str]]] = {
    "max_drawdown": ("max_drawdown", "Drawdown"),
    "daily_loss": ("daily_loss_limit", "Daily loss"),
}


def day_loss(account: AccountState) -> float:
    """Return how far equity is below that of the last mark before 00:00 UTC, as a fraction, at least 0."""
    start = account.day_start_equity
    return max(0.0, 1.0 - account.equity / start) if start > 0 else 0.0


def breaker_lights(risk: RiskConfig | None, account: AccountState, *, is_watched: bool = True) -> list[Light]:
    """Return a light for each breaker that a session can have, and for any other that has tripped.

    Parameters
    ----------
    risk : RiskConfig or None
        The session's limits; None when they are not known.
    account : AccountState
        The session's account.
    is_watched : bool, default True
        False where the session's process is gone, or the session has ended: no limit acts then.
    """
    values = {"max_drawdown": account.drawdown, "daily_loss": day_loss(account)}
    lights = [
        _light(
            label,
            values[name],
            None if risk is None else getattr(risk, field),
            is_tripped=name in account.halted,
            otherwise="unknown" if risk is None else "armed" if is_watched else "off",
        )
        for name, (field, label) in _BREAKERS.items()
    ]
    others = (name for name in account.halted if name not in _BREAKERS)
    return [*lights, *(Light(name.replace("_", " "), "tripped", "TRIPPED") for name in others)]


def _light(label: str, value: float, most: float | None, *, is_tripped: bool, otherwise: LightState) -> Light:
    now = percent(value)
    part = now if most is None else f"{now} of {limit(most)}"
    if is_tripped:
        return Light(label, "tripped", f"TRIPPED: {part}")
    if otherwise == "unknown":
        return Light(label, "unknown", f"{now}, limit unknown")
    if most is None:
        return Light(label, "off", f"off, now {part}")
    return Light(label, otherwise, f"{'armed' if otherwise == 'armed' else 'not watched'}: {part}")
