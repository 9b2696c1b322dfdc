import dataclasses
from typing import Any

import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.model import Costs, RiskConfig

NAN, INF = float("nan"), float("inf")


def test_default_costs_are_a_tenth_of_a_percent_and_two_basis_points() -> None:
    assert dataclasses.asdict(Costs()) == {"taker_fee": 0.001, "maker_fee": 0.001, "slippage": 0.0002}


def test_free_trading_is_allowed() -> None:
    assert Costs(taker_fee=0, maker_fee=0.0, slippage=np.float64(0.0)).slippage == 0.0


def test_every_bad_cost_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Costs(taker_fee=0.5, maker_fee=-0.001, slippage=NAN)
    assert str(caught.value) == (
        "taker_fee must be in [0, 0.5), was 0.5; maker_fee must be in [0, 0.5), was -0.001; "
        "slippage must be in [0, 0.5), was nan"
    )


def test_risk_is_off_by_default_but_for_leverage() -> None:
    fields = dataclasses.asdict(RiskConfig())
    assert fields.pop("max_leverage") == 1.0
    assert set(fields.values()) == {None}
    assert len(fields) == 14


GOOD_ENDS = [
    ("stop_loss", 0.999),
    ("take_profit", 25.0),
    ("trailing_stop", 0.001),
    ("max_holding_s", 0.5),
    ("max_loss_per_trade", 1.0),
    ("max_drawdown", 1),
    ("daily_loss_limit", 1.0),
    ("max_position_notional", 1e9),
    ("max_order_notional", 0.01),
    ("max_leverage", 1000.0),
    ("max_leverage", 0.5),
    ("max_orders_per_minute", 1),
    ("price_collar", 0.05),
    ("cooldown_s", 3600),
]


@pytest.mark.parametrize(("field", "value"), GOOD_ENDS)
def test_value_within_the_range_is_kept(field: str, value: float) -> None:
    assert getattr(RiskConfig(**{field: value}), field) == value


BAD = [
    *[(field, value) for field in ("stop_loss", "trailing_stop", "price_collar") for value in (0.0, 1.0, -0.1)],
    *[(field, value) for field in ("max_loss_per_trade", "max_drawdown", "daily_loss_limit") for value in (0.0, 1.01)],
    *[(field, 0.0) for field in ("take_profit", "max_holding_s", "max_position_notional", "max_order_notional")],
    ("cooldown_s", -1.0),
    ("max_leverage", 0.0),
    ("max_leverage", 1000.5),
    ("max_leverage", None),
    ("max_orders_per_minute", 0),
    ("max_orders_per_minute", 2.0),
    ("max_orders_per_minute", True),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_value_outside_the_range_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be .*, was {value}"):
        RiskConfig(**{field: value})


@pytest.mark.parametrize("value", [NAN, INF, "0.1", True, [0.1]])
@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RiskConfig)])
def test_no_field_takes_what_is_no_finite_number(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be"):
        RiskConfig(**{field: value})


def test_every_bad_risk_field_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        RiskConfig(stop_loss=5, max_drawdown=NAN, max_leverage=0, max_orders_per_minute=0)
    assert str(caught.value) == (
        "stop_loss must be in (0, 1), was 5; max_drawdown must be in (0, 1], was nan; "
        "max_leverage must be in (0, 1000], was 0; max_orders_per_minute must be a whole number from 1, was 0"
    )


@pytest.mark.parametrize(
    ("trail", "words"),
    [
        (
            {"trailing_activate_at": 0.05},
            "trailing_activate_at must come with trailing_stop or trailing_distance_after",
        ),
        ({"trailing_distance_after": 0.01}, "trailing_distance_after must come with trailing_activate_at, was 0.01"),
        (
            {"trailing_stop": 0.02, "trailing_activate_at": 0.05, "trailing_distance_after": 0.03},
            r"trailing_distance_after must be at most trailing_stop \(0.02\)",
        ),
    ],
)
def test_trail_whose_parts_do_not_fit_is_refused(trail: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RiskConfig(**trail)


@pytest.mark.parametrize(
    "trail",
    [
        {"trailing_stop": 0.02},
        {"trailing_stop": 0.02, "trailing_activate_at": 0.05},
        {"trailing_activate_at": 0.05, "trailing_distance_after": 0.01},
        {"trailing_stop": 0.02, "trailing_activate_at": 0.05, "trailing_distance_after": 0.02},
    ],
)
def test_trail_may_start_late_or_tighten(trail: dict[str, float]) -> None:
    kept = {name: value for name, value in dataclasses.asdict(RiskConfig(**trail)).items() if name in trail}
    assert kept == trail


def test_configurations_are_frozen_and_replaced() -> None:
    risk = RiskConfig(stop_loss=0.02)
    with pytest.raises(dataclasses.FrozenInstanceError):
        risk.stop_loss = 0.5  # type: ignore[misc]  # the point of the test
    assert dataclasses.replace(risk, max_drawdown=0.2) == RiskConfig(stop_loss=0.02, max_drawdown=0.2)
    with pytest.raises(ConfigError, match="max_drawdown"):
        dataclasses.replace(risk, max_drawdown=2.0)
