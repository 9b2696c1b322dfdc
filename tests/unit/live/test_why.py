"""Why an order happened, from the bar that decided it to what became of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.unit.live.exchange_story import Dips, above, exchange_config, exchange_record
from tests.unit.live.markets import BTC, MIDNIGHT, MINUTE, SECOND, TickSource, bars_of, run_to_end, session_config, walk
from tests.unit.live.recordings import Exchange, closed, recorded, tick, told
from workbench.core.entry_checks import EntryCheck
from workbench.core.explanation import Reading
from workbench.errors import ExchangeError, UnknownOrderError
from workbench.live import BarsSource, LiveSessionConfig
from workbench.live.host import SessionHost
from workbench.live.journal import Journal, JournalReader
from workbench.live.order_story import OrderStory
from workbench.live.why import explain_order
from workbench.model import Bar, Bars, Denied, Fill, Instrument, RiskConfig
from workbench.strategy import Strategy, enter_long, exit_position, hold, sma_cross


def config_of(*closes: float, as_ticks: bool = False, **changes: Any) -> LiveSessionConfig:
    bars = bars_of(closes)
    return session_config(bars, **{"source": BarsSource(bars, as_ticks=as_ticks), "strategy": above(), **changes})


def test_a_simulated_entry_is_told_from_its_bar_to_its_fill() -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0, cash=1_000.0, risk=RiskConfig(max_order_notional=600.0)))
    story = session.why(session.fills()[0])
    assert story.decision is not None
    assert story.decision.bar == Bar(BTC, MIDNIGHT + MINUTE, 100.0, 101.0, 100.0, 101.0, 1.0)
    assert story.decision.action == "enter_long"
    assert [(rule.name, rule.is_met, rule.text) for rule in story.decision.rules] == [
        ("enter_long", True, "close 101 > 100.5"),
        ("exit_long", False, "close 101 < 100.5 (no)"),
    ]
    assert story.decision.levels == (Reading("fraction", 0.5),)
    # Half of 1,000 at 101, the open of the bar after: 500 of at most 600, half of the equity, 500 of 1,000 in cash.
    half = pytest.approx(0.5)
    assert story.checks == (
        EntryCheck("max_order_notional", 600.0, pytest.approx(500.0), is_met=True),
        EntryCheck("max_leverage", 1.0, half, is_met=True),
        EntryCheck("insufficient_funds", 1_000.0, pytest.approx(500.0), is_met=True),
    )
    assert (story.kind, story.number, story.is_exit, story.reason) == ("fill", 0, False, "signal")
    assert story.trigger is None
    assert [(moment.what, moment.time_ns - MIDNIGHT) for moment in story.moments] == [
        ("bar closed", 2 * MINUTE),
        ("next price", 2 * MINUTE),
        ("fill", 2 * MINUTE),
    ]
    assert session.why(0) == story


def test_its_text_is_for_people() -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0, cash=1_010.0))
    # 505 buy 5 at 101.
    assert str(session.why(0)).splitlines() == [
        "fill 0 of test: buy 5 BTC/USDT, market (entry); filled 5 at 101",
        "decided  enter_long on the bar of 2025-01-01T00:01Z: open 100, high 101, low 100, close 101, volume 1",
        "         enter_long: close 101 > 100.5",
        "         exit_long did not hold: close 101 < 100.5 (no)",
        "         with fraction 0.5",
        "risk     max_leverage: 0.5, limit 1: allowed",
        "         insufficient_funds: 505, limit 1010: allowed",
        "course   2025-01-01T00:02Z bar closed",
        "         2025-01-01T00:02Z +0.000 ms next price",
        "         2025-01-01T00:02Z +0.000 ms fill: 5 at 101",
    ]
    assert repr(session.why(0)) == str(session.why(0))


def test_an_exit_by_the_rules_is_told_with_the_bar_that_left() -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0, 99.0, 98.0))
    story = session.why(session.fills()[1])
    assert story.decision is not None
    assert (story.decision.action, story.decision.bar.close) == ("exit", 99.0)
    assert [rule.name for rule in story.decision.rules if rule.is_met] == ["exit_long"]
    assert story.decision.levels == ()
    assert (story.is_exit, story.checks) == (True, ())
    assert "an exit is never denied" in str(story)


@pytest.mark.parametrize(
    ("reason", "risk", "closes", "level", "distance"),
    [
        # Bought at 101; 2 % below is 98.98. The bar falls from 102 to 95 and meets it on its way.
        ("stop_loss", RiskConfig(stop_loss=0.02), (100.0, 101.0, 102.0, 95.0), 98.98, "-2 % from the entry at 101"),
        # 2 % above 101 is 103.02.
        ("take_profit", RiskConfig(take_profit=0.02), (100.0, 101.0, 101.0, 105.0), 103.02, "+2 % from the entry at"),
        # The best price was 110; 5 % below is 104.5.
        ("trailing_stop", RiskConfig(trailing_stop=0.05), (100.0, 101.0, 110.0, 95.0), 104.5, "-5 % from the best"),
        # Half of 10,000 bought 5000 / 101 units; they lose 1 % of 10,000 at 101 - 100 * 101 / 5000 = 98.98.
        ("max_loss", RiskConfig(max_loss_per_trade=0.01), (100.0, 101.0, 102.0, 95.0), 98.98, "-2 % from the entry"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_ticks", [False, True])
def test_a_protection_tells_its_level_and_the_price_that_reached_it(
    reason: str, risk: RiskConfig, closes: tuple[float, ...], level: float, distance: str, as_ticks: bool
) -> None:
    session = run_to_end(config_of(*closes, as_ticks=as_ticks, risk=risk))
    story = session.why(session.fills()[1])
    assert story.reason == reason
    assert story.decision is None
    assert story.trigger is not None
    assert story.trigger.rule == reason
    assert story.trigger.level == pytest.approx(level)
    assert distance in story.trigger.text
    # On its way a bar meets the level itself; a tick jumps to its extreme.
    price = closes[-1] if as_ticks else level
    assert story.trigger.price == pytest.approx(price)
    assert f"because  {reason}: the price {price:.10g} reached the level {level:.10g}" in str(story)


def test_a_time_limit_tells_since_when() -> None:
    session = run_to_end(config_of(*[101.0] * 6, risk=RiskConfig(max_holding_s=120.0)))
    story = session.why(session.fills()[1])
    assert story.trigger is not None
    # Decided on the bar of 00:00, bought at 00:01.
    assert story.trigger.text == "max_holding: the time in the position was over since the entry at 2025-01-01T00:01Z"


def test_a_breaker_tells_what_it_measured() -> None:
    session = run_to_end(config_of(100.0, 101.0, 101.0, 75.0, 74.0, risk=RiskConfig(max_drawdown=0.1)))
    story = session.why(session.fills()[1])
    assert story.reason == "max_drawdown"
    assert story.trigger is not None
    assert story.trigger.text.startswith("max_drawdown tripped at 2025-01-01T00:0")
    assert "reached the limit of 10 %; all positions close" in story.trigger.text


def test_a_flatten_tells_when_it_was_asked() -> None:
    record = recorded(tick(0, 101.0), closed(0, 101.0), tick(60, 101.0), told(80, "flatten"), tick(90, 102.0))
    story = explain_order(config_of(100.0), record, 1)
    assert story.reason == "flatten"
    assert story.trigger is not None
    assert story.trigger.text == "flatten was asked at 2025-01-01T00:01:20Z"


def test_a_resting_order_tells_the_level_that_it_waited_at_and_what_on_bar_saw() -> None:
    session = run_to_end(config_of(100.0, 100.0, 99.0, 97.0, 97.0, 97.0, 97.0, strategy=Dips(), cash=1_000.0))
    entry, exit_ = session.fills()[:2]
    story = session.why(entry)
    # Each bar renews its order. That of 100 waits at 98 and is met on the way to 97 only after the one of 99: 97.
    assert story.decision is not None
    assert (story.decision.bar.close, story.order_type) == (99.0, "limit")
    assert story.decision.rules == ()
    assert story.decision.values == (Reading("mean", 99.5),)
    assert story.decision.levels == (Reading("units", 1.0), Reading("limit", 97.0), Reading("stop_loss", 0.5))
    assert story.decision.position == "flat"
    assert story.trigger is not None
    assert story.trigger.text == "its limit at 97 was reached"
    left = session.why(exit_)
    assert left.decision is not None
    assert left.decision.position == "long 1 at 97, 2 bars held"
    assert "now: mean 99.5" in str(story)


class RestsOnce(Strategy):
    """Rests one order on its first bar, and sells at a limit when it holds something."""

    stop: bool = False

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat and now.close == 100.0:
            return enter_long(stop=103.0, units=1.0) if self.stop else enter_long(limit=97.0, units=1.0)
        return exit_position(limit=106.0) if position.bars_held == 1 else hold()


@pytest.mark.parametrize("as_ticks", [False, True])
def test_orders_that_waited_for_many_bars_are_told_with_the_bar_that_wanted_them(as_ticks: bool) -> None:
    closes = (100.0, 101.0, 102.0, 104.0, 104.0, 105.0, 107.0)
    session = run_to_end(config_of(*closes, as_ticks=as_ticks, strategy=RestsOnce(stop=True), cash=1_000.0))
    entry, exit_ = (session.why(number) for number in (0, 1))
    assert entry.trigger is not None
    assert exit_.trigger is not None
    assert (entry.trigger.rule, entry.trigger.level) == ("stop", 103.0)
    assert (exit_.trigger.rule, exit_.trigger.level) == ("limit", 106.0)
    assert entry.decision is not None
    assert entry.decision.bar.time_ns == MIDNIGHT
    assert entry.decision.levels == (Reading("units", 1.0), Reading("stop", 103.0))
    assert exit_.decision is not None
    assert exit_.decision.levels == (Reading("limit", 106.0),)


def test_a_denial_tells_the_rule_that_said_no() -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0, cash=1_000.0, risk=RiskConfig(max_order_notional=300.0)))
    story = session.why(session.denials()[0])
    assert (story.kind, story.outcome, story.number) == ("denial", "denied by max_order_notional", None)
    assert story.checks == (EntryCheck("max_order_notional", 300.0, pytest.approx(500.0), is_met=False),)
    assert story.decision is not None
    assert story.decision.bar.close == 101.0
    assert "max_order_notional: 500, limit 300: DENIED" in str(story)


@pytest.mark.parametrize("as_ticks", [False, True])
def test_every_fill_of_a_busy_session_has_its_reason(as_ticks: bool) -> None:
    bars = Bars.join([walk(150, seed=3), walk(150, seed=4, symbol="ETH/USDT")])
    risk = RiskConfig(stop_loss=0.004, take_profit=0.006, trailing_stop=0.003)
    source = BarsSource(bars, as_ticks=as_ticks)
    session = run_to_end(session_config(bars, source=source, strategy=sma_cross(fast=3, slow=8), risk=risk))
    reasons = set()
    for fill in session.fills(40):
        story = session.why(fill)
        reasons.add(story.reason)
        assert (story.symbol, story.side, story.quantity, story.reason) == (
            fill.symbol, fill.side, fill.quantity, fill.reason
        )  # fmt: skip
        if fill.reason == "signal":
            assert story.decision is not None
            wanted = "exit_long" if story.is_exit else "enter_long"
            assert [rule.name for rule in story.decision.rules if rule.is_met] == [wanted]
            assert story.decision.bar.symbol == fill.symbol
            assert story.decision.bar.time_ns + MINUTE <= fill.time_ns
            assert all(check.is_met for check in story.checks)
        else:
            assert story.trigger is not None
            assert story.trigger.level is not None
            assert story.trigger.price is not None
            side = -1 if fill.reason == "take_profit" else 1
            assert side * story.trigger.price <= side * story.trigger.level * (1.0 + side * 1e-12)
    assert len(reasons) >= 3


# ---- where it is asked, and what is asked ----


def test_a_journal_answers_as_the_session_does(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal.create(path, session_id="one", header={})
    config = session_config(walk(80), strategy=sma_cross(fast=3, slow=8), warmup_bars=20)
    session = run_to_end(config, host=SessionHost(session_id="one", record=journal))
    fill = session.fills()[-1]
    wanted = session.why(fill)
    journal.close()
    assert explain_order(config, JournalReader(path), fill) == wanted
    assert explain_order(config, JournalReader(path), fill.sequence) == wanted


def test_a_market_that_is_gone_leaves_its_rules_with_the_warm_up_bars() -> None:
    class Gone(Exchange):
        def instruments(self, _symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
            raise ExchangeError("it does not answer", exchange="fake", retryable=True)

    config, record = exchange_config(source=Gone()), exchange_record()
    with pytest.raises(ExchangeError, match="does not answer"):
        explain_order(config, record, 0)
    record.put_history(bars_of([90.0, 91.0], start_ns=MIDNIGHT - 2 * MINUTE))
    assert explain_order(config, record, 0).outcome == "filled 4 at 101.75"


@pytest.mark.parametrize("order", [0, 1])
def test_a_story_travels_as_text(order: int) -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0, 95.0, risk=RiskConfig(stop_loss=0.02)))
    story = session.why(order)
    sent = json.loads(json.dumps(story.to_dict(), allow_nan=False))
    back = OrderStory.from_dict(sent)
    assert back == story
    assert str(back) == str(story)
    assert asdict(back) == asdict(story)


def test_a_story_with_a_course_travels_too() -> None:
    story = explain_order(exchange_config(), exchange_record(), 0)
    assert OrderStory.from_dict(json.loads(json.dumps(story.to_dict(), allow_nan=False))) == story


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        (7, "7 is the sequence of no fill of session 'test'"),
        (True, "True is no order of session 'test': ask by a number"),
        (1.5, "1.5 is no order of session 'test'"),
        ("wb-0", "'wb-0' is no client order id of session 'test': ask by the number of the request, or by a fill"),
        (Fill(0, BTC, "buy", 1.0, 99.0, 0.0, MIDNIGHT, "signal", False), "is no fill of session 'test'"),
        (Denied(BTC, "paused", 0.0, 1.0, MIDNIGHT, "buy", 1.0), "is no denial of session 'test'"),
    ],
)
def test_what_is_no_order_of_the_session_is_refused_with_a_way_out(order: Any, complaint: str) -> None:
    session = run_to_end(config_of(100.0, 101.0, 102.0))
    with pytest.raises(UnknownOrderError, match=complaint):
        session.why(order)


def test_the_number_of_no_request_is_refused() -> None:
    with pytest.raises(UnknownOrderError, match="5 is the number of no request of session 'test'"):
        explain_order(exchange_config(), exchange_record(), 5)


def test_a_price_of_a_tick_is_the_price_that_reached_a_level_and_not_what_slipped() -> None:
    ticks = ((0, 101.0), (MINUTE, 101.0), (MINUTE + SECOND, 98.0))
    config = session_config(
        walk(2), source=TickSource(ticks), symbols=(BTC,), strategy=above(), risk=RiskConfig(stop_loss=0.02)
    )
    session = run_to_end(config)
    trigger = session.why(1).trigger
    assert trigger is not None
    assert (trigger.price, trigger.level) == (98.0, 98.98)
