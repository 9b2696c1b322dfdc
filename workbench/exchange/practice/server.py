"""The network side of the exchange: requests, websockets, and the timer that plays the market."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from workbench.exchange.practice import misbehaviour
from workbench.exchange.practice.control import CONTROL_ROUTES
from workbench.exchange.practice.hub import Listener, StreamHub
from workbench.exchange.practice.perpetual_requests import PERPETUAL_ROUTES
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.routes import Request
from workbench.exchange.practice.sockets import serve_interface, serve_streams
from workbench.exchange.practice.spot_requests import SPOT_ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.exchange.practice.outbox import MarketMessage, UserMessage
    from workbench.exchange.practice.routes import Route
    from workbench.exchange.practice.venue import Venue

__all__ = ["PracticeServer"]

_HOST: Final = "127.0.0.1"
# The market is told in pieces of at least this many real seconds, so that a fast clock does not cost a task per print.
_PIECE_S: Final = 0.002
_SHUTDOWN_S: Final = 2.0
_TURNS: Final = 5
_BACKLOG: Final = 128
# Where a request for a new order has the client's own id of it.
_NEW_ORDERS: Final = {
    "POST /api/v3/order": "newClientOrderId",
    "POST /fapi/v1/order": "newClientOrderId",
    "POST /fapi/v1/algoOrder": "clientAlgoId",
}
_ROUTES: Final = SPOT_ROUTES | PERPETUAL_ROUTES | CONTROL_ROUTES


Message = TypeVar("Message", "MarketMessage", "UserMessage")


class PracticeServer:
    """A practice exchange on a port of this machine's loopback address.

    Parameters
    ----------
    venue : Venue
        The exchange.
    latency_s : float, default 0.0
        Real seconds that a request spends on the way, there and back together; a stream's message spends half of it.
    on_order : callable, optional
        Called with the client's own id of each request for a new order, before anything else is done.
    """

    def __init__(self, venue: Venue, *, latency_s: float = 0.0, on_order: Callable[[str], None] | None = None) -> None:
        self.venue = venue
        self._on_order = on_order
        self.latency_s = latency_s
        self.port = 0
        self._hubs = {name: StreamHub(venue.section(name), name, venue.outbox) for name in ("spot", "perpetual")}
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_SHUTDOWN_S)
        self._listening: socket.socket | None = None
        self._is_stopped = False
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns: int | None = None

    async def start(self, port: int) -> None:
        """Listen on a port of the loopback address (0: any free one) and begin to play."""
        self._listening = socket.create_server((_HOST, port), backlog=_BACKLOG)
        await self._runner.setup()
        self.port = int(self._listening.getsockname()[1])
        await web.SockSite(self._runner, self._listening).start()

    async def stop(self) -> None:
        """Stop playing, say goodbye to websockets and close the port."""
        self._is_stopped = True
        self._set_timer(None)
        for client in list(self._sockets):
            with suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(client.close(), _SHUTDOWN_S)
        # asyncio forgets a connection that it accepted just before its listener closed: stop accepting first, and let
        # the loop come round to those that are on their way.
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
        await _let_loop_turn()
        await self._runner.cleanup()
        await _let_loop_turn()

    def catch_up(self) -> None:
        """Play what is due and send what came of it."""
        self.venue.catch_up()
        self.flush()

    def flush(self) -> None:
        """Send what was collected, and look anew when something is due."""
        outbox = self.venue.outbox
        for name, hub in self._hubs.items():
            self._send(hub.send_market, outbox.take_market(name))
            self._send(hub.send_user, outbox.take_user(name))
        due_ns = None if self._is_stopped else self.venue.next_due_ns()
        if due_ns != self._timer_ns:
            self._set_timer(due_ns)

    def drop_sockets(self) -> int:
        """Cut every websocket off without a goodbye and return how many there were."""
        transports = list(self._sockets.values())
        for transport in transports:
            transport.abort()
        return len(transports)

    def _send(self, send: Callable[[list[Message]], None], messages: list[Message]) -> None:
        """Send messages, each after the time that it spends on the way."""
        if not messages:
            return
        if self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s / 2, send, messages)
        else:
            send(messages)

    def _set_timer(self, due_ns: int | None) -> None:
        """Play again when the market has something due, by the exchange's clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_ns = due_ns
        wait_s = None if due_ns is None else self.venue.clock.real_seconds_until(due_ns)
        if wait_s is not None:
            self._timer = asyncio.get_running_loop().call_later(max(wait_s, _PIECE_S), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_ns = None
        self.catch_up()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_socket(request)
        if self.latency_s:
            await asyncio.sleep(self.latency_s / 2)
        response = await self._respond(request)
        if self.latency_s:
            await asyncio.sleep(self.latency_s / 2)
        return response

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, or do what a fault wants instead."""
        name = f"{request.method} {request.path}"
        body = (await request.read()).decode(errors="replace") if request.can_read_body else ""
        if self._on_order is not None and (id_name := _NEW_ORDERS.get(name)) is not None:
            self._on_order(dict(parse_qsl(f"{request.rel_url.raw_query_string}&{body}")).get(id_name, ""))
        if not request.path.startswith("/practice/"):
            refusal = misbehaviour.strike_before(self.venue, name, request)
            if refusal is not None:
                return refusal
        route = _ROUTES.get(name)
        if route is None:
            text = f"Path {request.path}, Method {request.method} is invalid"
            return _json({"code": -5000, "msg": text}, 404)
        try:
            admitted = self._admit(route, request, body)
            if misbehaviour.strike_late(self.venue, name, route, admitted):
                return misbehaviour.hang_up(request)
            self.venue.catch_up()
            if route.is_slow:
                answer = await asyncio.to_thread(route.answer, self.venue, admitted)
            else:
                answer = route.answer(self.venue, admitted)
            # Only now: what was refused was not carried out, so there is no answer to spoil.
            status, after = 200, misbehaviour.strike_after(self.venue, name)
        except RefusalError as error:
            answer, status, after = error.as_json(), error.status, None
        finally:
            self.flush()
        if self.venue.wants_drop:
            self.venue.wants_drop = False
            self.drop_sockets()
        if after is not None:
            return await misbehaviour.spoil(after, request, answer)
        return _json(answer, status)

    def _admit(self, route: Route, request: web.BaseRequest, body: str) -> Request:
        """Return a request that may be answered, with its parameters."""
        query = request.rel_url.raw_query_string
        payload = query + ("&" if query and body else "") + body
        key = request.headers.get("X-MBX-APIKEY")
        if route.access == "signed":
            return Request(*self.venue.guard.check_query(payload, key))
        if route.access == "key":
            self.venue.guard.check_key(key)
        if route.access == "control":
            self.venue.guard.check_owner(key)
            return Request({"json": body})
        return Request(dict(parse_qsl(payload, keep_blank_values=True)))

    async def _serve_socket(self, request: web.BaseRequest) -> web.StreamResponse:
        client = web.WebSocketResponse(heartbeat=20.0, compress=False)
        await client.prepare(request)
        transport = request.transport
        if transport is None:
            return client
        self._sockets[client] = transport
        listener = Listener(transport, is_combined=request.path.endswith("/stream"))
        is_perpetual = request.path.startswith("/linear")
        hub = self._hubs["perpetual" if is_perpetual else "spot"]
        try:
            if request.path.startswith("/ws-api"):
                await serve_interface(client, listener, hub, self.venue, self.flush)
                return client
            self._begin_streams(request, listener, hub)
            await serve_streams(client, listener, hub, self.venue, self.flush)
        except RefusalError:
            await client.close(code=1008)
        except ConnectionError:  # the client went away while it was being answered
            return client
        finally:
            self._sockets.pop(client, None)
            hub.remove(listener)
            self.flush()
        return client

    def _begin_streams(self, request: web.BaseRequest, listener: Listener, hub: StreamHub) -> None:
        """Let a client hear what its address names: streams, or the account's events.

        Raises
        ------
        RefusalError
            The streams do not exist, or the key to the account's events was never given.
        """
        self.venue.catch_up()
        listen_key = request.query.get("listenKey")
        if listen_key is not None:
            if listen_key not in self.venue.listen_keys:
                raise RefusalError(-1125, "This listenKey does not exist.")
            hub.add_user(listener, "%s")
        hub.subscribe(listener, [stream for stream in request.query.get("streams", "").split("/") if stream])
        self.flush()


async def _let_loop_turn() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _json(answer: Any, status: int) -> web.Response:  # noqa: ANN401 -- whatever becomes JSON
    return web.Response(body=json.dumps(answer).encode(), status=status, content_type="application/json")
