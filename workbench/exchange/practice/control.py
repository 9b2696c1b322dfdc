"""The exchange's own interface, for faults, balances and foreign trades on command; asks for the account's key."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.routes import Request, Route, RouteTable

if TYPE_CHECKING:
    from workbench.exchange.practice.venue import Venue

__all__ = ["CONTROL_ROUTES"]


def _state(venue: Venue, _request: Request) -> dict[str, Any]:
    return {
        "time_ms": venue.now_ms(),
        "speed": venue.clock.speed,
        "spot": [listing.instrument.symbol for listing in venue.spot.listings.values()],
        "perpetual": [listing.instrument.symbol for listing in venue.perpetual.listings.values()],
        "faults": [asdict(fault) for fault in venue.faults.listed()],
    }


def _add_fault(venue: Venue, request: Request) -> dict[str, Any]:
    wanted = _body(request)
    unknown = set(wanted) - {"kind", "where", "times", "seconds", "probability"}
    if unknown:
        raise RefusalError(-1102, f"unknown fields: {', '.join(sorted(unknown))}")
    try:
        return asdict(venue.faults.add(**wanted))
    except (WorkbenchError, TypeError) as error:
        raise RefusalError(-1102, str(error)) from error


def _clear_faults(venue: Venue, _request: Request) -> dict[str, Any]:
    venue.faults.clear()
    venue.guard.skew_ms = 0
    venue.guard.is_revoked = False
    return {}


def _set_balance(venue: Venue, request: Request) -> dict[str, Any]:
    wanted = _body(request)
    try:
        venue.set_balance(str(wanted.get("asset", "")), _amount(wanted.get("free")))
    except WorkbenchError as error:
        raise RefusalError(-1102, str(error)) from error
    return {}


def _set_skew(venue: Venue, request: Request) -> dict[str, Any]:
    venue.guard.skew_ms = int(_amount(_body(request).get("milliseconds")))
    return {}


def _revoke(venue: Venue, _request: Request) -> dict[str, Any]:
    venue.guard.is_revoked = True
    return {}


def _drop(venue: Venue, _request: Request) -> dict[str, Any]:
    venue.wants_drop = True
    return {}


def _trade_as_other(venue: Venue, request: Request) -> dict[str, Any]:
    wanted = _body(request)
    symbol, side = str(wanted.get("symbol")), str(wanted.get("side"))
    try:
        return {"orderId": venue.trade_as_other(symbol, side, _amount(wanted.get("quantity")))}
    except WorkbenchError as error:
        raise RefusalError(-1102, str(error)) from error


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.params["json"])
    except ValueError as error:
        raise RefusalError(-1102, "the body must be a JSON object") from error
    if not isinstance(body, dict):
        raise RefusalError(-1102, "the body must be a JSON object")
    return body


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise RefusalError(-1102, f"an amount must be a number, was {value!r}") from error
    if not amount.is_finite():
        raise RefusalError(-1102, f"an amount must be finite, was {value!r}")
    return amount


CONTROL_ROUTES: Final[RouteTable] = {
    "GET /practice/state": Route(_state, "control"),
    "POST /practice/faults": Route(_add_fault, "control"),
    "DELETE /practice/faults": Route(_clear_faults, "control"),
    "POST /practice/balance": Route(_set_balance, "control"),
    "POST /practice/skew": Route(_set_skew, "control"),
    "POST /practice/revoke": Route(_revoke, "control"),
    "POST /practice/drop": Route(_drop, "control"),
    "POST /practice/trade": Route(_trade_as_other, "control"),
}
"""The exchange's own requests; their bodies are JSON."""
