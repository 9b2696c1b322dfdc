import numpy as np
import pandas as pd
import pytest

from workbench.data.columns import read_columns
from workbench.errors import BarError, ConfigError, DataError

START_MS = 1_735_689_600_000
ROW = [10.0, 12.0, 9.0, 11.0, 5.0]
FIELDS = ["open", "high", "low", "close", "volume"]


def table(*names: str) -> pd.DataFrame:
    return pd.DataFrame([[START_MS, *ROW]], columns=list(names))


@pytest.mark.parametrize(
    "names",
    [
        ("timestamp", *FIELDS),
        ("Date", "Open", "High", "Low", "Close", "Volume"),
        (" unix ", "OPEN", "high ", "low", "close", "Volume BTC"),
        ("open_time", "o", "h", "l", "c", "v"),
    ],
)
def test_usual_names_are_found_in_any_case(names: tuple[str, ...]) -> None:
    candles = read_columns(table(*names), base="BTC")
    assert candles.time_ns.tolist() == [START_MS * 1_000_000]
    assert candles.values[:, 0].tolist() == ROW


def test_volume_is_that_of_the_traded_coin() -> None:
    frame = table("unix", "open", "high", "low", "close", "Volume BTC")
    frame.insert(5, "Volume USDT", [999.0])
    assert read_columns(frame, base="BTC").values[4, 0] == 5.0
    assert read_columns(frame, base="USDT").values[4, 0] == 999.0


def test_named_column_wins_over_the_usual_one() -> None:
    frame = table("time", *FIELDS).assign(adjusted=[7.0])
    assert read_columns(frame, base="BTC", columns={"close": "adjusted"}).values[3, 0] == 7.0


def test_first_of_two_columns_of_one_name_is_read() -> None:
    frame = table("time", *FIELDS)
    frame.insert(6, "CLOSE", [99.0])
    assert read_columns(frame, base="BTC").values[3, 0] == ROW[3]


def test_numbers_are_preferred_over_text_for_the_time() -> None:
    frame = table("unix", *FIELDS)
    frame.insert(0, "date", ["01.01.2025 00:00"])
    assert read_columns(frame, base="BTC").time_ns.tolist() == [START_MS * 1_000_000]


def test_index_of_times_is_used_when_no_column_has_them() -> None:
    frame = pd.DataFrame([ROW], columns=FIELDS, index=pd.to_datetime([START_MS], unit="ms", utc=True))
    assert read_columns(frame, base="BTC").time_ns.tolist() == [START_MS * 1_000_000]


@pytest.mark.parametrize("missing", ["time", *FIELDS])
def test_missing_column_is_named_with_those_there_are_and_the_way_out(missing: str) -> None:
    frame = table("time", *FIELDS).drop(columns=missing)
    with pytest.raises(DataError) as caught:
        read_columns(frame, base="BTC")
    message = str(caught.value)
    assert message.startswith(f"there is no column for {missing} (looked for ")
    assert f"the columns are {', '.join(frame.columns)}" in message
    assert message.endswith(f'pass columns={{"{missing}": "..."}}')


def test_named_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="there is no column 'vwap' for close; the columns are time, open"):
        read_columns(table("time", *FIELDS), base="BTC", columns={"close": "vwap"})


def test_unknown_key_of_columns_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="columns may name time, open, high, low, close, volume, was 'date', 'vol'"):
        read_columns(table("time", *FIELDS), base="BTC", columns={"vol": "volume", "date": "time"})


def test_cell_that_is_no_number_is_named_with_its_row() -> None:
    frame = pd.concat([table("time", *FIELDS)] * 3, ignore_index=True).astype({"high": object})
    frame.loc[2, "high"] = "12,5"
    with pytest.raises(BarError, match=r"^row 2: high must be a number, was '12,5' \(pass .*decimal=','\) if"):
        read_columns(frame, base="BTC")


def test_empty_cell_stays_nan_for_bars_to_judge() -> None:
    frame = table("time", *FIELDS).assign(volume=[None])
    assert np.isnan(read_columns(frame, base="BTC").values[4, 0])
