"""The decision of a strategy behind an order, with what it saw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.core.explanation import Reading, explain
from workbench.core.intents import DEFAULT, ENTER_LONG, ENTER_SHORT, EXIT, SIZINGS
from workbench.live.order_story import Decision
from workbench.model import Bar

if TYPE_CHECKING:
    from workbench.core.intents import Intent, PositionView
    from workbench.core.origin import MadeDecision, Origin
    from workbench.live.session_config import LiveSessionConfig

__all__ = ["decision_behind"]

_ACTIONS: Final = {ENTER_LONG: "enter_long", ENTER_SHORT: "enter_short", EXIT: "exit"}
_SIDES: Final = {1: "enter_long", -1: "enter_short", 0: "exit"}
_LEVELS: Final = ("limit", "stop", "stop_loss", "take_profit", "trailing_stop", "max_holding_s")


def decision_behind(origin: Origin, config: LiveSessionConfig, *, is_cancel: bool) -> Decision | None:
    """Return the decision that an order of reason ``signal`` carries out; None when there was none.

    Parameters
    ----------
    origin : Origin
        Where the order came from.
    config : LiveSessionConfig
        The session's.
    is_cancel : bool
        Whether it cancels an order: that happens in the very step of the decision, all else at the next price.
    """
    s = int(origin.log[origin.place]["symbol"])
    made = origin.made[s] if is_cancel else origin.earlier[s]
    if made is None:
        return None
    bars = origin.bars[s][:, : made.bar_count]
    reading = explain(config.plan(), bars)
    is_entry = made.entry_side != 0
    return Decision(
        bar=Bar(config.symbols[s], made.time_ns, *bars[:, -1].tolist()),
        action=_action(made),
        rules=reading.rules,
        values=reading.values,
        levels=(reading.levels if is_entry else ()) if made.intent is None else _asked(made.intent),
        position=None if made.position is None else _position(made.position),
    )


def _action(made: MadeDecision) -> str:
    return _SIDES[made.entry_side] if made.intent is None else _ACTIONS[made.intent.action]


def _asked(intent: Intent) -> tuple[Reading, ...]:
    """Return what an intent asks for besides its action."""
    size = () if intent.sizing == DEFAULT else (Reading(SIZINGS[intent.sizing], intent.size),)
    levels = (Reading(name, getattr(intent, name)) for name in _LEVELS)
    return (*size, *(level for level in levels if level.value is not None and not math.isnan(level.value)))


def _position(position: PositionView) -> str:
    if position.is_flat:
        return "flat"
    side = "long" if position.is_long else "short"
    return f"{side} {abs(position.quantity):.10g} at {position.entry_price:.10g}, {position.bars_held} bars held"
