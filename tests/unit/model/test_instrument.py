import dataclasses
import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ConfigError, OrderError
from workbench.model import Instrument

STEPS = [1e-8, 1e-6, 0.00001, 0.001, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 10.0, 250.0]


def test_symbol_tells_base_and_quote() -> None:
    spot = Instrument("BTC/USDT")
    perpetual = Instrument("1000PEPE/USDT:USDT", "linear_perpetual")
    assert (spot.base, spot.quote, spot.is_spot) == ("BTC", "USDT", True)
    assert (perpetual.base, perpetual.quote, perpetual.is_spot) == ("1000PEPE", "USDT", False)


def test_kind_sets_the_leverage_that_is_not_given() -> None:
    assert Instrument("BTC/USDT").max_leverage == 1.0
    assert Instrument("BTC/USDT", "linear_perpetual").max_leverage == 20.0
    assert Instrument("BTC/USDT", "linear_perpetual", max_leverage=5.0).max_leverage == 5.0


def test_of_makes_a_plain_instrument_of_a_symbol() -> None:
    own = Instrument("BTC/USDT", lot=0.1)
    assert Instrument.of(own) is own
    assert Instrument.of("BTC/USDT") == Instrument("BTC/USDT")
    assert Instrument.of("BTC/USDT:USDT") == Instrument("BTC/USDT:USDT", "linear_perpetual")
    with pytest.raises(ConfigError, match="symbol must look like"):
        Instrument.of(None)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("symbol", ["", "BTC", "BTCUSDT", "BTC/", "/USDT", "BTC /USDT", "BTC/USDT:", "A/B/C", 5, None])
def test_symbol_of_another_form_is_refused(symbol: Any) -> None:
    with pytest.raises(ConfigError, match=r"symbol must look like 'BTC/USDT' or 'BTC/USDT:USDT', was"):
        Instrument(symbol)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "future"}, "kind must be one of 'spot', 'linear_perpetual', was 'future'"),
        ({"lot": 0.0}, r"lot must be in \(0, inf\), was 0.0"),
        ({"tick": -0.01}, r"tick must be in \(0, inf\), was -0.01"),
        ({"min_notional": float("nan")}, r"min_notional must be in \(0, inf\), was nan"),
        ({"taker_fee": 0.5}, r"taker_fee must be in \[0, 0.5\), was 0.5"),
        ({"maker_fee": -0.01}, r"maker_fee must be in \[0, 0.5\), was -0.01"),
        ({"max_leverage": 2.0}, "max_leverage must be 1 for spot, was 2.0"),
        ({"kind": "linear_perpetual", "max_leverage": 0.5}, r"max_leverage must be in \[1, 1000\], was 0.5"),
        ({"maintenance_margin": 1.0}, r"maintenance_margin must be in \[0, 1\), was 1.0"),
        (
            {"kind": "linear_perpetual", "max_leverage": 20.0, "maintenance_margin": 0.05},
            r"maintenance_margin must be below 1 / max_leverage \(0.05\)",
        ),
    ],
)
def test_bad_field_is_refused_by_name(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Instrument("BTC/USDT", **fields)


def test_contract_is_no_spot_and_an_inverse_contract_is_not_linear() -> None:
    with pytest.raises(ConfigError, match="kind must be 'linear_perpetual' for the contract BTC/USDT:USDT, was 'spot'"):
        Instrument("BTC/USDT:USDT")
    with pytest.raises(ConfigError, match="symbol must be settled in its quote currency"):
        Instrument("BTC/USD:BTC", "linear_perpetual")


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"lot must be .*; tick must be .*; taker_fee must be"):
        Instrument("BTC/USDT", lot=-1.0, tick=-1.0, taker_fee=2.0)


@pytest.mark.parametrize(
    ("lot", "quantity", "text"),
    [
        (0.001, 1.2349, "1.234"),
        (0.001, 1.0, "1.000"),
        (0.1, 0.3 - 0.1, "0.2"),  # 0.19999999999999998 in float64
        (0.1, 0.1 * 3, "0.3"),  # 0.30000000000000004
        (0.01, 0.009_999, "0.00"),
        (10.0, 99.9, "90"),
        (0.5, 7.75, "7.5"),
        (1e-8, 1.23e-7, "0.00000012"),
        (None, 1e-7, "0.0000001"),
        (None, 1.25, "1.25"),
        (0.001, 0.0, "0.000"),
    ],
)
def test_quantity_rounds_down_to_the_lot(lot: float | None, quantity: float, text: str) -> None:
    assert Instrument("BTC/USDT", lot=lot).quantize_quantity(quantity) == text


@pytest.mark.parametrize(
    ("side", "kind", "text"),
    [
        ("buy", "limit", "100.01"),
        ("sell", "limit", "100.02"),
        ("buy", "stop", "100.02"),
        ("sell", "stop", "100.01"),
        (None, "limit", "100.02"),  # 100.0151 is nearer to .02 than to .01
    ],
)
def test_price_rounds_to_the_tick_by_side(
    side: Literal["buy", "sell"] | None, kind: Literal["limit", "stop"], text: str
) -> None:
    assert Instrument("BTC/USDT", tick=0.01).quantize_price(100.0151, side=side, kind=kind) == text


def test_price_on_the_tick_stays_for_every_side() -> None:
    btc = Instrument("BTC/USDT", tick=0.1)
    price = 0.1 * 3  # 0.30000000000000004
    assert {btc.quantize_price(price, side=side) for side in ("buy", "sell", None)} == {"0.3"}


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_amount_that_is_none_is_refused(value: float) -> None:
    btc = Instrument("BTC/USDT", lot=0.1, tick=0.1)
    with pytest.raises(OrderError, match=r"quantity of BTC/USDT must be in \[0, inf\), was"):
        btc.quantize_quantity(value)
    with pytest.raises(OrderError, match=r"price of BTC/USDT must be in \(0, inf\), was"):
        btc.quantize_price(value)


def test_price_below_one_tick_is_refused_rather_than_rounded_to_nothing() -> None:
    with pytest.raises(OrderError, match=r"price of BTC/USDT must be at least one tick \(0.5\), was 0.2"):
        Instrument("BTC/USDT", tick=0.5).quantize_price(0.2, side="buy")


@given(quantity=st.floats(0.0, 1e9), lot=st.sampled_from(STEPS))
def test_quantized_quantity_is_a_multiple_of_the_lot_at_most_a_hair_above(quantity: float, lot: float) -> None:
    text = Instrument("BTC/USDT", lot=lot).quantize_quantity(quantity)
    exact, step = Fraction(Decimal(text)), Fraction(Decimal(repr(lot)))
    assert exact % step == 0
    assert "E" not in text
    wanted = Fraction(Decimal(repr(quantity)))
    slack = step / 1_000_000
    assert -slack <= wanted - exact < step + slack


@given(count=st.integers(0, 10**9), lot=st.sampled_from(STEPS))
def test_multiple_of_the_lot_loses_nothing_to_float_arithmetic(count: int, lot: float) -> None:
    text = Instrument("BTC/USDT", lot=lot).quantize_quantity(count * lot)
    assert Decimal(text) == count * Decimal(repr(lot))


@given(price=st.floats(1.0, 1e7), tick=st.sampled_from(STEPS[:9]))
def test_buy_and_sell_limit_enclose_the_price(price: float, tick: float) -> None:
    btc = Instrument("BTC/USDT", tick=tick)
    low, high = (Fraction(Decimal(btc.quantize_price(price, side=side))) for side in ("buy", "sell"))
    slack = Fraction(Decimal(repr(tick))) / 1_000_000
    assert low - slack <= Fraction(Decimal(repr(price))) <= high + slack
    assert high - low in (0, Fraction(Decimal(repr(tick))))


def test_rounding_does_not_depend_on_the_callers_decimal_context() -> None:
    btc = Instrument("BTC/USDT", lot=1e-8)
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_UP):
        assert btc.quantize_quantity(12_345.678_901_239) == "12345.67890123"


def test_instrument_is_frozen_and_replaced() -> None:
    btc = Instrument("BTC/USDT", lot=0.001)
    with pytest.raises(dataclasses.FrozenInstanceError):
        btc.lot = 1.0  # type: ignore[misc]  # the point of the test
    assert dataclasses.replace(btc, tick=0.1) == Instrument("BTC/USDT", lot=0.001, tick=0.1)
    assert hash(btc) == hash(Instrument("BTC/USDT", lot=0.001))
