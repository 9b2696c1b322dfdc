"""What an interface answers: a function for each method and path, and who may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.exchange.practice.credentials import Receipt
    from workbench.exchange.practice.venue import Venue

__all__ = ["Access", "Request", "Route", "RouteTable"]

Access = Literal["public", "key", "signed", "control"]
"""Anybody, whoever sends the key, whoever signs with the secret, whoever sends the key even after it was revoked."""


class Request(NamedTuple):
    """A request that was let in.

    Attributes
    ----------
    params : dict of str to str
        From query and body, without the signature.
    receipt : Receipt or None
        Of a signed one.
    """

    params: dict[str, str]
    receipt: Receipt | None = None


class Route(NamedTuple):
    """What answers a request: a function of the exchange and the request that returns what becomes JSON.

    A slow one runs on a thread of its own, so that the market plays on meanwhile; it may only read history.
    """

    answer: Callable[[Venue, Request], Any]
    access: Access = "public"
    is_slow: bool = False


RouteTable = dict[str, Route]
"""Routes by method and path, such as ``"GET /api/v3/time"``."""
