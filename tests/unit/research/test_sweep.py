import math
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.core.evaluation import EvaluationCache
from workbench.errors import ConfigError, DataError, MissingDataError
from workbench.model import Bars, RiskConfig
from workbench.research import SWEEP_MEASURES, backtest, sweep, sweep_run, threads
from workbench.research.backtest import NO_LIMITS, USUAL_COSTS, engine_config
from workbench.research.sweep_run import SweepRun
from workbench.strategy import Rules, Signals, Strategy, enter_long, exit_position, hold, param, sma_cross, strategy
from workbench.strategy.lowering import configured

# The first run in a fresh environment compiles the core.
pytestmark = pytest.mark.timeout(600)


class Cross(Strategy):
    fast: int = 3
    slow: int = 12

    def indicators(self, m):
        return {"fast_mean": m.close.sma(self.fast), "slow_mean": m.close.sma(self.slow)}

    def on_bar(self, now, position):
        if position.is_flat and now.fast_mean > now.slow_mean:
            return enter_long()
        if position.is_long and now.fast_mean < now.slow_mean:
            return exit_position()
        return hold()


@strategy
def picky(m, fast=3, slow=12, volatility=param(0.5, low=0.0, high=1.0)):  # noqa: B008  how a user writes it
    return Rules(enter_long=m.close.sma(fast) > m.close.sma(slow) * (1.0 - volatility * 0.0))


@pytest.fixture
def swept(wavy):
    return sweep(
        sma_cross,
        wavy,
        grid={"fast": range(2, 8), "slow": [8, 12, 16]},
        where=lambda p: p.fast < p.slow - 2,
        cash=1_000,
        progress=False,
    )


def test_every_row_equals_the_backtest_of_its_combination(swept, wavy):
    assert len(swept) == 16  # 6 * 3 less (6, 8) and (7, 8)
    for index in range(len(swept)):
        row = swept.row(index)
        result = backtest(sma_cross(fast=row.parameters["fast"], slow=row.parameters["slow"]), wavy, cash=1_000)
        for name in SWEEP_MEASURES:
            assert row.stats[name] == pytest.approx(result.stats[name], rel=1e-12, nan_ok=True), name
        assert row.stats.final_equity == result.stats.final_equity
        assert row.stats.sharpe == result.stats.sharpe or math.isnan(row.stats.sharpe)
        assert row.stats.max_drawdown == result.stats.max_drawdown


def test_the_table_has_a_row_for_each_combination_in_grid_order(swept):
    assert swept.table.columns.tolist() == ["fast", "slow", *SWEEP_MEASURES, "plateau"]
    assert swept.table[["fast", "slow"]].head(4).to_numpy().tolist() == [[2, 8], [2, 12], [2, 16], [3, 8]]
    assert swept.table["trade_count"].dtype == np.int64


def test_the_number_of_threads_does_not_show_in_the_result(wavy):
    grid = {"fast": range(2, 10), "slow": range(10, 30)}
    one, four = (sweep(sma_cross, wavy, grid=grid, cash=1_000, threads=threads, progress=False) for threads in (1, 4))
    pd.testing.assert_frame_equal(one.table, four.table, check_exact=True)


@pytest.mark.parametrize(("count", "size_bytes"), [(1, 1 << 20), (7, 1 << 20), (32, 0), (32, 2_000), (1_000, 1 << 30)])
def test_how_many_combinations_are_prepared_at_once_does_not_show_in_the_result(
    count, size_bytes, swept, wavy, monkeypatch
):
    ran = []
    run = SweepRun._run  # noqa: SLF001  each combination goes through it once

    def counted(work, one, scratch):
        ran.append(one.row)
        run(work, one, scratch)

    monkeypatch.setattr(SweepRun, "_run", counted)
    monkeypatch.setattr(sweep_run, "PREPARED_AT_ONCE", count)
    monkeypatch.setattr(sweep_run, "PREPARED_BYTES", size_bytes)
    config = engine_config(wavy, cash=1_000, risk=NO_LIMITS, costs=USUAL_COSTS, path="adverse")
    work = SweepRun(configured(sma_cross), swept.grid, wavy, config)
    work.run_block(range(len(swept)), threading.Event())
    assert ran == list(range(16))
    np.testing.assert_array_equal(work.figures, swept.figures)


def test_best_is_the_best_plateau_and_not_the_peak(swept):
    figures = np.zeros_like(swept.figures)
    sharpe = figures[:, SWEEP_MEASURES.index("sharpe")]
    for place, cell in enumerate(swept.grid.combinations):
        # A lone peak of 9 at one end, a hill of 2 around (5, 12) at the other.
        sharpe[place] = 9.0 if cell == (2, 16) else 2.0 if cell[0] >= 4 and cell[1] >= 12 else 0.0
    hill = replace(swept, figures=figures)
    assert hill.best().stats.sharpe == 2.0
    assert hill.best().parameters["fast"] >= 4
    assert hill.table["sharpe"].max() == 9.0
    assert hill.top(3)["plateau"].tolist() == [2.0, 2.0, 2.0]


def test_of_equal_plateaus_the_better_figure_of_its_own_comes_first(swept):
    top = swept.top(16)
    assert top["plateau"].is_monotonic_decreasing
    for _, ties in top.groupby("plateau"):
        assert ties["sharpe"].is_monotonic_decreasing
    assert swept.best().index == top.index[0]


def test_best_can_be_run_again_with_all_its_trades(swept):
    best = swept.best()
    again = best.backtest()
    assert again.stats.final_equity == best.stats.final_equity
    assert len(again.trades) == best.stats.trade_count
    assert again.strategy == best.strategy
    assert best.parameters["stop"] == 0.02  # not in the grid: the default


def test_terms_reach_every_run(wavy):
    risk = RiskConfig(max_order_notional=100.0)
    swept = sweep(sma_cross, wavy, grid={"fast": [3]}, cash=1_000, risk=risk, path="favourable", progress=False)
    result = backtest(sma_cross(fast=3), wavy, cash=1_000, risk=risk, path="favourable")
    assert swept.row(0).stats.final_equity == result.stats.final_equity
    assert swept.best().backtest().config == result.config


def test_ranking_by_a_measure_of_which_less_is_better_takes_the_least(wavy):
    swept = sweep(sma_cross, wavy, grid={"fast": range(2, 8)}, cash=1_000, rank_by="max_drawdown", progress=False)
    assert swept.best().index == swept.table["plateau"].idxmin()
    # A plateau is never better than the best of its cells.
    assert swept.table["plateau"].min() >= swept.table["max_drawdown"].min()


def test_on_bar_strategies_go_through_the_same_loop(wavy):
    swept = sweep(Cross, wavy, grid={"fast": [2, 3], "slow": [8, 12]}, cash=1_000, progress=False)
    for index in range(4):
        row = swept.row(index)
        assert row.stats.final_equity == backtest(Cross(**row.parameters), wavy, cash=1_000).stats.final_equity


def test_several_symbols_share_one_account_in_every_run(make_bars, wavy):
    other = make_bars(wavy.close[::-1].copy(), symbol="ETH/USDT")
    both = Bars.join([wavy, other[10:]])
    swept = sweep(sma_cross, both, grid={"fast": [3, 5]}, cash=1_000, progress=False)
    result = backtest(sma_cross(fast=5), both, cash=1_000)
    assert swept.row(1).stats.final_equity == result.stats.final_equity
    assert swept.row(1).stats.exposure == result.stats.exposure


def test_funding_reaches_every_run(make_bars, wavy):
    bars = make_bars(wavy.close.copy(), kind="linear_perpetual", symbol="BTC/USDT:USDT")
    due = {"BTC/USDT:USDT": (bars.time_ns[::8].copy(), np.full(30, 0.001))}
    swept = sweep(sma_cross, bars, grid={"fast": [3], "slow": [12]}, cash=1_000, funding=due, progress=False)
    paid = swept.row(0).backtest()
    assert paid.stats.funding > 0.0
    assert swept.row(0).stats.final_equity == paid.stats.final_equity


def test_a_parameter_that_is_called_like_a_measure_keeps_its_column(wavy):
    swept = sweep(picky, wavy, grid={"volatility": [0.1, 0.2]}, cash=1_000, progress=False)
    assert swept.table["volatility_"].tolist() == [0.1, 0.2]
    assert swept.row(1).parameters["volatility"] == 0.2


def test_a_plateau_of_another_measure_can_be_asked(swept):
    assert swept.plateau("total_return").max() <= swept.table["total_return"].max()
    with pytest.raises(ConfigError, match="metric must be one of final_equity"):
        swept.plateau("alpha")


@pytest.mark.parametrize("index", [-1, 16, 1_000])
def test_a_row_that_is_not_there_is_named(swept, index):
    with pytest.raises(ConfigError, match=rf"index must be in \[0, 16\), was {index}"):
        swept.row(index)


def test_top_of_nothing_is_refused(swept):
    with pytest.raises(ConfigError, match="n must be at least 1, was 0"):
        swept.top(0)


def test_without_any_defined_plateau_there_is_no_best(wavy):
    # One day of bars has one daily return, so no Sharpe ratio.
    swept = sweep(sma_cross, wavy[:24], grid={"fast": [2, 3], "slow": [5, 6]}, cash=1_000, progress=False)
    with pytest.raises(DataError, match="no combination has a defined plateau of sharpe"):
        swept.best()
    assert "undefined on every plateau" in swept._repr_html_()
    assert "n/a" in repr(swept.row(0).stats)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"grid": {}}, "grid must name at least one parameter"),
        ({"grid": {"fats": [1]}}, "'fats' is no parameter of the strategy, which has fast, slow, stop"),
        ({"grid": {"fast": []}}, r"grid\['fast'\] has no values"),
        ({"grid": {"fast": [0, 5]}}, "fast=0: sma_cross: fast must be a whole number"),
        ({"grid": {"fast": [2.5]}}, "fast=2.5: sma_cross: fast must be a whole number"),
        ({"grid": {"fast": [5]}, "rank_by": "alpha"}, "rank_by must be one of final_equity"),
        ({"grid": {"fast": [5]}, "threads": 0}, r"threads must be None or a whole number in \[1, 256\], was 0"),
        ({"grid": {"fast": [5]}, "cash": -1}, "cash must be"),
        ({"grid": {"fast": [5]}, "where": lambda p: p.fast > 9}, "where refused all 1"),
    ],
)
def test_a_sweep_that_cannot_run_is_explained_before_it_starts(kwargs, message, wavy):
    with pytest.raises(ConfigError, match=message):
        sweep(sma_cross, wavy, **{"cash": 1_000, **kwargs})


def test_signals_have_nothing_to_sweep(wavy):
    with pytest.raises(ConfigError, match="has no parameters to sweep"):
        sweep(Signals(enter_long=np.ones(240, dtype=bool)), wavy, grid={"fast": [1]}, cash=1_000)


def test_bars_too_short_for_every_combination_are_named(wavy):
    with pytest.raises(MissingDataError, match=r"every combination of sma_cross needs more bars .* takes 50 of 40"):
        sweep(sma_cross, wavy[:40], grid={"fast": [2, 3], "slow": [50, 60]}, cash=1_000, progress=False)


def test_a_combination_that_the_strategy_refuses_is_named(wavy):
    @strategy
    def ordered(m, fast=3, slow=12):
        if fast >= slow:
            raise ConfigError("fast must be below slow")
        return Rules(enter_long=m.close.sma(fast) > m.close.sma(slow))

    with pytest.raises(ConfigError, match=r"the combination fast=12, slow=12 is refused .*leave it out with where"):
        sweep(ordered, wavy, grid={"fast": [3, 12], "slow": [12]}, cash=1_000, progress=False)


def test_an_error_in_one_combination_ends_the_sweep_and_its_threads(wavy):
    @strategy
    def broken(m, length=3):
        if length == 7:
            raise ZeroDivisionError("in user code")
        return Rules(enter_long=m.close > m.close.sma(length))

    with pytest.raises(ZeroDivisionError, match="in user code"):
        sweep(broken, wavy, grid={"length": range(3, 200)}, cash=1_000, threads=2, progress=False)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("workbench-sweep")]


def test_the_progress_bar_counts_every_run(wavy, capsys):
    sweep(sma_cross, wavy, grid={"fast": range(2, 12)}, cash=1_000, progress=True)
    assert "sma_cross: 100%" in capsys.readouterr().err


def test_a_quick_sweep_shows_no_bar_unless_asked(wavy, capsys):
    sweep(sma_cross, wavy, grid={"fast": [2, 3]}, cash=1_000, progress=False)
    assert capsys.readouterr().err == ""


def test_repr_and_card_show_the_best_rows(swept):
    text, card = repr(swept), swept._repr_html_()
    assert text.startswith("sma_cross: 16 combinations of fast, slow on BTC/USDT 1h, best plateaus of Sharpe")
    lines = text.splitlines()
    assert lines[2].split() == [
        *["row", "fast", "slow", "Plateau", "Sharpe", "Total", "return", "Max", "drawdown", "Trades"]
    ]
    assert len({len(line) for line in lines[2:]}) == 1  # the columns stand below each other
    best = swept.best()
    stats = (best.stats.shown(name) for name in ("sharpe", "total_return", "max_drawdown", "trade_count"))
    plateau = f"{swept.table['plateau'].iloc[best.index]:.2f}"
    values = [best.index, best.parameters["fast"], best.parameters["slow"], plateau]
    assert lines[3].split() == " ".join([*map(str, values), *stats]).split()
    assert f"fast {best.parameters['fast']}, slow {best.parameters['slow']}" in card
    assert card.count("<tr>") == 6  # a head and five rows
    assert "<svg" in card
    assert repr(best).startswith(f"sma_cross(fast={best.parameters['fast']}")


def test_a_sweep_over_one_parameter_has_a_line_and_no_map(wavy):
    swept = sweep(sma_cross, wavy, grid={"fast": range(2, 8)}, cash=1_000, progress=False)
    assert swept.heatmap().data[0].type == "scatter"
    assert "<svg" not in swept._repr_html_()


def test_the_heat_map_holds_each_figure_at_its_place(swept):
    figure = swept.heatmap(metric="total_return")
    heat = figure.data[0]
    assert list(heat.x) == [2, 3, 4, 5, 6, 7]
    assert list(heat.y) == [8, 12, 16]
    table = swept.table.set_index(["fast", "slow"])["total_return"]
    assert heat.z[1][2] == table[(4, 12)]
    assert np.isnan(heat.z[0][5])  # (7, 8) was left out
    assert len(figure.data) == 1  # only the ranking measure has a best cell


def test_a_heat_map_ascends_whatever_the_order_of_the_grid(wavy):
    swept = sweep(sma_cross, wavy, grid={"fast": [5, 3, 4], "slow": [16, 12]}, cash=1_000, progress=False)
    heat = swept.heatmap(metric="total_return").data[0]
    assert (list(heat.x), list(heat.y)) == ([3, 4, 5], [12, 16])
    table = swept.table.set_index(["fast", "slow"])["total_return"]
    for row, slow in enumerate(heat.y):
        assert list(heat.z[row]) == [table[(fast, slow)] for fast in heat.x]


def test_the_ranking_heat_map_marks_the_best_plateau(swept):
    figure = swept.heatmap("slow", "fast")
    ring = figure.data[1]
    assert (ring.x[0], ring.y[0]) == (swept.best().parameters["slow"], swept.best().parameters["fast"])


def test_a_third_parameter_is_the_median_in_the_heat_map(wavy):
    swept = sweep(
        sma_cross,
        wavy,
        grid={"fast": [3, 5], "slow": [12, 16], "stop": [0.01, 0.02, 0.05]},
        cash=1_000,
        progress=False,
    )
    heat = swept.heatmap("fast", "slow", "total_return").data[0]
    rows = swept.table[(swept.table["fast"] == 5) & (swept.table["slow"] == 12)]
    assert heat.z[0][1] == rows["total_return"].median()
    assert "median over stop" in swept.heatmap("fast", "slow").layout.title.subtitle.text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("fats",), "x must be one of fast, slow, was 'fats'"),
        (("fast", "fast"), "x and y must differ"),
        (("fast", "slow", "alpha"), "metric must be one of"),
    ],
)
def test_a_heat_map_of_nothing_is_explained(args, message, swept):
    with pytest.raises(ConfigError, match=message):
        swept.heatmap(*args)


def test_indicators_are_computed_once_for_all_combinations(wavy, monkeypatch):
    kept = []
    keep = EvaluationCache._keep  # noqa: SLF001  where a computed indicator ends

    def counted(self, node, value):
        kept.append(node)
        keep(self, node, value)

    monkeypatch.setattr(EvaluationCache, "_keep", counted)
    sweep(sma_cross, wavy, grid={"fast": range(2, 7), "slow": range(10, 15)}, cash=1_000, progress=False)
    # 5 fast and 5 slow averages for 25 combinations
    assert len(kept) == 10


def test_ctrl_c_leaves_the_rest_of_the_work_undone(wavy, monkeypatch):
    run_block = SweepRun.run_block
    blocks = []

    def counted(self, block, stop):
        blocks.append(block)
        run_block(self, block, stop)

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "as_completed", interrupted)
    monkeypatch.setattr(SweepRun, "run_block", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(sma_cross, wavy, grid={"fast": range(2, 200), "slow": range(200, 400)}, cash=1_000, progress=False)
    assert len(blocks) < 39_600 / threads.MAX_BLOCK
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("workbench-sweep")]
