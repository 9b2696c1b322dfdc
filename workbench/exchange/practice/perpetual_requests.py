"""Answers of the interface of perpetuals: orders, fills, positions, leverage and funding."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.exchange.practice import account_requests as account
from workbench.exchange.practice import perpetual_messages as messages
from workbench.exchange.practice.contract_refusals import contract_refusal
from workbench.exchange.practice.market_requests import market_routes
from workbench.exchange.practice.numbers import ZERO, decimal_text, read_integer
from workbench.exchange.practice.order_entry import PERPETUAL_KINDS
from workbench.exchange.practice.refusals import RefusalError, missing_parameter
from workbench.exchange.practice.routes import Request, Route, RouteTable
from workbench.exchange.practice.stream_messages import FUNDING_RATE, next_funding_ms

if TYPE_CHECKING:
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import PracticeOrder
    from workbench.exchange.practice.venue import Venue

__all__ = ["PERPETUAL_ROUTES"]

_IDS: Final = ("orderId", "origClientOrderId")
_ALGO_IDS: Final = ("algoId", "clientAlgoId")
_FUNDING_MS: Final = 8 * 3_600_000
_MOST_FUNDINGS: Final = 1_000
_USUAL_FUNDINGS: Final = 100


def _listing(venue: Venue, request: Request) -> Listing:
    return venue.perpetual.listing(request.params.get("symbol"))


def _place(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.order_json(_placed(venue, request))


def _placed(venue: Venue, request: Request) -> PracticeOrder:
    try:
        return account.placed(venue.perpetual, venue, request, PERPETUAL_KINDS)
    except RefusalError as refusal:
        raise contract_refusal(refusal, _listing(venue, request)) from refusal


def _place_algo(venue: Venue, request: Request) -> dict[str, Any]:
    params = request.params
    renamed = {"stopPrice": params.get("triggerPrice", ""), "newClientOrderId": params.get("clientAlgoId", "")}
    conditional = Request(params | {name: value for name, value in renamed.items() if value}, request.receipt)
    return messages.algo_order_json(_placed(venue, conditional))


def _order(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.order_json(account.found_order(venue.perpetual, request, id_names=_IDS))


def _algo_order(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.algo_order_json(account.found_order(venue.perpetual, request, id_names=_ALGO_IDS))


def _cancel(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.order_json(account.cancelled(venue.perpetual, venue, request, id_names=_IDS))


def _cancel_algo(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.algo_order_json(account.cancelled(venue.perpetual, venue, request, id_names=_ALGO_IDS))


def _cancel_all(venue: Venue, request: Request) -> dict[str, Any]:
    for order in account.open_orders(venue.perpetual, Request({"symbol": _listing(venue, request).symbol})):
        venue.perpetual.engine.cancel(order, venue.now_ms())
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _open_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    orders = account.open_orders(venue.perpetual, request)
    return [messages.order_json(order) for order in orders if not _is_conditional(order)]


def _open_algo_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    orders = account.open_orders(venue.perpetual, request)
    return [messages.algo_order_json(order) for order in orders if _is_conditional(order)]


def _all_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    orders = account.all_orders(venue.perpetual, request)
    return [messages.order_json(order) for order in orders if not _is_conditional(order)]


def _all_algo_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    orders = account.all_orders(venue.perpetual, request)
    return [messages.algo_order_json(order) for order in orders if _is_conditional(order)]


def _user_trades(venue: Venue, request: Request) -> list[dict[str, Any]]:
    return [messages.fill_json(fill) for fill in account.own_fills(venue.perpetual, request)]


def _account(venue: Venue, _request: Request) -> dict[str, Any]:
    return messages.account_json(venue.perpetual_account, venue.now_ms())


def _balance(venue: Venue, _request: Request) -> list[dict[str, Any]]:
    assets: Any = messages.account_json(venue.perpetual_account, venue.now_ms())["assets"]
    return [asset | {"balance": asset["walletBalance"], "accountAlias": "practice"} for asset in assets]


def _position_risk(venue: Venue, request: Request) -> list[dict[str, Any]]:
    wanted = request.params.get("symbol")
    positions = venue.perpetual_account.positions
    return [
        messages.position_risk_json(position, venue.perpetual.last(symbol), venue.perpetual_account)
        for symbol, position in sorted(positions.items())
        if (position.amount != ZERO if wanted is None else symbol == wanted)
    ]


def _leverage(venue: Venue, request: Request) -> dict[str, Any]:
    listing, leverage = _listing(venue, request), read_integer(request.params, "leverage")
    if leverage is None:
        raise missing_parameter("leverage")
    if not 1 <= leverage <= listing.instrument.max_leverage:
        raise RefusalError(-4028, f"Leverage {leverage} is not valid")
    venue.perpetual_account.position(listing).leverage = leverage
    return {"symbol": listing.symbol, "leverage": leverage, "maxNotionalValue": "INF"}


def _margin_type(venue: Venue, request: Request) -> dict[str, Any]:
    listing = _listing(venue, request)
    wanted = request.params.get("marginType", "")
    if wanted not in {"CROSSED", "ISOLATED"}:
        raise RefusalError(-4140, "Invalid margin type")
    if wanted == "ISOLATED":
        # Refused rather than taken and not kept to: positions share their wallet here.
        raise RefusalError(-4067, "Isolated margin is not offered on the practice exchange.")
    venue.perpetual_account.position(listing)
    raise RefusalError(-4046, "No need to change margin type.")


def _leverage_bracket(venue: Venue, request: Request) -> list[dict[str, Any]]:
    wanted = request.params.get("symbol")
    return [
        {
            "symbol": listing.symbol,
            "brackets": [
                {
                    "bracket": 1,
                    "initialLeverage": int(listing.instrument.max_leverage),
                    "notionalCap": 1_000_000_000_000,
                    "notionalFloor": 0,
                    "maintMarginRatio": listing.instrument.maintenance_margin,
                    "cum": 0.0,
                }
            ],
        }
        for listing in venue.perpetual.listings.values()
        if wanted in {None, listing.symbol}
    ]


def _commission_rate(venue: Venue, request: Request) -> dict[str, Any]:
    listing = _listing(venue, request)
    return {
        "symbol": listing.symbol,
        "makerCommissionRate": str(listing.maker_rate),
        "takerCommissionRate": str(listing.taker_rate),
    }


def _premium_index(venue: Venue, request: Request) -> Any:  # noqa: ANN401 -- one or a list, as asked
    def answer(listing: Listing) -> dict[str, Any]:
        price, now_ms = decimal_text(venue.perpetual.last(listing.symbol)), venue.now_ms()
        return {
            "symbol": listing.symbol,
            "markPrice": price,
            "indexPrice": price,
            "estimatedSettlePrice": price,
            "lastFundingRate": FUNDING_RATE,
            "interestRate": FUNDING_RATE,
            "nextFundingTime": next_funding_ms(now_ms),
            "time": now_ms,
        }

    if "symbol" in request.params:
        return answer(_listing(venue, request))
    return [answer(listing) for listing in venue.perpetual.listings.values()]


def _funding_rate(venue: Venue, request: Request) -> list[dict[str, Any]]:
    symbol, now_ms = _listing(venue, request).symbol, venue.now_ms()
    count = max(1, min(read_integer(request.params, "limit", _USUAL_FUNDINGS) or 1, _MOST_FUNDINGS))
    end = min(read_integer(request.params, "endTime", now_ms) or now_ms, now_ms)
    start = read_integer(request.params, "startTime")
    last = next_funding_ms(end) - _FUNDING_MS
    first = last - (count - 1) * _FUNDING_MS if start is None else next_funding_ms(start - 1)
    times = list(range(first, last + 1, _FUNDING_MS))[:count]
    return [
        {"symbol": symbol, "fundingTime": time_ms, "fundingRate": FUNDING_RATE, "markPrice": ""} for time_ms in times
    ]


def _income(venue: Venue, request: Request) -> list[dict[str, Any]]:
    symbol, kind = request.params.get("symbol"), request.params.get("incomeType")
    return [
        {
            "symbol": income.symbol,
            "incomeType": income.kind,
            "income": decimal_text(income.amount),
            "asset": income.asset,
            "time": income.time_ms,
            "info": income.kind,
            "tranId": number,
            "tradeId": "",
        }
        for number, income in enumerate(venue.perpetual.incomes, 1)
        if symbol in {None, income.symbol} and kind in {None, income.kind}
    ]


def _open_listen_key(venue: Venue, _request: Request) -> dict[str, Any]:
    if not venue.listen_keys:
        venue.listen_keys.add(secrets.token_hex(32))
    return {"listenKey": next(iter(venue.listen_keys))}


def _close_listen_key(venue: Venue, _request: Request) -> dict[str, Any]:
    venue.listen_keys.clear()
    return {}


def _is_conditional(order: PracticeOrder) -> bool:
    return order.wanted.stop_price is not None


_signed: Final = partial(Route, access="signed")

PERPETUAL_ROUTES: Final[RouteTable] = market_routes("/fapi/v1", "perpetual") | {
    "POST /fapi/v1/order": _signed(_place),
    "GET /fapi/v1/order": _signed(_order),
    "DELETE /fapi/v1/order": _signed(_cancel),
    "GET /fapi/v1/openOrders": _signed(_open_orders),
    "DELETE /fapi/v1/allOpenOrders": _signed(_cancel_all),
    "GET /fapi/v1/allOrders": _signed(_all_orders),
    "POST /fapi/v1/algoOrder": _signed(_place_algo),
    "GET /fapi/v1/algoOrder": _signed(_algo_order),
    "DELETE /fapi/v1/algoOrder": _signed(_cancel_algo),
    "GET /fapi/v1/openAlgoOrders": _signed(_open_algo_orders),
    "GET /fapi/v1/allAlgoOrders": _signed(_all_algo_orders),
    "GET /fapi/v1/userTrades": _signed(_user_trades),
    "GET /fapi/v2/account": _signed(_account),
    "GET /fapi/v3/account": _signed(_account),
    "GET /fapi/v2/balance": _signed(_balance),
    "GET /fapi/v3/balance": _signed(_balance),
    "GET /fapi/v2/positionRisk": _signed(_position_risk),
    "GET /fapi/v3/positionRisk": _signed(_position_risk),
    "POST /fapi/v1/leverage": _signed(_leverage),
    "POST /fapi/v1/marginType": _signed(_margin_type),
    "GET /fapi/v1/commissionRate": _signed(_commission_rate),
    "GET /fapi/v1/leverageBracket": _signed(_leverage_bracket),
    "GET /fapi/v1/positionSide/dual": _signed(lambda _venue, _request: {"dualSidePosition": False}),
    "GET /fapi/v1/income": _signed(_income),
    "GET /fapi/v1/premiumIndex": Route(_premium_index),
    "GET /fapi/v1/fundingRate": Route(_funding_rate),
    "POST /fapi/v1/listenKey": Route(_open_listen_key, "key"),
    "PUT /fapi/v1/listenKey": Route(_open_listen_key, "key"),
    "DELETE /fapi/v1/listenKey": Route(_close_listen_key, "key"),
}
"""Everything that the interface of perpetuals answers."""
