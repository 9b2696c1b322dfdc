"""Which orders a market's filters let through, and Binance's codes for those that they do not."""

import pytest

from tests.unit.exchange.practice.engines import Desk
from workbench.exchange.practice.refusals import RefusalError


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"quantity": "-0.5"}, "-1100 Illegal characters found in parameter 'quantity'"),
        ({"quantity": "1e-3"}, "-1100"),
        ({"quantity": "nan"}, "-1100"),
        ({"quantity": ""}, "-1102 Mandatory parameter 'quantity'"),
        ({"quantity": "0"}, "-1013 Invalid quantity"),
        ({"quantity": "0.0015"}, "-1013 Filter failure: LOT_SIZE"),
        ({"quantity": "1.000000001"}, "-1111"),
        ({"quantity": "99999999999"}, "-1013 Filter failure: LOT_SIZE"),
        ({"price": "99.005"}, "-1013 Filter failure: PRICE_FILTER"),
        ({"price": "99.000000001"}, "-1111"),
        ({"price": "0"}, "-1013 Invalid price"),
        ({"price": "501"}, "-1013 Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"price": "19"}, "-1013 Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.05", "price": "99"}, "-1013 Filter failure: NOTIONAL"),
        ({"side": "HOLD"}, "-1117 Invalid side"),
        ({"side": ""}, "-1102 Mandatory parameter 'side'"),
        ({"type": "ICEBERG"}, "-1116 Invalid orderType"),
        ({"timeInForce": "DAY"}, "-1115 Invalid timeInForce"),
        ({"timeInForce": "GTX"}, "-1115"),
        ({"reduceOnly": "true"}, "-1106 Parameter 'reduceOnly' sent when not required"),
        ({"trailingDelta": "100"}, "-1106"),
        ({"icebergQty": "0.1"}, "-1106"),
        ({"positionSide": "LONG"}, "-4061"),
        ({"newClientOrderId": "ä"}, "-1100 Illegal characters found in parameter 'newClientOrderId'"),
        ({"newClientOrderId": "x" * 37}, "-1100"),
        ({"type": "STOP_LOSS_LIMIT"}, "-1102 Mandatory parameter 'stopPrice'"),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "95.001"}, "-1013 Filter failure: PRICE_FILTER"),
    ],
)
def test_order_is_refused(changes: dict[str, str], refusal: str) -> None:
    desk = Desk()
    wanted = {"side": "BUY", "kind": "LIMIT", "quantity": "1", "price": "99"}
    more = {name: text for name, text in changes.items() if name not in {*wanted, "type"}}
    wanted |= {("kind" if name == "type" else name): text for name, text in changes.items() if name not in more}
    with pytest.raises(RefusalError, match=refusal):
        desk.place(**wanted, **more)
    assert desk.told == []


def test_limit_order_without_price_or_time_in_force_is_refused() -> None:
    desk = Desk()
    with pytest.raises(RefusalError, match="Mandatory parameter 'price'"):
        desk.place("BUY", "LIMIT", "1", timeInForce="GTC")


def test_order_within_every_filter_is_taken() -> None:
    assert Desk().place("BUY", "LIMIT", "0.056", "90").status == "NEW"  # 5.04 USDT
