"""F35: a strategy writes into what it is given: a bar, its position, the array of a feature.

Guards that inputs are read-only: the attempt is the strategy's error, and neither account nor prices change.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.live.markets import bars_of, run_to_end, session_config
from workbench.strategy import Strategy, enter_long, hold

BARS = bars_of([100.0 + bar for bar in range(1, 9)])


class WritesBar(Strategy):
    """Makes its own prices."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        now.close = 1.0
        return enter_long() if position.is_flat else hold()


class WritesPosition(Strategy):
    """Makes its own position."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        position.quantity = 5.0
        return hold()


class WritesArray(Strategy):
    """Has a feature that spoils what it reads; buys above 104 by an indicator of the same prices."""

    def indicators(self, m: Any) -> dict[str, Any]:
        def greedy(close: Any) -> Any:
            before = close.copy()
            close[:] = 1.0
            return before

        return {"greedy": m.feature(greedy, lookback=3), "mean": m.close.sma(2)}

    def on_bar(self, now: Any, position: Any) -> Any:
        return enter_long() if position.is_flat and now.mean > 104.0 and now.greedy > 104.0 else hold()


@pytest.mark.parametrize("strategy", [WritesBar(), WritesPosition()], ids=lambda one: one.name)
def test_what_a_strategy_is_given_cannot_be_written(strategy: Any) -> None:
    session = run_to_end(session_config(BARS, strategy=strategy, max_strategy_errors=3))
    texts = [str(error) for error in session.errors()]
    assert len(texts) == 8
    assert all("can't set attribute" in text for text in texts), texts[0]
    assert session.fills() == ()
    assert closes(session) == [100.0 + bar for bar in range(1, 9)]


def test_a_feature_writes_into_a_copy_of_its_own() -> None:
    session = run_to_end(session_config(BARS, strategy=WritesArray()))
    assert session.errors() == ()
    # (104 + 105) / 2 = 104.5 is the first mean above 104: decided at 105, bought at the next open, 105.
    assert [fill.price for fill in session.fills()] == [105.0]
    assert closes(session) == [100.0 + bar for bar in range(1, 9)]
    assert session.parity().is_identical


class SpoilsItsWindow(Strategy):
    """Has a feature that reads two bars, and writes over them what it would read on the next one."""

    def indicators(self, m: Any) -> dict[str, Any]:
        def pair(close: Any) -> Any:
            sums = close.copy()
            sums[1:] += close[:-1]
            close[:] = 1.0
            return sums

        return {"pair": m.feature(pair, lookback=3)}

    def on_bar(self, now: Any, position: Any) -> Any:
        return enter_long() if position.is_flat and now.pair > 209.0 else hold()


def test_what_a_feature_writes_is_not_what_it_reads_next() -> None:
    session = run_to_end(session_config(BARS, strategy=SpoilsItsWindow()))
    assert session.errors() == ()
    # 105 + 106 = 211 is the first sum above 209, after 104 + 105; decided at 106, bought at the next open, 106.
    assert [fill.price for fill in session.fills()] == [106.0]
    assert session.parity().is_identical


def closes(session: Any) -> list[float]:
    return [row[4] for row in session.chart_state().bars.tolist()]
