import dataclasses
from typing import Any

import pytest

from workbench.model import (
    EXIT_REASONS,
    AccountState,
    ClosedTrade,
    ExitReason,
    Position,
    PositionSnapshot,
    Side,
    StepResult,
)

TIME_NS = 1_735_689_600_000_000_000
HELD = PositionSnapshot("BTC/USDT", -0.5, "short", 100.0, TIME_NS, 90.0, 45.0, 5.0, 110.0, None, None, None)
FLAT: dict[str, Any] = {
    "sequence": 1,
    "time_ns": TIME_NS,
    "cash": 100.0,
    "equity": 100.0,
    "peak_equity": 100.0,
    "drawdown": 0.0,
    "day_start_equity": 100.0,
    "realized_pnl": 0.0,
    "unrealized_pnl": 0.0,
    "fees": 0.0,
    "funding": 0.0,
    "halted": (),
    "is_paused": False,
    "positions": (),
    "fill_count": 0,
    "trade_count": 0,
    "denial_count": 0,
}


def test_exit_reasons_keep_their_codes() -> None:
    assert EXIT_REASONS == (
        "signal",
        "stop_loss",
        "take_profit",
        "trailing_stop",
        "max_holding",
        "max_loss",
        "max_drawdown",
        "daily_loss",
        "liquidation",
        "flatten",
    )


def test_every_exit_reason_has_its_constant() -> None:
    constants = {name: value for name, value in vars(ExitReason).items() if name.isupper()}
    assert sorted(constants.values()) == sorted(EXIT_REASONS)
    assert all(name.lower() == value for name, value in constants.items())


@pytest.mark.parametrize(
    ("quantity", "side", "is_flat"), [(0.5, Side.LONG, False), (-0.5, Side.SHORT, False), (0.0, None, True)]
)
def test_sign_of_the_quantity_is_the_side(quantity: float, side: str | None, is_flat: bool) -> None:
    position = Position("BTC/USDT", quantity, 100.0, TIME_NS)
    assert position.side == side
    assert position.is_flat is is_flat


def test_account_finds_a_position_by_symbol() -> None:
    account = AccountState(**(FLAT | {"positions": (HELD,)}))
    assert account.position("BTC/USDT") is HELD
    assert account.position("ETH/USDT") is None


@pytest.mark.parametrize(
    "record",
    [
        HELD,
        AccountState(**FLAT),
        StepResult((), (), (), (), AccountState(**FLAT)),
        Position("BTC/USDT", 0.0, float("nan"), 0),
        ClosedTrade("BTC/USDT", "long", 1.0, TIME_NS, 10.0, TIME_NS, 11.0, "signal", 0.9, 0.09, 0.1, 3, -0.01, 0.1),
    ],
)
def test_pictures_are_frozen_and_hold_nothing_that_can_change(record: Any) -> None:
    first = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, first, None)
    assert not hasattr(record, "__dict__")
    hash(record)  # a list or an array inside would not let itself be hashed
