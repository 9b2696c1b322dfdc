from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.live.fake_core import EMPTY
from tests.unit.live.markets import BTC, ETH, JOIN_S, MIDNIGHT, MINUTE, SECOND, bars_of
from workbench.live.chart_history import ChartHistory, Rows, Subscribers
from workbench.live.records import LiveStep, StepUpdate
from workbench.model import AccountState, Bar, Fill, PositionSnapshot, StepResult, Timeframe

MS = 1_000_000


def bar(minute: int, close: float = 100.0, *, symbol: str = BTC) -> Bar:
    return Bar(symbol, MIDNIGHT + minute * MINUTE, 100.0, max(100.0, close), min(100.0, close), close, 2.0)


def step(
    closed: tuple[Bar, ...] = (),
    forming: tuple[Bar, ...] = (),
    *,
    account: AccountState = EMPTY,
    fills: tuple[Fill, ...] = (),
) -> LiveStep:
    return LiveStep(StepResult(fills, (), (), (), account), closed, forming, MIDNIGHT)


def history(capacity: int = 5_000) -> ChartHistory:
    return ChartHistory(BTC, Timeframe("1m"), capacity=capacity)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 7))
def test_a_table_keeps_the_newest_rows_and_counts_the_dropped_ones(steps: list[int], capacity: int) -> None:
    rows, expected = Rows(capacity, 2), {}
    time = 0
    for value, jump in enumerate(steps):
        time += jump  # 0: the row of this time is replaced
        rows.put([time, value])
        expected[time] = value
    assert rows.view().tolist() == [[float(at), float(value)] for at, value in expected.items()][-capacity:]
    assert rows.dropped == max(0, len(expected) - capacity)


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 40))
def test_rows_of_any_order_stand_in_the_order_of_time(times: list[int], capacity: int) -> None:
    rows, kept = Rows(capacity, 2), {}
    for value, time in enumerate(times):
        if len(kept) == capacity and time < min(kept):
            continue  # older than all: dropped at once
        kept[time] = value
        kept = dict(sorted(kept.items())[-capacity:])
        rows.put([time, value], inserts=True)
    assert rows.view().tolist() == [[float(at), float(value)] for at, value in kept.items()]


@given(
    before=st.lists(st.integers(0, 12), max_size=8),
    times=st.one_of(st.lists(st.integers(0, 40), max_size=30), st.sets(st.integers(0, 40), max_size=30).map(sorted)),
    capacity=st.integers(1, 6),
)
def test_many_rows_at_once_are_the_same_as_one_after_another(
    before: list[int], times: list[int], capacity: int
) -> None:
    one, other = Rows(capacity, 2), Rows(capacity, 2)
    for number, time in enumerate(before):
        one.put([time, number], inserts=True)
        other.put([time, number], inserts=True)
    table = np.array([[time, 100 + number] for number, time in enumerate(times)], dtype=np.float64).reshape(-1, 2)
    one.extend(table)
    for row in table:
        other.put(row, inserts=True)
    one.put([50.0, 0.0])
    other.put([50.0, 0.0])
    assert (one.view().tolist(), one.dropped) == (other.view().tolist(), other.dropped)


def test_a_bar_that_is_mended_after_its_time_stands_in_its_place_and_readers_are_made_to_ask() -> None:
    chart = history()
    assert chart.add(step(forming=(bar(0),))).sequence == 1
    assert chart.add(step(closed=(bar(0, 101.0),), forming=(bar(5),))).sequence == 2
    update = chart.add(step(closed=(bar(0, 102.0), bar(2, 103.0)), forming=(bar(5, 104.0),)))
    assert update.sequence == 4  # number 3 is never told
    assert update.bar_rows[:, 4].tolist() == [104.0]
    assert chart.state().sequence == 4
    assert chart.state().bars[:, 4].tolist() == [102.0, 103.0, 104.0]


def test_a_bar_that_closes_after_a_quiet_time_is_told_at_once() -> None:
    chart = history()
    chart.add(step(forming=(bar(0),)))
    update = chart.add(step(closed=(bar(0, 101.0),), forming=(bar(5),)))
    assert (update.sequence, update.bar_rows[:, 4].tolist()) == (2, [101.0, 100.0])


def test_a_forming_bar_is_the_last_row_until_it_closes() -> None:
    chart = history()
    chart.add(step(forming=(bar(0, 101.0),)))
    chart.add(step(forming=(bar(0, 102.0),)))
    chart.add(step(closed=(bar(0, 103.0),), forming=(bar(1, 99.0),)))
    closes = chart.state().bars[:, 4].tolist()
    assert closes == [103.0, 99.0]
    assert chart.state().bars[0, 0] == MIDNIGHT / MS


def test_each_closed_bar_has_a_point_of_equity_and_a_drawdown_below_zero() -> None:
    chart = history()
    update = chart.add(step(closed=(bar(0),), account=replace(EMPTY, equity=950.0, drawdown=0.05)))
    assert update.equity_rows.tolist() == [[MIDNIGHT / MS, 950.0, -0.05]]
    assert chart.add(step(forming=(bar(1),))).equity_rows.shape == (0, 3)


def test_snapshot_tells_the_account_as_it_is_now_beside_the_points_of_closed_bars() -> None:
    chart = history()
    assert chart.state().now is None
    chart.add(step(closed=(bar(0),), account=replace(EMPTY, equity=950.0, drawdown=0.05)))
    chart.add(step(forming=(bar(1),), account=replace(EMPTY, equity=940.0, drawdown=0.06)))
    assert chart.state().equity[:, 1].tolist() == [950.0]
    assert chart.state().now == (940.0, -0.06)


def test_updates_are_numbered_without_a_gap_and_the_snapshot_says_where_it_stands() -> None:
    chart = history()
    numbers = [chart.add(step(closed=(bar(minute),))).sequence for minute in range(4)]
    assert numbers == [1, 2, 3, 4]
    assert chart.state().sequence == 4


def test_history_before_the_session_has_bars_and_no_equity() -> None:
    chart = history()
    chart.add_history(bars_of([100.0, 101.0, 102.0]))
    state = chart.state()
    assert (state.bars.shape, state.equity.shape) == ((3, 6), (0, 3))
    assert state.bars[:, 4].tolist() == [100.0, 101.0, 102.0]


def test_other_symbols_do_not_appear() -> None:
    chart = history()
    fill = Fill(0, ETH, "buy", 1.0, 50.0, 0.0, MIDNIGHT, "signal", is_maker=False)
    update = chart.add(step(closed=(bar(0, symbol=ETH),), fills=(fill,)))
    assert (len(update.bar_rows), update.marks) == (0, ())


def test_a_fill_is_a_mark_with_side_and_words() -> None:
    chart = history()
    fill = Fill(0, BTC, "sell", 0.25, 104_000.5, 0.0, MIDNIGHT + SECOND, "stop_loss", is_maker=False)
    update = chart.add(step(fills=(fill,)))
    assert update.marks == ((MIDNIGHT + SECOND, 104_000.5, -1, "SELL 0.25 @ 104,000.5, stop loss", -1),)
    assert chart.state().marks == update.marks


def test_lines_are_the_levels_that_the_position_has_and_go_with_it() -> None:
    position = PositionSnapshot(BTC, 1.0, "long", 100.0, MIDNIGHT, 101.0, 101.0, 1.0, 98.0, None, 97.5, None)
    chart = history()
    chart.add(step(account=replace(EMPTY, positions=(position,))))
    assert dict(chart.state().lines) == {"entry": 100.0, "stop": 98.0, "trailing": 97.5}
    chart.add(step())
    assert dict(chart.state().lines) == {}


def test_bars_and_equity_are_bounded_and_what_was_dropped_is_counted() -> None:
    chart = history(capacity=10)
    for minute in range(25):
        chart.add(step(closed=(bar(minute),)))
    state = chart.state()
    assert (len(state.bars), len(state.equity)) == (10, 10)
    assert chart.dropped == {"bars": 15, "equity": 15, "marks": 0}
    assert state.bars[-1, 0] == (MIDNIGHT + 24 * MINUTE) / MS  # the newest is there


def test_a_snapshot_does_not_change_any_more() -> None:
    chart = history()
    chart.add(step(closed=(bar(0),)))
    state = chart.state()
    before = state.bars.copy()
    chart.add(step(closed=(bar(0, 55.0),)))
    assert np.array_equal(state.bars, before)
    with pytest.raises(TypeError):
        state.lines["mine"] = 1.0  # type: ignore[index]  # a frozen view


def test_each_subscription_hears_every_update_until_it_ends() -> None:
    subscribers = Subscribers(lambda _: None)
    heard: list[int] = []
    update = history().add(step())

    def listen(one: StepUpdate) -> None:
        heard.append(one.sequence)

    end_first = subscribers.add(listen)
    end_second = subscribers.add(listen)
    subscribers.tell(update)
    end_first()
    end_first()
    subscribers.tell(update)
    end_second()
    subscribers.tell(update)
    assert heard == [1, 1, 1]  # two subscriptions once, then one
    assert len(subscribers) == 0


def test_a_subscriber_that_fails_is_reported_and_the_others_are_called() -> None:
    errors: list[Exception] = []
    heard: list[StepUpdate] = []
    subscribers = Subscribers(errors.append)

    def broken(_: StepUpdate) -> None:
        raise ValueError("no page")

    subscribers.add(broken)
    subscribers.add(heard.append)
    subscribers.tell(history().add(step()))
    assert [str(error) for error in errors] == ["no page"]
    assert len(heard) == 1


def test_a_snapshot_taken_while_steps_come_holds_whole_rows() -> None:
    chart = history(capacity=50)
    stop = threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not stop.is_set():
            rows = chart.state().bars
            # each bar's close is its minute + 100, so a row mixed of two bars shows
            torn.extend(np.flatnonzero(rows[:, 4] != 100.0 + (rows[:, 0] - MIDNIGHT / MS) / 60_000).tolist())

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for minute in range(3_000):
        chart.add(step(closed=(bar(minute, 100.0 + minute),)))
    stop.set()
    for reader in readers:
        reader.join(JOIN_S)
    assert torn == []
