"""Refusals of orders in perpetuals: Binance has other codes and words there than for spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.numbers import float_text
from workbench.exchange.practice.refusals import RefusalError

if TYPE_CHECKING:
    from workbench.exchange.practice.listing import Listing

__all__ = ["contract_refusal"]

_AS_MAKER: Final = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)
_WORDS: Final = {
    "Duplicate order sent.": (-4116, "ClientOrderId is duplicated."),
    "Stop price would trigger immediately.": (-2021, "Order would immediately trigger."),
    "Order would immediately match and take.": (-5022, _AS_MAKER),
    "Invalid quantity.": (-4003, "Quantity less than or equal to zero."),
    "Invalid price.": (-4001, "Price less than 0."),
    "Filter failure: LOT_SIZE": (-4023, "Qty not increased by step size."),
    "Filter failure: PRICE_FILTER": (-4014, "Price not increased by tick size."),
    "Filter failure: PERCENT_PRICE_BY_SIDE": (-4016, "Limit price is outside of the mark price multiplier."),
}


def contract_refusal(refusal: RefusalError, listing: Listing) -> RefusalError:
    """Return a refusal in the words that perpetuals have for it, or itself where they are the same.

    Examples
    --------
    >>> contract_refusal(RefusalError(-2010, "Duplicate order sent."), None)
    RefusalError('-4116 ClientOrderId is duplicated.')
    """
    if refusal.text == "Filter failure: NOTIONAL":
        least = float_text(float(listing.min_notional))
        return RefusalError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")
    if refusal.text in _WORDS:
        return RefusalError(*_WORDS[refusal.text])
    return refusal
