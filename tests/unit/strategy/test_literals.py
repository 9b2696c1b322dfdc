import enum
import math
from typing import Any

import numpy as np
import pytest

from workbench.model import Costs, Timeframe
from workbench.strategy.literals import NoLiteralError, literal


class Side(enum.Enum):
    BUY = "buy"


KNOWN = {"Side": Side, "Timeframe": Timeframe, "Costs": Costs}


def class_name(kind: type) -> str:
    return kind.__name__


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -7, 10**30, 0.1 + 0.2, 5e-324, -0.0, "it's \n \ud800", b"\x00", 1.5 - 2j, (), (1,), (1, 2.0),
        [], [[1], ()], {}, {"a": {1: (2,)}}, set(), {3, 1, 2}, frozenset(), frozenset({"b", "a"}), Side.BUY,
        Timeframe("5m"), Costs(slippage=0.1 + 0.2),
    ],
)  # fmt: skip
def test_text_makes_the_same_value_of_the_same_type(value: Any) -> None:
    again = eval(literal(value, class_name), KNOWN)  # noqa: S307  what a strategy text does
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value) or isinstance(value, (set, frozenset))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_without_a_literal_come_back(value: float) -> None:
    assert repr(eval(literal([value], class_name))) == repr([value])  # noqa: S307  as above


def test_a_set_has_one_text_whatever_its_order() -> None:
    one, other = {"a", "b", "c"}, {"c", "b", "a"}
    assert literal(one, class_name) == literal(other, class_name) == "{'a', 'b', 'c'}"


class Number(float):
    pass


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.zeros(2), "numpy.ndarray"),
        (np.float64(1.0), "numpy.float64"),
        (Number(1.0), "Number"),
        ({"a": [object()]}, "object"),
        (print, "builtin_function_or_method"),
    ],
)
def test_anything_else_is_refused(value: Any, what: str) -> None:
    with pytest.raises(NoLiteralError, match=what):
        literal(value, class_name)


def test_a_container_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NoLiteralError, match="in more than 20 others"):
        literal(endless, class_name)
