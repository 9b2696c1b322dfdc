import math

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError, MissingDataError
from workbench.model import Bars, Costs, RiskConfig
from workbench.research import BacktestResult, backtest
from workbench.strategy import Rules, Signals, Strategy, enter_long, exit_position, hold, sma_cross, strategy

# The first run in a fresh environment compiles the core.
pytestmark = pytest.mark.timeout(600)

HOUR_NS = 3_600_000_000_000
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z
TRADE_COLUMNS = [
    *("symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason"),
    *("pnl", "return_", "fees", "bars_held", "mae", "mfe"),
]


def signals(rows, *, enter=(), leave=(), short=(), cover=(), **levels):
    def at(places):
        flags = np.zeros(rows, dtype=bool)
        flags[list(places)] = True
        return flags

    return Signals(enter_long=at(enter), exit_long=at(leave), enter_short=at(short), exit_short=at(cover), **levels)


@strategy
def always_long(m, length=2):
    return Rules(enter_long=m.close > m.close.sma(length) * 0.0)


class Breakout(Strategy):
    lookback: int = 3

    def indicators(self, m):
        return {"top": m.high.max(self.lookback).shift(1)}

    def on_bar(self, now, position):
        if position.is_flat and now.close > now.top:
            return enter_long(stop_loss=0.1)
        if position.is_long and now.close < now.top:
            return exit_position()
        return hold()


@pytest.fixture
def round_trip(make_bars, free):
    """Buy 10 at 100 (the open after row 0), sell at 121 (the open after row 2)."""
    bars = make_bars([100, 110, 121, 121, 121])
    return backtest(signals(5, enter=[0], leave=[2]), bars, cash=1_000, costs=free)


def test_a_round_trip_earns_what_the_prices_say(round_trip):
    # 1000 / 100 = 10 units, 10 * (121 - 100) = 210
    assert round_trip.stats.final_equity == 1_210.0
    assert round_trip.stats.total_return == pytest.approx(0.21)
    assert round_trip.equity.tolist() == [1_000.0, 1_100.0, 1_210.0, 1_210.0, 1_210.0]


def test_trades_have_the_columns_and_types_of_the_issue(round_trip):
    trades = round_trip.trades
    assert trades.columns.tolist() == TRADE_COLUMNS
    trade = trades.iloc[0]
    assert (trade.symbol, trade.side, trade.exit_reason) == ("BTC/USDT", "long", "signal")
    assert (trade.quantity, trade.entry_price, trade.exit_price, trade.pnl) == (10.0, 100.0, 121.0, 210.0)
    assert trade.return_ == pytest.approx(0.21)
    assert trade.entry_time == pd.Timestamp("2025-01-01T01:00Z")
    assert trade.exit_time == pd.Timestamp("2025-01-01T03:00Z")
    assert str(trades["entry_time"].dtype) == "datetime64[ns, UTC]"
    # open from row 1 to the open of row 3: two closes held
    assert trade.bars_held == 2
    assert trade.mfe == pytest.approx(0.21)
    assert trade.mae == 0.0


def test_fees_and_slippage_are_paid_on_both_sides(make_bars):
    bars = make_bars([100, 100, 100, 100])
    costs = Costs(taker_fee=0.001, maker_fee=0.001, slippage=0.01)
    result = backtest(signals(4, enter=[0], leave=[1]), bars, cash=1_000, costs=costs)
    # bought at 101 with all cash after the fee: quantity 1000 / (101 * 1.001); sold at 99
    quantity = 1_000 / (101 * 1.001)
    fees = quantity * 101 * 0.001 + quantity * 99 * 0.001
    assert result.stats.fees == pytest.approx(fees)
    assert result.stats.final_equity == pytest.approx(1_000 + quantity * (99 - 101) - fees)
    assert result.fills["fee"].sum() == pytest.approx(fees)
    assert result.fills["side"].tolist() == ["buy", "sell"]
    # (quantity * 101 + quantity * 99) / mean equity
    assert result.stats.turnover == pytest.approx(quantity * 200 / result.equity.mean())


def test_equity_is_indexed_by_the_close_of_each_bar(round_trip):
    assert round_trip.equity.index[0] == pd.Timestamp("2025-01-01T01:00Z")
    assert str(round_trip.equity.index.tz) == "UTC"
    assert round_trip.equity.name == "equity"
    assert len(round_trip.equity) == len(round_trip.bars)


def test_drawdown_is_a_fraction_of_the_peak(make_bars, free):
    result = backtest(signals(4, enter=[0]), make_bars([100, 120, 90, 96]), cash=1_000, costs=free)
    # equity 1000 1200 900 960: falls of 0, 0, 300/1200, 240/1200
    assert result.drawdown.tolist() == pytest.approx([0.0, 0.0, 0.25, 0.2])
    assert result.stats.max_drawdown == pytest.approx(0.25)
    # from the peak at the close of row 1 to the last close: 2 hours
    assert result.stats.max_drawdown_duration_s == 7_200.0


def test_a_position_that_is_still_open_is_listed_and_marked(make_bars, free):
    result = backtest(signals(4, enter=[0], stop_loss=0.05), make_bars([100, 120, 130, 130]), cash=1_000, costs=free)
    position = result.open_positions.iloc[0]
    assert len(result.open_positions) == 1
    assert (position.side, position.quantity, position.entry_price, position.mark_price) == ("long", 10.0, 100.0, 130.0)
    assert position.unrealized_pnl == 300.0
    assert position.stop == pytest.approx(95.0)
    assert math.isnan(position.target)
    assert len(result.trades) == 0
    assert result.stats.trade_count == 0
    assert result.stats.reason("win_rate") == "no closed trades"
    # held at the closes of rows 1, 2 and 3 of 4
    assert result.stats.exposure == 0.75


def test_a_stop_leaves_with_its_reason_and_level(make_bars, free):
    result = backtest(signals(4, enter=[0], stop_loss=0.05), make_bars([100, 100, 90, 90]), cash=1_000, costs=free)
    trade = result.trades.iloc[0]
    # 5 % below 100, crossed on the way from 100 to 90
    assert trade.exit_reason == "stop_loss"
    assert trade.exit_price == pytest.approx(95.0)
    assert result.trade_levels["stop"].tolist() == pytest.approx([95.0])
    assert math.isnan(result.trade_levels["target"].iloc[0])


def test_a_short_on_a_perpetual_earns_when_prices_fall(make_bars, free):
    bars = make_bars([100, 100, 90, 90], kind="linear_perpetual", symbol="BTC/USDT:USDT")
    result = backtest(signals(4, short=[0], cover=[2]), bars, cash=1_000, costs=free)
    # 10 units sold at 100 and bought at 90
    assert result.trades[["side", "pnl"]].to_numpy().tolist() == [["short", 100.0]]


def test_denials_name_rule_limit_and_value(make_bars, free):
    risk = RiskConfig(max_order_notional=500.0)
    wanted = signals(3, enter=[0], size=1_000.0, sizing="notional")
    result = backtest(wanted, make_bars([100, 100, 100]), cash=1_000, costs=free, risk=risk)
    denial = result.denials.iloc[0]
    assert (denial.rule, denial.side, denial.limit) == ("max_order_notional", "buy", 500.0)
    assert denial.value == pytest.approx(1_000.0)
    assert denial.time == pd.Timestamp("2025-01-01T01:00Z")


def test_buy_and_hold_starts_at_the_first_open(round_trip):
    # first open 100, last close 121
    assert round_trip.stats.buy_and_hold_return == pytest.approx(0.21)
    assert round_trip.buy_and_hold.tolist() == pytest.approx([1_000, 1_100, 1_210, 1_210, 1_210])


def test_buy_and_hold_buys_at_the_open_of_the_first_bar(wavy, free):
    times, close = wavy.time_ns[:3], np.array([100.0, 110.0, 120.0])
    bars = Bars.from_arrays(
        "BTC/USDT", "1h", times, [80.0, 100.0, 110.0], close, [80.0, 100.0, 110.0], close, [1.0] * 3
    )
    result = backtest(signals(3, enter=[0]), bars, cash=1_000, costs=free)
    # 1000 / 80 = 12.5 units, worth 1250, 1375 and 1500 at the closes
    assert result.buy_and_hold.tolist() == [1_250.0, 1_375.0, 1_500.0]
    assert result.stats.buy_and_hold_return == 0.5


def test_funding_is_paid_by_longs_and_named_in_the_measures(make_bars, free):
    bars = make_bars([100.0] * 4, kind="linear_perpetual", symbol="BTC/USDT:USDT")
    # due at 02:30, paid at the close of that bar: 1 % of 10 units at 100
    due = {"BTC/USDT:USDT": (np.array([START_NS + 5 * HOUR_NS // 2]), np.array([0.01]))}
    result = backtest(signals(4, enter=[0]), bars, cash=1_000, costs=free, funding=due)
    assert result.stats.funding == pytest.approx(10.0)
    assert result.stats.final_equity == pytest.approx(990.0)


def test_buy_and_hold_of_several_symbols_splits_the_cash(make_bars, free):
    up = make_bars([100, 110, 120])
    flat = make_bars([50, 50, 50], symbol="ETH/USDT")[1:]
    result = backtest(always_long, Bars.join([up, flat]), cash=1_000, costs=free)
    # half in the first: 500 * 1.2; half waits a bar for the second: 500
    assert result.buy_and_hold.tolist() == pytest.approx([1_000.0, 1_050.0, 1_100.0])


def test_returns_by_day_follow_utc_closes(make_bars, free):
    # Two days of 24 bars: 100 to the end of day one, then 110.
    closes = [100.0] * 24 + [110.0] * 24
    result = backtest(signals(48, enter=[0]), make_bars(closes), cash=1_000, costs=free)
    # daily returns 0 and 0.1: mean 0.05, ddof=1 deviation 0.0707107
    assert result.stats.volatility == pytest.approx(math.sqrt(0.005) * math.sqrt(365))
    assert result.stats.sharpe == pytest.approx(0.05 / math.sqrt(0.005) * math.sqrt(365))
    # two days: 1.1 ** (365 / 2) - 1
    assert result.stats.cagr == pytest.approx(1.1**182.5 - 1)


def test_trade_measures_follow_from_the_trades(wavy):
    result = backtest(sma_cross(fast=3, slow=12), wavy, cash=1_000)
    pnl = result.trades["pnl"]
    assert len(pnl) > 5
    assert result.stats.win_rate == (pnl > 0).mean()
    assert result.stats.profit_factor == pytest.approx(pnl[pnl > 0].sum() / -pnl[pnl < 0].sum())
    assert result.stats.expectancy == pytest.approx(pnl.mean())
    assert result.stats.best_trade == result.trades["return_"].max()
    held = (result.trades["exit_time"] - result.trades["entry_time"]).mean()
    assert result.stats.average_holding_s == pytest.approx(held.total_seconds())
    open_pnl = result.open_positions["unrealized_pnl"].sum()
    unpaid = result.stats.fees - result.trades["fees"].sum()
    assert 1_000 + pnl.sum() + open_pnl - unpaid == pytest.approx(result.stats.final_equity)


@pytest.mark.parametrize("form", [sma_cross, sma_cross(fast=3, slow=12), always_long, Breakout, Breakout(lookback=5)])
def test_every_door_of_a_strategy_is_open(form, wavy):
    result = backtest(form, wavy, cash=1_000)
    assert isinstance(result, BacktestResult)
    assert result.strategy.parameters == dict(result.plan.parameters)
    assert result.stats.trade_count + len(result.open_positions) > 0


def test_several_symbols_share_one_account(make_bars, free):
    both = Bars.join([make_bars([100.0] * 6), make_bars([50.0] * 6, symbol="ETH/USDT")])
    result = backtest(always_long, both, cash=1_000, costs=free)
    assert set(result.open_positions["symbol"]) <= {"BTC/USDT", "ETH/USDT"}
    assert result.stats.final_equity == pytest.approx(1_000.0)


def test_the_path_band_spans_the_final_equity_of_every_path(make_bars, free):
    # Bars that reach both the stop at 95 and the target at 105.
    bars = make_bars([100, 100, 100, 100], low_factor=0.9, high_factor=1.1)
    both = signals(4, enter=[0], stop_loss=0.05, take_profit=0.05)
    # stopped first: 10 * -5; target first: 10 * 5. A bar that closes at its open counts as green.
    stopped, won = pytest.approx(950.0), pytest.approx(1_050.0)
    equity = {"adverse": stopped, "favourable": won, "colour": stopped, "ohlc": won, "olhc": stopped}
    for path in equity:
        band = backtest(both, bars, cash=1_000, costs=free, path=path).path_band()
        assert dict(band.final_equity) == equity
        assert (band.low, band.high, band.width) == pytest.approx((950.0, 1_050.0, 100.0))
        assert repr(band) == "PathBand(950.00 adverse .. 1,050.00 favourable)"


def test_with_a_trailing_stop_the_adverse_path_may_be_the_better_end_of_the_band(make_bars, free):
    bars = make_bars([100, 100, 110, 110])
    # The third bar opens at its low of 100 and closes at its high of 110.
    result = backtest(signals(4, enter=[0], trailing_stop=0.05), bars, cash=1_000, costs=free)
    band = result.path_band()
    # Low first: held to 110. High first: the trail at 110 * 0.95 = 104.5 is on the way from the high to the low.
    assert dict(band.final_equity) == pytest.approx(
        {"adverse": 1_100.0, "favourable": 1_045.0, "colour": 1_100.0, "ohlc": 1_045.0, "olhc": 1_100.0}
    )
    assert (band.low, band.high) == pytest.approx((1_045.0, 1_100.0))


def test_signals_with_the_times_of_other_bars_are_refused(make_bars, free):
    bars = make_bars([100, 100, 100, 100])
    flags = pd.Series([True, False, False, False], index=bars.to_frame().index)
    assert len(backtest(Signals(enter_long=flags), bars, cash=1_000, costs=free).fills) == 1
    late = flags.set_axis(flags.index + pd.Timedelta(hours=1))
    with pytest.raises(DataError, match="row 0 was of 2025-01-01T01:00:00, must be of 2025-01-01T00:00:00"):
        backtest(Signals(enter_long=late), bars, cash=1_000, costs=free)


def test_tables_and_figures_are_made_once(round_trip):
    assert round_trip.trades is round_trip.trades
    assert round_trip.stats is round_trip.stats


def test_a_result_never_changes(round_trip):
    with pytest.raises(AttributeError):
        round_trip.bars = None


@pytest.mark.parametrize("cash", [0, -1, math.nan, math.inf, "1000", None, True])
def test_cash_must_be_a_positive_number(cash, wavy):
    with pytest.raises(ConfigError, match="cash must be"):
        backtest(sma_cross, wavy, cash=cash)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"risk": {"stop_loss": 0.1}}, "risk must be a RiskConfig, was dict"),
        ({"costs": 0.001}, "costs must be Costs, was float"),
        ({"path": "best"}, "path must be one of adverse"),
    ],
)
def test_arguments_of_the_wrong_kind_are_named(kwargs, message, wavy):
    with pytest.raises(ConfigError, match=message):
        backtest(sma_cross, wavy, cash=1_000, **kwargs)


def test_a_frame_is_no_bars(wavy):
    with pytest.raises(DataError, match=r"bars must be Bars, was DataFrame; make them with .*from_frame"):
        backtest(sma_cross, wavy.to_frame(), cash=1_000)


def test_no_bars_are_too_few(wavy):
    with pytest.raises(MissingDataError, match="bars must hold at least one bar"):
        backtest(sma_cross, wavy[:0], cash=1_000)


def test_a_function_that_is_no_strategy_is_explained(wavy):
    with pytest.raises(ConfigError, match="decorate the function"):
        backtest(lambda m: m, wavy, cash=1_000)


def test_bars_that_the_warm_up_eats_are_too_few(wavy):
    # The slow average of 12 and its cross need 13 bars for the first decision.
    with pytest.raises(MissingDataError, match="decides for the first time after 13 bars, but there are 12"):
        backtest(sma_cross(fast=3, slow=12), wavy[:12], cash=1_000)
    assert backtest(sma_cross(fast=3, slow=12), wavy[:13], cash=1_000).stats.trade_count == 0


def test_signals_of_another_length_are_refused(wavy):
    with pytest.raises(DataError, match="one value for each of the 240 bars, had 5"):
        backtest(signals(5, enter=[0]), wavy, cash=1_000)
