"""F38: the websocket is up and brings nothing: the session says so, leaves no entry waiting, and loses no bar."""

from typing import Any

from tests.practice_session import WAIT_S, staged
from workbench.strategy import Strategy, enter_long, hold

STREAM = "btcusdt@trade"
TICKS = [(second, 100.0 + second % 60 / 100) for second in range(0, 1_200, 10)]


class BuysAtNinety(Strategy):
    """Waits in the book, far below the market."""

    def on_bar(self, now: Any, position: Any) -> Any:
        return enter_long(limit=90.0 + 0.0 * now.close) if position.is_flat else hold()


def test_silence_is_told_cancels_what_waits_and_costs_no_bar() -> None:
    with staged(TICKS, BuysAtNinety()) as stage:
        stage.play(65, bars=1)
        stage.until_any(lambda: stage.orders() == [("buy", 0.0)])
        stage.exchange.faults.add("silent_stream", where=STREAM, times=None)
        stage.exchange.advance(180)
        assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
        assert (
            stage.session.reason
            == "no data since 2025-01-01T00:01Z, the limit is 90 s; nothing enters, no stop of its own can act"
        )
        stage.until_any(lambda: [str(order.status).lower() for order in stage.exchange.orders()] == ["canceled"])
        assert stage.bars == stage.bars[:1]

        stage.exchange.faults.clear()
        stage.play(60, bars=5)
        assert stage.session.wait_for("ACTIVE", timeout_s=WAIT_S)
        # What the line did not bring came over REST: the bars of the silence are whole.
        assert stage.closes()[:5] == [(minute, 100.5, False) for minute in range(5)]
        assert stage.told("BTC/USDT: 21 missing between") or stage.told("missing between")
        stage.check_books()
