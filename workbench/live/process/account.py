"""Which account a session trades on, named the same way by every session that trades on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.exchange import find_practice_exchange
from workbench.live.exchange_source import ExchangeSource

if TYPE_CHECKING:
    from workbench.live.session_config import LiveSessionConfig

__all__ = ["account_of"]


def account_of(config: LiveSessionConfig) -> str:
    """Return the name of the account that a session's orders go to; never anything of its key."""
    source = config.source
    if not isinstance(source, ExchangeSource):
        return source.name
    if source.consent is not None:
        return f"{source.exchange} {source.kind} of key {source.consent.terms.account}"
    address = source.address
    if address is None and source.exchange == "practice":
        address = find_practice_exchange()
    url = address if address is None or isinstance(address, str) else address.url
    return f"{source.exchange} {source.kind}" + ("" if url is None else f" at {url}")
