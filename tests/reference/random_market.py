"""Long random markets from a seed: the same on every machine and without Hypothesis, for runs in other processes."""

from __future__ import annotations

import random
from typing import Any

from tests.reference.decisions import Signal
from tests.reference.records import BarGroup, BarPrices, Closed, CommandEvent, Decision, TickPrice
from tests.reference.scenario import HOUR_NS, NS, START_NS, Scenario
from workbench.model import Costs, Instrument, RiskConfig

COMMANDS = ("pause", "resume", "resume", "resume", "flatten", "stop", "clear_breaker", "clear_breaker")


def maybe(rng: random.Random, chance: float, low: float, high: float) -> float | None:
    """Return a number in the range with this chance, else None."""
    return rng.uniform(low, high) if rng.random() < chance else None


def random_terms(rng: random.Random, price: float) -> Decision:
    """Return size and levels of an entry near this price."""
    sizing = rng.choice(["default", "default", "fraction", "notional", "units", "risk"])
    size = {
        "default": None,
        "fraction": rng.uniform(0.1, 1.0),
        "notional": rng.uniform(10.0, 12_000.0),
        "units": rng.uniform(0.1, 120.0),
        "risk": rng.uniform(0.002, 0.03),
    }[sizing]
    kind = rng.choice(["market", "market", "limit", "stop"])
    near = price * rng.uniform(0.97, 1.03)
    return Decision(
        sizing=sizing,
        size=size,
        limit=near if kind == "limit" else None,
        stop=near if kind == "stop" else None,
        stop_loss=maybe(rng, 0.3, 0.001, 0.06),
        take_profit=maybe(rng, 0.3, 0.001, 0.08),
        trailing_stop=maybe(rng, 0.3, 0.002, 0.06),
        max_holding_s=maybe(rng, 0.2, 600.0, 20_000.0),
    )


def random_signal(rng: random.Random, price: float) -> Signal | None:
    """Return what a strategy says at this price, mostly nothing."""
    code = rng.choice([0, 0, 0, 1, 1, 4, 4, 2, 8, 6, 9, 5, 15, 3])
    if code == 0:
        return None
    terms = random_terms(rng, price) if code & 5 else Decision()
    return Signal(bool(code & 1), bool(code & 2), bool(code & 4), bool(code & 8), terms)


def random_rules(rng: random.Random, symbols: int) -> dict[str, Any]:
    """Return instruments, risk, costs, cash and path."""
    instruments = []
    for name in ("BTC", "ETH", "SOL")[:symbols]:
        is_perpetual = rng.random() < 0.7
        instruments.append(
            Instrument(
                f"{name}/USDT:USDT" if is_perpetual else f"{name}/USDT",
                kind="linear_perpetual" if is_perpetual else "spot",
                lot=rng.choice([None, 0.001, 0.1, 0.25]),
                tick=rng.choice([None, 0.01, 0.05, 0.25]),
                min_notional=maybe(rng, 0.4, 5.0, 500.0),
                taker_fee=maybe(rng, 0.3, 0.0, 0.002),
                maker_fee=maybe(rng, 0.3, 0.0, 0.001),
                maintenance_margin=rng.uniform(0.004, 0.03),
            )
        )
    trailing_stop = maybe(rng, 0.4, 0.01, 0.08)
    tightened = maybe(rng, 0.3, 0.002, 0.01)
    is_late = tightened is not None or (trailing_stop is not None and rng.random() < 0.5)
    risk = RiskConfig(max_leverage=20.0)
    if rng.random() < 0.8:
        risk = RiskConfig(
            stop_loss=maybe(rng, 0.4, 0.005, 0.06),
            take_profit=maybe(rng, 0.4, 0.005, 0.08),
            trailing_stop=trailing_stop,
            trailing_activate_at=rng.uniform(0.002, 0.03) if is_late else None,
            trailing_distance_after=tightened,
            max_holding_s=maybe(rng, 0.3, 1_000.0, 50_000.0),
            max_loss_per_trade=maybe(rng, 0.3, 0.01, 0.08),
            max_drawdown=maybe(rng, 0.3, 0.05, 0.4),
            daily_loss_limit=maybe(rng, 0.3, 0.02, 0.1),
            max_position_notional=maybe(rng, 0.3, 2_000.0, 30_000.0),
            max_order_notional=maybe(rng, 0.3, 2_000.0, 30_000.0),
            max_leverage=rng.choice([0.7, 1.0, 1.0, 2.0, 8.0, 20.0]),
            max_orders_per_minute=rng.choice([None, None, 1, 2]),
            price_collar=maybe(rng, 0.3, 0.005, 0.05),
            cooldown_s=maybe(rng, 0.3, 60.0, 20_000.0),
        )
    return {
        "instruments": tuple(instruments),
        "risk": risk,
        "costs": Costs(
            taker_fee=rng.choice([0.0, 0.0005, 0.002]),
            maker_fee=rng.choice([0.0, 0.0002, 0.001]),
            slippage=rng.choice([0.0, 0.0002, 0.003]),
        ),
        "cash": rng.uniform(500.0, 50_000.0),
        "path": rng.choice(["adverse", "adverse", "adverse", "colour", "ohlc", "olhc", "favourable"]),
    }


def random_bar(rng: random.Random, price: float) -> BarPrices:
    """Return a valid bar that starts near a price, now and then after a gap."""
    width = rng.choice([0.001, 0.004, 0.015])
    open_ = price * (1 + rng.gauss(0.0, 0.03 if rng.random() < 0.1 else 0.0005))
    close = open_ * (1 + rng.gauss(0.0, width))
    high = max(open_, close) * (1 + abs(rng.gauss(0.0, width)))
    low = min(open_, close) * (1 - abs(rng.gauss(0.0, width)))
    return BarPrices(open_, high, low, close)


def random_bars(seed: int, *, symbols: int, bars: int) -> Scenario:
    """Return a bar-only source of hourly bars, with signals, funding and commands."""
    rng = random.Random(seed)
    prices = [100.0] * symbols
    own_row = [0] * symbols
    said: dict[tuple[int, int], Signal] = {}
    events: list[Any] = []
    command_chance = rng.choice([0.0, 0.03])
    for row in range(bars):
        group: dict[int, BarPrices] = {}
        for s in range(symbols):
            if rng.random() < 0.06:
                continue
            bar = group[s] = random_bar(rng, prices[s])
            prices[s] = bar.close
            signal = random_signal(rng, bar.close)
            if signal is not None:
                said[s, own_row[s]] = signal
            own_row[s] += 1
        if group:
            events.append(BarGroup(START_NS + row * HOUR_NS, group))
        if rng.random() < command_chance:
            events.append(CommandEvent(START_NS + (row + 1) * HOUR_NS, rng.choice(COMMANDS)))
    rules = random_rules(rng, symbols)
    funding = tuple(
        (s, START_NS + row * HOUR_NS, rng.gauss(0.0, 0.001))
        for row in range(0, bars, 8)
        for s, instrument in enumerate(rules["instruments"])
        if not instrument.is_spot
    )
    return Scenario(events=events, signals=said, funding=funding, **rules)


def random_ticks(seed: int, *, symbols: int, bars: int) -> Scenario:
    """Return prints of every symbol between the closes of their hourly bars, with signals and commands."""
    rng = random.Random(seed)
    prices = [100.0] * symbols
    own_row = [0] * symbols
    said: dict[tuple[int, int], Signal] = {}
    events: list[Any] = []
    command_chance = rng.choice([0.0, 0.005])
    for row in range(bars):
        start = START_NS + row * HOUR_NS
        printed = set()
        for second in range(rng.randrange(12)):
            s = rng.randrange(symbols)
            prices[s] *= 1 + rng.gauss(0.0, rng.choice([0.0005, 0.004, 0.02]))
            printed.add(s)
            events.append(TickPrice(start + second * 250 * NS, s, prices[s]))
            if rng.random() < command_chance:
                events.append(CommandEvent(start + second * 250 * NS, rng.choice(COMMANDS)))
        for s in sorted(printed):
            events.append(Closed(start, s))
            signal = random_signal(rng, prices[s])
            if signal is not None:
                said[s, own_row[s]] = signal
            own_row[s] += 1
    return Scenario(events=events, signals=said, **random_rules(rng, symbols))
