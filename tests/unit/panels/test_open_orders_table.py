from typing import Any

import pytest

from workbench.live.open_orders import OpenOrder
from workbench.panels.open_orders_table import open_orders_table, unknown_orders_table

NS = 1_000_000_000


def order(**changes: Any) -> OpenOrder:
    settings: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "side": "buy",
        "kind": "limit",
        "quantity": 0.5,
        "filled": 0.1,
        "price": 31_000.0,
        "is_exit": False,
        "status": "partially_filled",
        "time_ns": 100 * NS,
        "client_order_id": "wb-1",
    }
    return OpenOrder(**{**settings, **changes})


def test_an_order_tells_its_age_and_where_it_stands() -> None:
    exit_order = order(side="sell", kind="stop", is_exit=True, status="acknowledged", filled=0.0, time_ns=10 * NS)
    market_order = order(kind="market", price=None, status="sent", time_ns=190 * NS)
    table = open_orders_table([exit_order, order(), market_order], 190 * NS, "exchange")
    texts = [[cell.text for cell in row] for row in table.rows]
    assert texts == [
        ["< 1 s", "BTC/USDT", "▲ BUY", "entry, market", "0.5", "0.1", "any", "◌ on its way"],
        ["1.5 min", "BTC/USDT", "▲ BUY", "entry, limit", "0.5", "0.1", "31,000.0", "◐ partly filled"],  # 190 - 100 s
        ["3 min", "BTC/USDT", "▼ SELL", "exit, stop", "0.5", "0", "31,000.0", "● open at the exchange"],  # 190 - 10 s
    ]
    assert table.rows[0][0].more == "wb-1"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("unknown", "▲ unknown: the exchange is being asked"),
        ("intent", "○ recorded, about to leave"),
        ("filled", "■ filled, being booked"),
    ],
)
def test_each_state_has_a_sign_and_words(status: str, text: str) -> None:
    (row,) = open_orders_table([order(status=status)], 0, "").rows
    assert row[-1].text == text
    assert row[0].text == "< 1 s"  # a clock that runs behind makes no negative age


def test_no_order_and_not_known_are_not_the_same() -> None:
    assert open_orders_table([], 0, "simulated").empty.endswith("fills at the next price")
    assert open_orders_table([], 0, "exchange").empty == "No order is open"
    assert unknown_orders_table().empty.startswith("Not known here")
