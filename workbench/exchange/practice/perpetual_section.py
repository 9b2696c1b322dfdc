"""The perpetuals: positions that are marked with each print, liquidated when margin ends, and pay funding."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from workbench.exchange.practice import perpetual_messages
from workbench.exchange.practice.numbers import EXACT, ZERO, to_coins
from workbench.exchange.practice.orders import NewOrder
from workbench.exchange.practice.outbox import UserMessage
from workbench.exchange.practice.section import Section
from workbench.exchange.practice.stream_messages import FUNDING_RATE, next_funding_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.exchange.practice.faults import FaultPlan
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import Execution
    from workbench.exchange.practice.outbox import Outbox
    from workbench.exchange.practice.perpetual_account import PerpetualAccount
    from workbench.exchange.practice.sources import MarketSource

__all__ = ["Income", "PerpetualSection"]

_NS_PER_MS: Final = 1_000_000
_RATE: Final = Decimal(FUNDING_RATE)


class Income(NamedTuple):
    """A change of a wallet that is no fill; `kind` is Binance's word, such as ``FUNDING_FEE``."""

    symbol: str
    kind: str
    amount: Decimal
    asset: str
    time_ms: int


class PerpetualSection(Section):
    """Markets of perpetuals; takes what `Section` takes, with an account of positions."""

    def __init__(
        self,
        markets: Iterable[tuple[Listing, MarketSource]],
        account: PerpetualAccount,
        prices: dict[str, Decimal],
        start_ns: int,
        outbox: Outbox,
        faults: FaultPlan,
    ) -> None:
        super().__init__(markets, account, prices, start_ns, outbox, faults)
        self.account = account
        self.incomes: list[Income] = []
        self._outbox = outbox
        self._funding_ms = next_funding_ms(start_ns // _NS_PER_MS)
        self.listeners.append(self._on_own_execution)

    def play(self, now_ns: int) -> None:
        """Play every market that matters up to a time, and pay the fundings on the way."""
        while self._funding_ms * _NS_PER_MS <= now_ns:
            super().play(self._funding_ms * _NS_PER_MS)
            self._pay_funding(self._funding_ms)
            self._funding_ms = next_funding_ms(self._funding_ms)
        super().play(now_ns)

    def next_due_ns(self) -> int | None:
        """Return when something that somebody waits for happens next, ns UTC."""
        due = super().next_due_ns()
        funding_ns = self._funding_ms * _NS_PER_MS
        return due if not self.has_matters() else min(funding_ns, funding_ns if due is None else due)

    def on_price(self, symbol: str, time_ms: int) -> None:
        """Liquidate what its margin no longer holds."""
        asset = self.listings[symbol].quote
        account = self.account
        if account.positions.get(symbol) is None or account.position(self.listings[symbol]).amount == ZERO:
            return
        if account.wallets.get(asset, ZERO) + account.unrealized(asset) > account.maintenance(asset):
            return
        for order in self.engine.open_orders():
            if self.listings[order.wanted.symbol].quote == asset:
                self.engine.cancel(order, time_ms)
        for position in list(account.positions.values()):
            if position.amount != ZERO and position.listing.quote == asset:
                self._liquidate(position.listing, position.amount, time_ms)
        shortfall = account.wallets.get(asset, ZERO)
        if shortfall < ZERO:
            # What a position loses beyond its margin is the insurance fund's.
            account.wallets[asset] = ZERO
            self.incomes.append(Income(symbol, "INSURANCE_CLEAR", -shortfall, asset, time_ms))

    def matters(self, symbol: str) -> bool:
        """Return whether a position is open in a market, so that each print may end it."""
        position = self.account.positions.get(symbol)
        return position is not None and position.amount != ZERO

    def has_matters(self) -> bool:
        """Return whether any position is open."""
        return any(position.amount != ZERO for position in self.account.positions.values())

    def _liquidate(self, listing: Listing, amount: Decimal, time_ms: int) -> None:
        self.engine.place(
            NewOrder(
                symbol=listing.symbol,
                client_order_id=f"autoclose-{time_ms}",
                side="BUY" if amount < ZERO else "SELL",
                kind="MARKET",
                wire_kind="LIQUIDATION",
                time_in_force="IOC",
                quantity=abs(amount),
                reduce_only=True,
            ),
            time_ms,
        )

    def _pay_funding(self, time_ms: int) -> None:
        for position in self.account.positions.values():
            if position.amount == ZERO:
                continue
            asset, symbol = position.listing.quote, position.listing.symbol
            amount = -to_coins(EXACT.multiply(position.notional(self.last(symbol)), _RATE))
            self.account.wallets[asset] = self.account.wallets.get(asset, ZERO) + amount
            self.incomes.append(Income(symbol, "FUNDING_FEE", amount, asset, time_ms))
            text = perpetual_messages.account_update(self.account, position.listing, "FUNDING_FEE", time_ms)
            self._outbox.put_user("perpetual", UserMessage("ACCOUNT_UPDATE", text))

    def _on_own_execution(self, execution: Execution) -> None:
        listing = self.listings[execution.order.wanted.symbol]
        if execution.fill is not None:
            self.account.position(listing).updated_ms = execution.time_ms
        if not self._outbox.is_heard("perpetual"):
            return
        text = perpetual_messages.order_update(execution)
        self._outbox.put_user("perpetual", UserMessage(execution.kind, text))
        if execution.fill is not None:
            text = perpetual_messages.account_update(self.account, listing, "ORDER", execution.time_ms)
            self._outbox.put_user("perpetual", UserMessage("ACCOUNT_UPDATE", text))
