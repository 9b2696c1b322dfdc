"""An exchange that loses, delays, repeats and reorders: it executes orders and says what happened, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappush
from typing import Any, NamedTuple

from workbench.core.order_state import Doubted, Failed, Found, Intent, Looked, Refused

MS = 1_000_000
SECOND = 1_000 * MS
# A request older than this is not accepted any more; the margin is for what our clock may be wrong.
RECV_WINDOW = 5 * SECOND
MARGIN = SECOND // 2
TIMEOUT = 2 * SECOND


class Report(NamedTuple):
    """What the exchange says of an order."""

    order_id: str
    client_order_id: str
    status: str
    quantity: int
    filled: int
    update_ns: int

    @property
    def is_open(self) -> bool:
        return self.status in ("accepted", "partly_filled")


class Trade(NamedTuple):
    """One execution."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    quantity: int
    time_ns: int


@dataclass
class Execution:
    """An order at the exchange."""

    order_id: str
    client_order_id: str
    quantity: int
    is_resting: bool
    filled: int = 0
    status: str = "accepted"
    update_ns: int = 0
    trades: list[Trade] = field(default_factory=list)

    def report(self) -> Report:
        return Report(self.order_id, self.client_order_id, self.status, self.quantity, self.filled, self.update_ns)


class FakeMarket:
    """The exchange and the wires to it. Each call schedules what happens and when its answer comes.

    Parameters
    ----------
    dice : random.Random
        All chance there is.
    """

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.now = 0
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.orders: list[Execution] = []
        self.latest: dict[str, Execution] = {}
        self.trades: list[Trade] = []
        self.listener: Callable[[Report | Trade], None] = lambda _event: None
        self._count = 0

    def at(self, delay: int, action: Callable[[], None]) -> None:
        """Let something happen later."""
        self._count += 1
        heappush(self.agenda, (self.now + delay, self._count, action))

    # ---- calls: the caller is answered by `reply` at the time at which the answer arrives ----

    def send(self, intent: Intent, reply: Callable[[Any], None]) -> None:
        """Let a request travel; it carries the time at which it was signed."""
        dice, signed = self.dice, self.now
        doubt = Doubted("no answer", signed + RECV_WINDOW + MARGIN)
        there, back, luck = self._wire(), self._wire(), dice.random()
        if luck < 0.05:
            self.at(there + back, lambda: reply(Refused("too little money")))
            return
        if luck < 0.75:
            self.at(there, lambda: self._arrive_and_answer(intent, signed, doubt, back, reply))
            return
        self.at(TIMEOUT, lambda: reply(doubt))
        if luck < 0.83:
            self.at(there, lambda: self._arrive(intent, signed))
        elif luck < 0.93:
            # It is stuck somewhere, and reaches the engine when its sender has given up and asked.
            self.at(TIMEOUT + int(dice.random() * 6 * SECOND), lambda: self._arrive(intent, signed))

    def query(self, name: str, reply: Callable[[Any], None]) -> None:
        asked, there, back = self.now, self._wire(), self._wire()
        if self.dice.random() < 0.1:
            self.at(TIMEOUT, lambda: reply(Failed("no answer")))
            return

        def look() -> None:
            order = self.latest.get(name)
            answer = Looked(None if order is None else order.report(), asked)
            self.at(back, lambda: reply(answer))

        self.at(there, look)

    def cancel(self, name: str, reply: Callable[[Any], None]) -> None:
        there, back, luck = self._wire(), self._wire(), self.dice.random()

        def act() -> None:
            order = self.latest.get(name)
            if order is None or not order.report().is_open:
                self.at(back, lambda: reply(Failed("no such open order")))
                return
            before = order.report()
            if luck < 0.3 and order.filled < order.quantity:
                # A fill crosses the cancel: it is done, but the answer does not know of it.
                self._fill(order, self._part(order))
            if order.filled < order.quantity:
                self._change(order, "cancelled")
            answer = Found(before._replace(status="cancelled"))
            self.at(back, lambda: reply(answer if luck < 0.85 else Failed("no answer")))

        if luck < 0.95:
            self.at(there, act)
        else:
            self.at(TIMEOUT, lambda: reply(Failed("no answer")))

    def own_trades(self, since: int, reply: Callable[[Any], None]) -> None:
        there, back = self._wire(), self._wire()
        if self.dice.random() < 0.1:
            self.at(TIMEOUT, lambda: reply(None))
            return

        def look() -> None:
            # Newest first is as good as any order, and some are not shown in the streams' form.
            found = [one._replace(client_order_id=None) for one in self.trades if one.time_ns >= since]
            self.at(back, lambda: reply(found))

        self.at(there, look)

    # ---- the engine ----

    def _wire(self) -> int:
        return int(self.dice.random() * 100 * MS) + MS

    def _arrive(self, intent: Intent, signed: int) -> Execution | None:
        if self.now - signed > RECV_WINDOW:
            return None
        before = self.latest.get(intent.client_order_id)
        if before is not None and before.report().is_open:
            # "Duplicate": refused, and adopted by whoever asks. After the first has filled, the name is free again.
            return None
        order = Execution(f"x{len(self.orders)}", intent.client_order_id, int(intent.quantity), intent.kind == "limit")
        order.update_ns = self.now
        self.orders.append(order)
        self.latest[intent.client_order_id] = order
        self._go_on(order)
        return order

    def _arrive_and_answer(
        self, intent: Intent, signed: int, doubt: Doubted, back: int, reply: Callable[[Any], None]
    ) -> None:
        order = self._arrive(intent, signed)
        answer = doubt if order is None else Found(order.report())
        self.at(back, lambda: reply(answer))

    def _go_on(self, order: Execution) -> None:
        """Fill an order by and by; a market order ends by itself, a resting one may wait until it is cancelled."""
        if not order.report().is_open:
            return
        luck = self.dice.random()
        if order.is_resting and luck < 0.4:
            return
        if luck < 0.9:
            self._fill(order, self._part(order) if luck < 0.6 else order.quantity - order.filled)
        elif not order.is_resting:
            # The book was too thin: the rest ends.
            self._change(order, "expired")
        if order.report().is_open:
            self.at(int(self.dice.random() * 1_500 * MS), lambda: self._go_on(order))

    def _part(self, order: Execution) -> int:
        return self.dice.randint(1, order.quantity - order.filled)

    def _fill(self, order: Execution, quantity: int) -> None:
        order.filled += quantity
        trade = Trade(f"t{len(self.trades)}", order.order_id, order.client_order_id, quantity, self.now)
        self.trades.append(trade)
        order.trades.append(trade)
        self._tell(trade if self.dice.random() < 0.5 else trade._replace(client_order_id=None))
        self._change(order, "filled" if order.filled == order.quantity else "partly_filled")

    def _change(self, order: Execution, status: str) -> None:
        order.status, order.update_ns = status, self.now
        self._tell(order.report())

    def _tell(self, event: Report | Trade) -> None:
        """Stream an event: once, twice or never, and not in the order of what happened."""
        luck = self.dice.random()
        for _ in range(0 if luck < 0.15 else 2 if luck < 0.35 else 1):
            delay = self._wire() if self.dice.random() < 0.8 else int(self.dice.random() * 3 * SECOND)
            self.at(delay, lambda: self.listener(event))
