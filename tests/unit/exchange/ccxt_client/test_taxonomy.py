"""What the real ccxt makes of Binance's answers, and what we make of that."""

from typing import Any

import ccxt
import pytest

from tests.scripted_exchange import ORDER, Answer, ScriptedExchange, limit_order, run
from workbench.errors import (
    AuthError,
    ExchangeError,
    ExchangeTimeoutError,
    ExchangeUnavailableError,
    RateLimitError,
)
from workbench.exchange import Accepted, CcxtClient, Refused, Unknown
from workbench.exchange.ccxt_client.call_record import CallRecord
from workbench.exchange.ccxt_client.taxonomy import order_refusal, read_problem

ACCOUNT = "/api/v3/account"
REVOKED = {"status": 401, "body": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}}


def refusal(code: int, message: str) -> dict[str, Any]:
    return {"status": 400, "body": {"code": code, "msg": message}}


async def raised_by_ccxt(exchange: ScriptedExchange, client: CcxtClient, answer: dict[str, Any]) -> Exception:
    hidden: Any = client._exchange  # noqa: SLF001 - what ccxt itself does is the fact under test
    exchange.will("GET", ACCOUNT, Answer(**answer))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
        await hidden.fetch_balance()
    return caught.value


@pytest.mark.parametrize(
    ("answer", "by_ccxt", "ours", "retryable"),
    [
        ({"status": 429, "body": {"code": -1003, "msg": "Too many"}}, ccxt.DDoSProtection, RateLimitError, True),
        ({"status": 418, "body": {"code": -1003, "msg": "Banned"}}, ccxt.DDoSProtection, RateLimitError, True),
        ({"status": 503, "body": {"code": -1, "msg": "Busy"}}, ccxt.ExchangeError, ExchangeUnavailableError, True),
        ({"status": 503, "body": "busy"}, ccxt.ExchangeNotAvailable, ExchangeUnavailableError, True),
        ({"status": 504, "body": "late"}, ccxt.RequestTimeout, ExchangeUnavailableError, True),
        ({"drop": True}, ccxt.ExchangeNotAvailable, ExchangeUnavailableError, True),
        (REVOKED, ccxt.AuthenticationError, AuthError, False),
        (refusal(-1022, "Signature for this request is not valid."), ccxt.AuthenticationError, AuthError, False),
        (refusal(-1021, "Timestamp for this request is outside."), ccxt.InvalidNonce, ExchangeError, True),
        (refusal(-1121, "Invalid symbol."), ccxt.BadSymbol, ExchangeError, False),
        (refusal(-9999, "Never heard of."), ccxt.ExchangeError, ExchangeError, False),
    ],
)
def test_read_fails_as_what_it_is(
    answer: dict[str, Any], by_ccxt: type[Exception], ours: type[ExchangeError], *, retryable: bool
) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        answer.setdefault("headers", {"Retry-After": "0"})
        assert type(await raised_by_ccxt(exchange, client, answer)) is by_ccxt
        exchange.will("GET", ACCOUNT, Answer(**answer))
        with pytest.raises(ExchangeError) as caught:
            await client.balances()
        assert type(caught.value) is ours
        assert (caught.value.retryable, caught.value.exchange) == (retryable, "practice")
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    run(test)


def test_key_that_is_revoked_after_a_login_is_an_auth_error() -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        hidden: Any = client._exchange  # noqa: SLF001 - ccxt notes there that a key has worked
        hidden.options["hasAlreadyAuthenticatedSuccessfully"] = True
        assert type(await raised_by_ccxt(exchange, client, REVOKED)) is ccxt.DDoSProtection
        exchange.will("GET", ACCOUNT, Answer(**REVOKED))
        with pytest.raises(AuthError, match="tell balances: the key is not accepted, HTTP 401") as caught:
            await client.balances()
        assert not caught.value.retryable
        exchange.will("POST", ORDER, Answer(**REVOKED))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Refused)
        assert outcome.code == "-2015"
        assert outcome.reason.startswith("the key is not accepted, HTTP 401")

    run(test)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal(-2010, "Account has insufficient balance for requested action."), "-2010"),
        (refusal(-1013, "Filter failure: LOT_SIZE"), "-1013"),
        (refusal(-1013, "Filter failure: NOTIONAL"), "-1013"),
        (refusal(-2010, "Stop price would trigger immediately."), "-2010"),
        (refusal(-2021, "Order would immediately trigger."), "-2021"),
        (refusal(-2022, "ReduceOnly Order is rejected."), "-2022"),
        (refusal(-1021, "Timestamp for this request is outside of the recvWindow."), "-1021"),
        (refusal(-1022, "Signature for this request is not valid."), "-1022"),
        (refusal(-1121, "Invalid symbol."), "-1121"),
        (refusal(-1111, "Precision is over the maximum defined for this asset."), "-1111"),
        (REVOKED, "-2015"),
    ],
)
def test_order_is_refused_by_the_exchanges_own_words_only(answer: dict[str, Any], code: str) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        exchange.will("POST", ORDER, Answer(**answer))
        outcome = await client.place_order(limit_order())
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.was_sent) == (code, True)
        assert answer["body"]["msg"] in outcome.reason

    run(test)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_the_same_words_with_a_server_error_refuse_nothing(status: int) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        body = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
        exchange.will("POST", ORDER, Answer(status=status, body=body))
        assert isinstance(await client.place_order(limit_order()), Unknown)

    run(test)


def test_cancel_of_what_is_not_open_is_refused_as_not_found() -> None:
    async def test(_: ScriptedExchange, client: CcxtClient) -> None:
        outcome = await client.cancel_order("BTC/USDT", "never-sent")
        assert isinstance(outcome, Refused)
        assert outcome.code == "not_found"
        assert await client.order("BTC/USDT", "never-sent") is None

    run(test)


@pytest.mark.parametrize(
    "answer", [{"drop": True}, {"status": 504, "body": "late"}, {"body": "ok"}, {"body": {}}, {"body": {"status": "x"}}]
)
def test_cancel_without_a_clear_answer_is_unknown_and_may_be_repeated(answer: dict[str, Any]) -> None:
    async def test(exchange: ScriptedExchange, client: CcxtClient) -> None:
        assert isinstance(await client.place_order(limit_order()), Accepted)
        exchange.will("DELETE", ORDER, Answer(**answer))
        assert isinstance(await client.cancel_order("BTC/USDT", "wb-1"), Unknown)
        outcome = await client.cancel_order("BTC/USDT", "wb-1")
        assert isinstance(outcome, Accepted)
        assert outcome.order.status == "cancelled"

    run(test)


def test_order_that_never_left_is_refused_and_not_unknown() -> None:
    refused = order_refusal(ccxt.NotSupported("no such order type"), CallRecord())
    assert refused is not None
    assert (refused.code, refused.was_sent) == ("order_kind", False)
    # The same error after something has left says nothing for certain without an answer.
    assert order_refusal(ccxt.NotSupported("no such order type"), CallRecord(sent_ns=1)) is None


def test_answer_that_ccxt_stumbles_over_is_worth_another_try() -> None:
    stumbled = read_problem("x", "y", KeyError("symbol"), CallRecord(status=200, document={"odd": 1}))
    assert type(stumbled) is ExchangeUnavailableError
    assert type(read_problem("x", "y", ccxt.RequestTimeout("late"), CallRecord())) is ExchangeTimeoutError


def test_message_is_short_and_without_the_query() -> None:
    told = str(read_problem("x", "y", ccxt.NetworkError("GET http://a/b?signature=abc " + "z" * 9_999), CallRecord()))
    assert "abc" not in told
    assert len(told) < 600
