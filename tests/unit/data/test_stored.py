import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.unit.data.scripted_exchange import ScriptedExchange, minute
from workbench.data import CandleStore, Span, load_bars, resample
from workbench.errors import ConfigError, ExchangeUnavailableError, MissingDataError
from workbench.model.bars import Bars
from workbench.model.synthetic import synthetic_bars

DAY = 1_440


@pytest.fixture
def minutes() -> Bars:
    return synthetic_bars("BTC/USDT", "1m", 3 * DAY, start="2025-01-01")


@pytest.fixture
def stored(minutes: Bars) -> Bars:
    """Three days of minutes in the default store, under a name that is no exchange of ccxt."""
    CandleStore().append("mine", minutes)
    return minutes


def test_stored_range_is_read_without_asking_anyone(stored: Bars) -> None:
    part = load_bars("mine", "BTC/USDT", "1m", start="2025-01-02", end="2025-01-03")
    assert part == stored[DAY : 2 * DAY]


def test_stored_candles_are_read_without_ccxt(stored: Bars) -> None:
    code = (
        "import sys; from workbench.data import load_bars; assert len(load_bars('mine', 'BTC/USDT', '1h')) == 72; "
        "assert not {'ccxt', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
    assert len(stored) == 3 * DAY


def test_all_that_is_stored_is_read_without_start_and_end(stored: Bars) -> None:
    assert load_bars("mine", "BTC/USDT", "1m") == stored
    assert load_bars("mine", "BTC/USDT", "1m", start="2025-01-03") == stored[2 * DAY :]
    assert load_bars("mine", "BTC/USDT", "1m", end="2025-01-01T01:00Z") == stored[:60]


def test_longer_bars_are_made_of_stored_shorter_ones(stored: Bars) -> None:
    assert load_bars("mine", "BTC/USDT", "1h") == resample(stored, "1h").bars
    # From 00:30 on the first whole hour is that of 01:00; at 05:30 that of 05:00 is still open.
    part = load_bars("mine", "BTC/USDT", "1h", start="2025-01-01T00:30Z", end="2025-01-01T05:30Z")
    assert part == resample(stored, "1h").bars[1:5]


def test_own_timeframe_comes_first_then_the_longest_that_fits(minutes: Bars) -> None:
    store = CandleStore()
    store.append("mine", minutes)
    store.append("mine", synthetic_bars("BTC/USDT", "15m", 96, start="2025-01-01", seed=5))
    hours = synthetic_bars("BTC/USDT", "1h", 24, start="2025-01-01", seed=9)
    assert load_bars("mine", "BTC/USDT", "1h", end="2025-01-02") != resample(minutes, "1h").bars[:24]
    store.append("mine", hours)
    assert load_bars("mine", "BTC/USDT", "1h", end="2025-01-02") == hours
    # The second day is stored in minutes alone.
    second = load_bars("mine", "BTC/USDT", "1h", start="2025-01-02", end="2025-01-03")
    assert second == resample(minutes, "1h").bars[24:48]


def test_thin_bars_are_told_by_a_warning(minutes: Bars) -> None:
    CandleStore().append("mine", minutes[:100], covered=Span(minute(0), minute(240)))
    with pytest.warns(
        UserWarning, match=r"mine BTC/USDT 1m: 1 of 2 bars are made of fewer than 60 1m bars \(the first"
    ):
        bars = load_bars("mine", "BTC/USDT", "1h")
    # Minutes 100 to 239 are known to have no candle: hour 1 is whole with 40 of them, hours 2 and 3 are absent.
    assert len(bars) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_bars("mine", "BTC/USDT", "1h", end="2025-01-01T01:00Z")


def test_pieces_are_not_joined_over_what_is_unknown(minutes: Bars) -> None:
    store = CandleStore()
    store.append("mine", minutes[:60])
    store.append("mine", minutes[120:180])
    with pytest.raises(
        MissingDataError, match=r"mine BTC/USDT 1m is stored in pieces \(2025-01-01T00:00Z to .*pass st"
    ):
        load_bars("mine", "BTC/USDT", "1m")
    assert load_bars("mine", "BTC/USDT", "1m", start="2025-01-01T02:00Z") == minutes[120:180]


def test_range_that_is_not_all_stored_is_asked_for(stored: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(exchange: str, *_: object, **__: object) -> Bars:
        asked.append(exchange)
        if len(asked) > 1:
            raise ExchangeUnavailableError("no route", exchange=exchange, retryable=True)
        return stored[:1]

    monkeypatch.setattr("workbench.exchange.history.fetch_ohlcv_history", fetch)
    assert len(load_bars("mine", "BTC/USDT", "1m", start="2025-01-01", end="2025-01-05")) == 1
    with pytest.raises(ExchangeUnavailableError) as caught:
        load_bars("mine", "BTC/USDT", "1m", start="2024-12-31", end="2025-01-02")
    assert asked == ["mine", "mine"]
    assert caught.value.__notes__ == [
        "This time is not all in the store; the store has of mine BTC/USDT: 1m 2025-01-01T00:00Z to 2025-01-04T00:00Z."
    ]


def test_symbol_that_is_not_stored_needs_a_start(stored: Bars) -> None:
    assert len(stored)
    with pytest.raises(ConfigError, match=r"start is missing: .*; the store has of mine ETH/USDT: nothing that fits"):
        load_bars("mine", "ETH/USDT", "1m")


def test_client_that_is_given_is_asked_and_not_the_store(stored: Bars) -> None:
    client = ScriptedExchange()
    bars = load_bars("mine", "BTC/USDT", "1m", start="2025-01-01", end="2025-01-01T00:10Z", client=client)
    assert bars.volume.tolist() == [1.0 + index for index in range(10)]
    assert bars != stored[:10]


def test_another_store_can_be_named(tmp_path: Path, minutes: Bars) -> None:
    store = CandleStore(tmp_path)
    store.append("elsewhere", minutes[:100])
    assert load_bars("elsewhere", "BTC/USDT", "1m", store=store) == minutes[:100]
    with pytest.raises(ConfigError, match="unknown source 'elsewhere'"):
        load_bars("elsewhere", "BTC/USDT", "1m")
    with pytest.raises(ConfigError, match="store is for an exchange"):
        load_bars("practice", "BTC/USDT", "1m", store=store)


def test_name_of_ones_own_is_found_also_beside_a_folder_of_that_name(
    minutes: Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-broker").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingDataError, match="my-broker is not a file"):
        load_bars("my-broker", "BTC/USDT", "1m")
    CandleStore().append("my-broker", minutes[:10])
    assert load_bars("my-broker", "BTC/USDT", "1m") == minutes[:10]


def test_several_symbols_come_from_the_store(stored: Bars) -> None:
    eth = synthetic_bars("ETH/USDT", "1m", 100, start="2025-01-01")
    CandleStore().append("mine", eth)
    assert load_bars("mine", ["BTC/USDT", "ETH/USDT"], "1m") == Bars.join([stored, eth])
