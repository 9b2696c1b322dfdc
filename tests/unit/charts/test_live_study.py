from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.unit.live.markets import BTC, ETH, session_config, walk
from workbench.charts.live_study import LiveStudy, StudyNews
from workbench.charts.strategy_study import StrategyStudy
from workbench.core import run_backtest
from workbench.model import Bars
from workbench.strategy import Rules, plan_of, sma_cross, strategy

PATIENCE_S = 90.0
COUNT = 200
CROSS = sma_cross(fast=3, slow=8)
CONFIG = session_config(walk(COUNT), strategy=CROSS)


def rows_of(bars: Bars) -> np.ndarray:
    return np.column_stack([bars.time_ns / 1e6, bars.values[:, 0].T])


ROWS = rows_of(walk(COUNT))
LEDGER = run_backtest(plan_of(CROSS), walk(COUNT), CONFIG.engine_config())


def points(rows: np.ndarray) -> np.ndarray:
    """Return an equity point for each bar, as of a session that has done nothing yet."""
    return np.column_stack([rows[:, 0], np.full(len(rows), 10_000.0), np.zeros(len(rows))])


def state(bars: np.ndarray, equity: np.ndarray) -> Any:
    return SimpleNamespace(bars=bars, equity=equity)


class Desk:
    """A study whose news can be waited for."""

    def __init__(self, config: object = CONFIG, **options: Any) -> None:
        self.news = threading.Semaphore(0)
        self.study = LiveStudy(SimpleNamespace(config=config), on_work=self.news.release, **options)  # type: ignore[arg-type]  # no more is asked

    def follow(self, bars: np.ndarray, equity: np.ndarray) -> None:
        self.study.follow(state(bars, equity))
        assert self.news.acquire(timeout=PATIENCE_S)

    def add(self, bars: np.ndarray, *, closed: np.ndarray | None = None) -> None:
        """Tell of changed bars, of which an equity point says that they are closed."""
        equity = np.empty((0, 3)) if closed is None else points(closed)
        self.study.add(bars, [SimpleNamespace(equity_rows=equity)])

    def wait(self) -> None:
        assert self.news.acquire(timeout=PATIENCE_S)


def equity_of(news: StudyNews) -> np.ndarray:
    return np.concatenate(news.equity)


def test_backtest_beside_a_session_is_the_backtest_to_the_last_bit() -> None:
    study = StrategyStudy(CONFIG.plan, CONFIG.engine_config())
    study.warm_up(ROWS[:0])
    pieces = [study.advance(ROWS[:50]), study.advance(ROWS[50:51]), study.advance(ROWS[51:])]
    found = np.concatenate([piece.equity for piece in pieces])
    np.testing.assert_array_equal(found[:, 0], ROWS[:, 0])
    np.testing.assert_array_equal(found[:, 1], LEDGER.equity)
    marks = [mark for piece in pieces for mark in piece.marks]
    assert [(mark[0], mark[1]) for mark in marks] == [(fill["time_ns"], fill["price"]) for fill in LEDGER.fills]
    assert len(marks) > 4
    assert [mark[4] for mark in marks[:4]] == [1, 0, 1, 0]  # bought, sold, bought, sold


def test_levels_are_those_of_the_strategy_on_each_bar() -> None:
    study = StrategyStudy(CONFIG.plan, CONFIG.engine_config())
    levels = np.concatenate([study.warm_up(ROWS[:20]).levels, study.advance(ROWS[20:]).levels])
    assert study.names == ("sma(close, 3)", "sma(close, 8)")
    assert np.isnan(levels[:2, 1]).all()
    assert np.isnan(levels[:7, 2]).all()
    assert levels[99, 1] == pytest.approx(ROWS[97:100, 4].mean(), rel=1e-12)
    assert levels[99, 2] == pytest.approx(ROWS[92:100, 4].mean(), rel=1e-12)


def test_bars_before_the_session_only_warm_up() -> None:
    desk = Desk()
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    news = desk.study.take()
    assert news.is_whole
    np.testing.assert_array_equal(equity_of(news)[:, 0], ROWS[20:60, 0])
    np.testing.assert_array_equal(np.concatenate(news.levels)[:, 0], ROWS[:60, 0])
    assert all(mark[0] >= ROWS[20, 0] * 1e6 for mark in news.marks)


def test_closed_bars_are_added_and_told_once() -> None:
    desk = Desk()
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    desk.study.take()
    desk.add(ROWS[60:61])  # forms
    assert not desk.study.take()
    desk.add(ROWS[60:62])  # the next one forms, so this one is closed
    desk.wait()
    desk.add(ROWS[61:62], closed=ROWS[61:62])  # has its equity point
    desk.wait()
    news = desk.study.take()
    assert not news.is_whole
    np.testing.assert_array_equal(equity_of(news)[:, 0], ROWS[60:62, 0])
    desk.add(ROWS[61:62], closed=ROWS[61:62])  # again
    desk.add(ROWS[62:63], closed=ROWS[62:63])
    desk.wait()
    np.testing.assert_array_equal(equity_of(desk.study.take())[:, 0], ROWS[62:63, 0])


def test_what_came_in_pieces_is_what_comes_at_once() -> None:
    desk, other = Desk(), Desk()
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    for row in range(60, 120):
        desk.add(ROWS[row : row + 1], closed=ROWS[row : row + 1])
        desk.wait()
    other.follow(ROWS[:120], points(ROWS[20:120]))
    one, whole = desk.study.whole(), other.study.whole()
    np.testing.assert_array_equal(equity_of(one), equity_of(whole))
    np.testing.assert_array_equal(np.concatenate(one.levels), np.concatenate(whole.levels))
    assert one.marks == whole.marks


def test_snapshot_goes_on_where_the_bars_are_the_same_and_begins_anew_where_one_was_mended() -> None:
    desk = Desk()
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    desk.study.take()
    desk.follow(ROWS[:70], points(ROWS[20:70]))
    news = desk.study.take()
    assert not news.is_whole
    np.testing.assert_array_equal(equity_of(news)[:, 0], ROWS[60:70, 0])
    mended = ROWS[:70].copy()
    mended[65, 4] += 0.5
    desk.follow(mended, points(ROWS[20:70]))
    news = desk.study.take()
    assert news.is_whole
    assert len(equity_of(news)) == 50


def test_backtest_of_a_session_whose_beginning_is_gone_begins_with_what_the_account_had_then() -> None:
    desk = Desk()
    equity = points(ROWS[:100])
    equity[:, 1] = 8_000.0 + np.arange(100)
    desk.follow(ROWS[40:100], equity)
    found = equity_of(desk.study.whole())
    assert found[0, 0] == ROWS[41, 0]
    assert found[0, 1] == 8_040.0  # after bar 40, and nothing is held yet


def test_forming_bar_is_no_bar_yet() -> None:
    desk = Desk()
    desk.follow(ROWS[:60], points(ROWS[20:59]))
    assert equity_of(desk.study.whole())[-1, 0] == ROWS[58, 0]
    desk.add(ROWS[60:61])  # the one after the forming one: that one is closed as it was told last
    desk.wait()
    assert equity_of(desk.study.take())[-1, 0] == ROWS[59, 0]


def test_of_several_symbols_there_are_levels_and_a_reason_why_there_is_no_backtest() -> None:
    two = session_config(walk(COUNT), strategy=CROSS)
    engine = two.engine_config()
    pair = SimpleNamespace(plan=two.plan, engine_config=lambda: session_config(_both(), strategy=CROSS).engine_config())
    assert engine.symbols == (BTC,)
    desk = Desk(pair)
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    news = desk.study.whole()
    assert news.names == ("sma(close, 3)", "sma(close, 8)")
    assert news.levels
    assert news.equity == []
    assert news.fault == "the symbols share one account, and this chart has the bars of BTC/USDT alone"


def _both() -> Bars:
    one, other = walk(COUNT), walk(COUNT, seed=2, symbol=ETH)
    columns = np.concatenate([one.values, other.values], axis=1)
    return Bars.from_arrays([BTC, ETH], "1m", one.time_ns, *columns)


def test_strategy_that_fails_leaves_a_reason_and_no_study() -> None:
    def fails() -> None:
        raise ValueError("no such thing")

    desk = Desk(SimpleNamespace(plan=fails, engine_config=CONFIG.engine_config))
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    news = desk.study.take()
    assert (news.is_whole, news.fault, news.equity) == (True, "ValueError: no such thing", [])


def test_strategy_that_raises_on_a_bar_holds_there() -> None:
    def raises(close: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError(f"of {len(close)} bars")

    @strategy
    def broken(m):
        return Rules(enter_long=m.feature(raises, lookback=3) > 0)

    study = StrategyStudy(lambda: plan_of(broken()), CONFIG.engine_config())
    study.warm_up(ROWS[:0])
    assert (study.advance(ROWS[:20]).equity[:, 1] == 10_000.0).all()


def test_session_whose_strategy_nobody_knows_has_an_empty_study() -> None:
    desk = Desk(config=SimpleNamespace(risk=None))
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    news = desk.study.whole()
    assert (news.names, news.levels, news.equity, news.fault) == ((), [], [], "")


def test_study_is_settled_once_all_is_taken() -> None:
    desk = Desk()
    assert desk.study.is_settled
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    assert not desk.study.is_settled
    desk.study.take()
    for thread in threading.enumerate():
        if thread.name == "workbench-study":
            thread.join(PATIENCE_S)
    assert desk.study.is_settled


def test_what_is_kept_is_bounded() -> None:
    desk = Desk(max_rows=30)
    desk.follow(ROWS[:150], points(ROWS[20:150]))
    news = desk.study.whole()
    assert len(equity_of(news)) == 30
    assert len(np.concatenate(news.levels)) == 30
    np.testing.assert_array_equal(equity_of(news)[-1, 0], ROWS[149, 0])


def test_no_thread_is_left_when_all_is_taken() -> None:
    desk = Desk()
    desk.follow(ROWS[:60], points(ROWS[20:60]))
    for thread in threading.enumerate():
        if thread.name == "workbench-study":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
