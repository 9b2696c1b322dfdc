import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.series import Series
from workbench.errors import ConfigError
from workbench.model.timeframe import Timeframe

MINUTE = Timeframe("1m")


def test_spot_and_perpetual_of_the_same_coins_have_folders_of_their_own() -> None:
    assert Series("binance", "BTC/USDT", MINUTE).folder == "binance/BTC~USDT/1m"
    assert Series("binance", "BTC/USDT:USDT", MINUTE).folder == "binance/BTC~USDT~USDT/1m"


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "1000SATS/USDT", "A.B/C-D", "_x_/$y$"])
def test_folder_leads_back_to_its_series(symbol: str) -> None:
    kind = Series("kraken", symbol, Timeframe("4h"))
    assert Series.of_folder(kind.folder) == kind


@pytest.mark.parametrize(("written", "shortest"), [("60m", "1h"), ("24h", "1d"), ("7d", "1w"), ("90m", "90m")])
def test_equal_timeframes_share_one_folder(written: str, shortest: str) -> None:
    assert Series("kraken", "BTC/USDT", Timeframe(written)).folder.endswith(f"/{shortest}")


@pytest.mark.parametrize(
    "exchange", ["", "..", "../x", "/etc", "a/b", "A", "a" * 65, "bin\0ance", "con.", "b\u0456nance"]
)
def test_exchange_that_could_lead_elsewhere_is_refused(exchange: str) -> None:
    with pytest.raises(ConfigError, match="exchange must be"):
        Series(exchange, "BTC/USDT", MINUTE)


@pytest.mark.parametrize(
    "symbol", ["..", "../x", "/etc/passwd", "BTC", "A/B/C", "A~B/C", "A/B\0", "A/B:C", "A/" + "B" * 99]
)
def test_symbol_that_could_lead_elsewhere_is_refused(symbol: str) -> None:
    with pytest.raises(ConfigError):
        Series("kraken", symbol, MINUTE)


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_accepted_name_leaves_the_root(exchange: str, symbol: str) -> None:
    try:
        folder = Series(exchange, symbol, MINUTE).folder
    except ConfigError:
        return
    parts = folder.split("/")
    assert len(parts) == 3
    assert not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    "folder", ["", "x", "binance/BTC~USDT", "binance/BTC~USDT/60m", "binance/BTCUSDT/1m", "a/b/c/d"]
)
def test_folder_of_another_form_belongs_to_no_series(folder: str) -> None:
    assert Series.of_folder(folder) is None
