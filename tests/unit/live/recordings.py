"""Records made by hand, row by row: for tests of what is told and played of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import MIDNIGHT, MINUTE, SECOND
from workbench.live.recovery import BEGUN
from workbench.model import BAR_CLOSED, COMMAND, EVENT, REPORT, TICK, Command, Instrument

Row = tuple[Any, ...]


def recorded(*rows: Row) -> KeptRecord:
    """Return the record of a session that began at midnight."""
    record = KeptRecord()
    record.note(BEGUN, MIDNIGHT, {"since_ns": MIDNIGHT})
    record.append(np.array(list(rows), dtype=EVENT))
    return record


def tick(second: float, price: float, symbol: int = 0) -> Row:
    """Return a price, so many seconds after midnight."""
    return (TICK, symbol, MIDNIGHT + round(second * SECOND), price, 1.0, 0.0, 0.0, 0.0, 0)


def closed(minute: int, price: float, kind: int = BAR_CLOSED) -> Row:
    """Return a bar that stands at one price."""
    return (kind, 0, MIDNIGHT + minute * MINUTE, price, price, price, price, 1.0, 0)


def told(second: float, command: str) -> Row:
    """Return a person's command."""
    return (COMMAND, -1, MIDNIGHT + round(second * SECOND), float(Command(command).code), 0.0, 0.0, 0.0, 0.0, 0)


def report(second: float, number: int, signed: float, price: float, *, fee: float = 0.0, is_done: bool = False) -> Row:
    """Return what an exchange reported of an order."""
    time_ns = MIDNIGHT + round(second * SECOND)
    return (REPORT, 0, time_ns, signed, price, fee, float(number), float(is_done), 0)


class Exchange:
    """A source with an account, of which only the rules are asked."""

    name = "fake"
    has_account = True
    has_own_clock = True

    def instruments(self, symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
        return tuple(Instrument(symbol) for symbol in symbols)
