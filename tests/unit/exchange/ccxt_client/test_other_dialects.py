"""What the real ccxt makes of the answers of OKX and Bybit, and what we make of that."""

import json
from typing import Any

import ccxt
import pytest

from workbench.exchange.ccxt_client.call_record import CallRecord
from workbench.exchange.ccxt_client.taxonomy import is_duplicate, is_not_found, order_refusal
from workbench.live.resting_stop import is_crossed

DIALECTS = {"okx": ccxt.okx(), "bybit": ccxt.bybit()}


def okx(code: str, words: str) -> dict[str, Any]:
    """Return the answer to one order: the code outside only says that something failed."""
    return {"code": "1", "data": [{"ordId": "", "clOrdId": "wb1", "tag": "", "sCode": code, "sMsg": words}], "msg": ""}


def bybit(code: int, words: str) -> dict[str, Any]:
    return {"retCode": code, "retMsg": words, "result": {}, "retExtInfo": {}, "time": 1_700_000_000_000}


def answered(exchange: str, document: dict[str, Any]) -> tuple[Exception, CallRecord]:
    """Return what ccxt raises on an answer to an order, and the record of the call."""
    body = json.dumps(document)
    with pytest.raises(ccxt.BaseError) as caught:
        DIALECTS[exchange].handle_errors(200, "OK", "/order", "POST", {}, body, document, {}, "")
    return caught.value, CallRecord(sent_ns=1, status=200, body=body, document=document)


@pytest.mark.parametrize(
    ("exchange", "document", "code"),
    [
        ("okx", okx("51280", "SL trigger price cannot be higher than the last price"), "51280"),
        ("okx", okx("51278", "SL trigger price cannot be lower than the last price"), "51278"),
        ("bybit", bybit(110093, "expect Falling, but trigger_price[990] >= current[980]??LastPrice"), "110093"),
        ("bybit", bybit(110092, "expect Rising, but trigger_price[980] <= current[990]??LastPrice"), "110092"),
    ],
)
def test_stop_that_is_crossed_already_is_refused_for_certain(exchange: str, document: Any, code: str) -> None:
    refused = order_refusal(*answered(exchange, document))
    assert refused is not None
    assert (refused.code, refused.was_sent) == (code, True)
    assert is_crossed(refused.reason, refused.code)


@pytest.mark.parametrize(
    ("exchange", "document", "code"),
    [
        ("okx", okx("51008", "Order failed. Insufficient USDT balance in account"), "51008"),
        ("okx", okx("51277", "TP trigger price cannot be higher than the last price"), "51277"),
        ("okx", okx("51000", "Parameter clOrdId error"), "51000"),
        ("okx", {"code": "50111", "data": [], "msg": "Invalid OK-ACCESS-KEY"}, "50111"),
        ("bybit", bybit(110007, "ab not enough for new order"), "110007"),
        ("bybit", bybit(170131, "Balance insufficient"), "170131"),
        ("bybit", bybit(170204, "trigger price cannot be higher than 110% price"), "170204"),
    ],
)
def test_other_refusals_are_certain_and_say_nothing_of_a_crossed_stop(exchange: str, document: Any, code: str) -> None:
    refused = order_refusal(*answered(exchange, document))
    assert refused is not None
    assert refused.code == code
    assert not is_crossed(refused.reason, refused.code)


@pytest.mark.parametrize(
    ("exchange", "document"),
    [
        ("okx", okx("50004", "API endpoint request timeout")),
        ("okx", {"code": "50004", "data": [], "msg": "API endpoint request timeout"}),
        ("okx", okx("50026", "System error")),
        ("okx", okx("59999", "never heard of")),
        ("bybit", bybit(10000, "Server Timeout")),
        ("bybit", bybit(10016, "Server error.")),
        ("bybit", bybit(170007, "Timeout waiting for response from backend server.")),
        ("bybit", bybit(170035, "Submitted to the system for processing!")),
        ("bybit", bybit(170146, "Order creation timeout")),
        ("bybit", bybit(170147, "Order cancellation timeout")),
        ("bybit", bybit(999999, "never heard of")),
    ],
)
def test_words_that_leave_it_open_refuse_nothing(exchange: str, document: Any) -> None:
    error, record = answered(exchange, document)
    assert order_refusal(error, record) is None
    assert not is_duplicate(error, record)


@pytest.mark.parametrize(
    ("exchange", "document"),
    [
        ("okx", okx("51016", "Client order ID already exists.")),
        ("okx", okx("51016", "Duplicated client order ID")),
        ("okx", okx("51011", "Duplicated order ID")),
        ("bybit", bybit(110072, "OrderLinkedID is duplicate")),
        ("bybit", bybit(110030, "Duplicate orderId")),
        ("bybit", bybit(170141, "Duplicate clientOrderId")),
        ("bybit", bybit(10014, "Invalid duplicate request.")),
    ],
)
def test_order_that_it_has_already_is_ours(exchange: str, document: Any) -> None:
    assert is_duplicate(*answered(exchange, document))


@pytest.mark.parametrize(
    ("exchange", "document", "is_told"),
    [
        ("okx", okx("51603", "Order does not exist"), True),
        ("okx", okx("50004", "API endpoint request timeout"), False),
        ("bybit", bybit(110001, "Order does not exist"), True),
        ("bybit", bybit(10016, "Server error."), False),
    ],
)
def test_order_is_missing_only_where_the_exchange_says_so(exchange: str, document: Any, *, is_told: bool) -> None:
    assert is_not_found(*answered(exchange, document)) is is_told


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"code": "0", "data": [{"ordId": "1", "sCode": "0"}]}, "0"),
        ({"code": "1", "data": []}, "1"),
        ({"code": "1", "data": ["odd"]}, "1"),
        ({"code": "1", "data": {"sCode": "5"}}, "1"),
        ({"data": [{"sCode": "51008"}]}, "51008"),
        ([{"sCode": "51008"}], None),
        ({"data": [{}]}, None),
    ],
)
def test_code_of_the_order_is_read_where_there_is_one(document: Any, code: str | None) -> None:
    assert CallRecord(status=200, document=document).code == code
