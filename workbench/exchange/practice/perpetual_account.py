"""The account of linear perpetuals: one wallet for each quote coin, cross margin, one net position per market."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Final

from workbench.exchange.practice.numbers import EXACT, ZERO, decimal_of, to_coins
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.spot_account import Charge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import PracticeOrder

__all__ = ["PerpetualAccount", "PracticePosition"]

_ENTRY_PLACES: Final = Decimal("1e-12")


@dataclass(slots=True)
class PracticePosition:
    """A net position in one market and the leverage chosen for it.

    Attributes
    ----------
    amount : Decimal
        In the base; negative when short.
    entry_price : Decimal
        Average price of what is open; 0 when flat.
    """

    listing: Listing
    leverage: int
    margin_type: str = "cross"
    amount: Decimal = ZERO
    entry_price: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    updated_ms: int = 0

    def unrealized(self, mark: Decimal) -> Decimal:
        """Return the profit at a price, in the quote."""
        return EXACT.multiply(self.amount, mark - self.entry_price)

    def notional(self, mark: Decimal) -> Decimal:
        """Return the value at a price, in the quote, negative when short."""
        return EXACT.multiply(self.amount, mark)

    def maintenance(self, mark: Decimal) -> Decimal:
        """Return the margin below which the position is liquidated, in the quote."""
        return abs(self.notional(mark)) * decimal_of(self.listing.instrument.maintenance_margin)

    def initial(self, mark: Decimal) -> Decimal:
        """Return the margin that holds the position at its leverage, in the quote."""
        return EXACT.divide(abs(self.notional(mark)), Decimal(self.leverage))


@dataclass(slots=True)
class PerpetualAccount:
    """Wallets and positions.

    Parameters
    ----------
    wallets : dict of str to Decimal
        Balance of each quote coin: deposits, realised profits, fees and funding.
    marks : mapping of str to Decimal
        Last price of each listed symbol, kept up to date by the engine.
    """

    wallets: dict[str, Decimal]
    marks: Mapping[str, Decimal]
    positions: dict[str, PracticePosition] = field(default_factory=dict)
    order_margin: dict[str, Decimal] = field(default_factory=dict)

    def position(self, listing: Listing) -> PracticePosition:
        """Return the position in a market, which is flat until something fills."""
        position = self.positions.get(listing.symbol)
        if position is None:
            leverage = int(listing.instrument.max_leverage)
            position = self.positions[listing.symbol] = PracticePosition(listing, leverage)
        return position

    def unrealized(self, asset: str) -> Decimal:
        """Return the profit of all open positions settled in a coin."""
        return sum((p.unrealized(self.marks[p.listing.symbol]) for p in self._open(asset)), ZERO)

    def maintenance(self, asset: str) -> Decimal:
        """Return the margin below which the positions settled in a coin are liquidated."""
        return sum((p.maintenance(self.marks[p.listing.symbol]) for p in self._open(asset)), ZERO)

    def position_margin(self, asset: str) -> Decimal:
        """Return the margin that the open positions settled in a coin hold."""
        return sum((p.initial(self.marks[p.listing.symbol]) for p in self._open(asset)), ZERO)

    def available(self, asset: str) -> Decimal:
        """Return what is left of a coin to open positions with."""
        held = self.position_margin(asset) + self.order_margin.get(asset, ZERO)
        return self.wallets.get(asset, ZERO) + self.unrealized(asset) - held

    def reserve(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Set margin aside for the part of an order that makes the position larger.

        Raises
        ------
        RefusalError
            The margin does not reach, or the order may only reduce and there is nothing to reduce.
        """
        position = self.position(listing)
        is_opposite = position.amount != ZERO and (position.amount < ZERO) == order.is_buy
        if order.wanted.reduce_only:
            if not is_opposite:
                raise RefusalError(-2022, "ReduceOnly Order is rejected.")
            return
        quantity = order.wanted.quantity
        opening = max(quantity - abs(position.amount), ZERO) if is_opposite else quantity
        if opening == ZERO:
            return
        share = EXACT.divide(opening, quantity)
        needed = EXACT.multiply(EXACT.multiply(notional, share), 1 / Decimal(position.leverage) + listing.highest_rate)
        needed = to_coins(needed)
        if needed > self.available(listing.quote):
            raise RefusalError(-2019, "Margin is insufficient.")
        self._hold(listing.quote, needed)
        order.locked = needed

    def settle(
        self, order: PracticeOrder, listing: Listing, price: Decimal, quantity: Decimal, *, is_maker: bool
    ) -> Charge:
        """Book a fill: realise the profit of what it closes, average what it opens, charge the fee."""
        position = self.position(listing)
        signed = quantity if order.is_buy else -quantity
        realized = ZERO
        if position.amount != ZERO and (position.amount < ZERO) != (signed < ZERO):
            closed = min(abs(position.amount), quantity)
            direction = -1 if position.amount < ZERO else 1
            realized = EXACT.multiply(closed * direction, price - position.entry_price)
            if quantity > closed:
                position.entry_price = price
        else:
            worth = EXACT.multiply(abs(position.amount), position.entry_price) + EXACT.multiply(quantity, price)
            average = EXACT.divide(worth, abs(position.amount) + quantity)
            position.entry_price = average.quantize(_ENTRY_PLACES, rounding=ROUND_DOWN, context=EXACT).normalize(EXACT)
        position.amount += signed
        if position.amount == ZERO:
            position.entry_price = ZERO
        position.realized_pnl += realized
        rate = listing.maker_rate if is_maker else listing.taker_rate
        fee = to_coins(EXACT.multiply(EXACT.multiply(price, quantity), rate))
        self.wallets[listing.quote] = self.wallets.get(listing.quote, ZERO) + realized - fee
        self._shrink(order, listing, quantity)
        return Charge(fee, listing.quote, realized)

    def trim(self, order: PracticeOrder, listing: Listing, notional: Decimal) -> None:
        """Keep the margin of an order; `settle` has already set its share free."""

    def release(self, order: PracticeOrder, listing: Listing) -> None:
        """Set the rest of an order's margin free."""
        self._hold(listing.quote, -order.locked)
        order.locked = ZERO

    def reducible(self, order: PracticeOrder, listing: Listing) -> Decimal:
        """Return how much of the position an order could close."""
        amount = self.position(listing).amount
        return abs(amount) if amount != ZERO and (amount < ZERO) == order.is_buy else ZERO

    def _open(self, asset: str) -> list[PracticePosition]:
        return [p for p in self.positions.values() if p.amount != ZERO and p.listing.quote == asset]

    def _shrink(self, order: PracticeOrder, listing: Listing, quantity: Decimal) -> None:
        """Set free the share of an order's margin that a fill has used; the position holds its own from now on."""
        used = to_coins(EXACT.divide(EXACT.multiply(order.locked, quantity), order.remaining))
        self._hold(listing.quote, -used)
        order.locked -= used

    def _hold(self, asset: str, amount: Decimal) -> None:
        self.order_margin[asset] = self.order_margin.get(asset, ZERO) + amount
