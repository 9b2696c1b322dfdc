import math

import pytest

from workbench.research.formatting import (
    format_call,
    format_count,
    format_duration,
    format_money,
    format_percent,
    format_ratio,
    format_value,
)


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.0, "0.00 %"),
        (-0.00001, "0.00 %"),
        (0.123456, "12.35 %"),
        (-0.05, "-5.00 %"),
        (1.236, "123.6 %"),
        (123.45, "12,345 %"),
        (math.nan, "n/a"),
    ],
)
def test_percent_shows_two_to_four_digits(fraction, shown):
    assert format_percent(fraction) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0.0, "0.00 USDT"),
        (1234.567, "1,234.57 USDT"),
        (-99999.994, "-99,999.99 USDT"),
        (123456.7, "123,457 USDT"),
        (0.0123456, "0.0123 USDT"),
    ],
)
def test_money_shows_cents_until_they_do_not_matter(amount, shown):
    assert format_money(amount, "USDT") == shown


def test_undefined_money_has_no_currency():
    assert format_money(math.nan, "USDT") == "n/a"


@pytest.mark.parametrize(("value", "shown"), [(1.005, "1.00"), (-0.001, "0.00"), (123.456, "123.5"), (9876.6, "9,877")])
def test_ratio_loses_decimals_as_it_grows(value, shown):
    assert format_ratio(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (5_430, "1 h 30 min"),
        (86_400, "1 d"),
        (86_400 * 3 + 3_600 * 4, "3 d 4 h"),
        (86_400 * 1_234.6, "1,235 d"),
        (math.nan, "n/a"),
    ],
)
def test_duration_shows_its_two_largest_units(seconds, shown):
    assert format_duration(seconds) == shown


def test_count_has_thousands_separators():
    assert format_count(129_600) == "129,600"


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("fraction", "50.00 %"), ("money", "0.50 EUR"), ("ratio", "0.50"), ("count", "0"), ("duration", "0 s")],
)
def test_value_takes_the_form_of_its_unit(unit, shown):
    assert format_value(0.5, unit, "EUR") == shown


def test_call_shows_parameters_as_they_would_be_typed():
    parameters = {"fast": 10, "stop": 0.02, "kind": "ema", "target": None}
    assert format_call("cross", parameters) == "cross(fast=10, stop=0.02, kind='ema', target=None)"
