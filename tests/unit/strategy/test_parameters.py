import math
from typing import Any, Optional

import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.strategy.parameters import checked_parameters, declared_parameter, param


def declared(default: Any, annotation: Any = None, name: str = "p"):
    return declared_parameter("s", name, default, annotation)


@pytest.mark.parametrize(
    ("default", "kind"),
    [(3, "int"), (0.5, "float"), (True, "bool"), (None, "float"), (param("a", choices="ab"), "choice")],
)
def test_the_default_decides_the_kind(default: Any, kind: str) -> None:
    assert declared(default).kind == kind


def test_bounds_stand_in_the_spec() -> None:
    parameter = declared(param(20, low=2, high=500, step=1, help="Bars"))
    assert (parameter.default, parameter.low, parameter.high, parameter.step, parameter.help) == (20, 2, 500, 1, "Bars")


@pytest.mark.parametrize(
    ("default", "given", "kept"),
    [
        (20, 30, 30),
        (20, np.int64(30), 30),
        (20, 30.0, 30),
        (20, np.float64(30.0), 30),
        (0.5, 1, 1.0),
        (0.5, np.float32(0.25), 0.25),
        (True, np.False_, False),
        (param("a", choices=("a", "b")), "b", "b"),
    ],
)
def test_values_become_the_parameters_own_type(default: Any, given: Any, kept: Any) -> None:
    value = declared(default).converted(given)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("default", "given", "text"),
    [
        (20, 30.5, "p must be a whole number, was 30.5"),
        (20, True, "p must be a whole number, was True"),
        (20, "30", "p must be a whole number, was '30'"),
        (20, None, "p must be a whole number, was None"),
        (0.5, math.nan, "p must be a finite number or None, was nan"),
        (0.5, math.inf, "was inf"),
        (True, 1, "p must be True or False, was 1"),
        (param(20, low=2, high=50), 51, r"p must be a whole number in \[2, 50\], was 51"),
        (param(20, low=2), 1, "p must be a whole number >= 2, was 1"),
        (param(20, high=50), 60, "p must be a whole number <= 50, was 60"),
        (param("a", choices=("a", "b")), "c", "p must be one of 'a', 'b', was 'c'"),
        (param("a", choices=("a", "b")), 1, "p must be one of"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(default: Any, given: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        declared(default).converted(given)


def test_bounds_themselves_are_allowed() -> None:
    parameter = declared(param(20, low=2, high=50))
    assert [parameter.converted(value) for value in (2, 50)] == [2, 50]


def test_none_turns_off_what_may_be_turned_off() -> None:
    assert declared(0.02).converted(None) is None  # a plain float, not annotated
    assert declared(None).converted(0.5) == 0.5
    assert declared(0.02, float | None).is_optional
    assert declared(3, Optional[int]).is_optional  # noqa: UP045  the older spelling is the case
    assert declared(3, "int | None").is_optional
    for default, annotation in ((0.02, float), (0.02, "float"), (3, None), (3, int)):
        assert not declared(default, annotation).is_optional


@pytest.mark.parametrize(
    ("default", "text"),
    [
        ([1], "the default of p must be a number"),
        ("text", "p is a str, so it needs choices"),
        (param(1, low=2), "the default: p must be a whole number >= 2, was 1"),
        (param(1, low=3, high=2), "low of p must be <= high, was 3 and 2"),
        (param(1, step=0), "step of p must be > 0, was 0"),
        (param("c", choices=("a", "b")), "the default: p must be one of"),
        (math.nan, "the default: p must be a finite number"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(default: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        declared(default)


def test_every_fault_is_named_at_once_with_the_valid_parameters() -> None:
    spec = [declared(param(20, low=2), name="fast"), declared(50, name="slow"), declared(0.02, name="stop")]
    with pytest.raises(ConfigError) as caught:
        checked_parameters("cross", spec, {"fats": 3, "fast": 1, "slow": "x"})
    assert str(caught.value) == (
        "cross: fats is not a parameter; fast must be a whole number >= 2, was 1; slow must be a whole number, was 'x' "
        "(parameters: fast=20, slow=50, stop=0.02)"
    )


def test_parameters_keep_the_order_of_the_spec() -> None:
    spec = [declared(1, name="a"), declared(2, name="b")]
    assert list(checked_parameters("s", spec, {"b": 5}).items()) == [("a", 1), ("b", 5)]
