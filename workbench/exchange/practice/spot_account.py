"""The spot account: what is free and what is set aside for open orders, coin by coin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.exchange.practice.numbers import EXACT, ZERO, to_coins
from workbench.exchange.practice.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import PracticeOrder

__all__ = ["Charge", "SpotAccount"]


class Charge(NamedTuple):
    """What a fill cost beside its price."""

    fee: Decimal
    fee_asset: str
    realized_pnl: Decimal


class SpotAccount:
    """Balances that orders set aside, spend and fill.

    Parameters
    ----------
    balances : mapping of str to Decimal
        Free amount of each coin at the start.
    prices : mapping of str to Decimal
        Last price of each listed symbol, kept up to date by the engine; for fees in a third coin.
    """

    def __init__(self, balances: Mapping[str, Decimal], prices: Mapping[str, Decimal]) -> None:
        self.free: dict[str, Decimal] = dict(balances)
        self.locked: dict[str, Decimal] = dict.fromkeys(balances, ZERO)
        self._prices = prices

    def total(self, asset: str) -> Decimal:
        """Return what the account has of a coin, free or set aside."""
        return self.free.get(asset, ZERO) + self.locked.get(asset, ZERO)

    def reserve(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Set aside what an order needs.

        Parameters
        ----------
        order : PracticeOrder
            A fresh order.
        listing : Listing
            Its market.
        notional : Decimal
            Most that it may spend, in the quote, without fees.

        Raises
        ------
        RefusalError
            The free balance does not reach; nothing is set aside.
        """
        asset, amount = self._need(order, listing, notional)
        if amount > self.free.get(asset, ZERO):
            raise RefusalError(-2010, "Account has insufficient balance for requested action.")
        self._lock(asset, amount)
        order.locked = amount

    def settle(
        self, order: PracticeOrder, listing: Listing, price: Decimal, quantity: Decimal, *, is_maker: bool
    ) -> Charge:
        """Book a fill: pay out of what the order set aside, take in what it brings, charge the fee."""
        notional = EXACT.multiply(price, quantity)
        rate = listing.maker_rate if is_maker else listing.taker_rate
        charge = self._charge(order, listing, notional, quantity, rate)
        spent, received = (notional, quantity) if order.is_buy else (quantity, notional)
        spent_asset, received_asset = self._legs(order, listing)
        if charge.fee_asset == received_asset:
            received -= charge.fee
        elif charge.fee_asset == spent_asset:
            spent += charge.fee
        else:
            self._give(charge.fee_asset, -charge.fee)
        order.locked -= spent
        self.locked[spent_asset] -= spent
        self._give(received_asset, received)
        return charge

    def trim(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Set free what an order has aside beyond the need of its remaining notional."""
        asset, needed = self._need(order, listing, notional)
        surplus = order.locked - needed
        if surplus > ZERO:
            self._lock(asset, -surplus)
            order.locked = needed

    def release(self, order: PracticeOrder, listing: Listing) -> None:
        """Set free everything that an order still has aside."""
        self._lock(self._legs(order, listing)[0], -order.locked)
        order.locked = ZERO

    def reducible(self, order: PracticeOrder, listing: Listing) -> Decimal:
        """Return how much of the coin could be sold."""
        return ZERO if order.is_buy else self.total(listing.base)

    def set_free(self, asset: str, amount: Decimal) -> Decimal:
        """Set the free balance of a coin from outside, as a deposit or a withdrawal would; return the change."""
        change = amount - self.free.get(asset, ZERO)
        self._give(asset, change)
        return change

    def _legs(self, order: PracticeOrder, listing: Listing) -> tuple[str, str]:
        """Return the coin that an order spends and the one that it brings in."""
        return (listing.quote, listing.base) if order.is_buy else (listing.base, listing.quote)

    def _need(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> tuple[str, Decimal]:
        if not order.is_buy:
            return listing.base, order.remaining
        rate = listing.highest_rate if listing.fees.asset == "quote" else ZERO
        return listing.quote, EXACT.multiply(notional, 1 + rate)

    def _charge(
        self, order: PracticeOrder, listing: Listing, notional: Decimal, quantity: Decimal, rate: Decimal
    ) -> Charge:
        in_quote = EXACT.multiply(notional, rate)
        wanted = listing.fees.asset
        if wanted == "quote":
            return Charge(to_coins(in_quote), listing.quote, ZERO)
        if wanted != "received":
            third_price = self._prices.get(f"{wanted}{listing.quote}")
            if third_price is not None:
                fee = to_coins(EXACT.divide(in_quote, third_price))
                if fee <= self.free.get(wanted, ZERO):
                    return Charge(fee, wanted, ZERO)
        if order.is_buy:
            return Charge(to_coins(EXACT.multiply(quantity, rate)), listing.base, ZERO)
        return Charge(to_coins(in_quote), listing.quote, ZERO)

    def _lock(self, asset: str, amount: Decimal) -> None:
        self._give(asset, -amount)
        self.locked[asset] += amount

    def _give(self, asset: str, amount: Decimal) -> None:
        self.free[asset] = self.free.get(asset, ZERO) + amount
        self.locked.setdefault(asset, ZERO)
