"""F40: bars that come too late: nothing enters on them, an exit leaves at the price of now."""

import pytest

from tests.practice_session import WAIT_S, staged
from workbench.strategy import Rules, strategy

STREAM = "btcusdt@trade"


@strategy
def in_above_out_below(m, high=150.0, low=50.0):
    return Rules(enter_long=m.close > high, exit_long=m.close < low)


def prices(by_minute: dict[int, float]) -> list[tuple[float, float]]:
    """Return a price each 10 s, 100 where a minute has none of its own."""
    return [(second, by_minute.get(second // 60, 100.0)) for second in range(0, 1_200, 10)]


def test_nothing_enters_on_a_bar_of_the_silence() -> None:
    with staged(prices({3: 200.0}), in_above_out_below()) as stage:
        stage.play(65, bars=1)
        stage.exchange.faults.add("silent_stream", where=STREAM, times=None)
        stage.exchange.advance(240)
        assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
        stage.exchange.faults.clear()
        stage.play(120, bars=7)
        assert (3, 200.0, False) in stage.closes()
        assert stage.told("nothing enters on it")
        assert stage.orders() == []
        assert not stage.session.snapshot().is_paused
        stage.check_books()


def test_the_first_fresh_bar_enters_again() -> None:
    with staged(prices({3: 200.0, 6: 200.0}), in_above_out_below()) as stage:
        stage.play(65, bars=1)
        stage.exchange.faults.add("silent_stream", where=STREAM, times=None)
        stage.exchange.advance(240)
        assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
        stage.exchange.faults.clear()
        stage.play(60, bars=6)
        stage.play(60, bars=7)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        assert [side for side, _ in stage.orders()] == ["buy"]
        stage.check_books()


def test_an_exit_of_the_silence_leaves_at_a_fresh_price() -> None:
    with staged(prices({0: 200.0, 3: 40.0, 5: 80.0, 6: 80.0}), in_above_out_below()) as stage:
        stage.play(65, bars=1)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        stage.exchange.faults.add("silent_stream", where=STREAM, times=None)
        stage.exchange.advance(240)
        assert stage.session.wait_for("STALE", timeout_s=WAIT_S)
        stage.exchange.faults.clear()
        stage.play(60, bars=6)
        stage.until(lambda: stage.session.snapshot().fill_count == 2)
        assert [side for side, _ in stage.orders()] == ["buy", "sell"]
        # 40 is what the price was when the exit was decided on; 80 is what there is now.
        assert stage.session.fills()[-1].price == pytest.approx(80.0, abs=0.05)
        stage.check_books()
