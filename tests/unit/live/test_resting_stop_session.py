"""A session whose stop rests at the practice exchange, through real ccxt: it follows, gives way, and is booked once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.practice_session import BTC, Stage
from tests.unit.live.kept_record import KeptRecord
from workbench.core.reports import RESTING_STOPS
from workbench.live import LiveSession, resting_stop
from workbench.live.host import SessionHost
from workbench.model import RiskConfig
from workbench.strategy import Strategy, buy_and_hold, enter_long, exit_position, hold


def market(*legs: tuple[float, float]) -> list[tuple[float, float]]:
    """Return a price each second: 100 for 65 s, and then each leg's price for its seconds."""
    prices = [100.0] * 66
    for price, seconds in legs:
        prices += [price] * int(seconds)
    return [(float(second), price) for second, price in enumerate(prices)]


class SellsHalf(Strategy):
    """Buys on the first bar and sells half on the second."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        if position.is_flat:
            return enter_long(units=1.0)
        return exit_position(units=0.5) if position.bars_held == 1 else hold()


@contextmanager
def protected(
    ticks: list[tuple[float, float]], strategy: Any = None, record: KeptRecord | None = None, **changes: Any
) -> Iterator[Stage]:
    """Run a session that has bought at 100 and whose stop rests."""
    host = SessionHost(session_id="one", record=KeptRecord() if record is None else record)
    settings: dict[str, Any] = {"risk": RiskConfig(stop_loss=0.05), "cash": 5_000.0, "rests_stop": True}
    stage = Stage(ticks, strategy or buy_and_hold(), host=host, **settings | changes)
    try:
        stage.start()
        stage.until_any(lambda: stage.session.state == "ACTIVE")
        stage.play(65, bars=1)
        stage.until_any(lambda: len(stops(stage)) == 1 and stage.told("rests at the exchange"))
        yield stage
    finally:
        stage.stop()


def stops(stage: Stage, *statuses: str) -> list[Any]:
    """Return the stops at the exchange, those of some statuses only if any are given."""
    found = [one for one in stage.exchange.orders() if one.wanted.stop_price is not None]
    return [one for one in found if not statuses or str(one.status) in statuses]


def sold(stage: Stage) -> list[float]:
    """Return what each sale at the exchange filled."""
    return [float(one.filled) for one in stage.exchange.orders() if not one.is_buy and one.filled]


def position(stage: Stage) -> float:
    held = stage.session.snapshot().position(BTC)
    return 0.0 if held is None else float(held.quantity)


def test_stop_of_the_position_rests_and_is_executed_once() -> None:
    with protected(market((94.0, 60))) as stage:
        (stop,) = stops(stage)
        held = position(stage)
        assert held > 0.0
        # 5 % below what was paid, rounded against us: at most a tick away.
        assert float(stop.wanted.stop_price) == pytest.approx(
            stage.session.snapshot().position(BTC).stop_level, abs=0.011
        )
        assert float(stop.wanted.quantity) == pytest.approx(held, abs=1e-5)
        stage.play(5)
        # The session sees 94 too, and would sell as well.
        stage.until_any(lambda: position(stage) == 0.0)
        stage.play(5)
        assert sold(stage) == [pytest.approx(held, abs=1e-5)]
        assert [fill.reason for fill in stage.session.fills()][-1] == "stop_loss"
        stage.check_books()


def test_trailing_stop_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting_stop, "REPLACE_S", 0.0)
    risk = RiskConfig(trailing_stop=0.05)
    with protected(market((110.0, 10), (104.0, 60)), risk=risk) as stage:
        (first,) = stops(stage)
        assert float(first.wanted.stop_price) == 95.0  # 100 less 5 %
        stage.play(5)
        stage.until_any(lambda: len(stops(stage, "NEW")) == 1 and len(stops(stage)) == 2)
        assert [float(one.wanted.stop_price) for one in stops(stage)] == [95.0, 104.5]  # 110 less 5 %
        assert str(stops(stage)[0].status) == "CANCELED"
        held = position(stage)
        stage.play(10)
        stage.until_any(lambda: position(stage) == 0.0)
        assert sold(stage) == [pytest.approx(held, abs=1e-5)]
        stage.check_books()


def test_stop_is_executed_while_nobody_is_there_and_is_booked_once_afterwards() -> None:
    record = KeptRecord()
    with protected(market((94.0, 200)), record=record) as stage:
        held = position(stage)
        stage.session.kill()
        assert "rests at the exchange" in stage.session.reason
        stage.exchange.advance(30)
        assert sold(stage) == [pytest.approx(held, abs=1e-5)]
        for _ in range(2):
            record = record.survivor()
            host = SessionHost(session_id="one", record=record)
            stage.session = LiveSession(stage.session.config, host=host)
            stage.session.subscribe(stage._notify)  # noqa: SLF001  as the stage does for its first session
            stage.session.start()
            stage.until_heard()
            stage.until_any(lambda: stage.session.snapshot().fill_count == 2 and position(stage) == 0.0)
            stage.until_any(lambda: stage.session.state == "ACTIVE")
            assert len(sold(stage)) == 1
            assert stage.session.fills()[-1].reason == "stop_loss"
            stage.check_books()
            stage.session.kill()


def test_stop_that_rests_is_taken_up_again_and_not_doubled() -> None:
    record = KeptRecord()
    with protected(market((100.0, 300)), record=record) as stage:
        stage.session.kill()
        stage.exchange.advance(10)
        record = record.survivor()
        stage.session = LiveSession(stage.session.config, host=SessionHost(session_id="one", record=record))
        stage.session.subscribe(stage._notify)  # noqa: SLF001  as above
        stage.session.start()
        stage.until_heard()
        stage.until_any(lambda: stage.session.state == "ACTIVE")
        stage.play(70)
        assert len(stops(stage)) == 1
        stage.session.flatten()
        stage.play(2)
        stage.until_any(lambda: position(stage) == 0.0)
        assert str(stops(stage)[0].status) == "CANCELED"
        assert len(sold(stage)) == 1
        stage.check_books()


def test_exit_of_the_session_cancels_the_stop_first() -> None:
    with protected(market((100.0, 60))) as stage:
        held = position(stage)
        stage.session.flatten()
        stage.play(2)
        stage.until_any(lambda: position(stage) == 0.0)
        assert [str(one.status) for one in stops(stage)] == ["CANCELED"]
        assert sold(stage) == [pytest.approx(held, abs=1e-5)]
        stage.play(5)
        assert len(stops(stage)) == 1  # nothing is held, so nothing rests
        stage.check_books()


def test_exit_of_a_part_leaves_a_stop_for_the_rest() -> None:
    with protected(market((100.0, 300)), SellsHalf()) as stage:
        assert [float(one.wanted.quantity) for one in stops(stage)] == [1.0]
        stage.play(60, bars=2)
        stage.until_any(lambda: position(stage) == 0.5 and len(stops(stage, "NEW")) == 1)
        assert [(float(one.wanted.quantity), str(one.status)) for one in stops(stage)] == [
            (1.0, "CANCELED"),
            (0.5, "NEW"),
        ]
        assert sold(stage) == [0.5]
        stage.check_books()


def test_stop_that_somebody_cancels_is_placed_again() -> None:
    with protected(market((100.0, 300))) as stage:
        (stop,) = stops(stage)

        def cancel(server: Any) -> None:
            engine = server.venue.section("spot").engine
            engine.cancel(engine.orders[stop.order_id], server.venue.now_ms())

        stage.exchange._call(cancel)  # noqa: SLF001  as a person does it on the exchange's page
        stage.play(2)
        stage.until_any(lambda: len(stops(stage, "NEW")) == 1)
        assert stage.told("was ended at the exchange, not by this session")


def test_stop_stays_when_the_session_is_stopped() -> None:
    with protected(market((100.0, 60))) as stage:
        stage.session.stop()
        assert stage.session.reason.startswith("stopped by the user; still held: ")
        assert stage.session.reason.endswith(" BTC/USDT at 95 rests at the exchange")
        assert len(stops(stage, "NEW")) == 1


def test_names_of_stops_are_not_those_of_requests() -> None:
    with protected(market((100.0, 60))) as stage:
        (stop,) = stops(stage)
        assert stop.wanted.client_order_id.endswith(f"n{RESTING_STOPS}")


def test_without_the_wish_nothing_rests() -> None:
    stage = Stage(market((100.0, 60)), buy_and_hold(), risk=RiskConfig(stop_loss=0.05), cash=5_000.0)
    try:
        stage.start()
        stage.play(65, bars=1)
        stage.until(lambda: stage.session.snapshot().fill_count == 1)
        stage.play(10)
        assert stops(stage) == []
    finally:
        stage.stop()
