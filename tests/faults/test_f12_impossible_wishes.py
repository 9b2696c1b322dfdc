"""F12, in a session: a strategy wishes for what cannot be. Its bar is skipped and told; nothing is recorded or sent.

Guards that the core refuses such a wish before an intent of it is in the journal, that the session stays up and counts,
and that a fixed number in a row halts entries; a wish for more than there is is denied or cut, never sent as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.crashing_sessions import World
from tests.unit.live.markets import bars_of
from workbench.core.intents import ENTER_LONG, NOTIONAL, UNITS, Intent
from workbench.strategy import Strategy, enter_long, hold

CLOSES = [101.0, 102.0, 103.0, 104.0, 105.0, 106.0]
NONE = (math.nan,) * 4


class Wishes(Strategy):
    """Wants something on every bar from the third on, and buys at 106 as it should."""

    number: int = 0

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        if now.close < 103.0:
            return hold()
        return WISHES[self.number](now) if now.close < 106.0 else enter_long(units=0.5)


def forged(**changes: float) -> Intent:
    """Return an intent that no function of ours made."""
    return Intent(ENTER_LONG, UNITS, 1.0, math.nan, math.nan, *NONE)._replace(**changes)  # type: ignore[arg-type]


IMPOSSIBLE: dict[str, Callable[[Any], Any]] = {
    "nan units": lambda now: enter_long(units=now.close * math.nan),
    "infinite units": lambda now: enter_long(units=now.close * math.inf),
    "negative units": lambda now: enter_long(units=-now.close),
    "no units": lambda now: enter_long(units=now.close - now.close),
    "nan notional": lambda now: enter_long(notional=now.close * math.nan),
    "nan limit": lambda now: enter_long(limit=now.close * math.nan),
    "negative limit": lambda now: enter_long(limit=-now.close),
    "nan stop": lambda now: enter_long(stop=now.close * math.nan),
    "text": lambda _: enter_long(units="many"),  # type: ignore[arg-type]
    "a decimal that is none": lambda _: enter_long(units=Decimal("nan")),  # type: ignore[arg-type]
    "no intent": lambda _: "buy",
    "a number": lambda _: 1,
    "a tuple": lambda _: (ENTER_LONG, UNITS, 1.0),
    "forged nan": lambda _: forged(size=math.nan),
    "forged infinity": lambda _: forged(size=math.inf),
    "forged negative": lambda _: forged(size=-1.0),
    "forged negative notional": lambda _: forged(sizing=NOTIONAL, size=-100.0),
    "forged negative limit": lambda _: forged(limit=-5.0),
    "forged infinite limit": lambda _: forged(limit=math.inf),
    "forged action": lambda _: forged(action=77),
    "forged sizing": lambda _: forged(sizing=9),
    "forged text": lambda _: forged(size="1"),  # type: ignore[arg-type]
}


HUGE: dict[str, Callable[[Any], Any]] = {
    "units": lambda _: enter_long(units=1e300),
    "notional": lambda _: enter_long(notional=1e300),
    "equities": lambda _: enter_long(size=1e300),
    "forged units": lambda _: forged(size=1e308),
}
WISHES = [*IMPOSSIBLE.values(), *HUGE.values()]


@contextmanager
def world(folder: Path, number: int, **settings: Any) -> Iterator[World]:
    one = World(folder, bars_of(CLOSES), strategy=Wishes(number=number), **settings)
    try:
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("number", range(len(IMPOSSIBLE)), ids=list(IMPOSSIBLE))
def test_it_is_told_and_skipped_and_nothing_is_recorded_or_sent(tmp_path: Path, number: int) -> None:
    with world(tmp_path, number, max_strategy_errors=4) as one:
        session = one.run()
        one.check()
        # On 103, 104 and 105; what is wanted at 106 comes with the last price, at which nothing can be sent any more.
        assert session.metrics()["counts"]["strategy_errors"] == 3
        assert all(str(error) for error in session.errors())
        assert one.journal.notes("intent") == ()
        assert one.exchange.orders == {}
        assert not any(event.text.startswith("HALTED") for event in session.events())


def test_too_many_in_a_row_halt_entries(tmp_path: Path) -> None:
    with world(tmp_path, 0, max_strategy_errors=3) as one:
        session = one.run()
        one.check()
        texts = [event.text for event in session.events()]
        assert any(text.startswith("HALTED: the strategy failed on 3 bars in a row") for text in texts)
        assert one.exchange.orders == {}


@pytest.mark.parametrize("number", range(len(IMPOSSIBLE), len(WISHES)), ids=list(HUGE))
def test_more_than_there_is_is_never_sent(tmp_path: Path, number: int) -> None:
    with world(tmp_path, number, cash=1_000.0) as one:
        session = one.run()
        one.check()
        # Cut to what 1 000 buys at 103, or denied.
        assert sum(order.quantity for order in one.exchange.orders.values()) <= 1_000.0 / 103.0
        assert session.snapshot().cash >= 0.0
        assert one.exchange.orders or session.denials()
