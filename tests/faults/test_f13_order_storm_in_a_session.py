"""F13: a strategy that wants entries without end is halted and says so, in a session on paper and with real money.

Guards that the halt needs a person, that it outlives the process, that exits go on, and that a limit which merely
spreads the entries of many symbols halts nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.practice_session import Stage, staged
from tests.real_money import CAPS, RISK
from tests.unit.live.kept_record import KeptRecord
from tests.unit.live.markets import BTC, ETH, JOIN_S, SECOND, bars_of, let_pass, run_to_end, session_config
from tests.unit.live.test_real_session import Bank
from workbench.exchange.real_money import permit
from workbench.live import EngineCallbacks, LiveSession, ManualClock
from workbench.live.callbacks import Guard
from workbench.live.host import SessionHost
from workbench.live.order_storm import OrderStorm
from workbench.model import Bars, RiskConfig
from workbench.strategy import Strategy, buy_and_hold, enter_long, exit_position

TWO_A_MINUTE = RiskConfig(max_orders_per_minute=2, max_position_notional=1_000.0)


class Flips(Strategy):
    """Buys on every bar on which it holds nothing, and sells on the next."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        return enter_long() if position.is_flat else exit_position()


class FlipsAbove(Strategy):
    """Buys and keeps what costs less than 150, and flips what costs more."""

    def indicators(self, m: Any) -> dict[str, Any]:
        return {"one": m.close.sma(1)}

    def on_bar(self, now: Any, position: Any) -> Any:
        return enter_long() if position.is_flat or now.close < 150.0 else exit_position()


def seconds(closes: list[float], symbol: str = BTC) -> Bars:
    return bars_of(closes, symbol=symbol, timeframe="1s")


def sides(session: LiveSession, symbol: str = BTC) -> list[str]:
    return [fill.side for fill in session.fills() if fill.symbol == symbol]


def halts(session: LiveSession) -> list[str]:
    return [event.text for event in session.events() if event.text.startswith("HALTED")]


def test_a_storm_is_halted_for_good_and_told() -> None:
    # Bought at the opens of the seconds 1 and 3; of 5, 6 and 7 the entries are denied; four more minutes follow.
    session = run_to_end(session_config(seconds([100.0] * 300), strategy=Flips(), risk=TWO_A_MINUTE))
    assert sides(session) == ["buy", "sell", "buy", "sell"]
    (text,) = halts(session)
    assert "order storm: again and again the strategy wants more entries in BTC/USDT than max_orders_per_minute" in text
    assert text.endswith("; resume() allows entries again")
    assert [denial.rule for denial in session.denials()][:4] == ["max_orders_per_minute"] * 3 + ["paused"]
    assert session.snapshot().is_paused
    assert session.parity().is_identical


def test_without_a_limit_it_is_no_storm() -> None:
    session = run_to_end(session_config(seconds([100.0] * 130), strategy=Flips()))
    # Of 130 opens the first has nothing to fill.
    assert len(session.fills()) == 129
    assert halts(session) == []


def test_a_limit_that_spreads_the_entries_of_many_symbols_halts_nothing() -> None:
    risk = RiskConfig(max_orders_per_minute=1, max_position_notional=100.0)
    symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    bars = Bars.join([bars_of([100.0] * 10, symbol=symbol) for symbol in symbols])
    session = run_to_end(session_config(bars, strategy=buy_and_hold(), risk=risk))
    # One enters a minute: the second is turned away once, the third twice.
    assert [fill.symbol for fill in session.fills()] == symbols
    assert [denial.symbol for denial in session.denials()] == [*symbols[1:], symbols[2]]
    assert halts(session) == []


@pytest.mark.parametrize(
    ("after_s", "is_storm"),
    [
        ((1, 1, 1), True),
        ((1, 59, 61), True),
        ((1, 61, 121), True),
        ((1, 61, 181), False),  # the third minute was quiet
        ((1, 2, 181, 182), False),
        ((1, 2, 181, 182, 183), True),
    ],
)
def test_a_quiet_minute_ends_the_row(after_s: tuple[int, ...], *, is_storm: bool) -> None:
    storm = OrderStorm()
    found = [storm.turned_away(BTC, after * SECOND) for after in after_s]
    assert found[-1] is is_storm
    assert not any(found[:-1])


def test_symbols_are_counted_one_by_one() -> None:
    storm = OrderStorm()
    assert not any(storm.turned_away(symbol, SECOND) for symbol in (BTC, ETH, BTC, ETH))
    assert storm.turned_away(ETH, SECOND)


def test_after_a_person_has_looked_it_is_counted_anew() -> None:
    guard = Guard(EngineCallbacks(), (BTC,))
    assert [guard.turned_away(BTC, SECOND) for _ in range(4)] == [False, False, True, False]
    guard.forgive()
    assert [guard.turned_away(BTC, SECOND) for _ in range(3)] == [False, False, True]


def test_exits_go_on_in_a_halted_session() -> None:
    # ETH at 200 flips and is halted within ten seconds; BTC is bought at 100 and leaves by its stop at 95 later on.
    btc = seconds([100.0] * 30 + [94.0] * 30)
    bars = Bars.join([btc, seconds([200.0] * 60, ETH)])
    risk = replace(TWO_A_MINUTE, stop_loss=0.05)
    session = run_to_end(session_config(bars, strategy=FlipsAbove(), risk=risk))
    assert len(halts(session)) == 1
    assert [(fill.side, fill.reason) for fill in session.fills() if fill.symbol == BTC] == [
        ("buy", "signal"),
        ("sell", "stop_loss"),
    ]
    assert session.parity().is_identical


def test_a_halt_outlives_its_process_and_a_person_ends_it() -> None:
    record, clock = KeptRecord(), ManualClock()
    config = session_config(seconds([100.0] * 300), strategy=Flips(), risk=TWO_A_MINUTE, speed=1.0)

    def begin(kept: KeptRecord) -> LiveSession:
        session = LiveSession(config, clock=clock, host=SessionHost(session_id="one", record=kept)).start()
        assert clock.join_waiter(JOIN_S)
        return session

    first = begin(record)
    let_pass(clock, 20 * SECOND)
    assert first.state == "HALTED"
    reason = first.reason
    first.kill()
    session = begin(record.survivor())
    try:
        assert (session.state, session.reason) == ("HALTED", reason)
        let_pass(clock, 100 * SECOND)
        assert (session.state, len(sides(session))) == ("HALTED", 4)
        assert session.resume()
        assert session.state == "ACTIVE"
        let_pass(clock, 4 * SECOND)
        # Three decisions with room in the minute: in, out, in, the last of which may wait for its open.
        assert len(sides(session)) >= 6
        assert session.state == "ACTIVE"
        # And a storm that goes on halts it again.
        let_pass(clock, 30 * SECOND)
        assert session.state == "HALTED"
        assert session.parity().is_identical
    finally:
        session.kill()
        session.close()
        first.close()


def test_with_real_money_the_refusals_at_the_door_are_a_storm_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The door counts the last hour here, so that it has a say before the core's review of the minute.
    monkeypatch.setattr(permit, "_MINUTE_NS", 3_600 * SECOND)
    bank = Bank(tmp_path, caps=replace(CAPS, max_orders_per_minute=1))
    risk = replace(RISK, max_orders_per_minute=1)
    source = bank.source
    monkeypatch.setattr(bank, "source", lambda exchange: _consented(source(exchange), bank, risk))
    ticks = [(float(second), 100.0) for second in range(0, 900, 10)]
    with staged(ticks, Flips(), open_source=bank.source, risk=risk, name="real-staged") as stage:
        for minute in range(14):
            stage.play(65 if minute == 0 else 60, bars=minute + 1)
            if minute == 0:
                stage.until(lambda: stage.session.snapshot().fill_count == 1)
            if minute == 1:
                stage.until(lambda: stage.session.snapshot().fill_count == 2)
            if minute in (2, 3, 4):
                count = minute - 1
                stage.until_any(lambda count=count: len(refusals(stage)) >= count)  # type: ignore[misc]
        stage.until_any(lambda: stage.session.state == "HALTED")
        assert "order storm" in stage.session.reason
        assert stage.session.snapshot().is_paused
        assert [side for side, filled in stage.orders() if filled] == ["buy", "sell"]
        assert len(refusals(stage)) == 3
        stage.check_books()


def refusals(stage: Stage) -> list[str]:
    return [text for text in stage.texts() if "was refused: max_orders_per_minute is 1, and so many" in text]


def _consented(source: Any, bank: Bank, risk: RiskConfig) -> Any:
    return replace(source, consent=bank.vault.consent(risk=risk))
