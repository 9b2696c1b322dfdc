"""Fill rules R3, R4, R5, R8, R10 and R11: at which price an order fills, what it costs, and on which grid."""

from __future__ import annotations

import pytest

from tests.reference import Closed, CommandEvent, TickPrice
from tests.reference.agreement import play
from tests.reference.core_driver import backtest
from tests.reference.scenario import (
    EXIT_LONG,
    EXIT_SHORT,
    NS,
    PERPETUAL,
    SPOT,
    Scenario,
    at_close,
    at_open,
    enter_long,
    enter_short,
    hourly,
)
from workbench.errors import DataError
from workbench.model import Costs, Instrument, RiskConfig

CALM = (100, 101, 99, 100)
HIGHER = (110, 111, 109, 110)
SLIPPING = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.01)
ROUND_TRIP = {(0, 0): enter_long(), (0, 1): EXIT_LONG}


def ticks_after_entry(*prices: float) -> list[TickPrice | Closed]:
    """Return a market entry at 100 on the first tick of hour 1, then one tick a second."""
    later = [TickPrice(at_open(1) + i * NS, 0, price) for i, price in enumerate((100.0, *prices))]
    return [TickPrice(at_open(0), 0, 100.0), Closed(at_open(0), 0), *later]


class TestR3MarketOrdersSlipAgainstUs:
    def test_long_buys_higher_and_sells_lower(self) -> None:
        (trade,) = play(Scenario(events=hourly([CALM, CALM, HIGHER]), signals=ROUND_TRIP, costs=SLIPPING)).trades
        assert trade.entry_price == pytest.approx(101.0)  # 100 * 1.01
        assert trade.exit_price == pytest.approx(108.9)  # 110 * 0.99
        assert trade.quantity == pytest.approx(10_000 / 101)

    def test_short_sells_lower_and_buys_higher(self) -> None:
        signals = {(0, 0): enter_short(), (0, 1): EXIT_SHORT}
        (trade,) = play(
            Scenario(events=hourly([CALM, CALM, HIGHER]), signals=signals, costs=SLIPPING, instruments=(PERPETUAL,))
        ).trades
        assert trade.entry_price == pytest.approx(99.0)  # 100 * 0.99
        assert trade.exit_price == pytest.approx(111.1)  # 110 * 1.01


class TestR4StopsFillAtTheirLevelOrWorse:
    STOP = RiskConfig(stop_loss=0.10)

    def test_crossed_on_a_leg_it_fills_at_its_level_less_slippage(self) -> None:
        bars = hourly([CALM, CALM, (100, 101, 80, 85)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, costs=SLIPPING, risk=self.STOP)).trades
        assert trade.exit_price == pytest.approx(89.991)  # 101 * 0.9 = 90.9, times 0.99

    def test_jumped_over_at_an_open_it_fills_at_the_open_less_slippage(self) -> None:
        bars = hourly([CALM, CALM, (85, 86, 84, 85)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, costs=SLIPPING, risk=self.STOP)).trades
        assert trade.exit_price == pytest.approx(84.15)  # 85 * 0.99

    def test_jumped_over_by_a_tick_it_fills_at_the_tick(self) -> None:
        (trade,) = play(
            Scenario(events=ticks_after_entry(95.0, 88.0), signals={(0, 0): enter_long()}, risk=self.STOP)
        ).trades
        assert trade.exit_price == 88.0

    def test_level_that_is_just_touched_is_crossed(self) -> None:
        bars = hourly([CALM, (100, 101, 90, 95)])
        (trade,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=self.STOP)).trades
        assert trade.exit_price == 90.0

    def test_buy_stop_entry_slips_from_its_level(self) -> None:
        bars = hourly([CALM, (100, 106, 99, 105)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long(stop=104.0)}, costs=SLIPPING)).fills
        assert (fill.price, fill.is_maker) == (pytest.approx(105.04), False)  # 104 * 1.01

    def test_buy_stop_entry_jumped_over_fills_at_the_open_when_leverage_leaves_room(self) -> None:
        bars = hourly([CALM, CALM, (107, 108, 106, 107)])
        signals = {(0, 0): enter_long(stop=104.0, sizing="units", size=10.0)}
        (fill,) = play(Scenario(events=bars, signals=signals, costs=SLIPPING)).fills
        assert (fill.price, fill.quantity, fill.time_ns) == (pytest.approx(108.07), 10.0, at_open(2))  # 107 * 1.01

    @pytest.mark.parametrize("path", ["adverse", "ohlc"])
    def test_stop_tighter_than_slippage_exits_at_the_first_price_after_the_entry(self, path: str) -> None:
        bars = hourly([CALM, (100, 103, 98, 102)])
        signals = {(0, 0): enter_long(stop_loss=0.005)}
        (trade,) = play(Scenario(events=bars, signals=signals, costs=SLIPPING, path=path)).trades
        # Bought at 101, the stop at 100.495 lies above the market: it is crossed at 100, where the leg starts.
        assert trade.exit_price == pytest.approx(99.0)  # 100 * 0.99


class TestR5LimitsFillAtTheirLevelOrBetter:
    FEES = Costs(taker_fee=0.002, maker_fee=0.001, slippage=0.01)

    def test_limit_entry_on_a_leg_fills_at_its_level_with_the_maker_fee(self) -> None:
        bars = hourly([CALM, (100, 101, 96, 100)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long(limit=97.0)}, costs=self.FEES)).fills
        quantity = 10_000 / (97 * 1.001)
        assert (fill.price, fill.is_maker) == (97.0, True)
        assert fill.quantity == pytest.approx(quantity)
        assert fill.fee == pytest.approx(quantity * 97 * 0.001)

    def test_limit_entry_jumped_over_fills_at_the_open_which_is_better(self) -> None:
        bars = hourly([CALM, CALM, (95, 96, 94, 95)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long(limit=97.0)}, costs=self.FEES)).fills
        assert (fill.price, fill.time_ns, fill.is_maker) == (95.0, at_open(2), True)

    def test_limit_entry_that_the_market_has_passed_fills_at_the_next_open(self) -> None:
        bars = hourly([CALM, CALM])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long(limit=105.0)}, costs=self.FEES)).fills
        assert (fill.price, fill.time_ns, fill.is_maker) == (100.0, at_open(1), True)

    def test_target_on_a_leg_fills_at_its_level_without_slippage(self) -> None:
        bars = hourly([CALM, CALM, (105, 115, 104, 112)])
        (trade,) = play(
            Scenario(events=bars, signals={(0, 0): enter_long()}, costs=SLIPPING, risk=RiskConfig(take_profit=0.1))
        ).trades
        assert trade.exit_price == pytest.approx(111.1)  # 101 * 1.1

    def test_target_jumped_over_fills_at_the_open_which_is_better(self) -> None:
        bars = hourly([CALM, CALM, (112, 115, 111, 112)])
        (trade,) = play(
            Scenario(events=bars, signals={(0, 0): enter_long()}, costs=self.FEES, risk=RiskConfig(take_profit=0.1))
        ).trades
        assert trade.exit_price == 112.0
        # Entry at 101 pays the taker fee, the target pays the maker fee.
        assert trade.fees == pytest.approx(trade.quantity * (101 * 0.002 + 112 * 0.001))

    def test_target_that_a_tick_just_touches_is_reached(self) -> None:
        events = ticks_after_entry(104.0, 105.0, 103.0)
        (trade,) = play(
            Scenario(events=events, signals={(0, 0): enter_long()}, risk=RiskConfig(take_profit=0.05))
        ).trades
        assert (trade.exit_price, trade.exit_time_ns) == (105.0, at_open(1) + 2 * NS)


class TestR8MarketOrdersBornInsideABar:
    def test_breaker_at_an_extreme_fills_at_that_extreme_plus_slippage(self) -> None:
        bars = hourly([CALM, (100, 101, 94, 100)])
        signals = {(0, 0): enter_long(sizing="units", size=50.0)}
        outcome = play(Scenario(events=bars, signals=signals, costs=SLIPPING, risk=RiskConfig(max_drawdown=0.03)))
        (trade,) = outcome.trades
        # Equity at the low is 10000 - 50 * (101 - 94) = 9650 <= 9700.
        assert (trade.exit_reason, trade.exit_time_ns) == ("max_drawdown", at_open(1))
        assert trade.exit_price == pytest.approx(93.06)  # 94 * 0.99

    def test_breaker_trips_when_the_loss_equals_the_limit(self) -> None:
        bars = hourly([CALM, (100, 101, 95, 100)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(max_drawdown=0.05)))
        (trip,) = outcome.trips  # 100 * 95 = 9500 = 10000 * 0.95
        assert (trip.rule, trip.time_ns, trip.limit) == ("max_drawdown", at_open(1), 0.05)
        assert trip.value == pytest.approx(0.05)
        assert outcome.trades[0].exit_price == 95.0

    def test_breaker_at_a_close_fills_at_the_next_open(self) -> None:
        bars = hourly([CALM, (100, 110, 98, 100), (99, 105, 98, 104)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(max_drawdown=0.05)))
        # The peak is 100 * 110 = 11000, the close 10000 <= 11000 * 0.95 = 10450.
        assert outcome.trips[0].time_ns == at_close(1)
        (trade,) = outcome.trades
        assert (trade.exit_price, trade.exit_time_ns, trade.exit_reason) == (99.0, at_open(2), "max_drawdown")

    def test_breaker_at_a_tick_fills_at_that_tick(self) -> None:
        events = ticks_after_entry(97.0, 94.0, 93.0)
        outcome = play(Scenario(events=events, signals={(0, 0): enter_long()}, risk=RiskConfig(max_drawdown=0.05)))
        assert outcome.trades[0].exit_price == 94.0

    @pytest.mark.parametrize(
        ("max_holding_s", "row", "price"),
        [
            (3600, 2, 110.0),  # over at the close of bar 1, so out at the open of bar 2
            (5400, 3, 120.0),  # over at the close of bar 2
            (7200, 3, 120.0),
            (60, 2, 110.0),  # the close of bar 1 is the first event a minute or more after its open
        ],
    )
    def test_time_exit_born_at_a_close_fills_at_the_next_open(
        self, max_holding_s: float, row: int, price: float
    ) -> None:
        bars = hourly([CALM, CALM, HIGHER, (120, 121, 119, 120)])
        (trade,) = play(
            Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(max_holding_s=max_holding_s))
        ).trades
        assert (trade.exit_reason, trade.exit_time_ns, trade.exit_price) == ("max_holding", at_open(row), price)

    def test_time_exit_fills_at_the_first_tick_whose_time_has_come(self) -> None:
        events = ticks_after_entry(101.0, 102.0, 103.0)
        (trade,) = play(
            Scenario(events=events, signals={(0, 0): enter_long()}, risk=RiskConfig(max_holding_s=2))
        ).trades
        assert (trade.exit_price, trade.exit_time_ns) == (102.0, at_open(1) + 2 * NS)

    def test_flatten_command_fills_at_the_next_tick(self) -> None:
        events = ticks_after_entry(101.0)
        events += [CommandEvent(at_open(1) + 2 * NS, "flatten"), TickPrice(at_open(1) + 3 * NS, 0, 99.0)]
        (trade,) = play(Scenario(events=events, signals={(0, 0): enter_long()})).trades
        assert (trade.exit_reason, trade.exit_price) == ("flatten", 99.0)


class TestR10FeesFundingAndLiquidation:
    def test_each_fill_pays_its_fee_on_notional(self) -> None:
        costs = Costs(taker_fee=0.001, maker_fee=0.0, slippage=0.0)
        outcome = play(Scenario(events=hourly([CALM, CALM, HIGHER]), signals=ROUND_TRIP, costs=costs))
        quantity = 10_000 / (100 * 1.001)  # cash pays price and fee
        (trade,) = outcome.trades
        assert [fill.fee for fill in outcome.fills] == pytest.approx([quantity * 0.1, quantity * 0.11])
        assert trade.fees == pytest.approx(quantity * 0.21)
        assert trade.pnl == pytest.approx(quantity * (10 - 0.21))
        assert trade.return_ == pytest.approx((10 - 0.21) / 100)
        assert outcome.equity[-1] == pytest.approx(10_000 + quantity * (10 - 0.21))

    def test_fees_of_the_instrument_win_over_the_costs(self) -> None:
        costs = Costs(taker_fee=0.01, maker_fee=0.01, slippage=0.0)
        cheap = Instrument("BTC/USDT", taker_fee=0.0005, maker_fee=0.0)
        (fill,) = play(
            Scenario(events=hourly([CALM, CALM]), signals={(0, 0): enter_long()}, costs=costs, instruments=(cheap,))
        ).fills
        assert fill.fee == pytest.approx(fill.quantity * 100 * 0.0005)

    @pytest.mark.parametrize(("signal", "sign"), [(enter_long(), 1), (enter_short(), -1)])
    def test_funding_is_paid_by_longs_to_shorts_at_the_first_event_of_its_time(self, signal: object, sign: int) -> None:
        bars = hourly([CALM, (100, 106, 99, 105), (106, 107, 104, 105)])
        # 02:00 is the close of bar 1, which comes before the open of bar 2: 100 units at 105.
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): signal, (0, 1): EXIT_LONG if sign > 0 else EXIT_SHORT},
                instruments=(PERPETUAL,),
                funding=((0, at_open(2), 0.01),),
            )
        )
        (trade,) = outcome.trades
        assert trade.pnl == pytest.approx(sign * (100 * 6 - 100 * 105 * 0.01))
        assert outcome.equity[1] == pytest.approx(10_000 + sign * (100 * 5 - 105))

    def test_funding_of_a_spot_symbol_is_refused(self) -> None:
        scenario = Scenario(events=hourly([CALM, CALM]), funding=((0, at_open(1), 0.01),))
        with pytest.raises(DataError, match="spot"):
            backtest(scenario)

    def test_funding_before_the_entry_is_not_paid(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, CALM]),
                signals={(0, 0): enter_long()},
                instruments=(PERPETUAL,),
                funding=((0, at_open(1), 0.01),),
            )
        )
        assert outcome.equity[-1] == 10_000.0

    @pytest.mark.parametrize(
        ("signal", "bar", "price"),
        [
            # 1000 units, cash -90000: equity 1000 p - 90000 = 0.005 * 1000 p at p = 90000 / 995
            (enter_long(stop_loss=0.15), (100, 101, 80, 85), 90_000 / 995),
            # 1000 units short, cash 110000: 110000 - 1000 p = 5 p
            (enter_short(stop_loss=0.15), (100, 120, 99, 110), 110_000 / 1005),
        ],
    )
    def test_liquidation_comes_before_a_stop_when_margin_ends_first(
        self, signal: object, bar: tuple[float, float, float, float], price: float
    ) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM, CALM, bar]),
                signals={(0, 0): signal},
                instruments=(PERPETUAL,),
                risk=RiskConfig(max_leverage=10.0),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("liquidation", pytest.approx(price))

    def test_nearer_stop_comes_before_liquidation(self) -> None:
        (trade,) = play(
            Scenario(
                events=hourly([CALM, CALM, (100, 101, 80, 85)]),
                signals={(0, 0): enter_long(stop_loss=0.05)},
                instruments=(PERPETUAL,),
                risk=RiskConfig(max_leverage=10.0),
            )
        ).trades
        assert (trade.exit_reason, trade.exit_price) == ("stop_loss", 95.0)

    def test_gap_beyond_liquidation_fills_at_the_open_and_equity_may_end_below_zero(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, (85, 86, 84, 85)]),
                signals={(0, 0): enter_long()},
                instruments=(PERPETUAL,),
                risk=RiskConfig(max_leverage=10.0),
            )
        )
        assert (outcome.trades[0].exit_reason, outcome.trades[0].exit_price) == ("liquidation", 85.0)
        assert outcome.equity[-1] == pytest.approx(-5_000.0)  # 10000 - 1000 * 15

    def test_short_is_liquidated_when_others_have_lost_everything(self) -> None:
        flat = (100, 100, 100, 100)
        ether = Instrument("ETH/USDT:USDT", kind="linear_perpetual")
        outcome = play(
            Scenario(
                events=hourly([flat, flat, (10, 10, 10, 10)], [flat, flat, flat]),
                signals={
                    (0, 0): enter_long(sizing="notional", size=100_000.0),
                    (1, 0): enter_short(sizing="notional", size=1_000.0),
                },
                instruments=(PERPETUAL, ether),
                risk=RiskConfig(max_leverage=20.0),
            )
        )
        # 1000 units lost 90 each: no price of the other 10 could bring the account back.
        assert [(t.symbol, t.exit_reason, t.exit_price) for t in outcome.trades] == [
            (0, "liquidation", 10.0),
            (1, "liquidation", 100.0),
        ]

    def test_loss_of_another_symbol_liquidates_on_a_favourable_leg_too(self) -> None:
        flat = (100, 100, 100, 100)
        ether = Instrument("ETH/USDT:USDT", kind="linear_perpetual")
        outcome = play(
            Scenario(
                events=hourly([flat, flat, (100, 100, 10, 10)], [flat, flat, (100, 105.4, 100, 100)]),
                signals={
                    (0, 0): enter_long(sizing="notional", size=5_000.0),
                    (1, 0): enter_short(sizing="notional", size=100_000.0),
                },
                instruments=(SPOT, ether),
                risk=RiskConfig(max_leverage=20.0),
                path="ohlc",
            )
        )
        # At the highs 10000 - 1000 * 5.4 = 4600 are left. Then the coins fall by 4500: 100 is below 0.5 % of 105400, so
        # the short goes at 105.4, where its leg down starts.
        (trade,) = outcome.trades
        assert (trade.symbol, trade.exit_reason, trade.exit_price) == (1, "liquidation", 105.4)

    def test_spot_bought_with_cash_is_never_liquidated(self) -> None:
        bars = hourly([CALM, CALM, (50, 51, 1, 2)])
        assert play(Scenario(events=bars, signals={(0, 0): enter_long()})).trades == []


class TestR11GridsAndMinimum:
    GRID = Instrument("BTC/USDT", lot=0.001, tick=0.5)
    PERPETUAL_GRID = Instrument("BTC/USDT:USDT", kind="linear_perpetual", lot=0.001, tick=0.5)
    SMALL_SLIP = Costs(taker_fee=0.0, maker_fee=0.0, slippage=0.001)

    def test_quantity_rounds_down_to_the_lot(self) -> None:
        bars = hourly([CALM, (300, 301, 299, 300)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, instruments=(self.GRID,))).fills
        assert fill.quantity == pytest.approx(33.333, abs=1e-12)  # 10000 / 300 = 33.3333...

    @pytest.mark.parametrize(
        ("lot", "size"),
        [
            (0.1, 0.3),  # 0.3 / 0.1 = 2.9999999999999996
            (0.01, 0.29),  # 0.29 * 100 = 28.999999999999996
        ],
    )
    def test_quantity_on_the_grid_is_not_lost_to_float_noise(self, lot: float, size: float) -> None:
        coarse = Instrument("BTC/USDT", lot=lot)
        signals = {(0, 0): enter_long(sizing="units", size=size)}
        (fill,) = play(Scenario(events=hourly([CALM, CALM]), signals=signals, instruments=(coarse,))).fills
        assert fill.quantity == pytest.approx(size)

    def test_slipped_prices_round_to_the_tick_against_us(self) -> None:
        bars = hourly([CALM, CALM, HIGHER])
        (trade,) = play(
            Scenario(events=bars, signals=ROUND_TRIP, instruments=(self.GRID,), costs=self.SMALL_SLIP)
        ).trades
        assert (trade.entry_price, trade.exit_price) == (100.5, 109.5)  # 100.1 up, 109.89 down

    @pytest.mark.parametrize(
        ("signal", "bar", "price"),
        [
            (enter_long(stop_loss=0.033), (100, 101, 90, 95), 96.5),  # 100 * 0.967 = 96.7, a sell goes down
            (enter_short(stop_loss=0.033), (100, 110, 99, 105), 103.5),  # 103.3, a buy goes up
            (enter_long(take_profit=0.033), (100, 110, 99, 105), 103.5),  # 103.3, a sell limit goes up
            (enter_short(take_profit=0.033), (100, 101, 90, 95), 96.5),  # 96.7, a buy limit goes down
            (enter_long(trailing_stop=0.033), (100, 101, 90, 95), 96.5),
            (enter_long(stop_loss=0.03), (100, 101, 90, 95), 97.0),  # on the grid already
        ],
    )
    def test_levels_round_to_the_tick_against_us(
        self, signal: object, bar: tuple[float, float, float, float], price: float
    ) -> None:
        (trade,) = play(
            Scenario(events=hourly([CALM, bar]), signals={(0, 0): signal}, instruments=(self.PERPETUAL_GRID,))
        ).trades
        assert trade.exit_price == price

    @pytest.mark.parametrize(
        ("signal", "price"),
        [
            (enter_long(limit=97.3), 97.0),  # a buy limit goes down
            (enter_short(limit=102.8), 103.0),  # a sell limit goes up
            (enter_long(stop=102.8), 103.0),  # a buy stop goes up
            (enter_short(stop=97.3), 97.0),  # a sell stop goes down
        ],
    )
    def test_entry_levels_round_to_the_tick_against_us(self, signal: object, price: float) -> None:
        bars = hourly([CALM, (100, 104, 96, 100)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): signal}, instruments=(self.PERPETUAL_GRID,))).fills
        assert fill.price == price

    def test_order_below_minimum_notional_is_denied_with_the_reason(self) -> None:
        floor = Instrument("BTC/USDT", min_notional=50.0)
        signals = {(0, 0): enter_long(sizing="notional", size=49.0)}
        outcome = play(Scenario(events=hourly([CALM, CALM]), signals=signals, instruments=(floor,)))
        (denial,) = outcome.denials
        assert outcome.fills == []
        assert (denial.rule, denial.limit, denial.value) == ("min_notional", 50.0, pytest.approx(49.0))

    @pytest.mark.parametrize("fee", [0.0, 0.001, 0.00075])
    def test_cash_is_not_negative_after_all_of_it_bought_coins(self, fee: float) -> None:
        costs = Costs(taker_fee=fee, maker_fee=fee, slippage=0.0003)
        bars = hourly([CALM, (33.37, 34, 33, 33.5)])
        (fill,) = play(Scenario(events=bars, signals={(0, 0): enter_long()}, costs=costs)).fills
        assert 0.0 <= 10_000.0 - (fill.quantity * fill.price + fill.fee) < 1e-6
