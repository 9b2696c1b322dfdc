import math

import pytest

from workbench.core.compiled import kernel
from workbench.core.intents import (
    DEFAULT,
    ENTER_LONG,
    ENTER_SHORT,
    EXIT,
    FRACTION,
    HOLD,
    NOTIONAL,
    RISK,
    SIZINGS,
    UNITS,
    Intent,
    enter_long,
    enter_short,
    exit_position,
    hold,
)
from workbench.errors import OrderError


@kernel(cache=False)
def compiled_entry(size, stop_loss, limit):
    return enter_long(size, stop_loss=stop_loss, limit=limit)


@kernel(cache=False)
def compiled_risk(risk, units):
    return enter_short(risk=risk, units=units)


@kernel(cache=False)
def compiled_rest():
    return exit_position(), hold()


def same(left: Intent, right: Intent) -> bool:
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(left, right, strict=True))


def test_an_entry_without_arguments_leaves_everything_unset() -> None:
    intent = enter_long()
    assert (intent.action, intent.sizing) == (ENTER_LONG, DEFAULT)
    assert all(math.isnan(value) for value in intent[2:])


@pytest.mark.parametrize(
    ("name", "code"),
    [("size", FRACTION), ("notional", NOTIONAL), ("units", UNITS), ("risk", RISK)],
)
def test_each_way_of_sizing_has_its_code(name: str, code: int) -> None:
    intent = enter_short(**{name: 0.5})
    assert (intent.action, intent.sizing, intent.size) == (ENTER_SHORT, code, 0.5)
    assert SIZINGS[code] == {"size": "fraction"}.get(name, name)


def test_exit_and_hold_carry_nothing_but_their_action() -> None:
    for intent, action in ((exit_position(), EXIT), (hold(), HOLD)):
        assert intent.action == action
        assert all(math.isnan(value) for value in intent[2:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0.0}, "size must be > 0"),
        ({"notional": -5}, "notional must be > 0"),
        ({"units": math.inf}, "units must be > 0"),
        ({"risk": 1.0}, "risk must be in"),
        ({"stop_loss": 1.0}, "stop_loss must be in"),
        ({"stop_loss": math.nan}, "stop_loss must be in"),
        ({"take_profit": 0.0}, "take_profit must be > 0"),
        ({"trailing_stop": -0.1}, "trailing_stop must be in"),
        ({"max_holding_s": 0}, "max_holding_s must be > 0"),
        ({"limit": math.nan}, "limit must be > 0"),
        ({"limit": 1.0, "stop": 2.0}, "only one of limit and stop"),
        ({"size": 0.5, "units": 2.0}, "only one of size"),
        ({"size": 0.5, "risk": 0.1}, "only one of size"),
    ],
)
def test_values_that_cannot_be_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(OrderError, match=message):
        enter_long(**arguments)


def test_the_same_function_gives_the_same_intent_from_a_kernel() -> None:
    assert same(compiled_entry(0.5, 0.02, None), enter_long(0.5, stop_loss=0.02, limit=None))
    assert same(compiled_entry(None, None, 99), enter_long(limit=99))
    assert same(compiled_risk(0.01, None), enter_short(risk=0.01))
    assert all(same(a, b) for a, b in zip(compiled_rest(), (exit_position(), hold()), strict=True))


def test_the_intent_from_a_kernel_is_of_the_one_class() -> None:
    assert type(compiled_entry(0.5, 0.02, None)) is Intent


def test_a_kernel_refuses_the_same_values() -> None:
    with pytest.raises(OrderError, match="stop_loss must be in"):
        compiled_entry(0.5, math.nan, None)
    with pytest.raises(OrderError, match="only one of size"):
        compiled_risk(0.01, 3.0)
