"""Hypothesis strategies: markets with gaps, jumps and missing rows, and everything that may act on them.

Prices move in quarters around 100, so that they are exact binary numbers: a price that ties with a level does so on
purpose. Each strategy shrinks towards a quiet market, no signal, no rule.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.reference import BarGroup, BarPrices, Closed, CommandEvent, Decision, TickPrice
from tests.reference.decisions import Signal
from tests.reference.scenario import HOUR_NS, NS, START_NS, Scenario
from workbench.model import Costs, Instrument, RiskConfig

QUARTER = 0.25
LOWEST = 2.0
COMMANDS = ("pause", "resume", "flatten", "stop", "clear_breaker")
FIRST_HOUR = 20  # of the day, so that short markets cross midnight

# Mostly small steps, now and then a jump.
small = st.integers(-8, 8)
wick = st.integers(0, 10)
gap = st.one_of(st.just(0), st.just(0), st.integers(-4, 4), st.integers(-60, 60))
body = st.one_of(small, small, st.integers(-40, 40))


def off_or(*values: Any) -> st.SearchStrategy[Any]:
    """Return a strategy that is mostly None, else one of the values."""
    return st.one_of(st.none(), st.none(), st.sampled_from(values))


@st.composite
def bar_rows(draw: st.DrawFn, length: int) -> list[BarPrices | None]:
    """Return consecutive valid bars, some missing."""
    price = 100.0
    rows: list[BarPrices | None] = []
    for row in range(length):
        jump, change, up, down = draw(gap), draw(body), draw(wick), draw(wick)
        open_ = max(price + jump * QUARTER, LOWEST)
        close = max(open_ + change * QUARTER, LOWEST)
        low = max(min(open_, close) - down * QUARTER, LOWEST / 2)
        price = close
        is_missing = row > 0 and draw(st.integers(0, 11)) == 11
        rows.append(None if is_missing else BarPrices(open_, max(open_, close) + up * QUARTER, low, close))
    return rows


@st.composite
def terms(draw: st.DrawFn, close: float) -> Decision:
    """Return size and levels of an entry; resting prices lie around the close."""
    sizing = draw(st.sampled_from(["default", "default", "fraction", "notional", "units", "risk"]))
    sizes = {
        "default": st.none(),
        "fraction": st.sampled_from([0.1, 0.5, 1.0]),
        "notional": st.sampled_from([100.0, 2_500.0, 20_000.0]),
        "units": st.sampled_from([0.5, 10.0, 60.0, 300.0]),
        "risk": st.sampled_from([0.005, 0.02]),
    }
    away = draw(st.integers(-20, 20)) * QUARTER
    kind = draw(st.sampled_from(["market", "market", "limit", "stop"]))
    return Decision(
        sizing=sizing,
        size=draw(sizes[sizing]),
        limit=max(close + away, 1.0) if kind == "limit" else None,
        stop=max(close + away, 1.0) if kind == "stop" else None,
        stop_loss=draw(off_or(0.005, 0.02, 0.05)),
        take_profit=draw(off_or(0.01, 0.03)),
        trailing_stop=draw(off_or(0.01, 0.04)),
        max_holding_s=draw(off_or(1800.0, 7200.0)),
    )


@st.composite
def signals(draw: st.DrawFn, close: float) -> Signal | None:
    """Return what a strategy says after a bar that closed here; often nothing."""
    code = draw(st.sampled_from([0, 0, 0, 1, 1, 2, 4, 4, 8, 3, 5, 6, 9, 12, 15]))
    if code == 0:
        return None
    is_entry = bool(code & 5)
    return Signal(
        enter_long=bool(code & 1),
        exit_long=bool(code & 2),
        enter_short=bool(code & 4),
        exit_short=bool(code & 8),
        terms=draw(terms(close)) if is_entry else Decision(),
    )


@st.composite
def risk_configs(draw: st.DrawFn) -> RiskConfig:
    """Return rules of every kind, most of them off."""
    trailing_stop = draw(off_or(0.01, 0.03, 0.08))
    tightened = draw(off_or(0.005, 0.01))
    is_late = tightened is not None or (trailing_stop is not None and draw(st.booleans()))
    return RiskConfig(
        stop_loss=draw(off_or(0.01, 0.03, 0.0625)),
        take_profit=draw(off_or(0.01, 0.03, 0.0625)),
        trailing_stop=trailing_stop,
        trailing_activate_at=draw(st.sampled_from([0.005, 0.02])) if is_late else None,
        trailing_distance_after=tightened,
        max_holding_s=draw(off_or(1.0, 3600.0, 9000.0)),
        max_loss_per_trade=draw(off_or(0.01, 0.05)),
        max_drawdown=draw(off_or(0.03, 0.10, 0.25)),
        daily_loss_limit=draw(off_or(0.02, 0.05)),
        max_position_notional=draw(off_or(5_000.0, 15_000.0)),
        max_order_notional=draw(off_or(4_000.0, 12_000.0)),
        max_leverage=draw(st.sampled_from([1.0, 1.0, 3.0, 10.0, 20.0, 0.5])),
        max_orders_per_minute=draw(off_or(1, 2)),
        price_collar=draw(off_or(0.01, 0.05)),
        cooldown_s=draw(off_or(3600.0, 10_000.0)),
    )


@st.composite
def costs(draw: st.DrawFn) -> Costs:
    """Return fees and slippage, often none."""
    fee = st.sampled_from([0.0, 0.0005, 0.001, 0.01])
    return Costs(taker_fee=draw(fee), maker_fee=draw(fee), slippage=draw(st.sampled_from([0.0, 0.0005, 0.01])))


@st.composite
def instruments(draw: st.DrawFn, name: str, *, is_spot: bool = False) -> Instrument:
    """Return a spot or perpetual instrument with or without grids."""
    is_perpetual = not is_spot and draw(st.sampled_from([False, True, True]))
    return Instrument(
        f"{name}/USDT:USDT" if is_perpetual else f"{name}/USDT",
        kind="linear_perpetual" if is_perpetual else "spot",
        lot=draw(off_or(0.001, 0.1, 1.0)),
        tick=draw(off_or(0.01, 0.1, 0.25, 0.5)),
        min_notional=draw(off_or(10.0, 1_000.0)),
        taker_fee=draw(off_or(0.002)),
        maker_fee=draw(off_or(0.0, 0.0001)),
        max_leverage=draw(st.sampled_from([3.0, 20.0, 20.0])) if is_perpetual else None,
        maintenance_margin=draw(st.sampled_from([0.005, 0.03])),
    )


@st.composite
def rules(draw: st.DrawFn, symbols: int, *, is_spot: bool = False) -> dict[str, Any]:
    """Return everything of a scenario but its events and signals."""
    names = ("BTC", "ETH", "SOL")[:symbols]
    return {
        "instruments": tuple(draw(instruments(name, is_spot=is_spot)) for name in names),
        "risk": draw(risk_configs()),
        "costs": draw(costs()),
        "cash": draw(st.sampled_from([10_000.0, 1_234.56])),
        "path": draw(st.sampled_from(["adverse", "adverse", "adverse", "colour", "ohlc", "olhc", "favourable"])),
    }


@st.composite
def funding_rows(draw: st.DrawFn, symbols: list[int], length: int) -> tuple[tuple[int, int, float], ...]:
    """Return some funding payments on the hour, at most one for a symbol and hour."""
    places = draw(st.sets(st.tuples(st.sampled_from(symbols), st.integers(0, length)), max_size=4))
    rate = st.sampled_from([0.001, -0.002, 0.01])
    return tuple((symbol, hour_ns(row), draw(rate)) for symbol, row in sorted(places))


def hour_ns(row: int) -> int:
    """Return the open time of a row."""
    return START_NS + (FIRST_HOUR + row) * HOUR_NS


@st.composite
def bar_scenarios(
    draw: st.DrawFn,
    *,
    max_symbols: int = 2,
    max_bars: int = 24,
    has_commands: bool = False,
    is_spot: bool = False,
) -> Scenario:
    """Return a bar-only source with signals and rules."""
    count = draw(st.integers(1, max_symbols))
    length = draw(st.integers(2, max_bars))
    tables = [draw(bar_rows(length)) for _ in range(count)]
    said: dict[tuple[int, int], Signal] = {}
    events: list[Any] = []
    own_row = [0] * count
    for row in range(length):
        bars = {s: bar for s in range(count) if (bar := tables[s][row]) is not None}
        for s, bar in bars.items():
            signal = draw(signals(bar.close))
            if signal is not None:
                said[s, own_row[s]] = signal
            own_row[s] += 1
        if bars:
            events.append(BarGroup(hour_ns(row), bars))
        if has_commands and draw(st.integers(0, 7)) == 7:
            events.append(CommandEvent(hour_ns(row + 1), draw(st.sampled_from(COMMANDS))))
    terms_of_trade = draw(rules(count, is_spot=is_spot))
    perpetuals = [s for s, instrument in enumerate(terms_of_trade["instruments"]) if not instrument.is_spot]
    payments = funding_rows(perpetuals, length) if perpetuals else st.just(())
    return Scenario(events=events, signals=said, funding=draw(st.one_of(st.just(()), payments)), **terms_of_trade)


@st.composite
def tick_scenarios(draw: st.DrawFn, *, max_symbols: int = 2, max_bars: int = 10) -> Scenario:
    """Return prints of each symbol with the closes of their bars between them, and now and then a command."""
    count = draw(st.integers(1, max_symbols))
    length = draw(st.integers(1, max_bars))
    prices = [100.0] * count
    own_row = [0] * count
    said: dict[tuple[int, int], Signal] = {}
    events: list[Any] = []
    for row in range(length):
        has_print = [False] * count
        moves = draw(st.lists(st.tuples(st.integers(0, count - 1), body), max_size=8))
        for second, (s, change) in enumerate(moves):
            prices[s] = max(prices[s] + change * QUARTER, LOWEST)
            has_print[s] = True
            events.append(TickPrice(hour_ns(row) + second * 500 * NS, s, prices[s]))
            if draw(st.integers(0, 19)) == 19:
                events.append(CommandEvent(events[-1].time_ns, draw(st.sampled_from(COMMANDS))))
        for s in range(count):
            if has_print[s]:
                events.append(Closed(hour_ns(row), s))
                signal = draw(signals(prices[s]))
                if signal is not None:
                    said[s, own_row[s]] = signal
                own_row[s] += 1
    return Scenario(events=events, signals=said, **draw(rules(count)))
