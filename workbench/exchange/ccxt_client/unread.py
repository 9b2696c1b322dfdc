"""What ccxt has taken from a websocket and told nobody yet.

ccxt's ``watch_...`` returns with the *next* message. Of two that come at once, it tells the first and keeps the second
until a third comes, which in a quiet market is minutes later. So its caches are looked at before it is asked.
"""

from __future__ import annotations

from typing import Any

__all__ = ["changed_candles", "unread_rows"]


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
    rows: list[Any] = []
    # From the end, as a cache may be long and what is new in it short.
    for row in reversed(cache):
        if not isinstance(row, dict) or row.get("symbol") == symbol:
            rows.append(row)
            if len(rows) == count:
                break
    return rows[::-1]


def changed_candles(cache: Any, told: list[Any]) -> list[Any]:  # noqa: ANN401 - ccxt has no types
    """Return the candles that changed last; ccxt counts those and then takes as many from the end, whichever they are.

    Parameters
    ----------
    cache : ccxt cache or None
        Of the candles of one market and timeframe.
    told : list
        What ccxt made of it, which holds where the cache does not say what changed.
    """
    changed = getattr(cache, "_size_tracker", None)
    return [row for row in cache if row[0] in changed] if changed else told


def _count(cache: Any, symbol: str) -> int:  # noqa: ANN401 - ccxt has no types
    """Return how many rows of a symbol nobody has read; ccxt keeps that to itself, under these names."""
    if hasattr(cache, "_clear_updates"):
        return 0 if cache._clear_updates else int(cache._new_updates)  # noqa: SLF001 - as above
    by_symbol = getattr(cache, "_clear_updates_by_symbol", {})
    return 0 if by_symbol.get(symbol) else int(getattr(cache, "_new_updates_by_symbol", {}).get(symbol, 0))
