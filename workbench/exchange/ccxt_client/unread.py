"""What ccxt has taken from a websocket and told nobody yet.

ccxt's ``watch_...`` returns with the *next* message. Of two that come at once, it tells the first and keeps the second
until a third comes, which in a quiet market is minutes later. So its caches are looked at before it is asked.
"""

from __future__ import annotations

from typing import Any

__all__ = ["unread_rows"]


def unread_rows(cache: Any, symbol: str) -> list[Any]:  # noqa: ANN401 - ccxt has no types
    """Return the rows of a symbol that came since the last look, and note that they are read.

    Parameters
    ----------
    cache : ccxt cache or None
        Of trades, candles or orders; None while there is none.
    symbol : str
        Unified symbol.
    """
    if cache is None or not _count(cache, symbol):
        return []
    count = cache.getLimit(symbol, None)
    rows = [row for row in cache if not isinstance(row, dict) or row.get("symbol") == symbol]
    return rows[-count:]


def _count(cache: Any, symbol: str) -> int:  # noqa: ANN401 - ccxt has no types
    """Return how many rows of a symbol nobody has read; ccxt keeps that to itself, under these names."""
    if hasattr(cache, "_clear_updates"):
        return 0 if cache._clear_updates else int(cache._new_updates)  # noqa: SLF001 - as above
    by_symbol = getattr(cache, "_clear_updates_by_symbol", {})
    return 0 if by_symbol.get(symbol) else int(getattr(cache, "_new_updates_by_symbol", {}).get(symbol, 0))
