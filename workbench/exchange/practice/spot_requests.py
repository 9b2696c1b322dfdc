"""Answers of the spot interface: orders, fills and balances of the account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.exchange.practice import account_requests as account
from workbench.exchange.practice import spot_messages as messages
from workbench.exchange.practice.market_requests import market_routes
from workbench.exchange.practice.order_entry import SPOT_KINDS, read_order
from workbench.exchange.practice.routes import Request, Route, RouteTable

if TYPE_CHECKING:
    from workbench.exchange.practice.venue import Venue

__all__ = ["SPOT_ROUTES", "place_order"]

_IDS: Final = ("orderId", "origClientOrderId")


def place_order(venue: Venue, request: Request) -> dict[str, Any]:
    """Place an order and return what ``POST /api/v3/order`` answers."""
    order = account.placed(venue.spot, venue, request, SPOT_KINDS)
    usual = "FULL" if order.wanted.wire_kind in {"MARKET", "LIMIT"} else "ACK"
    return messages.new_order_json(order, request.params.get("newOrderRespType", usual))


def _test_order(venue: Venue, request: Request) -> dict[str, Any]:
    listing = venue.spot.listing(request.params.get("symbol"))
    read_order(request.params, listing, venue.spot.book(listing.symbol), SPOT_KINDS, "test")
    return {}


def _order(venue: Venue, request: Request) -> dict[str, Any]:
    return messages.order_json(account.found_order(venue.spot, request, id_names=_IDS))


def _cancel(venue: Venue, request: Request) -> dict[str, Any]:
    order = account.cancelled(venue.spot, venue, request, id_names=_IDS)
    name = order.wanted.client_order_id
    return messages.order_json(order) | {"origClientOrderId": name, "transactTime": order.updated_ms}


def _cancel_all(venue: Venue, request: Request) -> list[dict[str, Any]]:
    return [messages.order_json(order) for order in account.cancel_all(venue.spot, venue, request)]


def _open_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    return [messages.order_json(order) for order in account.open_orders(venue.spot, request)]


def _all_orders(venue: Venue, request: Request) -> list[dict[str, Any]]:
    return [messages.order_json(order) for order in account.all_orders(venue.spot, request)]


def _my_trades(venue: Venue, request: Request) -> list[dict[str, Any]]:
    return [messages.fill_json(fill) for fill in account.own_fills(venue.spot, request)]


def _account(venue: Venue, _request: Request) -> dict[str, Any]:
    return messages.account_json(venue.spot_account, venue.now_ms())


def _restrictions(venue: Venue, _request: Request) -> dict[str, Any]:
    return {
        "ipRestrict": True,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": venue.faults.strike("key_may_withdraw", "GET /sapi/v1/account/apiRestrictions")
        is not None,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableMargin": False,
        "enableFutures": True,
    }


def _commission(venue: Venue, request: Request) -> dict[str, Any]:
    listing = venue.spot.listing(request.params.get("symbol"))
    return {
        "symbol": listing.symbol,
        "standardCommission": {"maker": str(listing.maker_rate), "taker": str(listing.taker_rate)},
    }


def _trade_fees(venue: Venue, request: Request) -> list[dict[str, Any]]:
    wanted = request.params.get("symbol")
    return [
        {
            "symbol": listing.symbol,
            "makerCommission": str(listing.maker_rate),
            "takerCommission": str(listing.taker_rate),
        }
        for listing in venue.spot.listings.values()
        if wanted in {None, listing.symbol}
    ]


_signed: Final = partial(Route, access="signed")

SPOT_ROUTES: Final[RouteTable] = market_routes("/api/v3", "spot") | {
    "POST /api/v3/order": _signed(place_order),
    "POST /api/v3/order/test": _signed(_test_order),
    "GET /api/v3/order": _signed(_order),
    "DELETE /api/v3/order": _signed(_cancel),
    "GET /api/v3/openOrders": _signed(_open_orders),
    "DELETE /api/v3/openOrders": _signed(_cancel_all),
    "GET /api/v3/allOrders": _signed(_all_orders),
    "GET /api/v3/myTrades": _signed(_my_trades),
    "GET /api/v3/account": _signed(_account),
    "GET /api/v3/account/commission": _signed(_commission),
    "GET /sapi/v1/asset/tradeFee": _signed(_trade_fees),
    "GET /sapi/v1/account/apiRestrictions": _signed(_restrictions),
    # What a ccxt client asks that was not told to leave margin, coins and inverse contracts out: there are none.
    "GET /sapi/v1/margin/allPairs": _signed(lambda _venue, _request: []),
    "GET /sapi/v1/margin/isolated/allPairs": _signed(lambda _venue, _request: []),
    "GET /sapi/v1/margin/allAssets": _signed(lambda _venue, _request: []),
    "GET /sapi/v1/capital/config/getall": _signed(lambda _venue, _request: []),
    "GET /dapi/v1/exchangeInfo": Route(lambda _venue, _request: {"symbols": []}),
    "GET /sapi/v1/system/status": Route(lambda _venue, _request: {"status": 0, "msg": "normal"}),
}
"""Everything that the spot interface answers."""
