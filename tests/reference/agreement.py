"""Compare what the reference and the core made of one scenario."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from tests.reference.core_driver import play_core
from tests.reference.scenario import Outcome, Scenario, play_reference

# The two add in different orders, so the last bits may differ; a wrong rule is off by far more.
RELATIVE = 1e-9
ABSOLUTE = 1e-7
# What a denial would have bought, and the figure it was refused for, are told but decide nothing.
TOLD = {"Denial": {"quantity", "limit", "value"}}


def is_same(one: Any, other: Any) -> bool:
    """Return whether two records agree, floats but for their last bits."""
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if not hasattr(one, "__dataclass_fields__") or type(one) is not type(other):
        return one == other
    ignored = TOLD.get(type(one).__name__, set())
    return all(is_same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one) if f.name not in ignored)


def first_difference(core: Outcome, reference: Outcome) -> str | None:
    """Return where two outcomes part, or None."""
    for name in ("fills", "trades", "denials", "trips", "equity"):
        ours, theirs = getattr(core, name), getattr(reference, name)
        for i in range(max(len(ours), len(theirs))):
            one = ours[i] if i < len(ours) else None
            other = theirs[i] if i < len(theirs) else None
            if not is_same(one, other):
                return f"{name}[{i}]\n  core      {one}\n  reference {other}"
    return None


def play(scenario: Scenario) -> Outcome:
    """Play a scenario with core and reference, fail where they differ, and return what the core did."""
    core = play_core(scenario)
    difference = first_difference(core, play_reference(scenario))
    assert difference is None, difference
    return core
