import pytest

from workbench.errors import ConfigError
from workbench.model.synthetic_assets import asset_of, parse_market_symbol, practice_instrument


@pytest.mark.parametrize(
    ("symbol", "tick", "lot", "min_notional"),
    [
        ("BTC/USDT", 0.01, 0.00001, 5.0),
        ("ETH/USDT", 0.01, 0.0001, 5.0),
        ("XRP/USDT", 0.0001, 0.1, 5.0),
        ("DOGE/USDT", 0.00001, 1.0, 5.0),
        ("ETH/BTC", 0.000001, 0.0001, 0.00005),
        ("BTC/JPY", 1.0, 0.00001, 5000.0),
        ("BTC/USDT:USDT", 0.1, 0.001, 5.0),
    ],
)
def test_instrument_has_steps_that_fit_its_price(symbol: str, tick: float, lot: float, min_notional: float) -> None:
    instrument = practice_instrument(symbol)
    assert (instrument.tick, instrument.lot, instrument.min_notional) == (tick, lot, min_notional)


def test_symbol_with_settlement_is_a_linear_perpetual() -> None:
    assert practice_instrument("BTC/USDT:USDT").kind == "linear_perpetual"
    assert practice_instrument("BTC/USDT").kind == "spot"


def test_unknown_coins_are_made_up_from_their_name() -> None:
    one, other = asset_of("WIBBLE"), asset_of("WOBBLE")
    assert one == asset_of("WIBBLE")
    assert one != other
    assert 0.0 < one.usd_price < 103.0
    assert 0.8 <= one.market_beta <= 1.4
    assert practice_instrument("WIBBLE/USDT").base == "WIBBLE"


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("BTCUSDT", "must look like"),
        ("btc/usdt", "in capitals"),
        ("BTC/USDT:BTC", "must settle in its quote"),
        ("BTC/BTC", "two different things"),
        ("BTC/USDT/EUR", "must look like"),
        ("", "must look like"),
    ],
)
def test_symbol_of_another_form_is_refused_with_the_reason(symbol: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_market_symbol(symbol)
