"""A session on the simulated client: the same fills as the core's own, print by print, and where they must differ."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.manual_timing import ManualTiming
from tests.unit.live.markets import BTC, ETH, JOIN_S, MIDNIGHT, MINUTE, SECOND, run_to_end, session_config
from workbench.errors import ConfigError
from workbench.exchange import SimulatedClient
from workbench.exchange.practice import TickSource
from workbench.live import LiveSession, LiveSessionConfig
from workbench.live.simulated_source import SimulatedSource
from workbench.model import ClosedTrade, Costs, ExchangeRequest, Instrument, RiskConfig, Timeframe
from workbench.strategy import Strategy, enter_long, enter_short, exit_position, hold, sma_cross

COSTS = Costs(taker_fee=0.001, maker_fee=0.0005, slippage=0.0003)
PERPETUAL = "BTC/USDT:USDT"
PRINTS = 900
ASK, GIVE_UP = 7.0, 8.0


def rules(symbol: str) -> Instrument:
    kind: Any = "linear_perpetual" if ":" in symbol else "spot"
    return Instrument(symbol, kind, lot=0.001, tick=0.01, min_notional=5.0)


def walk(symbol: str, *, seed: int, step: float = 0.0015) -> TickSource:
    """Return prints ten seconds apart, on the tick, of a seeded random walk from 100.

    Of ten bars one has a volume of 7, on which strategies ask, one of 8, on which they give up, and the others of 6.
    """
    steps = np.random.default_rng(seed).normal(0.0, step, PRINTS)
    prices = np.round(100.0 * np.exp(np.cumsum(steps)), 2)
    volumes = np.ones(PRINTS)
    volumes[::60], volumes[36::60] = ASK - 5.0, GIVE_UP - 5.0
    return TickSource(rules(symbol), MIDNIGHT + 10 * SECOND * np.arange(PRINTS), prices, volumes)


def prints(*rows: tuple[float, float], symbol: str = BTC) -> TickSource:
    """Return (price, volume) prints half a minute apart: the first of each bar, and the second."""
    prices, volumes = zip(*rows, strict=True)
    return TickSource(rules(symbol), MIDNIGHT + MINUTE // 2 * np.arange(len(rows)), prices, volumes)


def traded(strategy: Any, *markets: TickSource, execution: str = "exchange", **changes: Any) -> LiveSession:
    client = SimulatedClient(markets, costs=changes.get("costs", COSTS))
    settings: dict[str, Any] = {
        "name": "simulated",
        "strategy": strategy,
        "symbols": client.symbols,
        "timeframe": Timeframe("1m"),
        "source": SimulatedSource(client, feed=changes.pop("feed", "trades")),
        "costs": COSTS,
        "speed": math.inf,
        "execution": execution,
    }
    session = run_to_end(LiveSessionConfig(**{**settings, **changes}))
    assert session.reason.startswith("the feed ended"), session.reason
    return session


class Limits(Strategy):
    """Buys a little below the market, and sells at a limit above."""

    def on_bar(self, now: Any, position: Any) -> Any:
        if not position.is_flat:
            return exit_position(limit=position.entry_price * 1.002)
        if now.volume == ASK:
            return enter_long(size=0.5, limit=now.close * 0.998, max_holding_s=600.0)
        return exit_position() if now.volume == GIVE_UP else hold()


class Stops(Strategy):
    """Buys when the price breaks out, and lets a trailing stop or a target take it out."""

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat and now.volume == ASK:
            return enter_long(size=0.5, stop=now.close * 1.001, trailing_stop=0.006, take_profit=0.01)
        return exit_position() if position.is_flat and now.volume == GIVE_UP else hold()


class Parts(Strategy):
    """Leaves in two parts."""

    def on_bar(self, now: Any, position: Any) -> Any:
        if position.is_flat:
            return enter_long(notional=3_000.0)
        return exit_position(units=7.0) if now.volume == ASK else hold()


class Shorts(Strategy):
    """Sells short and waits for one of its brackets."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        if position.is_flat:
            return enter_short(size=0.9, stop_loss=0.008, take_profit=0.012)
        return hold()


CASES = {
    "signals": (sma_cross(fast=3, slow=9), (BTC,), RiskConfig()),
    "protected": (
        sma_cross(fast=3, slow=9),
        (BTC,),
        RiskConfig(stop_loss=0.006, take_profit=0.009, trailing_stop=0.005, cooldown_s=120.0),
    ),
    "limits": (Limits(), (BTC,), RiskConfig()),
    "stops": (Stops(), (BTC,), RiskConfig()),
    "parts": (Parts(), (BTC,), RiskConfig()),
    "shorts": (Shorts(), (PERPETUAL,), RiskConfig(max_leverage=3.0)),
    "two symbols": (sma_cross(fast=3, slow=9), (BTC, ETH), RiskConfig(stop_loss=0.01)),
}


@pytest.mark.parametrize("case", CASES)
def test_exchange_fills_what_the_core_fills(case: str) -> None:
    # In no walk of these seeds does an order that is given up fill at the very print that closed the bar.
    strategy, symbols, risk = CASES[case]
    markets = [walk(symbol, seed=number + 11) for number, symbol in enumerate(symbols)]
    alone = traded(strategy, *markets, execution="simulated", risk=risk)
    sent = traded(strategy, *markets, risk=risk)
    fills = alone.fills()
    assert len(fills) > 10
    assert sent.fills() == fills
    assert [without_excursions(one) for one in sent.trades()] == [without_excursions(one) for one in alone.trades()]
    # Time and equity at each bar's close; of excursions and drawdown see below.
    assert np.array_equal(sent.chart_state().equity[:, :2], alone.chart_state().equity[:, :2])
    assert sent.snapshot().equity == alone.snapshot().equity
    assert sent.parity().is_identical


def without_excursions(trade: ClosedTrade) -> ClosedTrade:
    return replace(trade, mae=0.0, mfe=0.0)


def test_two_runs_are_the_same_to_the_byte() -> None:
    first, second = (traded(Limits(), walk(BTC, seed=7)) for _ in range(2))
    assert first.parity().live_hash == second.parity().live_hash


class Turns(Strategy):
    """Goes long on one bar and short on another."""

    def on_bar(self, now: Any, position: Any) -> Any:  # noqa: ARG002  the interface of all strategies
        if now.volume == ASK:
            return enter_long(units=1.0)
        return enter_short(units=1.0) if now.volume == GIVE_UP else hold()


def told(session: LiveSession) -> list[tuple[float, str, float]]:
    """Return seconds after midnight, side and price of each fill."""
    return [((one.time_ns - MIDNIGHT) / SECOND, one.side, one.price) for one in session.fills()]


FREE = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0)


def test_reversal_enters_a_print_later() -> None:
    # The bar of 0 to 60 s says long, the one of 60 to 120 s short.
    market = prints((100, 6), (100, 1), (101, 7), (102, 1), (103, 1), (104, 1), symbol=PERPETUAL)
    alone = traded(Turns(), market, execution="simulated", costs=FREE)
    sent = traded(Turns(), market, costs=FREE)
    assert told(alone) == [(60.0, "buy", 101.0), (120.0, "sell", 103.0), (120.0, "sell", 103.0)]
    assert told(sent) == [(60.0, "buy", 101.0), (120.0, "sell", 103.0), (150.0, "sell", 104.0)]


class Bids(Strategy):
    """Bids when it is asked to, and later bids something else, or gives up where that is 0."""

    first: float = 95.0
    then: float = 0.0

    def on_bar(self, now: Any, position: Any) -> Any:
        if now.volume == ASK:
            return enter_long(units=1.0, limit=self.first)
        if now.volume == GIVE_UP and position.is_flat:
            return enter_long(units=1.0, limit=self.then) if self.then > 0.0 else exit_position()
        return hold()


# The bid is placed at 60 s, and its end decided on the bar that the print of 120 s closes.
CALM = ((100, ASK - 1), (100, 1), (100, GIVE_UP - 1), (100, 1))


def test_cancel_comes_after_the_print_that_closed_the_bar() -> None:
    market = prints(*CALM, (94, 1), (94, 1))
    assert told(traded(Bids(), market, execution="simulated", costs=FREE)) == []
    assert told(traded(Bids(), market, costs=FREE)) == [(120.0, "buy", 94.0)]


def test_cancel_that_comes_in_time_leaves_nothing() -> None:
    market = prints(*CALM, (96, 1), (94, 1))
    for execution in ("simulated", "exchange"):
        assert told(traded(Bids(), market, execution=execution, costs=FREE)) == []


def test_entry_in_place_of_one_that_waits_is_placed_a_print_later() -> None:
    market = prints(*CALM, (94, 1), (93, 1))
    bids = Bids(first=90.0, then=95.0)
    assert told(traded(bids, market, execution="simulated", costs=FREE)) == [(120.0, "buy", 94.0)]
    assert told(traded(bids, market, costs=FREE)) == [(150.0, "buy", 93.0)]


def test_peak_is_without_the_costs_of_the_fill_at_it() -> None:
    market = prints((100, ASK - 1), (100, 1), (100, 1), (110, 1))
    costs = Costs(taker_fee=0.01, maker_fee=0.01, slippage=0.0)
    settings: dict[str, Any] = {"costs": costs, "risk": RiskConfig(take_profit=0.1)}
    alone = traded(Turns(), market, execution="simulated", **settings).snapshot()
    sent = traded(Turns(), market, **settings).snapshot()
    # 1 bought at 100 for a fee of 1, sold at its target of 110 for one of 1.10: 10,000 + 10 - 1 - 1.10.
    assert alone.equity == sent.equity == pytest.approx(10_007.9)
    assert alone.peak_equity == pytest.approx(10_007.9)
    assert sent.peak_equity == pytest.approx(10_009.0)  # before the fee of the sale


def test_excursions_have_the_print_at_which_a_trade_left() -> None:
    market = prints((100, ASK - 1), (100, 1), (100, 1), (90, 1))
    settings: dict[str, Any] = {
        "costs": Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.1),
        "risk": RiskConfig(max_holding_s=30.0),
    }
    (alone,) = traded(Turns(), market, execution="simulated", **settings).trades()
    (sent,) = traded(Turns(), market, **settings).trades()
    # Bought at 100 * 1.1 and sold at 90 * 0.9 = 81, the worst price either way; the best is what was paid, or a print.
    assert alone.mae == sent.mae == pytest.approx(81 / 110 - 1)
    assert (alone.mfe, sent.mfe) == (0.0, 0.0)
    rise = prints((100, ASK - 1), (100, 1), (100, 1), (150, 1))
    (alone,) = traded(Turns(), rise, execution="simulated", **settings).trades()
    (sent,) = traded(Turns(), rise, **settings).trades()
    assert alone.mfe == pytest.approx(135 / 110 - 1)  # the fill, 150 * 0.9
    assert sent.mfe == pytest.approx(150 / 110 - 1)  # the print


def test_candles_of_the_exchange_are_traded_too() -> None:
    session = traded(sma_cross(fast=3, slow=9), walk(BTC, seed=7), feed="candles")
    assert session.snapshot().fill_count > 5
    assert session.parity().is_identical
    assert session.metrics()["counts"]["bars"] == PRINTS // 6 - 1  # the last one never closes


def test_history_before_the_start_warms_the_indicators() -> None:
    start_ns = MIDNIGHT + 100 * MINUTE
    client = SimulatedClient(walk(BTC, seed=7), start=start_ns, costs=COSTS)
    source = SimulatedSource(client)
    assert source.usual_warmup(30) == 500
    market = source.open((BTC,), Timeframe("1m"), 40)
    try:
        assert market.history is not None
        assert (len(market.history), market.since_ns) == (40, start_ns)
        assert market.history.time_ns[-1] == start_ns - MINUTE
    finally:
        market.feed.close()


def test_market_without_a_past_needs_none() -> None:
    assert SimulatedSource(SimulatedClient(walk(BTC, seed=7))).usual_warmup(30) == 0


def test_client_serves_one_session() -> None:
    client = SimulatedClient(prints(*CALM), costs=FREE)
    source = SimulatedSource(client)
    source.open((BTC,), Timeframe("1m"), 0).feed.close()
    with pytest.raises(ConfigError, match="was used already: a session needs one of its own"):
        source.open((BTC,), Timeframe("1m"), 0)


def test_client_with_a_clock_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave its timing out"):
        SimulatedSource(SimulatedClient(prints(*CALM), timing=ManualTiming(MIDNIGHT)))


def test_unknown_feed_is_refused() -> None:
    with pytest.raises(ConfigError, match="feed must be 'trades' or 'candles', was 'books'"):
        SimulatedSource(SimulatedClient(prints(*CALM)), feed="books")


def test_session_needs_the_cash_that_the_account_has() -> None:
    client = SimulatedClient(prints(*CALM), cash=9_000.0)
    session = run_to_end(
        session_config(source=SimulatedSource(client), execution="exchange", symbols=(BTC,), cash=10_000.0)
    )
    assert session.state == "FAILED"
    assert "cash must be at most what the account has free, 9,000.00 USDT" in session.reason


def test_paper_trades_on_a_simulated_client() -> None:
    client = wb.SimulatedClient(walk(BTC, seed=7), costs=COSTS)
    session = wb.paper(
        sma_cross(fast=3, slow=9), exchange=client, execution="exchange", costs=COSTS, speed=math.inf, name="simulated"
    )
    try:
        assert session.wait(JOIN_S)
        assert session.symbols == (BTC,)
        assert session.fills() == traded(sma_cross(fast=3, slow=9), walk(BTC, seed=7), execution="simulated").fills()
        units = asyncio.run(client.balances()).get("BTC")
        held = sum(one.quantity for one in session.snapshot().positions)
        assert (units.total if units else 0.0) == held
    finally:
        session.close()


def test_next_print_waits_until_what_the_exchange_said_is_taken() -> None:
    market = SimulatedSource(SimulatedClient(prints(*CALM), costs=FREE)).open((BTC,), Timeframe("1m"), 0)
    assert market.open_orders is not None
    orders, late_ns = market.open_orders("waits"), MIDNIGHT + 10 * MINUTE
    try:
        assert len(market.feed.poll(late_ns)) == 1
        orders.send(
            (ExchangeRequest(0, BTC, "buy", 1.0, "market", 100.0, MIDNIGHT, "signal", is_exit=False, may_rest=False),)
        )
        assert len(market.feed.poll(late_ns)) == 0
        assert market.feed.next_due_ns() == MIDNIGHT
        assert len(orders.take()) == 1
        assert len(market.feed.poll(late_ns)) == 1
    finally:
        market.feed.close()
