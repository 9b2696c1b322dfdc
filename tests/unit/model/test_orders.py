import dataclasses
from typing import Any

import pytest

from workbench.errors import OrderError
from workbench.model import BreakerTrip, Denied, Fill, Order, OrderRequest

TIME_NS = 1_735_689_600_000_000_000
MARKET: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "side": "buy",
    "quantity": 0.5,
    "kind": "market",
    "price": None,
    "time_ns": TIME_NS,
}


def test_request_keeps_its_fields_and_is_a_signal_by_default() -> None:
    request = OrderRequest("BTC/USDT", "sell", 2.0, "stop", 95.0, TIME_NS)
    assert dataclasses.astuple(request) == ("BTC/USDT", "sell", 2.0, "stop", 95.0, TIME_NS, "signal", False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbol": ""}, "symbol must be a name, was ''"),
        ({"side": "long"}, "side must be one of 'buy', 'sell', was 'long'"),
        ({"quantity": 0.0}, r"quantity must be in \(0, inf\), was 0.0"),
        ({"quantity": float("nan")}, r"quantity must be in \(0, inf\), was nan"),
        ({"kind": "iceberg"}, "kind must be one of 'market', 'limit', 'stop', was 'iceberg'"),
        ({"price": 10.0}, "price of a market order must be None, was 10.0"),
        ({"kind": "limit"}, r"price of a limit order must be in \(0, inf\), was None"),
        ({"kind": "stop", "price": -1.0}, r"price of a stop order must be in \(0, inf\), was -1.0"),
        ({"time_ns": 1_735_689_600}, "time_ns must be nanoseconds UTC of the years 2009 to 2099, was 1735689600"),
    ],
)
def test_bad_request_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderError, match=words):
        OrderRequest(**(MARKET | changes))


def test_every_bad_field_of_a_request_is_named() -> None:
    with pytest.raises(OrderError, match=r"side must be .*; quantity must be .*; time_ns must be"):
        OrderRequest(**(MARKET | {"side": "", "quantity": -1.0, "time_ns": 0}))


def test_order_is_a_request_with_a_name() -> None:
    order = Order(**MARKET, order_id="a1")
    assert isinstance(order, OrderRequest)
    assert (order.order_id, order.status) == ("a1", "pending")
    assert dataclasses.replace(order, status="filled").status == "filled"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"order_id": ""}, "order_id must be a name, was ''"),
        ({"status": "lost"}, "status must be one of 'pending', 'accepted'"),
        ({"quantity": -1.0}, "quantity must be in"),
    ],
)
def test_bad_order_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderError, match=words):
        Order(**({**MARKET, "order_id": "a1"} | changes))


@pytest.mark.parametrize(("side", "signed"), [("buy", 0.5), ("sell", -0.5)])
def test_fill_tells_its_notional_and_signed_quantity(side: Any, signed: float) -> None:
    fill = Fill(0, "BTC/USDT", side, 0.5, 100.0, 0.05, TIME_NS, "signal", is_maker=False)
    assert fill.notional == 50.0  # 0.5 * 100
    assert fill.signed_quantity == signed


@pytest.mark.parametrize(
    "record",
    [
        OrderRequest(**MARKET),
        Order(**MARKET, order_id="a1"),
        Fill(0, "BTC/USDT", "buy", 0.5, 100.0, 0.05, TIME_NS, "signal", is_maker=False),
        Denied("BTC/USDT", "max_order_notional", 100.0, 250.0, TIME_NS, "buy", 2.5),
        BreakerTrip("max_drawdown", 0.2, 0.21, TIME_NS),
    ],
)
def test_records_are_frozen_and_equal_by_value(record: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.time_ns = 0
    assert dataclasses.replace(record) == record
    assert not hasattr(record, "__dict__")
