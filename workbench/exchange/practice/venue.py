"""The whole exchange but for its network: both halves, the clock, the account's events, and requests that come late."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Final

from workbench.errors import ConfigError
from workbench.exchange.practice import spot_messages
from workbench.exchange.practice.credentials import PracticeCredentials, RequestGuard
from workbench.exchange.practice.faults import FaultPlan
from workbench.exchange.practice.numbers import decimal_text
from workbench.exchange.practice.order_entry import PERPETUAL_KINDS, SPOT_KINDS, read_order
from workbench.exchange.practice.outbox import Outbox, UserMessage
from workbench.exchange.practice.perpetual_account import PerpetualAccount
from workbench.exchange.practice.perpetual_section import PerpetualSection
from workbench.exchange.practice.refusals import RefusalError
from workbench.exchange.practice.section import Section
from workbench.exchange.practice.spot_account import SpotAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from workbench.exchange.practice.clock import PracticeClock
    from workbench.exchange.practice.listing import Listing
    from workbench.exchange.practice.orders import Execution
    from workbench.exchange.practice.sources import MarketSource
    from workbench.exchange.practice.tape import Tape

__all__ = ["Venue"]

_NS_PER_MS: Final = 1_000_000


class Venue:
    """State of a practice exchange. Not safe for threads: the server's loop owns it.

    Parameters
    ----------
    markets : iterable of (Listing, MarketSource)
        Spot and perpetual markets in any order.
    clock : PracticeClock
        The exchange's time.
    balances, wallets : mapping of str to Decimal
        What the account has at the start: spot coins, and margin for perpetuals.
    faults : FaultPlan, optional
        What is to go wrong.
    plays_real : bool, default False
        Whether its key is one that clients treat as one to real money.
    """

    def __init__(
        self,
        markets: Iterable[tuple[Listing, MarketSource]],
        clock: PracticeClock,
        balances: Mapping[str, Decimal],
        wallets: Mapping[str, Decimal],
        faults: FaultPlan | None = None,
        *,
        plays_real: bool = False,
    ) -> None:
        self.clock = clock
        self.faults = FaultPlan() if faults is None else faults
        self.outbox = Outbox(self.faults)
        self.credentials = PracticeCredentials.like_real() if plays_real else PracticeCredentials()
        self.guard = RequestGuard(self.credentials, clock)
        markets, start_ns = list(markets), clock.now_ns()
        spot = [market for market in markets if not market[0].is_perpetual]
        perpetual = [market for market in markets if market[0].is_perpetual]
        prices: dict[str, Decimal] = {}
        self.spot_account = SpotAccount(balances, prices)
        self.spot = Section(spot, self.spot_account, prices, start_ns, self.outbox, self.faults)
        self.spot.listeners.append(self._on_spot_execution)
        marks: dict[str, Decimal] = {}
        self.perpetual_account = PerpetualAccount(dict(wallets), marks)
        self.perpetual = PerpetualSection(perpetual, self.perpetual_account, marks, start_ns, self.outbox, self.faults)
        self.listen_keys: set[str] = set()
        self.wants_drop = False
        self._late: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = count()

    def now_ms(self) -> int:
        """Return the exchange's time in ms UTC, without the skew that a fault adds to what it tells."""
        return self.clock.now_ns() // _NS_PER_MS

    def catch_up(self) -> None:
        """Play everything that is due by the clock."""
        now_ns = self.clock.now_ns()
        while self._late and self._late[0][0] <= now_ns:
            due_ns, _, action = heapq.heappop(self._late)
            self._play(due_ns)
            action()
        self._play(now_ns)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something once the exchange's time has moved on by seconds."""
        due_ns = self.clock.now_ns() + int(delay_s * 1_000 * _NS_PER_MS)
        heapq.heappush(self._late, (due_ns, next(self._sequence), action))

    def next_due_ns(self) -> int | None:
        """Return when something happens next that somebody waits for, ns UTC; None when nobody waits."""
        times = [self.spot.next_due_ns(), self.perpetual.next_due_ns(), self._late[0][0] if self._late else None]
        return min((moment for moment in times if moment is not None), default=None)

    def section(self, name: str) -> Section:
        """Return ``"spot"`` or ``"perpetual"``.

        Raises
        ------
        ConfigError
            There is no such half.
        """
        sections = {"spot": self.spot, "perpetual": self.perpetual}
        if name not in sections:
            raise ConfigError(f"section must be 'spot' or 'perpetual', was {name!r}")
        return sections[name]

    def tape_of(self, symbol: str) -> Tape:
        """Return a market by its symbol as ccxt writes it, such as ``BTC/USDT:USDT``.

        Raises
        ------
        ConfigError
            It is not listed.
        """
        for section in (self.spot, self.perpetual):
            for tape in section.tapes.values():
                if tape.listing.instrument.symbol == symbol:
                    return tape
        raise ConfigError(f"{symbol!r} is not listed on this practice exchange")

    def trade_as_other(self, symbol: str, side: str, quantity: Decimal) -> int:
        """Trade the account by market order as somebody else would, and return the order's number.

        Raises
        ------
        ConfigError
            The symbol is not listed, or the order is refused.
        """
        listing = self.tape_of(symbol).listing
        section = self.perpetual if listing.is_perpetual else self.spot
        kinds = PERPETUAL_KINDS if listing.is_perpetual else SPOT_KINDS
        params = {"side": side.upper(), "type": "MARKET", "quantity": decimal_text(quantity)}
        name = f"somebody-else-{next(self._sequence)}"
        try:
            wanted = read_order(params, listing, section.book(listing.symbol), kinds, name)
            return section.engine.place(wanted, self.now_ms()).order_id
        except RefusalError as refusal:
            raise ConfigError(f"the exchange refuses this foreign order: {refusal}") from refusal

    def next_client_id(self) -> str:
        """Return a client id for an order that came without one."""
        return f"practice{next(self._sequence)}"

    def set_balance(self, asset: str, amount: Decimal) -> None:
        """Set the free spot balance of a coin from outside, and tell of it as of a deposit or withdrawal.

        Raises
        ------
        ConfigError
            The coin has no name, or the amount is negative or not finite.
        """
        if not asset:
            raise ConfigError("asset must be a coin's name, was empty")
        if not (amount.is_finite() and amount >= 0):
            raise ConfigError(f"free must be finite and >= 0, was {amount}")
        self.spot_account.set_free(asset, amount)
        text = spot_messages.position_event(self.spot_account, [asset], self.now_ms())
        self.outbox.put_user("spot", UserMessage("outboundAccountPosition", text))

    def _play(self, now_ns: int) -> None:
        self.spot.play(now_ns)
        self.perpetual.play(now_ns)

    def _on_spot_execution(self, execution: Execution) -> None:
        if not self.outbox.is_heard("spot"):
            return
        listing = self.spot.listings[execution.order.wanted.symbol]
        self.outbox.put_user("spot", UserMessage(execution.kind, spot_messages.execution_report(execution)))
        assets = dict.fromkeys((listing.base, listing.quote))
        if execution.fill is not None:
            assets[execution.fill.fee_asset] = None
        text = spot_messages.position_event(self.spot_account, assets, execution.time_ms)
        self.outbox.put_user("spot", UserMessage("outboundAccountPosition", text))
