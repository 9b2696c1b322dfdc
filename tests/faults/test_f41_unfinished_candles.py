"""F41: a candle is called closed before it is, or comes again with other numbers: each closes once."""

from tests.practice_session import staged
from workbench.strategy import buy_and_hold

TICKS = [(second, 100.0 + second % 60) for second in range(0, 1_200, 10)]
TRUTH = [(minute, 150.0, False) for minute in range(5)]  # the last price of each minute: 100 + 50


def test_a_session_on_candles_closes_each_once_with_its_final_numbers() -> None:
    with staged(TICKS, buy_and_hold(), feed="candles", execution="simulated") as stage:
        for _ in range(32):
            stage.exchange.advance(10)
        stage.until(lambda: len(stage.bars) >= 5)
        assert stage.closes()[:5] == TRUTH
        assert stage.session.parity().is_identical


def test_a_candle_that_says_too_early_that_it_is_closed_closes_with_its_final_numbers() -> None:
    with staged(TICKS, buy_and_hold(), feed="candles", execution="simulated") as stage:
        stage.exchange.faults.add("unfinished_candle", where="@kline_", times=None)
        for told in range(32):
            stage.exchange.advance(10)
            # Each update says so, and is judged by the time at which it comes.
            stage.until_any(lambda told=told: [one.kind for one in stage.session.events()].count("bad_record") > told)
        stage.until(lambda: len(stage.bars) >= 5)
        assert stage.closes()[:5] == TRUTH
        assert stage.session.parity().is_identical


def test_an_early_flag_is_told() -> None:
    with staged(TICKS, buy_and_hold(), feed="candles", execution="simulated") as stage:
        stage.play(61, bars=1)
        stage.exchange.faults.add("unfinished_candle", where="@kline_", times=None)
        stage.exchange.advance(10)
        stage.wait_told("the candle of 2025-01-01T00:01Z says it is closed before its end")
        assert len(stage.bars) == 1


def test_a_revision_is_told_and_the_bar_stays_as_it_was_decided_on() -> None:
    with staged(TICKS, buy_and_hold(), feed="candles", execution="simulated") as stage:
        stage.exchange.faults.add("revised_candle", where="@kline_", times=None)
        for _ in range(32):
            stage.exchange.advance(10)
        stage.until(lambda: len(stage.bars) >= 5)
        closed = stage.closes()[:5]
        assert [minute for minute, _, _ in closed] == [minute for minute, _, _ in TRUTH]
        for minute, close, _ in closed:
            # The wrong numbers come first, and the right ones may come so soon that nobody sees the wrong ones.
            if close != 150.0:
                stage.wait_told(f"the candle of 2025-01-01T00:0{minute}Z was revised: close {close:g} ->")
        assert stage.session.parity().is_identical


def test_a_missing_candle_is_told_and_never_made_up() -> None:
    with staged(TICKS, buy_and_hold(), feed="candles", execution="simulated") as stage:
        stage.play(70, bars=1)
        stage.exchange.faults.add("skipped_candle", where="@kline_", times=1)
        for _ in range(18):
            stage.exchange.advance(10)
        stage.until(lambda: len(stage.bars) >= 3)
        minutes = [minute for minute, _, _ in stage.closes()]
        assert minutes == sorted(set(minutes))
        assert 1 not in minutes
