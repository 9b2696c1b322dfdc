import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.model.field_checks import FieldChecks, Interval


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.0, 1.0), "(0, 1)"),
        (Interval(0.0, 0.5, includes_low=True), "[0, 0.5)"),
        (Interval(0.0, 1.0, includes_high=True), "(0, 1]"),
        (Interval(0.0, float("inf")), "(0, inf)"),
    ],
)
def test_interval_prints_as_in_mathematics(interval: Interval, text: str) -> None:
    assert str(interval) == text


def test_interval_holds_its_ends_only_when_told_to() -> None:
    assert 0.0 not in Interval(0.0, 1.0)
    assert 1.0 not in Interval(0.0, 1.0)
    assert 0.0 in Interval(0.0, 1.0, includes_low=True)
    assert 1.0 in Interval(0.0, 1.0, includes_high=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, "0.5", None, 0.5j])
def test_interval_holds_only_finite_real_numbers(value: object) -> None:
    assert value not in Interval(-1.0, float("inf"))


@pytest.mark.parametrize("value", [1, 0.5, np.float64(0.5), np.float32(0.5), np.int64(1)])
def test_interval_holds_numbers_of_python_and_numpy(value: object) -> None:
    assert value in Interval(0.0, 2.0)


def test_no_complaint_raises_nothing() -> None:
    checks = FieldChecks()
    checks.in_interval("a", 0.5, Interval(0.0, 1.0))
    checks.in_interval_or_off("b", None, Interval(0.0, 1.0))
    checks.is_count_or_off("c", 3)
    checks.is_name("d", "x")
    checks.raise_if_any(ConfigError)
    assert checks.message == ""


def test_every_complaint_stands_in_one_error() -> None:
    checks = FieldChecks()
    checks.in_interval("a", 5, Interval(0.0, 1.0))
    checks.in_interval_or_off("b", float("nan"), Interval(0.0, 1.0))
    checks.is_one_of("c", "up", ("down", "left"))
    checks.is_count_or_off("d", 0)
    checks.is_name("e", "")
    with pytest.raises(ConfigError) as caught:
        checks.raise_if_any(ConfigError)
    assert str(caught.value) == (
        "a must be in (0, 1), was 5; b must be in (0, 1), was nan; c must be one of 'down', 'left', was 'up'; "
        "d must be a whole number from 1, was 0; e must be a name, was ''"
    )


@pytest.mark.parametrize("value", [True, 1.0, "1", -1])
def test_count_is_a_whole_number_from_one(value: object) -> None:
    checks = FieldChecks()
    checks.is_count_or_off("orders", value)
    assert checks.message.startswith("orders must be a whole number from 1, was ")
