"""The short cut over quiet bars against the long way, on markets made to lie on its edges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.reference.edge_market import MIDNIGHT_NS, UNITS, Case, random_case
from workbench.core import EXIT_REASONS, EngineConfig
from workbench.core.batch import run_marks
from workbench.core.book import open_book
from workbench.core.curve import worst_fall
from workbench.core.driver import frozen
from workbench.core.ledger import new_trace
from workbench.core.log import ROOM_PER_SYMBOL
from workbench.core.memory import memory_of
from workbench.core.quiet import common_step
from workbench.core.records import PATHS
from workbench.model import Costs, Instrument, RiskConfig, Timeframe


@pytest.mark.parametrize("block", range(10))
def test_short_cut_leaves_the_same_bytes_on_the_edges_of_every_rule(block: int) -> None:
    reasons: set[int] = set()
    for seed in range(100 * block, 100 * block + 100):
        case = random_case(seed)
        quick, equity = case.run(is_exact=False)
        exact, exact_equity = case.run(is_exact=True)
        assert quick.hash == exact.hash, seed
        assert equity.tobytes() == exact_equity.tobytes(), seed
        reasons.update(exact.trades["reason"].tolist())
    assert len(reasons) > len(EXIT_REASONS) // 2


def test_log_that_fills_up_in_the_middle_loses_nothing() -> None:
    for seed in range(200, 260):
        case = random_case(seed)
        whole, _ = case.run(is_exact=False)
        # Room for one timestamp: the run stops after each bar with a row.
        assert case.run(is_exact=False, log_rows=ROOM_PER_SYMBOL)[0].hash == whole.hash, seed


def test_funding_is_paid_on_quiet_bars_too() -> None:
    paid = 0
    for seed in range(400, 440):
        case = random_case(seed)
        rates = np.random.default_rng(seed).choice([0.0, 1e-3, -1e-3], (2, 1, len(case.times)), p=[0.8, 0.1, 0.1])
        quick, equity = case.run(is_exact=False, funding=rates)
        exact, exact_equity = case.run(is_exact=True, funding=rates)
        assert quick.hash == exact.hash, seed
        assert equity.tobytes() == exact_equity.tobytes(), seed
        paid += quick.book.account["funding"] != 0.0
    assert paid > 5


def test_short_cut_stops_recording_where_the_trace_is_full() -> None:
    for seed in range(300, 340):
        case = random_case(seed)
        for trace_rows in (0, 3, 17):
            quick, _ = case.run(is_exact=False, trace_rows=trace_rows)
            assert quick.hash == case.run(is_exact=True, trace_rows=trace_rows)[0].hash, seed
            assert len(quick.trace) == min(trace_rows, len(case.times))
            close_times = case.times[:trace_rows] + case.config.timeframe.ns
            assert quick.trace["close_time_ns"].tolist() == close_times.tolist()


@pytest.mark.parametrize("piece_rows", [1, 7, 64, 4_096])
def test_marks_and_worst_fall_of_a_run_in_pieces_are_those_of_the_whole_curve(piece_rows: int) -> None:
    traded = 0
    for seed in range(500, 540):
        case = random_case(seed)
        whole, equity = case.run(is_exact=True)
        rows = np.sort(np.random.default_rng(seed).integers(0, len(case.times), 9))
        book, marks = open_book(case.config), np.full(rows.size, math.nan)
        worst = run_marks(
            *(memory_of(book), frozen(case.times), frozen(case.values), np.zeros((2, 1, 0)), case.codes),
            *(frozen(case.levels), new_trace(0), np.empty(piece_rows), rows, marks, case.config.cash),
        )
        assert marks.tobytes() == equity[rows].tobytes(), seed
        assert worst == worst_fall(equity, case.config.cash), seed
        for name in ("cash", "equity", "equity_peak", "open_bars", "trade_count", "gross_loss"):
            assert book.account[name] == whole.book.account[name], (seed, name)
        traded += len(whole.trades)
    assert traded > 30


def test_opens_that_leave_times_out_are_told_as_they_are() -> None:
    step = Timeframe("1h").ns
    case = edge_case({"max_holding_s": 3_600.0 * 8}, 1, 1, 2, 100.0)
    # Only kernels may call it as it is.
    step_of = getattr(common_step, "py_func", common_step)
    assert step_of(case.times, step) == step
    assert step_of(case.times[:1], step) == step
    assert step_of(case.times[:0], step) == 0
    # Two hours late from the sixth on: entered at row 1, the eight hours are over at the close of row 6, 8 h later.
    late = replace(case, times=case.times + np.where(np.arange(12) > 5, 2 * step, 0))
    assert step_of(late.times, step) == 0
    ledger, _ = late.run(is_exact=False)
    assert ledger.hash == late.run(is_exact=True)[0].hash
    assert ledger.trace["time_ns"].tolist() == late.times.tolist()
    assert ledger.trades["exit_time_ns"].tolist() == [late.times[7]]


# A rule, and the price at which it acts on a long and on a short of 100 units from 100, after a best price of 120 (80).
EDGES = [
    ({"trailing_stop": 0.1}, 108.0, 88.0),
    ({"trailing_stop": 0.2, "trailing_activate_at": 0.1, "trailing_distance_after": 0.1}, 108.0, 88.0),
    ({"trailing_activate_at": 0.1, "trailing_distance_after": 0.1}, 108.0, 88.0),
    ({"bracket": 0.1}, 108.0, 88.0),
    # 12000 * 0.9 = 10800 = 100 * 108 = 20000 - 100 * 92
    ({"max_drawdown": 0.1}, 108.0, 92.0),
    # 10000 * 0.9 = 9000 = 100 * 90 = 20000 - 100 * 110
    ({"daily_loss_limit": 0.1}, 90.0, 110.0),
    ({"stop_loss": 0.1}, 90.0, 110.0),
    ({"max_loss_per_trade": 0.1}, 90.0, 110.0),
    ({"take_profit": 0.25}, 125.0, 75.0),
    # 500 units: 10000 - 500 * 20 = 0
    ({"max_leverage": 5.0}, 80.0, 120.0),
]


def edge_case(rules: dict[str, float], side: int, best_row: int, edge_row: int, edge: float) -> Case:
    """Return calm bars at 100, one with the best price, calm ones near it, and one whose extreme is `edge`."""
    rows = 12
    best, near = 100.0 + side * 20.0, 100.0 + side * 15.0
    values = np.full((5, 1, rows), 100.0)
    values[:4, 0, best_row + 1 :] = near
    values[1:3, 0, best_row] = max(100.0, best), min(100.0, best)
    values[3, 0, best_row] = near
    values[1, 0, edge_row] = max(near, edge)
    values[2, 0, edge_row] = min(near, edge)
    codes = np.zeros((1, rows), np.uint8)
    codes[0, 0] = 1 if side > 0 else 4
    levels = np.full((1, 8, 1), math.nan)
    levels[0, 0], levels[0, 7] = 500.0 if "max_leverage" in rules else 100.0, UNITS
    rules = dict(rules)
    levels[0, 5] = rules.pop("bracket", math.nan)
    config = EngineConfig(
        instruments=(Instrument("BTC/USDT:USDT", "linear_perpetual", maintenance_margin=0.0),),
        timeframe=Timeframe("1h"),
        cash=10_000.0,
        risk=RiskConfig(**rules),
        costs=Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.0),
    )
    times = MIDNIGHT_NS + Timeframe("1h").ns * np.arange(rows)
    return Case(config, times, values, codes, levels)


@pytest.mark.parametrize(("rules", "long_edge", "short_edge"), EDGES, ids=["+".join(row[0]) for row in EDGES])
@pytest.mark.parametrize("side", [1, -1])
def test_rule_acts_at_its_very_price_in_whichever_bar(
    rules: dict[str, float], long_edge: float, short_edge: float, side: int
) -> None:
    edge = long_edge if side > 0 else short_edge
    prices = edge * (1.0 + np.finfo(float).eps * np.arange(-2, 3))
    for best_row in range(1, 5):
        for edge_row in range(best_row + 1, best_row + 7):
            trades = set()
            for price in prices.tolist():
                case = edge_case(rules, side, best_row, edge_row, price)
                quick, _ = case.run(is_exact=False)
                assert quick.hash == case.run(is_exact=True)[0].hash, (best_row, edge_row, price)
                trades.add(len(quick.trades))
            assert trades == {0, 1}, (best_row, edge_row)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("path", PATHS)
def test_trail_raised_in_a_bar_acts_in_the_rest_of_that_bar(side: int, path: str) -> None:
    edge = 108.0 if side > 0 else 88.0
    ends = set()
    for best_row in range(1, 9):
        for price in (edge * (1.0 + np.finfo(float).eps * np.arange(-2, 3))).tolist():
            case = edge_case({"trailing_stop": 0.1}, side, best_row, 10, 100.0)
            case.levels[0, 0] = 50.0
            # From 110 (90) to 120 (80) and back to the trail, where the bar closes.
            case.values[:4, 0, 1:best_row] = 100.0 + side * 10.0
            case.values[0, 0, best_row] = 100.0 + side * 10.0
            case.values[1 if side < 0 else 2, 0, best_row] = price
            case.values[3, 0, best_row:] = price
            case.values[0, 0, best_row + 1 :] = price
            case.values[1:3, 0, best_row + 1 :] = price
            config = replace(case.config, path=path)
            quick, _ = replace(case, config=config).run(is_exact=False)
            exact, _ = replace(case, config=config).run(is_exact=True)
            assert quick.hash == exact.hash, (best_row, price)
            ends.update(exact.trades["exit_time_ns"].tolist())
    assert len(ends) > 4


@pytest.mark.parametrize(("side", "edge"), [(1, 108.0), (-1, 92.0)])
def test_drawdown_counts_from_a_peak_that_quiet_bars_have_raised_bit_by_bit(side: int, edge: float) -> None:
    calm = edge_case({"max_drawdown": 0.1}, side, 1, 2, 100.0)
    for climb in range(30, 34):
        for wait in range(4, 9):
            rows = climb + wait + 2
            # 120 (80) and then nothing above 112, which alone would not trip: 11200 * 0.9 = 10080
            prices = 100.0 + side * np.where(np.arange(rows) <= climb, 20.0 * np.arange(rows) / climb, 12.0)
            values = np.tile(prices, (5, 1, 1))
            values[1 if side < 0 else 2, 0, -2] = edge
            config = replace(calm.config, timeframe=Timeframe("1m"))
            codes = np.zeros((1, rows), np.uint8)
            codes[0, 0] = calm.codes[0, 0]
            # Entered at the open of the second bar, so the first must not have moved yet.
            values[:, 0, 1] = 100.0
            case = Case(config, MIDNIGHT_NS + Timeframe("1m").ns * np.arange(rows), values, codes, calm.levels)
            quick, _ = case.run(is_exact=False)
            # 12000 * 0.9 = 10800 = 100 * 108
            assert quick.trips["time_ns"].tolist() == [case.times[-2]], (climb, wait)
            assert quick.hash == case.run(is_exact=True)[0].hash, (climb, wait)


@pytest.mark.parametrize("bars", range(1, 11))
def test_time_limit_on_the_close_of_the_last_bar_waits_for_the_next_open(bars: int) -> None:
    case = edge_case({"max_holding_s": 3_600.0 * bars}, 1, 1, 2, 100.0)
    # Entered at the open of the second bar.
    rows = bars + 1
    case = replace(case, times=case.times[:rows], values=case.values[..., :rows], codes=case.codes[:, :rows])
    assert case.run(is_exact=False)[0].hash == case.run(is_exact=True)[0].hash
