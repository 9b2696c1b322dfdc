"""The figures that people are shown of the risk review are those by which it judges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core import EngineConfig, run_events
from workbench.core.entry_checks import ReviewedEntry, book_at_review, entry_checks
from workbench.core.origin import Origin, find_origin
from workbench.core.records import DENIAL_ROW, DENIAL_RULES, FILL_ROW, MARKET, SIGNAL
from workbench.model import BAR_CLOSED, EVENT, TICK, Costs, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, enter_short, exit_position, hold, plan_of

MIDNIGHT = 1_735_689_600_000_000_000
MINUTE = 60_000_000_000


class Restless(Strategy):
    """Turns at every bar: long above 100, short below, now and then flat; asks for 12 units."""

    units: float = 12.0

    def on_bar(self, now: Any, position: Any) -> Any:
        if now.close > 101.0 and not position.is_flat:
            return exit_position()
        if now.close > 100.0:
            return enter_long(units=self.units)
        return enter_short(units=self.units) if now.close < 99.5 else hold()


def walk(count: int = 400, symbols: int = 1) -> Any:
    """Return prices of a random walk of each symbol and their bars, two prices a minute."""
    rng = np.random.default_rng(5)
    rows: list[tuple[Any, ...]] = []
    for s in range(symbols):
        prices = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, 2 * count))), 2)
        for bar in range(count):
            open_, close = prices[2 * bar], prices[2 * bar + 1]
            at = MIDNIGHT + bar * MINUTE
            rows.append((TICK, s, at, open_, 1.0, 0, 0, 0, 0))
            rows.append((TICK, s, at + MINUTE // 2, close, 1.0, 0, 0, 0, 0))
            rows.append((BAR_CLOSED, s, at, open_, max(open_, close), min(open_, close), close, 2.0, 0))
    rows.sort(key=lambda row: (row[2] + (MINUTE if row[0] == BAR_CLOSED else 0), row[0] != BAR_CLOSED))
    return np.array(rows, dtype=EVENT)


def config_of(risk: RiskConfig, *, symbols: int = 1, **changes: Any) -> EngineConfig:
    names = ("BTC/USDT:USDT", "ETH/USDT:USDT")[:symbols]
    instruments = tuple(Instrument(name, kind="linear_perpetual", max_leverage=5.0, min_notional=5.0) for name in names)
    settings: dict[str, Any] = {"cash": 2_000.0, "costs": Costs(taker_fee=0.001, slippage=0.0)}
    return EngineConfig(instruments=instruments, timeframe=Timeframe("1m"), risk=risk, **{**settings, **changes})


def origins(config: EngineConfig, events: Any, kind: int, strategy: Any, most: int = 12) -> list[Origin]:
    """Return where the first rows of a kind came from."""
    ledger = run_events(plan_of(strategy), events, config)
    rows = ledger.log[ledger.log["kind"] == kind][:most]

    def find(wanted: Any) -> Any:
        def look(log: Any) -> int | None:
            names = ("kind", "symbol", "time_ns", "side", "quantity", "code", "sequence")
            places = np.flatnonzero(np.logical_and.reduce([log[name] == wanted[name] for name in names]))
            return int(places[0]) if places.size else None

        return look

    found = [find_origin(lambda: plan_of(strategy), config, events, None, find(row)) for row in rows]
    assert all(found)
    return [one for one in found if one is not None]


def checks_at(origin: Origin, events: Any) -> dict[str, Any]:
    """Return the checks of the entry or denial at an origin, at its tick's price: nothing slips here."""
    row, event = origin.log[origin.place], events[origin.row]
    price = float(event["a"])
    book = book_at_review(origin.before, {int(event["symbol"]): price}, origin.log[: origin.place])
    entry = ReviewedEntry(
        int(row["symbol"]), int(row["side"]), MARKET, float(row["quantity"]), price, int(row["time_ns"])
    )
    return {check.rule: check for check in entry_checks(book, entry)}


@pytest.mark.parametrize(
    ("rule", "risk", "units"),
    [
        ("max_order_notional", RiskConfig(max_leverage=5.0, max_order_notional=1_200.0), 12.0),
        ("max_position_notional", RiskConfig(max_leverage=5.0, max_position_notional=1_195.0), 12.0),
        ("max_leverage", RiskConfig(max_leverage=0.6), 12.0),
        ("price_collar", RiskConfig(max_leverage=5.0, price_collar=0.002), 12.0),
        ("cooldown", RiskConfig(max_leverage=5.0, stop_loss=0.003, cooldown_s=600.0), 12.0),
        ("min_notional", RiskConfig(), 0.0499),
    ],
)
@pytest.mark.parametrize("symbols", [1, 2])
def test_a_denial_and_its_check_tell_the_same_figures(rule: str, risk: RiskConfig, units: float, symbols: int) -> None:
    events = walk(symbols=symbols)
    found = origins(config_of(risk, symbols=symbols), events, DENIAL_ROW, Restless(units=units))
    found = [one for one in found if DENIAL_RULES[one.log[one.place]["code"]] == rule]
    assert found
    for origin in found:
        row, check = origin.log[origin.place], checks_at(origin, events)[rule]
        assert not check.is_met
        assert check.limit == pytest.approx(float(row["entry"]), rel=1e-12)
        assert check.value == pytest.approx(float(row["value"]), rel=1e-12)


def test_the_orders_of_a_minute_are_counted_as_the_review_counts_them() -> None:
    # Two symbols decide in every minute, and one order may leave.
    risk = RiskConfig(max_leverage=5.0, max_orders_per_minute=1)
    events = walk(symbols=2)
    found = origins(config_of(risk, symbols=2), events, DENIAL_ROW, Restless(units=1.0))
    assert {DENIAL_RULES[one.log[one.place]["code"]] for one in found} == {"max_orders_per_minute"}
    for origin in found:
        check = checks_at(origin, events)["max_orders_per_minute"]
        assert (check.limit, check.value, check.is_met) == (1.0, 2.0, False)


def test_funds_of_spot_are_measured_with_the_fee() -> None:
    config = EngineConfig(
        instruments=(Instrument("BTC/USDT"),),
        timeframe=Timeframe("1m"),
        cash=1_200.0,
        costs=Costs(taker_fee=0.01, slippage=0.0),
        risk=RiskConfig(max_leverage=1.0),
    )
    origin = origins(config, walk(), FILL_ROW, Restless(units=2.0), most=1)[0]
    price = float(walk()[origin.row]["a"])
    check = checks_at(origin, walk())["insufficient_funds"]
    assert (check.limit, check.is_met) == (1_200.0, True)
    assert check.value == pytest.approx(2.0 * price * 1.01)


@pytest.mark.parametrize("symbols", [1, 2])
def test_every_check_of_an_entry_that_left_is_met(symbols: int) -> None:
    risk = RiskConfig(
        max_leverage=1.9,
        max_order_notional=1_250.0,
        max_position_notional=1_240.0,
        max_orders_per_minute=3,
        price_collar=0.02,
        cooldown_s=60.0,
        stop_loss=0.01,
    )
    events = walk(symbols=symbols)
    found = origins(config_of(risk, symbols=symbols, cash=3_000.0), events, FILL_ROW, Restless(), most=30)
    entries = [
        one for one in found if one.log[one.place]["code"] == SIGNAL and one.log[one.place :]["kind"][-1] == FILL_ROW
    ]
    assert len(entries) > 5
    for origin in entries:
        checks = checks_at(origin, events)
        assert len(checks) == 8 - 1  # all are on but the funds, which are not asked of a perpetual
        assert all(check.is_met for check in checks.values()), checks
