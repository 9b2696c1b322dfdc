"""Review of entries: sizes, caps and every rule that can deny one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.reference.agreement import play
from tests.reference.scenario import (
    EXIT_LONG,
    PERPETUAL,
    SPOT,
    Outcome,
    Scenario,
    Signal,
    at_close,
    at_open,
    enter_long,
    enter_short,
    hourly,
)
from workbench.model import Costs, Instrument, RiskConfig, Timeframe

CALM = (100, 101, 99, 100)
ETHER = Instrument("ETH/USDT")
ETHER_PERPETUAL = Instrument("ETH/USDT:USDT", kind="linear_perpetual")
FEES = Costs(taker_fee=0.001, maker_fee=0.0005, slippage=0.01)


def enter(signal: Signal, **rules: Any) -> Outcome:
    """Play one entry at an open of 100 on the perpetual, unless the rules name another instrument."""
    rules.setdefault("instruments", (PERPETUAL,))
    return play(Scenario(events=hourly([CALM, CALM]), signals={(0, 0): signal}, **rules))


class TestSizes:
    @pytest.mark.parametrize(
        ("terms", "leverage", "quantity"),
        [
            ({}, 1.0, 10_000 / (101 * 1.001)),  # all equity pays the slipped price 101 and the fee
            ({}, 3.0, 30_000 / (101 * 1.003)),  # three times the equity that is left after the fee
            ({"sizing": "fraction", "size": 0.25}, 1.0, 2_500 / (101 * 1.001)),
            ({"sizing": "fraction", "size": 0.25}, 3.0, 7_500 / (101 * 1.003)),
            ({"sizing": "notional", "size": 505.0}, 1.0, 5.0),  # 505 / 101
            ({"sizing": "units", "size": 7.0}, 1.0, 7.0),
            ({"sizing": "risk", "size": 0.01, "stop_loss": 0.02}, 1.0, 100 / (101 * 0.02)),
            ({"sizing": "risk", "size": 0.5, "stop_loss": 0.02}, 1.0, 10_000 / (101 * 1.001)),  # no more than all
        ],
    )
    def test_quantity_of_each_sizing(self, terms: dict[str, Any], leverage: float, quantity: float) -> None:
        (fill,) = enter(enter_long(**terms), costs=FEES, risk=RiskConfig(max_leverage=leverage)).fills
        assert fill.quantity == pytest.approx(quantity)

    def test_leverage_of_the_instrument_bounds_that_of_the_account(self) -> None:
        tame = Instrument("BTC/USDT:USDT", kind="linear_perpetual", max_leverage=2.0)
        (fill,) = enter(enter_long(), risk=RiskConfig(max_leverage=5.0), instruments=(tame,)).fills
        assert fill.quantity == pytest.approx(200.0)

    def test_spot_never_uses_more_than_its_cash(self) -> None:
        (fill,) = enter(enter_long(), risk=RiskConfig(max_leverage=5.0), instruments=(SPOT,)).fills
        assert fill.quantity == pytest.approx(100.0)

    def test_risk_is_measured_to_the_nearer_stop(self) -> None:
        signal = enter_long(sizing="risk", size=0.01, stop_loss=0.05)
        (fill,) = enter(signal, risk=RiskConfig(stop_loss=0.02)).fills
        assert fill.quantity == pytest.approx(50.0)  # 1 % of 10000 over 2

    def test_risk_is_measured_to_the_rounded_stop(self) -> None:
        coarse = Instrument("BTC/USDT:USDT", kind="linear_perpetual", tick=1.0)
        signal = enter_long(sizing="risk", size=0.01, stop_loss=0.025)
        (fill,) = enter(signal, instruments=(coarse,)).fills
        assert fill.quantity == pytest.approx(100 / 3)  # the stop of 97.5 rounds down to 97

    def test_default_size_leaves_out_what_other_positions_use(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM] * 3, [(50, 51, 49, 50)] * 3),
                signals={(0, 0): enter_long(sizing="notional", size=6_000.0), (1, 1): enter_short()},
                instruments=(PERPETUAL, ETHER_PERPETUAL),
            )
        )
        assert [fill.quantity for fill in outcome.fills] == pytest.approx([60.0, 80.0])  # (10000 - 6000) / 50

    def test_nothing_is_bought_with_what_rounding_leaves_of_the_equity(self) -> None:
        price = 86.26903632435094
        bars = [(price, 87, 86, price)] * 2
        outcome = play(
            Scenario(
                events=hourly(bars, bars),
                signals={(0, 0): enter_long(), (1, 0): enter_long()},
                instruments=(PERPETUAL, ETHER_PERPETUAL),
                cash=7_583.847961507659,
            )
        )
        # The first takes all: cash - cash / price * price is 9e-13 here, which is no money.
        assert [fill.symbol for fill in outcome.fills] == [0]
        assert [(d.symbol, d.rule, d.quantity) for d in outcome.denials] == [(1, "min_notional", 0.0)]

    @pytest.mark.parametrize("cap", ["max_order_notional", "max_position_notional"])
    def test_default_size_is_clipped_to_the_caps(self, cap: str) -> None:
        (fill,) = enter(enter_long(), costs=FEES, risk=RiskConfig(**{cap: 3_030.0})).fills
        assert fill.quantity == pytest.approx(30.0)  # 3030 / 101


class TestDenials:
    def denied(self, signal: Signal, **rules: Any) -> tuple[str, float, float]:
        """Return rule, limit and value of the only denial; nothing may have filled."""
        outcome = enter(signal, **rules)
        assert outcome.fills == []
        (denial,) = outcome.denials
        assert denial.time_ns == at_open(1)
        return denial.rule, denial.limit, denial.value

    @pytest.mark.parametrize("cap", ["max_order_notional", "max_position_notional"])
    def test_explicit_size_beyond_a_cap(self, cap: str) -> None:
        signal = enter_long(sizing="units", size=31.0)
        assert self.denied(signal, risk=RiskConfig(**{cap: 3_000.0})) == (cap, 3_000.0, 3_100.0)

    def test_explicit_size_beyond_leverage(self) -> None:
        rule, limit, value = self.denied(enter_long(sizing="units", size=201.0), risk=RiskConfig(max_leverage=2.0))
        assert (rule, limit) == ("max_leverage", 2.0)
        assert value == pytest.approx(2.01)

    def test_size_that_fits_leverage_only_without_its_fee(self) -> None:
        costs = Costs(taker_fee=0.001, maker_fee=0.0, slippage=0.0)
        rule, _, _ = self.denied(enter_long(sizing="units", size=100.0), costs=costs)
        assert rule == "max_leverage"

    def test_size_that_fits_cash_only_without_its_fee_is_not_cut_to_lots(self) -> None:
        costs = Costs(taker_fee=0.002, maker_fee=0.0, slippage=0.0)
        signal = enter_long(sizing="units", size=100.0)
        rule, _, _ = self.denied(signal, costs=costs, instruments=(Instrument("BTC/USDT", lot=0.25),))
        assert rule == "max_leverage"

    def test_short_on_spot(self) -> None:
        assert self.denied(enter_short(), instruments=(SPOT,))[0] == "short_on_spot"

    def test_risk_without_a_stop(self) -> None:
        assert self.denied(enter_long(sizing="risk", size=0.01))[0] == "invalid_size"

    @pytest.mark.parametrize("size", [0.0, -1.0, math.inf, None])
    @pytest.mark.parametrize("sizing", ["fraction", "notional", "units"])
    def test_size_that_cannot_be_meant(self, sizing: str, size: float | None) -> None:
        assert self.denied(enter_long(sizing=sizing, size=size))[0] == "invalid_size"

    @pytest.mark.parametrize(
        "terms",
        [
            {"stop_loss": 0.0},
            {"stop_loss": 1.0},
            {"stop_loss": -0.1},
            {"trailing_stop": 1.5},
            {"take_profit": -0.5},
            {"take_profit": math.inf},
            {"limit": -1.0},
            {"stop": 0.0},
            {"stop": math.inf},
            {"max_holding_s": 0.0},
        ],
    )
    def test_level_that_cannot_be_meant(self, terms: dict[str, float]) -> None:
        assert self.denied(enter_long(**terms))[0] == "invalid_level"

    @pytest.mark.parametrize("signal", [enter_short(), enter_long(limit=99.0), enter_short(stop=99.0)])
    def test_price_that_the_tick_rounds_to_nothing(self, signal: Signal) -> None:
        coarse = Instrument("BTC/USDT:USDT", kind="linear_perpetual", tick=150.0)
        assert self.denied(signal, instruments=(coarse,))[0] == "invalid_level"

    def test_resting_stop_that_fills_where_the_tick_leaves_nothing(self) -> None:
        coarse = Instrument("BTC/USDT:USDT", kind="linear_perpetual", tick=40.0)
        bars = hourly([CALM, CALM, (30, 31, 29, 30)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_short(stop=90.0)}, instruments=(coarse,)))
        # The stop rests at 80; the open of 30 is sold at 0.
        assert outcome.fills == []
        assert [(d.rule, d.time_ns) for d in outcome.denials] == [("min_notional", at_open(2))]

    def test_open_too_far_from_the_last_price(self) -> None:
        bars = hourly([CALM, (111, 112, 110, 111)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(price_collar=0.10)))
        (denial,) = outcome.denials
        assert (denial.rule, denial.limit) == ("price_collar", 0.10)
        assert denial.value == pytest.approx(0.11)  # 111 / 100 - 1

    @pytest.mark.parametrize("terms", [{"limit": 89.0}, {"stop": 111.0}])
    def test_resting_price_too_far_from_the_market(self, terms: dict[str, float]) -> None:
        rule, _, value = self.denied(enter_long(**terms), risk=RiskConfig(price_collar=0.10))
        assert rule == "price_collar"
        assert value == pytest.approx(0.11)

    def test_price_within_the_collar_fills(self) -> None:
        bars = hourly([CALM, (109, 110, 108, 109)])
        outcome = play(Scenario(events=bars, signals={(0, 0): enter_long()}, risk=RiskConfig(price_collar=0.10)))
        assert len(outcome.fills) == 1

    def test_more_orders_than_allowed_in_a_minute(self) -> None:
        bars = hourly([CALM] * 2, [CALM] * 2, [CALM] * 2)
        small = enter_long(sizing="units", size=1.0)
        outcome = play(
            Scenario(
                events=bars,
                signals={(s, 0): small for s in range(3)},
                instruments=(SPOT, ETHER, Instrument("SOL/USDT")),
                risk=RiskConfig(max_orders_per_minute=2),
            )
        )
        assert [fill.symbol for fill in outcome.fills] == [0, 1]
        assert [(d.symbol, d.rule, d.limit, d.value) for d in outcome.denials] == [(2, "max_orders_per_minute", 2, 3)]

    def test_exits_do_not_count_as_orders_and_are_never_denied(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM] * 4, [CALM] * 4),
                signals={
                    (0, 0): enter_long(sizing="units", size=1.0),
                    (0, 1): EXIT_LONG,
                    (1, 1): enter_long(sizing="units", size=1.0),
                },
                instruments=(SPOT, ETHER),
                risk=RiskConfig(max_orders_per_minute=1, max_order_notional=150.0),
            )
        )
        assert [(f.symbol, f.side) for f in outcome.fills] == [(0, 1), (0, -1), (1, 1)]

    def test_exit_larger_than_the_order_cap_goes_out(self) -> None:
        bars = hourly([CALM, CALM, (300, 301, 299, 300)])
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(), (0, 1): EXIT_LONG},
                risk=RiskConfig(max_order_notional=10_000.0, max_position_notional=10_000.0),
            )
        )
        assert [fill.price for fill in outcome.fills] == [100.0, 300.0]
        assert outcome.denials == []

    def test_orders_of_the_next_minute_are_counted_anew(self) -> None:
        minute = Timeframe("1m")
        start = hourly([CALM])[0].time_ns
        bars = [type(hourly([CALM])[0])(start + i * minute.ns, hourly([CALM])[0].bars) for i in range(4)]
        outcome = play(
            Scenario(
                events=bars,
                signals={(0, 0): enter_long(take_profit=0.005), (0, 1): enter_long()},
                risk=RiskConfig(max_orders_per_minute=1),
                timeframe=minute,
            )
        )
        assert [fill.side for fill in outcome.fills] == [1, -1, 1]

    def test_resting_order_whose_funds_were_used_meanwhile(self) -> None:
        outcome = play(
            Scenario(
                events=hourly([CALM, CALM, (100, 101, 90, 95)], [CALM, CALM, CALM]),
                signals={(0, 0): enter_long(limit=95.0), (1, 0): enter_long()},
                instruments=(SPOT, ETHER),
            )
        )
        assert [fill.symbol for fill in outcome.fills] == [1]
        assert [(d.symbol, d.time_ns) for d in outcome.denials] == [(0, at_open(2))]

    def test_reversal_on_spot_exits_and_is_denied_the_short(self) -> None:
        outcome = play(Scenario(events=hourly([CALM] * 3), signals={(0, 0): enter_long(), (0, 1): enter_short()}))
        assert [(fill.side, fill.reason) for fill in outcome.fills] == [(1, "signal"), (-1, "signal")]
        assert [(d.rule, d.side, d.time_ns) for d in outcome.denials] == [("short_on_spot", -1, at_close(1))]

    @pytest.mark.parametrize(
        ("signal", "rules", "rule"),
        [
            (enter_short(stop_loss=2.0), {"instruments": (SPOT,)}, "invalid_level"),
            (enter_short(sizing="units", size=-1.0), {"instruments": (SPOT,)}, "invalid_size"),
            (enter_short(limit=500.0), {"instruments": (SPOT,), "risk": RiskConfig(price_collar=0.1)}, "short_on_spot"),
            (
                enter_long(limit=50.0, sizing="units", size=0.1),
                {"instruments": (Instrument("BTC/USDT", min_notional=100.0),), "risk": RiskConfig(price_collar=0.1)},
                "price_collar",
            ),
            (
                enter_long(sizing="units", size=1_000.0),
                {"risk": RiskConfig(max_order_notional=1.0, max_position_notional=1.0)},
                "max_order_notional",
            ),
            (
                enter_long(sizing="units", size=1_000.0),
                {"risk": RiskConfig(max_position_notional=1.0)},
                "max_position_notional",
            ),
        ],
    )
    def test_first_broken_rule_is_named(self, signal: Signal, rules: dict[str, Any], rule: str) -> None:
        assert self.denied(signal, **rules)[0] == rule
