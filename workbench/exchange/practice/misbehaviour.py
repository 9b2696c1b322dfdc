"""What the faults of requests do: refuse, hang up, answer nonsense, or let an order in too late."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from workbench.exchange.practice.refusals import RefusalError

if TYPE_CHECKING:
    from workbench.exchange.practice.faults import Fault, FaultKind
    from workbench.exchange.practice.routes import Request, Route
    from workbench.exchange.practice.venue import Venue

__all__ = ["hang_up", "spoil", "strike_after", "strike_before", "strike_late"]

_BEFORE: Final[tuple[FaultKind, ...]] = (
    "dropped",
    "rate_limited",
    "banned",
    "html_page",
    "maintenance",
    "maintenance_text",
    "key_revoked",
)
_AFTER: Final[tuple[FaultKind, ...]] = (
    "executed_then_dropped",
    "executed_then_504",
    "executed_then_silent",
    "garbage_body",
    "no_order_id",
    "truncated_body",
    "huge_body",
)
_HUGE_BYTES: Final = 32_000_000
_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1></body></html>"
)


def strike_before(venue: Venue, name: str, request: web.BaseRequest) -> web.Response | None:
    """Return the answer of a fault that keeps a request from being looked at; None when none strikes."""
    fault = venue.faults.strike_any(_BEFORE, name)
    if fault is None:
        return None
    if fault.kind == "dropped":
        return hang_up(request)
    if fault.kind == "html_page":
        return web.Response(text=_PAGE, status=403, content_type="text/html")
    wait = {"Retry-After": str(round(fault.seconds))}
    status, body, headers = {
        "rate_limited": (429, RefusalError(-1003, "Too many requests; current limit is 6000 request weight."), wait),
        "banned": (418, RefusalError(-1003, "Way too many requests; IP banned."), wait),
        "maintenance": (503, RefusalError(-1016, "This service is no longer available."), {}),
        "maintenance_text": (503, RefusalError(1, "System is under maintenance."), {}),
        "key_revoked": (401, RefusalError(-2015, "Invalid API-key, IP, or permissions for action."), {}),
    }[fault.kind]
    return web.json_response(body.as_json(), status=status, headers=headers)


def strike_late(venue: Venue, name: str, route: Route, request: Request) -> bool:
    """Return whether a request was put off: it reaches the exchange later, and its age is looked at again then."""
    fault = venue.faults.strike("accepted_late", name)
    if fault is None:
        return False

    def act() -> None:
        with suppress(RefusalError):
            route.answer(venue, request)

    venue.later(fault.seconds, act)
    return True


def strike_after(venue: Venue, name: str) -> Fault | None:
    """Return the fault that spoils the answer to a request that is carried out; None when none strikes."""
    return venue.faults.strike_any(_AFTER, name)


def hang_up(request: web.BaseRequest) -> web.Response:
    """Cut the connection; the response that is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def spoil(fault: Fault, request: web.BaseRequest, answer: Any) -> web.StreamResponse:  # noqa: ANN401 -- JSON
    """Return what a fault makes of the answer to a request that was carried out."""
    if fault.kind == "executed_then_504":
        return web.json_response(
            {"code": -1007, "msg": "Timeout waiting for response from backend server."}, status=504
        )
    if fault.kind == "garbage_body":
        return web.Response(text="\x00\x01 not json at all", content_type="application/json")
    if fault.kind == "no_order_id":
        hidden = {"orderId", "algoId"}
        return web.json_response({name: value for name, value in answer.items() if name not in hidden})
    if fault.kind == "huge_body":
        return web.Response(body=b'[{"filler":"' + b"x" * _HUGE_BYTES + b'"}]', content_type="application/json")
    if fault.kind == "truncated_body":
        return await _truncated(request, json.dumps(answer).encode())
    if fault.kind == "executed_then_silent":
        await asyncio.sleep(fault.seconds)
    return hang_up(request)


async def _truncated(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    """Announce a whole body, send half of it, and hang up."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    hang_up(request)
    return response
