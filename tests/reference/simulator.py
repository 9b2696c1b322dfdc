"""The reference simulator: one account, several symbols, one event after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Self

from tests.reference.exits import Exit, jump_exit, next_on_leg
from tests.reference.levels import limit_grid, nearer, slipped, stop_grid
from tests.reference.records import (
    BarGroup,
    BarPrices,
    Book,
    Closed,
    CommandEvent,
    Decision,
    Denial,
    Filled,
    OpenPosition,
    Resting,
    TickPrice,
    Trade,
    Trip,
)
from tests.reference.sizing import NS, Refusal, money, pace_and_collar, permission, wanted_quantity

DAY = 86_400 * NS
STOPS = {"liquidation", "stop_loss", "trailing_stop", "max_loss"}
Decide = Callable[["Simulator", int, int], Decision]


class Simulator:
    """State and history of one run. ``decide(simulator, symbol, row)`` answers after the row-th bar of a symbol."""

    def __init__(self, config: Any, decide: Decide, funding: Iterable[tuple[int, int, float]] = ()) -> None:
        self.config = config
        self.risk = config.risk
        self.costs = config.costs
        self.decide = decide
        self.books = [Book(i, instrument) for i, instrument in enumerate(config.instruments)]
        for symbol, time_ns, rate in sorted(funding, key=lambda row: row[1]):
            self.books[symbol].funding.append((time_ns, rate))
        self.rows = [0] * len(self.books)
        self.cash = self.last_equity = self.peak_equity = self.day_base = config.cash
        self.day: int | None = None
        self.halted: list[str] = []
        self.is_paused = False
        self.orders_in_minute: dict[int, int] = {}
        self.realized = self.fees = self.funding = 0.0
        self.fills: list[Filled] = []
        self.trades: list[Trade] = []
        self.denials: list[Denial] = []
        self.trips: list[Trip] = []
        self.trace: list[tuple[int, float]] = []

    # ---- the account

    def equity(self) -> float:
        """Return cash plus every position at its mark."""
        return self.cash + sum(book.position.signed * book.mark for book in self.open_books())

    def unrealized(self) -> float:
        """Return the gain of the open positions at their marks."""
        return sum(b.position.signed * (b.mark - b.position.entry_price) for b in self.open_books())

    def open_books(self) -> list[Book]:
        """Return the symbols that hold a position."""
        return [book for book in self.books if book.position]

    def fee_rate(self, book: Book, *, is_maker: bool) -> float:
        """Return the fee of the instrument, or else of the costs."""
        name = "maker_fee" if is_maker else "taker_fee"
        own = getattr(book.instrument, name)
        return getattr(self.costs, name) if own is None else own

    def market_price(self, book: Book, price: float, side: int) -> float:
        """Return what a market order pays."""
        return slipped(price, side, self.costs.slippage, book.instrument.tick)

    # ---- fills

    def record(self, fill: Filled) -> None:
        """Move cash by one execution."""
        self.cash -= fill.side * fill.quantity * fill.price + fill.fee
        self.fees += fill.fee
        self.fills.append(fill)

    def close(self, book: Book, price: float, time_ns: int, reason: str, *, is_maker: bool) -> None:
        """Close the position; a protective reason also ends the symbol's entries for this bar."""
        position = book.position
        side = position.side
        fee = position.quantity * price * self.fee_rate(book, is_maker=is_maker)
        self.record(Filled(book.index, time_ns, -side, position.quantity, price, fee, reason, is_maker))
        see(position, price)
        gross = side * (price - position.entry_price) * position.quantity
        fees = position.entry_fee + fee
        pnl = gross - fees - position.funding
        excursions = [side * (p / position.entry_price - 1) for p in (position.lowest, position.highest)]
        self.trades.append(
            Trade(
                symbol=book.index,
                side=side,
                quantity=position.quantity,
                entry_time_ns=position.entry_time_ns,
                entry_price=position.entry_price,
                exit_time_ns=time_ns,
                exit_price=price,
                exit_reason=reason,
                pnl=pnl,
                return_=pnl / (position.entry_price * position.quantity),
                fees=fees,
                bars_held=position.bars_held,
                mae=min(excursions),
                mfe=max(excursions),
            )
        )
        self.realized += gross
        book.position = None
        book.exits.clear()
        if reason != "signal":  # nothing enters again before the next decision
            book.entry = book.order = None
        if reason in STOPS and self.risk.cooldown_s is not None:
            book.cooldown_until_ns = time_ns + self.risk.cooldown_s * NS

    def leave(self, book: Book, way: Exit, time_ns: int) -> None:
        """Execute an exit: targets at their price, everything else slipped."""
        price = way.price if way.is_maker else self.market_price(book, way.price, -book.position.side)
        self.close(book, price, time_ns, way.reason, is_maker=way.is_maker)

    def open(self, book: Book, order: Resting, price: float, time_ns: int) -> None:
        """Open a position at its fill price and set what protects it."""
        decision, quantity, is_maker = order.decision, order.quantity, order.is_limit
        side, risk, tick = decision.side, self.risk, book.instrument.tick
        equity = self.equity()
        fee = quantity * price * self.fee_rate(book, is_maker=is_maker)
        self.record(Filled(book.index, time_ns, side, quantity, price, fee, "signal", is_maker))
        stop = nearer([risk.stop_loss, decision.stop_loss])
        target = nearer([risk.take_profit, decision.take_profit])
        holding_s = nearer([risk.max_holding_s, decision.max_holding_s])
        loss = risk.max_loss_per_trade
        book.position = OpenPosition(
            side=side,
            quantity=quantity,
            entry_price=price,
            entry_time_ns=time_ns,
            entry_fee=fee,
            stop_level=None if stop is None else stop_grid(price * (1 - side * stop), -side, tick),
            target_level=None if target is None else limit_grid(price * (1 + side * target), -side, tick),
            max_loss_level=None if loss is None else stop_grid(price - side * loss * equity / quantity, -side, tick),
            own_trail=decision.trailing_stop,
            time_limit_ns=None if holding_s is None else time_ns + holding_s * NS,
            peak=price,
            lowest=price,
            highest=price,
        )

    def place(self, book: Book, event_price: float, time_ns: int) -> None:
        """Review the pending entry at the first price after its decision: fill it, let it rest or deny it."""
        decision, book.entry = book.entry, None
        order = Resting(decision, 0.0, order_level(decision, book.instrument.tick))
        is_due = not decision.is_resting or order.is_reached(event_price)
        at = event_price if is_due else order.level
        price = at if order.is_limit else self.market_price(book, at, decision.side)
        if book.position and is_due:  # an order against the position whose price has been passed already
            self.close(book, price, time_ns, "signal", is_maker=order.is_limit)
        # A market order, or a stop that is one by now, is held against the price before this event; a resting one
        # against this event's.
        is_market = is_due and not order.is_limit
        fresh = book.previous_mark if is_market else event_price
        collared = event_price if is_market else price
        refusal = permission(self, book, decision, price, time_ns) or pace_and_collar(self, collared, fresh, time_ns)
        fee = self.fee_rate(book, is_maker=order.is_limit)
        if not refusal:
            order.quantity = wanted_quantity(self, book, decision, price, fee)
            refusal = money(self, book, order.quantity, price, fee)
        if refusal:
            self.deny(book, order, refusal, time_ns)
            return
        minute = time_ns // (60 * NS)
        self.orders_in_minute[minute] = self.orders_in_minute.get(minute, 0) + 1
        if is_due:
            self.open(book, order, price, time_ns)
        else:
            book.order = order

    def fill_order(self, book: Book, event_price: float, time_ns: int) -> None:
        """Fill the resting order at its level or at the price that jumped over it."""
        order, book.order = book.order, None
        is_maker = order.is_limit
        price = event_price if is_maker else self.market_price(book, event_price, order.decision.side)
        if book.position:  # an order against the position: one exit and one entry at the same price
            self.close(book, price, time_ns, "signal", is_maker=is_maker)
        refusal = money(self, book, order.quantity, price, self.fee_rate(book, is_maker=is_maker))
        if refusal:
            self.deny(book, order, refusal, time_ns)
        else:
            self.open(book, order, price, time_ns)

    def deny(self, book: Book, order: Resting, refusal: Refusal, time_ns: int) -> None:
        """Note an entry that the review refused."""
        rule, limit, value = refusal
        self.denials.append(Denial(book.index, rule, limit, value, time_ns, order.decision.side, order.quantity))

    # ---- price events

    def start_event(self, book: Book, price: float, time_ns: int) -> None:
        """Pay the funding that has come due, at this event's price."""
        while book.funding and book.funding[0][0] <= time_ns:
            _, rate = book.funding.pop(0)
            if book.position:
                amount = book.position.signed * price * rate
                self.cash -= amount
                self.funding += amount
                book.position.funding += amount

    def jump_exits(self, book: Book, price: float, time_ns: int) -> None:
        """Let the price jump to ``price``: mark, funding, exits."""
        book.previous_mark, book.mark = book.mark, price
        self.start_event(book, price, time_ns)
        way = jump_exit(self, book, price, time_ns) if book.position else None
        if way:
            self.leave(book, way, time_ns)

    def jump_entry(self, book: Book, price: float, time_ns: int) -> None:
        """Fill what entry the new price allows; only a position that was open before sees it."""
        before = book.position
        if book.order and book.order.is_reached(price):
            self.fill_order(book, price, time_ns)
        if book.entry:
            self.place(book, price, time_ns)
        if before and book.position is before:
            see(before, price)

    def travel(self, book: Book, end: float, time_ns: int, *, is_close: bool = False) -> bool:
        """Move the price without gaps from its mark to ``end``; return whether a resting entry filled on the way."""
        here = book.mark
        self.start_event(book, end, time_ns)
        has_entered = False
        while True:
            found = next_on_leg(self, book, here, end)
            if found is None:
                break
            here = book.mark = found.price
            if found.reason == "entry":
                self.fill_order(book, here, time_ns)
                has_entered = has_entered or book.position is not None
            else:
                self.leave(book, found, time_ns)
        book.mark = end
        if not book.position:
            return False
        see(book.position, end)
        limit = book.position.time_limit_ns
        if limit is not None and time_ns >= limit:
            if is_close:
                book.exits.add("max_holding")
            else:
                self.leave(book, Exit(end, "max_holding", is_maker=False), time_ns)
        return has_entered and book.position is not None

    # ---- the account after an event

    def judge(self, time_ns: int, present: list[Book], *, is_close: bool = False) -> None:
        """Mark the account and judge the breakers."""
        equity = self.equity()
        day = time_ns // DAY
        if self.day is not None and day > self.day:
            self.day_base = self.last_equity
        self.day = day
        self.peak_equity = max(self.peak_equity, equity)
        if not self.halted:
            for rule, limit, base in (
                ("max_drawdown", self.risk.max_drawdown, self.peak_equity),
                ("daily_loss", self.risk.daily_loss_limit, self.day_base),
            ):
                if limit is not None and equity <= base * (1 - limit):
                    self.trip(rule, limit, 1 - equity / base if base > 0 else 1.0, time_ns, [] if is_close else present)
                    break
        self.last_equity = self.equity()

    def trip(self, rule: str, limit: float, value: float, time_ns: int, present: list[Book]) -> None:
        """Halt entries and flatten, the symbols of this event at once."""
        self.halted.append(rule)
        self.trips.append(Trip(rule, limit, value, time_ns))
        for book in self.books:
            book.entry = book.order = None
            if book.position and book in present:
                self.leave(book, Exit(book.mark, rule, is_maker=False), time_ns)
            elif book.position:
                book.exits.add(rule)

    # ---- events

    def on_bar_group(self, group: BarGroup) -> None:
        """Expand the bars of one timestamp into opens, two extremes and closes, then decide."""
        time_ns, close_ns = group.time_ns, group.time_ns + self.config.timeframe.ns
        present = [book for book in self.books if book.index in group.bars]
        for book in present:
            self.jump_exits(book, group.bars[book.index].open, time_ns)
        for book in present:
            self.jump_entry(book, group.bars[book.index].open, time_ns)
        self.judge(time_ns, present)
        paths = {book.index: self.extremes(book, group.bars[book.index]) for book in present}
        for book in present:
            self.travel(book, paths[book.index][0], time_ns)
        self.judge(time_ns, present)
        for book in present:
            first, second = paths[book.index]
            has_entered = self.travel(book, second, time_ns)
            # The entry's adverse extreme lies behind: the adverse path goes there once more.
            if self.config.path == "adverse" and has_entered and (first < second) == (book.position.side > 0):
                self.travel(book, first, time_ns)
        self.judge(time_ns, present)
        for book in present:
            self.travel(book, group.bars[book.index].close, close_ns, is_close=True)
        self.judge(close_ns, present, is_close=True)
        for book in present:
            self.on_decision(book)
        self.trace.append((close_ns, self.equity()))

    def extremes(self, book: Book, bar: BarPrices) -> tuple[float, float]:
        """Return the extremes in the order of the configured path."""
        is_short = book.position is not None and book.position.side < 0
        is_high_first = {
            "adverse": is_short,
            "favourable": not is_short,
            "colour": bar.close < bar.open,
            "ohlc": True,
            "olhc": False,
        }[self.config.path]
        return (bar.high, bar.low) if is_high_first else (bar.low, bar.high)

    def on_tick(self, tick: TickPrice) -> None:
        """Handle one print."""
        book = self.books[tick.symbol]
        self.jump_exits(book, tick.price, tick.time_ns)
        self.jump_entry(book, tick.price, tick.time_ns)
        self.judge(tick.time_ns, [book])

    def on_closed(self, event: Closed) -> None:
        """Decide on a bar that ticks made."""
        close_ns = event.open_time_ns + self.config.timeframe.ns
        self.on_decision(self.books[event.symbol])
        self.trace.append((close_ns, self.equity()))

    def on_decision(self, book: Book) -> None:
        """Ask the strategy and turn its answer into a pending exit or a pending entry."""
        position = book.position
        if position:
            position.bars_held += 1
        row = self.rows[book.index]
        self.rows[book.index] += 1
        decision = self.decide(self, book.index, row)
        waiting = book.entry or (book.order.decision if book.order else None)
        if waiting and waiting.side in decision.cancels:
            book.entry = book.order = None
        if decision.action == "hold" or (decision.is_entry and position and position.side == decision.side):
            return
        book.entry = book.order = None
        if decision.is_entry:
            book.entry = decision
        if position and not decision.is_resting:
            book.exits.add("signal")

    def on_command(self, command: CommandEvent) -> None:
        """Handle one command of the user."""
        if command.name == "resume":
            self.is_paused = False
        elif command.name == "clear_breaker":
            self.halted.clear()
            self.peak_equity = self.day_base = self.equity()
        else:
            self.is_paused = True
            for book in self.books:
                book.entry = book.order = None
                if command.name == "flatten" and book.position:
                    book.exits.add("flatten")

    def run(self, events: Iterable[Any]) -> Self:
        """Handle every event in order."""
        handlers = {
            BarGroup: self.on_bar_group,
            TickPrice: self.on_tick,
            Closed: self.on_closed,
            CommandEvent: self.on_command,
        }
        for event in events:
            handlers[type(event)](event)
        return self


def see(position: OpenPosition, price: float) -> None:
    """Widen the range of prices seen at the ends of events, and raise the trailing peak."""
    position.lowest = min(position.lowest, price)
    position.highest = max(position.highest, price)
    position.peak = position.highest if position.side > 0 else position.lowest


def order_level(decision: Decision, tick: float | None) -> float:
    """Return the price of a resting entry on the grid; nan for a market order."""
    if not decision.is_resting:
        return math.nan
    if decision.limit is not None:
        return limit_grid(decision.limit, decision.side, tick)
    return stop_grid(decision.stop, decision.side, tick)


def run_reference(
    config: Any, events: Iterable[Any], decide: Decide, funding: Iterable[tuple[int, int, float]] = ()
) -> Simulator:
    """Run a fresh simulator over the events and return it."""
    return Simulator(config, decide, funding).run(events)
