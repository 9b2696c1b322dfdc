"""What the risk review measures of an entry, rule by rule with limit and value: for people who ask about it later.

The review itself stops at the first rule that forbids; these are the same figures for every rule that is on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from workbench.core.records import FILL_ROW, LIMIT, MARKET, MINUTE_NS
from workbench.core.review import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.records import Book

__all__ = ["EntryCheck", "ReviewedEntry", "book_at_review", "entry_checks"]

_NS_PER_S: Final = 1e9


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """One rule of the review: what it allows, what the entry asked for (None: no number), and whether it may pass."""

    rule: str
    limit: float
    value: float | None
    is_met: bool


class ReviewedEntry(NamedTuple):
    """The entry as it was reviewed: row of its symbol, side (+1, -1), kind, rounded quantity, order price, time."""

    symbol: int
    side: int
    kind: int
    quantity: float
    price: float
    time_ns: int


def book_at_review(before: Book, prices: dict[int, float], log: NDArray[np.void]) -> Book:
    """Return the account as the review saw it.

    Parameters
    ----------
    before : Book
        Account and positions before the event.
    prices : dict of int to float
        The event's price of each symbol that has one.
    log : ndarray of `LOG`
        What the event had made happen before the review, such as the exit of a reversal.
    """
    account, symbols = before.account.copy(), before.symbols.copy()
    for s, price in prices.items():
        symbols[s]["reference"] = symbols[s]["last"]
        symbols[s]["last"] = price
    for fill in log[log["kind"] == FILL_ROW]:
        signed = fill["side"] * fill["quantity"]
        account["cash"] -= signed * fill["price"] + fill["fee"]
        symbols[fill["symbol"]]["quantity"] += signed
    return before._replace(account=account, symbols=symbols)


def entry_checks(book: Book, entry: ReviewedEntry) -> tuple[EntryCheck, ...]:
    """Return what each rule that is on measures of an entry, in the order in which the review asks them.

    Parameters
    ----------
    book : Book
        As `book_at_review` gives it.
    entry : ReviewedEntry
        What was to be sent.
    """
    return (*_gate(book, entry), *_caps(book, entry))


def _gate(book: Book, entry: ReviewedEntry) -> Iterator[EntryCheck]:
    account, config, y = book.account, book.config, book.symbols[entry.symbol]
    if config["cooldown_ns"] > 0:
        left_s = max(0.0, (int(y["cooldown_until_ns"]) - entry.time_ns) / _NS_PER_S)
        yield EntryCheck("cooldown", float(config["cooldown_ns"]) / _NS_PER_S, left_s, left_s == 0.0)
    most = int(config["max_orders_per_minute"])
    if most > 0:
        is_same = account["minute"] == entry.time_ns // MINUTE_NS
        orders = int(account["minute_orders"]) + 1 if is_same else 1
        yield EntryCheck("max_orders_per_minute", float(most), float(orders), orders <= most)
    price, reference = (y["last"], y["reference"]) if entry.kind == MARKET else (entry.price, y["last"])
    collar = float(config["price_collar"])
    if collar > 0.0 and reference > 0.0:
        away = abs(float(price) / float(reference) - 1.0)
        yield EntryCheck("price_collar", collar, away, away <= collar)


def _caps(book: Book, entry: ReviewedEntry) -> Iterator[EntryCheck]:
    config, y = book.config, book.symbols[entry.symbol]
    instrument = y["instrument"]
    fee = float(instrument["maker_fee"] if entry.kind == LIMIT else instrument["taker_fee"])
    notional = entry.quantity * entry.price
    held = max(0.0, entry.side * float(y["quantity"])) * entry.price
    least = float(instrument["min_notional"])
    if least > 0.0 or notional <= 0.0:
        yield EntryCheck("min_notional", least, notional, notional > 0.0 and least <= notional)
    for name, value in (("max_order_notional", notional), ("max_position_notional", held + notional)):
        most = float(config[name])
        if most < math.inf:
            yield EntryCheck(name, most, value, value <= most * TOLERANCE)
    leverage = float(min(config["max_leverage"], instrument["max_leverage"]))
    values = book.symbols["quantity"] * book.symbols["last"]
    equity = float(book.account["cash"]) + math.fsum(values)
    used = math.fsum(np.abs(np.delete(values, entry.symbol))) + held + notional
    ratio = used / equity if equity > 0.0 else None
    yield EntryCheck("max_leverage", leverage, ratio, used <= leverage * (equity - notional * fee) * TOLERANCE)
    if instrument["is_spot"] == 1:
        cash = float(book.account["cash"]) + math.fsum(values[book.symbols["instrument"]["is_spot"] == 0])
        cost = notional * (1.0 + fee)
        yield EntryCheck("insufficient_funds", cash, cost, cost <= cash * TOLERANCE)
