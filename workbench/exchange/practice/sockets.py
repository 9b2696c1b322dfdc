"""Websocket conversations: subscribing to streams, and the websocket interface with the account's events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSMsgType, web

from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.routes import Request
from workbench.exchange.practice.spot_requests import SPOT_ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.exchange.practice.hub import Listener, StreamHub
    from workbench.exchange.practice.venue import Venue

__all__ = ["serve_interface", "serve_streams"]

_OK: Final = 200
_TOO_MANY: Final = 429
_SUBSCRIBE: Final = "userDataStream.subscribe.signature"

# What the websocket interface calls the requests of the other one.
_METHODS: Final = {
    "ping": "GET /api/v3/ping",
    "time": "GET /api/v3/time",
    "exchangeInfo": "GET /api/v3/exchangeInfo",
    "depth": "GET /api/v3/depth",
    "klines": "GET /api/v3/klines",
    "trades.recent": "GET /api/v3/trades",
    "trades.aggregate": "GET /api/v3/aggTrades",
    "ticker.24hr": "GET /api/v3/ticker/24hr",
    "order.place": "POST /api/v3/order",
    "order.cancel": "DELETE /api/v3/order",
    "order.status": "GET /api/v3/order",
    "openOrders.status": "GET /api/v3/openOrders",
    "openOrders.cancelAll": "DELETE /api/v3/openOrders",
    "allOrders": "GET /api/v3/allOrders",
    "myTrades": "GET /api/v3/myTrades",
    "account.status": "GET /api/v3/account",
}


async def serve_streams(
    socket: web.WebSocketResponse, listener: Listener, hub: StreamHub, venue: Venue, on_change: Callable[[], None]
) -> None:
    """Answer a client of market streams until it goes.

    Parameters
    ----------
    socket, listener
        Its connection.
    hub : StreamHub
        Where it listens.
    venue : Venue
        The exchange.
    on_change : callable
        Called when it listens to something else than before.
    """
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            break
        request = _read(message.data)
        answer: dict[str, Any] = {"result": None, "id": request.get("id")}
        # A stream begins now; the exchange may have stood still since somebody last listened.
        venue.catch_up()
        try:
            _change_streams(request, listener, hub, answer)
        except RefusalError as refusal:
            answer = {"error": {"code": refusal.code, "msg": refusal.text}, "id": request.get("id")}
        await socket.send_str(json.dumps(answer))
        on_change()


async def serve_interface(
    socket: web.WebSocketResponse, listener: Listener, hub: StreamHub, venue: Venue, on_change: Callable[[], None]
) -> None:
    """Answer a client of spot's websocket interface until it goes; takes what `serve_streams` does.

    Of the faults of requests it knows three: dropped, executed and then dropped, and rate limited.
    """
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            break
        request = _read(message.data)
        name = _METHODS.get(str(request.get("method")), "")
        if name and venue.faults.strike("dropped", name) is not None:
            listener.cut_off()
            break
        answer: dict[str, Any] = {"id": request.get("id"), "status": _OK}
        venue.catch_up()
        try:
            answer["result"] = _interface_result(request, listener, hub, venue)
        except RefusalError as refusal:
            answer |= {"status": refusal.status, "error": refusal.as_json()}
        if name and "result" in answer and venue.faults.strike("executed_then_dropped", name) is not None:
            listener.cut_off()
            break
        await socket.send_str(json.dumps(answer))
        on_change()


def _change_streams(request: dict[str, Any], listener: Listener, hub: StreamHub, answer: dict[str, Any]) -> None:
    method, params = request.get("method"), request.get("params", [])
    if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
        raise RefusalError(2, "Invalid request: params must be a list of streams")
    if method == "SUBSCRIBE":
        hub.subscribe(listener, params)
    elif method == "UNSUBSCRIBE":
        hub.unsubscribe(listener, params)
    elif method == "LIST_SUBSCRIPTIONS":
        answer["result"] = sorted(listener.streams)
    else:
        raise RefusalError(2, f"Invalid request: unknown method {method!r}")


def _interface_result(request: dict[str, Any], listener: Listener, hub: StreamHub, venue: Venue) -> Any:  # noqa: ANN401 -- becomes JSON
    method = str(request.get("method"))
    wanted = request.get("params") or {}
    if not isinstance(wanted, dict):
        raise RefusalError(-1102, "params must be an object")
    params = {name: _param_text(value) for name, value in wanted.items()}
    if method == _SUBSCRIBE:
        venue.guard.check_params(params)
        hub.add_user(listener, '{"subscriptionId":0,"event":%s}')
        return {"subscriptionId": 0}
    if method == "userDataStream.unsubscribe":
        hub.remove_user(listener)
        return {}
    name = _METHODS.get(method)
    if name is None:
        raise RefusalError(-1000, f"Unknown method {method!r}")
    if venue.faults.strike("rate_limited", name) is not None:
        raise RefusalError(-1003, "Too many requests; current limit is 6000 request weight.", _TOO_MANY)
    route = SPOT_ROUTES[name]
    receipt = venue.guard.check_params(params) if route.access == "signed" else None
    return route.answer(venue, Request(params, receipt))


def _param_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _read(text: str) -> dict[str, Any]:
    """Return a client's message, or an empty one when it is no JSON object: its method is then unknown."""
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
