"""External execution: orders become requests, fills come as reports that are late, partial or never."""

import numpy as np
import pytest

from workbench.core import Engine, EngineConfig
from workbench.core.plan import DecisionPlan
from workbench.core.records import SIGNAL, STOP_LOSS
from workbench.core.reports import DONE, RESTING_STOPS
from workbench.model import BAR_CLOSED, COMMAND, COMMANDS, EVENT, REPORT, TICK, Costs, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, exit_position, hold, plan_of

START = 1_735_689_600_000_000_000
SECOND = 1_000_000_000
ENTER_LONG_CODE, EXIT_LONG_CODE = 1, 2


class Script(DecisionPlan):
    """Rules whose code for each bar is the bar's volume; every entry has a stop of 10 %."""

    kind = "rules"

    def __init__(self):
        super().__init__("script", {}, None, 0)

    def stream(self):
        return self

    def step(self, _open, _high, _low, _close, volume):
        nan = float("nan")
        return int(volume), (nan, nan, nan, 0.1, nan, nan, nan, 0.0)


class SellsFour(Strategy):
    """Buys on a bar of volume 1, sells 4 units on one of volume 2."""

    def on_bar(self, now, _position):
        return {1.0: enter_long(stop_loss=0.1), 2.0: exit_position(units=4.0)}.get(now.volume, hold())


@pytest.fixture
def engine():
    return external(RiskConfig())


def external(risk, plan=None):
    config = EngineConfig(
        instruments=(Instrument("BTC/USDT", lot=0.5),),
        timeframe=Timeframe("1m"),
        cash=1_000.0,
        risk=risk,
        costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0),
        is_external=True,
    )
    return Engine(Script() if plan is None else plan, config)


def event(kind, at, a=0.0, b=0.0, c=0.0, d=0.0, e=0.0, symbol=0):
    return np.array([(kind, symbol, START + at * SECOND, a, b, c, d, e, 0)], dtype=EVENT)


def tick(at, price):
    return event(TICK, at, price, 1.0)


def closed(at, code):
    return event(BAR_CLOSED, at, 100.0, 100.0, 100.0, 100.0, float(code))


def report(at, signed, price, number, flags=0):
    return event(REPORT, at, signed, price, 0.0, float(number), float(flags))


def enter(engine):
    """Send the entry: all of 1,000 at 100 is 10 units, request number 0."""
    engine.process(tick(0, 100.0))
    engine.process(closed(0, ENTER_LONG_CODE))
    engine.process(tick(60, 100.0))


def quantity(engine):
    return sum(position.quantity for position in engine.snapshot().positions)


def test_entry_is_a_request_and_nothing_is_held_before_its_report(engine):
    enter(engine)
    request = engine.ledger.requests
    assert [(row["number"], row["side"], row["quantity"]) for row in request] == [(0, 1, 10.0)]
    assert quantity(engine) == 0.0
    assert engine.snapshot().cash == 1_000.0


def test_nothing_is_sent_twice_while_a_request_is_in_flight(engine):
    enter(engine)
    engine.process(closed(60, ENTER_LONG_CODE))
    engine.process(tick(120, 100.0))
    assert len(engine.ledger.requests) == 1


def test_entry_that_was_decided_while_one_was_in_flight_is_no_reversal_of_what_that_one_opens(engine):
    enter(engine)
    engine.process(closed(60, ENTER_LONG_CODE))  # the account looks flat still
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(tick(120, 101.0))
    assert len(engine.ledger.requests) == 1
    assert quantity(engine) == 10.0


def test_partial_fills_add_up_and_the_stop_protects_each_of_them(engine):
    enter(engine)
    engine.process(report(61, 4.0, 100.0, 0))
    engine.process(report(62, 6.0, 105.0, 0, DONE))
    state = engine.snapshot()
    # (4 * 100 + 6 * 105) / 10 = 103; stop 10 % below it
    assert state.positions[0].entry_price == pytest.approx(103.0)
    assert state.positions[0].stop_level == pytest.approx(92.7)
    assert state.cash == pytest.approx(1_000.0 - 400.0 - 630.0)


def test_rejected_entry_frees_the_symbol_for_the_next_decision(engine):
    enter(engine)
    engine.process(report(61, 0.0, 0.0, 0, DONE))
    engine.process(closed(60, ENTER_LONG_CODE))
    engine.process(tick(120, 100.0))
    assert [row["number"] for row in engine.ledger.requests] == [0, 1]


def test_stop_sends_one_exit_however_many_ticks_lie_below_it(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    for second in range(62, 70):
        engine.process(tick(second, 85.0))
    exits = engine.ledger.requests[1:]
    assert [(row["side"], row["quantity"], row["is_exit"]) for row in exits] == [(-1, 10.0, 1.0)]
    assert quantity(engine) == 10.0


def test_exit_whose_order_was_rejected_is_sent_again_while_the_price_is_below_the_stop(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(tick(62, 85.0))
    engine.process(report(63, 0.0, 0.0, 1, DONE))
    engine.process(tick(64, 84.0))
    assert [row["number"] for row in engine.ledger.requests] == [0, 1, 2]


def test_exit_report_closes_the_position_for_the_reason_of_its_request(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(tick(62, 85.0))
    result = engine.process(report(63, -10.0, 84.5, 1, DONE))
    trade = result.closed_trades[0]
    assert (trade.exit_reason, trade.exit_price, trade.pnl) == ("stop_loss", 84.5, pytest.approx(-155.0))
    assert quantity(engine) == 0.0


def test_fill_that_comes_after_a_flatten_leaves_again(engine):
    enter(engine)
    engine.process(event(COMMAND, 60, float(COMMANDS.index("flatten")), symbol=-1))
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(tick(62, 100.0))
    exits = engine.ledger.requests[1:]
    assert [(row["side"], row["quantity"]) for row in exits] == [(-1, 10.0)]


def test_flatten_of_an_entry_that_is_rejected_does_not_close_the_next_one(engine):
    enter(engine)
    engine.process(event(COMMAND, 60, float(COMMANDS.index("flatten")), symbol=-1))
    engine.process(report(61, 0.0, 0.0, 0, DONE))
    engine.process(event(COMMAND, 62, float(COMMANDS.index("resume")), symbol=-1))
    engine.process(closed(60, ENTER_LONG_CODE))
    engine.process(tick(120, 100.0))
    engine.process(report(121, 10.0, 100.0, 1, DONE))
    engine.process(tick(122, 100.0))
    assert quantity(engine) == 10.0
    assert len(engine.ledger.requests) == 2


def exits(engine):
    return [(float(row["quantity"]), int(row["reason"])) for row in engine.ledger.requests if row["is_exit"]]


def hold_ten(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))


def test_exit_of_the_strategy_that_ended_unfilled_is_sent_again_at_the_next_price(engine):
    hold_ten(engine)
    engine.process(closed(60, EXIT_LONG_CODE))
    engine.process(tick(120, 101.0))
    engine.process(report(121, 0.0, 0.0, 1, DONE))
    engine.process(tick(122, 102.0))
    assert exits(engine) == [(10.0, SIGNAL), (10.0, SIGNAL)]


def test_rest_of_an_exit_that_ended_in_part_is_sent_again(engine):
    hold_ten(engine)
    engine.process(closed(60, EXIT_LONG_CODE))
    engine.process(tick(120, 101.0))
    # 4 of 10 were sold, 6 are left.
    engine.process(report(121, -4.0, 101.0, 1, DONE))
    engine.process(tick(122, 102.0))
    assert exits(engine) == [(10.0, SIGNAL), (6.0, SIGNAL)]


def test_who_was_stopped_out_is_out_though_the_price_came_back(engine):
    hold_ten(engine)
    # The stop lies at 90; the exit is rejected, and the price is above it again.
    engine.process(tick(62, 89.0))
    engine.process(report(63, 0.0, 0.0, 1, DONE))
    engine.process(tick(64, 95.0))
    assert exits(engine) == [(10.0, STOP_LOSS), (10.0, STOP_LOSS)]
    engine.process(report(65, -10.0, 95.0, 2, DONE))
    assert quantity(engine) == 0.0
    engine.process(tick(66, 80.0))
    assert len(exits(engine)) == 2


def test_less_than_a_lot_of_an_exit_is_not_asked_for_again(engine):
    hold_ten(engine)
    engine.process(closed(60, EXIT_LONG_CODE))
    engine.process(tick(120, 101.0))
    # 0.4 is below the lot of 0.5.
    engine.process(report(121, -9.6, 101.0, 1, DONE))
    engine.process(tick(122, 102.0))
    assert len(exits(engine)) == 1


def test_stop_at_the_exchange_closes_for_its_reason_and_the_symbol_cools_down():
    engine = external(RiskConfig(cooldown_s=300.0))
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    result = engine.process(report(121, -10.0, 89.5, RESTING_STOPS, DONE))
    trade = result.closed_trades[0]
    # 10 * (89.5 - 100)
    assert (trade.exit_reason, trade.pnl) == ("stop_loss", pytest.approx(-105.0))
    for second, count in ((120, 1), (360, 1), (420, 2)):  # until 121 + 300
        engine.process(closed(second, ENTER_LONG_CODE))
        engine.process(tick(second + 60, 100.0))
        assert len(engine.ledger.requests) == count


def test_stop_at_the_exchange_that_is_executed_in_part_leaves_the_exit_that_a_person_asked_for(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(event(COMMAND, 62, float(COMMANDS.index("flatten")), symbol=-1))
    engine.process(report(63, -4.0, 89.5, RESTING_STOPS))
    engine.process(tick(64, 95.0))
    exits = engine.ledger.requests[1:]
    assert [(row["side"], row["quantity"]) for row in exits] == [(-1, 6.0)]


def test_exit_that_comes_to_nothing_because_the_stop_has_closed_everything_frees_the_symbol(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(tick(62, 85.0))
    engine.process(report(63, -10.0, 89.5, RESTING_STOPS + 7, DONE))
    assert quantity(engine) == 0.0
    engine.process(report(64, 0.0, 0.0, 1, DONE))
    engine.process(closed(120, ENTER_LONG_CODE))
    engine.process(tick(180, 100.0))
    # 1,000 - 105 = 895, which buys 8.5 at 100 in lots of 0.5.
    assert [(row["number"], row["quantity"]) for row in engine.ledger.requests] == [(0, 10.0), (1, 10.0), (2, 8.5)]


def test_end_of_a_stop_that_was_cancelled_changes_nothing(engine):
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(report(62, 0.0, 0.0, RESTING_STOPS, DONE))
    assert quantity(engine) == 10.0
    engine.process(tick(63, 85.0))
    assert len(engine.ledger.requests) == 2


def test_part_that_the_stop_at_the_exchange_took_from_a_waiting_exit_is_not_asked_for_again():
    engine = external(RiskConfig(), plan_of(SellsFour()))
    enter(engine)
    engine.process(report(61, 10.0, 100.0, 0, DONE))
    engine.process(closed(60, EXIT_LONG_CODE))
    engine.process(tick(120, 101.0))
    assert exits(engine) == [(4.0, SIGNAL)]
    # While it waits for the stop's end the stop sells 1 of 10; the 3 that are left of it are refused.
    engine.process(report(121, -1.0, 89.5, RESTING_STOPS))
    engine.process(report(122, 0.0, 0.0, 1, DONE))
    engine.process(tick(123, 101.0))
    assert exits(engine) == [(4.0, SIGNAL), (3.0, SIGNAL)]  # 4 - 1
