"""No money appears or vanishes: the identities of the account after every event, and the caps it never breaks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.core_driver import backtest, config_of, events_of, plan_of
from tests.reference.random_market import random_bars
from tests.reference.scenario import NS, START_NS, Scenario, bars_alone
from tests.strategies import QUARTER, bar_scenarios, costs, instruments, risk_configs, tick_scenarios
from workbench.core import Engine, EngineConfig
from workbench.core.portfolio import PortfolioSimulator
from workbench.errors import OrderError
from workbench.model import AccountState, Denied, Instrument, OrderRequest, StepResult, Timeframe

# Relative to the largest amount that has passed through the account.
PRECISION = 1e-9


def is_equal(one: float, other: float, turnover: float) -> bool:
    """Return whether two amounts agree but for the rounding of sums as large as the turnover."""
    return math.isclose(one, other, rel_tol=PRECISION, abs_tol=PRECISION * max(turnover, 1.0))


def steps_of(scenario: Scenario) -> Iterator[StepResult]:
    """Yield what each event of a scenario made happen."""
    plan, volumes = plan_of(scenario)
    events = events_of(scenario, volumes)
    engine = Engine(plan, config_of(scenario))
    for i in range(len(events)):
        yield engine.process(events[i : i + 1])


def check_account(account: AccountState, start: float, turnover: float) -> None:
    """Fail unless equity is the same sum from both sides."""
    held = sum(position.quantity * position.mark_price for position in account.positions)
    assert is_equal(account.cash + held, account.equity, turnover)
    made = account.realized_pnl + account.unrealized_pnl - account.fees - account.funding
    assert is_equal(start + made, account.equity, turnover)
    assert account.peak_equity >= account.equity
    assert account.drawdown >= 0.0


def check_books(scenario: Scenario) -> None:
    """Fail unless fills, trades and account of a whole run tell one story."""
    units: dict[str, float] = defaultdict(float)
    turnover, fees, gross = scenario.cash, 0.0, 0.0
    for step in steps_of(scenario):
        for fill in step.fills:
            units[fill.symbol] += fill.quantity if fill.side == "buy" else -fill.quantity
            turnover += fill.quantity * fill.price
            fees += fill.fee
        for trade in step.closed_trades:
            side = 1 if trade.side == "long" else -1
            gross += side * trade.quantity * (trade.exit_price - trade.entry_price)
        account = step.snapshot
        check_account(account, scenario.cash, turnover)
        assert is_equal(account.fees, fees, turnover)
        assert is_equal(account.realized_pnl, gross, turnover)
        held = {position.symbol: position.quantity for position in account.positions}
        for symbol, quantity in units.items():
            assert is_equal(held.get(symbol, 0.0), quantity, turnover)


class TestIdentityAfterEveryEvent:
    @given(bar_scenarios(max_bars=14, has_commands=True))
    def test_bars(self, scenario: Scenario) -> None:
        check_books(scenario)

    @given(tick_scenarios(max_bars=6))
    def test_ticks(self, scenario: Scenario) -> None:
        check_books(scenario)

    @pytest.mark.parametrize("seed", range(5))
    def test_long_market(self, seed: int) -> None:
        check_books(random_bars(seed, symbols=3, bars=120))


class TestClosedTradesAddUp:
    @pytest.mark.parametrize("seed", range(20))
    def test_profit_of_trades_and_open_positions_is_the_change_of_equity(self, seed: int) -> None:
        scenario = bars_alone(random_bars(seed, symbols=1 + seed % 3, bars=100))
        ledger = backtest(scenario)
        symbols = ledger.book.symbols
        opened = symbols["quantity"] * (symbols["last"] - symbols["entry_price"])
        unclosed = np.where(symbols["quantity"] != 0.0, opened - symbols["entry_fees"] - symbols["funding"], 0.0)
        made = math.fsum(ledger.trades["pnl"]) + math.fsum(unclosed)
        turnover = math.fsum(ledger.fills["quantity"] * ledger.fills["price"])
        assert is_equal(scenario.cash + made, ledger.equity[-1], turnover)

    @pytest.mark.parametrize("seed", range(20))
    def test_funding_paid_is_part_of_the_sum(self, seed: int) -> None:
        scenario = bars_alone(random_bars(seed, symbols=1 + seed % 3, bars=100))
        ledger = backtest(scenario)
        symbols, account = ledger.book.symbols, ledger.book.account
        opened = math.fsum(symbols["quantity"] * (symbols["last"] - symbols["entry_price"]))
        turnover = math.fsum(ledger.fills["quantity"] * ledger.fills["price"])
        made = account["realized"] + opened - account["fees"] - account["funding"]
        assert is_equal(scenario.cash + made, ledger.equity[-1], turnover)
        still_open = math.fsum(np.where(symbols["quantity"] != 0.0, symbols["funding"], 0.0))
        assert is_equal(math.fsum(ledger.trades["funding"]) + still_open, account["funding"], turnover)

    @given(bar_scenarios(max_symbols=1))
    def test_every_figure_of_a_trade_follows_from_its_fills(self, scenario: Scenario) -> None:
        fills = backtest(scenario).fills
        trades = backtest(scenario).trades
        entries, exits = fills[0::2], fills[1::2]  # one symbol, no partial exits: entry, exit, entry, ...
        assert len(exits) == len(trades)
        for trade, entry, exit_ in zip(trades, entries[: len(trades)], exits, strict=True):
            assert (trade["side"], trade["quantity"]) == (entry["side"], entry["quantity"])
            assert (trade["entry_price"], trade["exit_price"]) == (entry["price"], exit_["price"])
            assert trade["entry_time_ns"] == entry["time_ns"] <= trade["exit_time_ns"] == exit_["time_ns"]
            assert math.isclose(trade["fees"], entry["fee"] + exit_["fee"], rel_tol=1e-12)
            gross = trade["side"] * trade["quantity"] * (trade["exit_price"] - trade["entry_price"])
            turnover = trade["quantity"] * (trade["entry_price"] + trade["exit_price"])
            assert is_equal(trade["pnl"], gross - trade["fees"] - trade["funding"], turnover)
            assert trade["mae"] <= 0.0 <= trade["mfe"]


class TestCapsAreNeverBroken:
    @given(bar_scenarios(max_bars=14))
    def test_no_entry_exceeds_a_cap_of_the_config(self, scenario: Scenario) -> None:
        held: dict[int, float] = defaultdict(float)
        spots = [instrument.is_spot for instrument in scenario.instruments]
        for fill in backtest(scenario).fills:
            s, before = int(fill["symbol"]), held[int(fill["symbol"])]
            held[s] += fill["side"] * fill["quantity"]
            if abs(held[s]) < abs(before) or before != 0.0:
                continue
            notional = fill["quantity"] * fill["price"]
            assert notional <= (scenario.risk.max_order_notional or math.inf) * (1 + PRECISION)
            assert notional <= (scenario.risk.max_position_notional or math.inf) * (1 + PRECISION)
            assert notional >= (scenario.instruments[s].min_notional or 0.0)
            assert not (spots[s] and fill["side"] < 0)

    @given(bar_scenarios(max_bars=14, is_spot=True))
    def test_cash_is_never_negative_with_spot_alone(self, scenario: Scenario) -> None:
        assert backtest(scenario).trace["cash"].min() >= 0.0

    @pytest.mark.parametrize("seed", range(20))
    def test_cash_is_never_negative_on_a_long_spot_market(self, seed: int) -> None:
        scenario = bars_alone(random_bars(seed, symbols=2, bars=100))
        coins = tuple(
            Instrument(f"{name}/USDT", lot=instrument.lot, tick=instrument.tick, taker_fee=instrument.taker_fee)
            for name, instrument in zip(("BTC", "ETH"), scenario.instruments, strict=True)
        )
        assert backtest(replace(scenario, instruments=coins, funding=())).trace["cash"].min() >= 0.0


class TestPortfolioByItself:
    """`PortfolioSimulator` takes orders of any size: it adds to positions, cuts them in parts, turns them over."""

    orders = st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(["buy", "sell"]),
            st.integers(1, 60),
            st.integers(-12, 12),
            st.booleans(),
        ),
        max_size=25,
    )

    @given(st.data(), costs(), risk_configs(), orders)
    def test_identity_after_every_order_and_mark(self, data, fees, risk, orders) -> None:
        pair = (data.draw(instruments("BTC")), data.draw(instruments("ETH")))
        config = EngineConfig(instruments=pair, timeframe=Timeframe("1m"), cash=10_000.0, risk=risk, costs=fees)
        portfolio = PortfolioSimulator(config)
        prices = [100.0, 50.0]
        time_ns, turnover = START_NS, 10_000.0
        for s, side, size, move, is_order in orders:
            time_ns += 20 * NS
            prices[s] = max(prices[s] + move * QUARTER, 1.0)
            turnover += 100 * prices[s]
            if is_order:
                order = OrderRequest(pair[s].symbol, side, size / 2, "market", None, time_ns)
                before = portfolio.get_position_units()[pair[s].symbol]
                outcome = portfolio.process_order(order, prices[s], time_ns)
                after = portfolio.get_position_units()[pair[s].symbol]
                moved = 0.0 if isinstance(outcome, Denied) else outcome.quantity * (1 if side == "buy" else -1)
                assert math.isclose(after - before, moved, rel_tol=1e-9, abs_tol=1e-9)
            else:
                portfolio.mark_to_market({pair[s].symbol: prices[s]}, time_ns)
            account = portfolio.get_account_snapshot()
            check_account(account, 10_000.0, turnover)
            if all(instrument.is_spot for instrument in pair):
                assert account.cash >= 0.0

    @given(instruments("BTC"), costs(), st.lists(st.integers(1, 20), min_size=1, max_size=6))
    def test_parts_of_a_position_carry_their_share_of_its_fees(self, instrument, fees, parts) -> None:
        config = EngineConfig(instruments=(instrument,), timeframe=Timeframe("1m"), cash=1e9, costs=fees)
        portfolio = PortfolioSimulator(config)
        symbol, time_ns = instrument.symbol, START_NS
        portfolio.process_order(OrderRequest(symbol, "buy", 10_000.0, "market", None, time_ns), 100.0, time_ns)
        for part in parts:
            time_ns += NS
            order = OrderRequest(symbol, "sell", part * 10.0, "market", None, time_ns, reduce_only=True)
            portfolio.process_order(order, 101.0, time_ns)
        trades = portfolio.get_trades_snapshot()
        account = portfolio.get_account_snapshot()
        (position,) = account.positions
        left = position.quantity / 10_000.0
        rate = fees.taker_fee if instrument.taker_fee is None else instrument.taker_fee
        unclosed = 10_000.0 * position.entry_price * rate * left
        assert is_equal(math.fsum(trade.fees for trade in trades) + unclosed, account.fees, 1e6)
        assert is_equal(math.fsum(trade.quantity for trade in trades) + position.quantity, 10_000.0, 1e4)

    def test_reduce_only_never_opens(self) -> None:
        config = EngineConfig(
            instruments=(random_bars(1, symbols=1, bars=1).instruments[0],), timeframe=Timeframe("1m"), cash=1e4
        )
        portfolio = PortfolioSimulator(config)
        order = OrderRequest(config.symbols[0], "buy", 1.0, "market", None, START_NS, reduce_only=True)
        with pytest.raises(OrderError, match="nothing to reduce"):
            portfolio.process_order(order, 100.0, START_NS)
