"""Send every endpoint of a ccxt exchange to a server on this machine, and prove that none is left out."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from workbench.errors import ConfigError

__all__ = ["check_loopback", "outside_addresses", "repoint"]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_ADDRESS: Final = re.compile(r"(\w+)://[^/]+(/.*)?")
# Pages for people, which ccxt never calls. Whatever else an exchange calls a group of addresses, it may call them.
_PAGES: Final = frozenset({"api_management", "doc", "docs", "fees", "logo", "referral", "www"})
_BARE_HOSTS: Final = "hostnames"
# ccxt tells Binance's spot streams from its futures' by "/stream" in the address, which is in the host's name as a
# rule; without it, messages of the symbol are taken for those of the contract and every watch waits for ever. Those of
# futures get a prefix too, as both would else be the same path of the same server.
_STREAM_PREFIXES: Final[dict[tuple[str, ...], str]] = {
    ("ws", "spot"): "/stream",
    ("ws", "margin"): "/stream",
    ("ws", "linear"): "/linear",
}


def check_loopback(base_url: str) -> str:
    """Return an address without a trailing slash, or raise unless it is on this machine.

    Raises
    ------
    ConfigError
        The address is not ``http://127.0.0.1:<port>`` or another name of this machine.

    Examples
    --------
    >>> check_loopback("http://127.0.0.1:8080/")
    'http://127.0.0.1:8080'
    """
    parts = urlsplit(str(base_url))
    # The host is compared as a whole: "127.0.0.1.example.com" and "http://127.0.0.1@example.com" are elsewhere.
    is_plain = parts.username is None and not parts.query and not parts.fragment and parts.path in {"", "/"}
    if parts.scheme not in {"http", "https"} or parts.hostname not in _LOOPBACK or not is_plain:
        raise ConfigError(
            f"base_url must be an address of this machine such as 'http://127.0.0.1:8080', was {base_url!r}"
        )
    return f"{parts.scheme}://{parts.netloc}"


def repoint(exchange: Any, base_url: str) -> None:  # noqa: ANN401 - ccxt has no types
    """Point every address of an exchange at a server on this machine; paths stay.

    Parameters
    ----------
    exchange : ccxt exchange
        It is changed: every nested address of ``urls["api"]``, ``["test"]``, ``["demo"]`` and whatever other groups
        it has but the pages for people, and ``hostname``.
    base_url : str
        Such as ``http://127.0.0.1:8080``.

    Raises
    ------
    ConfigError
        The address is elsewhere, or one of the exchange's could not be replaced.
    """
    base = check_loopback(base_url)
    host = urlsplit(base).netloc
    for group in exchange.urls:
        if group == _BARE_HOSTS:
            exchange.urls[group] = dict.fromkeys(exchange.urls[group], host)
        elif group not in _PAGES:
            exchange.urls[group] = _moved(exchange.urls[group], base, ())
    # Exchanges that write "{hostname}" into their addresses fill it in with this.
    exchange.hostname = host
    left = outside_addresses(exchange)
    if left:
        raise ConfigError(f"these addresses of {exchange.id} would leave this machine: {', '.join(left)}")


def outside_addresses(exchange: Any) -> list[str]:  # noqa: ANN401 - ccxt has no types
    """Return every address that an exchange would call and that is not on this machine, each with where it stands."""
    found: list[str] = []
    for group, addresses in exchange.urls.items():
        if group not in _PAGES:
            _collect(addresses, group, found)
    return found


def _moved(node: Any, base: str, trail: tuple[str, ...]) -> Any:  # noqa: ANN401 - addresses nest to any depth
    if isinstance(node, dict):
        return {key: _moved(value, base, (*trail, key)) for key, value in node.items()}
    if isinstance(node, list):
        return [_moved(value, base, trail) for value in node]
    match = _ADDRESS.fullmatch(node) if isinstance(node, str) else None
    if match is None:
        return node
    is_stream = match[1].startswith("ws")
    root = base.replace("http", "ws", 1) if is_stream else base
    prefix = _STREAM_PREFIXES.get(trail[-2:], "") if is_stream else ""
    return f"{root}{prefix}{match[2] or ''}"


def _collect(node: Any, where: str, found: list[str]) -> None:  # noqa: ANN401 - addresses nest to any depth
    if isinstance(node, dict):
        for key, value in node.items():
            _collect(value, f"{where}.{key}", found)
    elif isinstance(node, list):
        for value in node:
            _collect(value, where, found)
    elif isinstance(node, str) and "://" in node and urlsplit(node).hostname not in _LOOPBACK:
        found.append(f"{where}={node}")
