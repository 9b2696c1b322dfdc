import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import BarError, DataError, OutOfOrderError
from workbench.model import Bars, Instrument

HOUR_NS = 3_600_000_000_000
START_NS = 1_735_689_600_000_000_000  # 2025-01-01T00:00Z
TIMES_NS = START_NS + np.arange(3) * HOUR_NS
EXPECTED = Bars.from_arrays(
    "BTC/USDT",
    "1h",
    TIMES_NS,
    open=[10.0, 11.0, 12.0],
    high=[12.0, 13.0, 14.0],
    low=[9.0, 10.0, 11.0],
    close=[11.0, 12.0, 13.0],
    volume=[5.0, 0.0, 6.0],
)


def frame(times: Any = None, name: str = "time", **changes: Any) -> pd.DataFrame:
    """Return the frame of `EXPECTED`, with a column of times."""
    data = {
        "open": [10.0, 11.0, 12.0],
        "high": [12.0, 13.0, 14.0],
        "low": [9.0, 10.0, 11.0],
        "close": [11.0, 12.0, 13.0],
        "volume": [5.0, 0.0, 6.0],
    }
    return pd.DataFrame({name: aware() if times is None else times, **data, **changes})


def aware(unit: str = "ns", zone: str = "UTC") -> pd.DatetimeIndex:
    return pd.DatetimeIndex(TIMES_NS.view("M8[ns]")).tz_localize("UTC").tz_convert(zone).as_unit(unit)


def bars_of(table: Any, **options: Any) -> Bars:
    return Bars.from_frame(table, symbol="BTC/USDT", timeframe="1h", **options)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("is_index", [True, False])
def test_aware_times_of_any_unit_and_zone_become_nanoseconds(unit: str, zone: str, is_index: bool) -> None:
    table = frame(aware(unit, zone))
    assert bars_of(table.set_index("time") if is_index else table) == EXPECTED


@pytest.mark.parametrize(("unit", "scale"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)])
@pytest.mark.parametrize("kind", ["int64", "uint64", "Int64"])
def test_integer_times_of_a_named_unit_become_nanoseconds(unit: str, scale: int, kind: str) -> None:
    table = frame(pd.array(TIMES_NS // scale, dtype=kind))
    assert bars_of(table, time_unit=unit) == EXPECTED


def test_integers_may_stand_in_an_index_with_a_usual_name() -> None:
    assert bars_of(frame(TIMES_NS // 10**6, "Timestamp").set_index("Timestamp"), time_unit="ms") == EXPECTED


def test_whole_floats_are_taken_for_the_integers_they_are() -> None:
    assert bars_of(frame((TIMES_NS // 10**6).astype(float)), time_unit="ms") == EXPECTED


@pytest.mark.parametrize("name", ["time", "Timestamp", "DATE", "datetime", "open_time", "Open Time", "unix"])
def test_column_of_times_is_found_by_its_usual_names(name: str) -> None:
    assert bars_of(frame(name=name)) == EXPECTED


def test_aware_index_comes_before_a_column_of_times() -> None:
    table = frame().set_index("time")
    table["date"] = ["a", "b", "c"]
    assert bars_of(table) == EXPECTED


def test_column_names_are_found_in_any_case_and_in_any_order() -> None:
    table = frame().rename(columns={"open": "Open", "volume": " VOLUME "})
    assert bars_of(table[list(reversed(table.columns))]) == EXPECTED


def test_own_column_names_are_told() -> None:
    table = frame(name="when").rename(columns={"volume": "Volume BTC", "close": "last"})
    table["close"] = 1.0
    names = {"time": "when", "volume": "volume btc", "close": "last"}
    assert bars_of(table, columns=names) == EXPECTED
    assert bars_of(table.set_index("when"), columns=names) == EXPECTED


def test_missing_bar_is_a_row_of_nan() -> None:
    table = frame()
    table.loc[1, ["open", "high", "low", "close", "volume"]] = np.nan
    assert bars_of(table).valid.tolist() == [[True, False, True]]


def test_numbers_may_be_nullable_decimal_or_text() -> None:
    table = frame().astype({"open": "Float64", "high": "Int64", "low": "str"})
    assert bars_of(table) == EXPECTED


@pytest.mark.parametrize("kind", ["Float64", "Int64", "object"])
def test_number_that_is_not_there_is_nan(kind: str) -> None:
    with pytest.raises(BarError, match=r"row 2 .* open is nan"):
        bars_of(frame(open=pd.Series([10, 11, pd.NA], dtype=kind)))


def test_mixed_zones_in_a_column_of_objects_are_read_one_by_one() -> None:
    times = [aware()[0], aware(zone="Asia/Tokyo")[1], aware()[2].to_pydatetime()]
    assert bars_of(frame(pd.array(times, dtype=object))) == EXPECTED


def test_arrow_times_are_read_like_others() -> None:
    assert bars_of(frame(pd.Series(aware()).astype("timestamp[us, tz=UTC][pyarrow]"))) == EXPECTED


def test_instrument_is_kept() -> None:
    own = Instrument("BTC/USDT", lot=0.001)
    assert bars_of(frame(), instrument=own).instruments == (own,)


@pytest.mark.parametrize(
    ("times", "options", "words"),
    [
        (aware().tz_localize(None), {}, "times must have a time zone, were naive"),
        (pd.Series(aware().tz_localize(None)).astype("timestamp[us][pyarrow]"), {}, "must have a time zone"),
        (["2025-01-01", "2025-01-02", "2025-01-03"], {}, "times must be aware datetimes or integers"),
        (TIMES_NS // 10**9, {}, r"integer times need time_unit .*; these look like time_unit='s'"),
        (np.arange(3), {}, r"integer times need time_unit \('s', 'ms', 'us' or 'ns'\)$"),
        (
            TIMES_NS // 10**9,
            {"time_unit": "ms"},
            r"row 0: time 1735689600 is not in 2009..2099 as milliseconds; it looks like seconds \(3 in all\)",
        ),
        (TIMES_NS // 10**6, {"time_unit": "s"}, "as seconds; it looks like milliseconds"),
        (TIMES_NS, {"time_unit": "us"}, "as microseconds; it looks like nanoseconds"),
        (
            np.array([1_735_689_600, 1_735_693_200, 1_735_696_800_000]),
            {"time_unit": "s"},
            r"row 2: .* it looks like milliseconds \(1 in all\)",
        ),
        (TIMES_NS, {"time_unit": "minutes"}, "time_unit must be one of 's', 'ms', 'us', 'ns', was 'minutes'"),
        (
            np.array([1.5, 2.5, 3.5]),
            {"time_unit": "s"},
            r"row 0: time 1.5 is no whole number below 2\*\*53 \(3 in all\)",
        ),
        (TIMES_NS.astype(float), {"time_unit": "ns"}, r"is no whole number below 2\*\*53"),
        (np.array([1.7e9, np.nan, 1.8e9]), {"time_unit": "s"}, r"row 1: time is missing \(1 in all\)"),
        (aware().where([True, False, True]), {}, r"row 1: time is missing \(1 in all\)"),
        (pd.array([aware()[0], pd.NaT, aware()[2]], dtype=object), {}, "row 1: time is missing"),
        (
            pd.to_datetime(["2025-01-01", "2400-01-01", "2609-07-22"], utc=True).as_unit("us"),
            {},
            r"row 1: time 2400-01-01T00:00:00Z is not in 2009..2099 \(2 in all\)",
        ),
    ],
)
def test_times_that_cannot_be_trusted_are_refused(times: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        bars_of(frame(times), **options)


def test_unsorted_frame_is_refused_and_not_sorted() -> None:
    with pytest.raises(OutOfOrderError, match=r"row 1 .*: earlier than the row before"):
        bars_of(frame().iloc[::-1])


def test_frame_without_a_needed_column_lists_those_there_are() -> None:
    with pytest.raises(DataError, match=r"no column 'close'; there are: time, open, high, low, volume"):
        bars_of(frame().drop(columns="close"))
    with pytest.raises(DataError, match=r"no column 'Last'; there are: .* Name it with columns=\{'close': ...\}"):
        bars_of(frame(), columns={"close": "Last"})
    with pytest.raises(DataError, match=r"no times: neither the index nor a column \(open, high, low, close, volume\)"):
        bars_of(frame().drop(columns="time"))
    with pytest.raises(DataError, match="columns may name time, open, high, low, close, volume, was vol"):
        bars_of(frame(), columns={"vol": "volume"})


def test_column_of_words_is_refused() -> None:
    with pytest.raises(DataError, match=r"column of open must hold numbers: .*'x'"):
        bars_of(frame(open=["10", "x", "12"]))


def test_number_that_is_no_float_is_refused() -> None:
    with pytest.raises(DataError, match="column of open must hold numbers: they are complex128"):
        bars_of(frame(open=[10.0 + 1j, 11.0, 12.0]))
    with pytest.raises(DataError, match="column of open must hold numbers: int too large"):
        bars_of(frame(open=[10**400, 11.0, 12.0]))


@pytest.mark.parametrize("table", [None, {"open": [1.0]}, [[1.0]], pd.Series([1.0])])
def test_what_is_no_frame_is_refused(table: Any) -> None:
    with pytest.raises(
        DataError, match=f"frame must be a data frame with columns, was {type(table).__name__}; from_ar"
    ):
        bars_of(table)


def test_bars_do_not_share_the_frames_memory() -> None:
    table = frame()
    bars = bars_of(table)
    table.loc[:, "open"] = 10.5
    assert bars == EXPECTED


def test_frame_of_one_symbol_has_plain_columns_and_an_aware_index() -> None:
    table = EXPECTED.to_frame()
    assert list(table.columns) == ["open", "high", "low", "close", "volume"]
    assert table.index.name == "time"
    assert str(table.index.dtype) == "datetime64[ns, UTC]"
    assert table.loc["2025-01-01T01:00Z", "close"] == 12.0
    assert bars_of(table) == EXPECTED


def test_frame_can_be_written_without_changing_the_bars() -> None:
    for bars in (EXPECTED[:], EXPECTED[:1], joint()[:1]):
        table = bars.to_frame()
        table.iloc[:, :] = 1.0
        assert bars.values[0, 0, 0] == 10.0


def test_frame_of_several_symbols_has_them_above_the_fields() -> None:
    table = joint().to_frame()
    assert table.columns.names == ["symbol", "field"]
    assert table["ETH/USDT"]["open"].tolist()[1:] == [10.0, 11.0, 12.0]
    assert np.isnan(table["ETH/USDT"].iloc[0]).all()
    assert table["BTC/USDT"]["volume"].tolist()[:3] == [5.0, 0.0, 6.0]


def test_frame_of_no_rows_keeps_its_columns() -> None:
    assert EXPECTED[:0].to_frame().shape == (0, 5)
    assert joint()[:0].to_frame().shape == (0, 10)
    assert len(bars_of(EXPECTED[:0].to_frame())) == 0


def joint() -> Bars:
    """Return BTC at hours 0..2 and ETH, with the same prices, at hours 1..3."""
    fields = EXPECTED.values[:, 0]
    return Bars.join([EXPECTED, Bars.from_arrays("ETH/USDT", "1h", TIMES_NS + HOUR_NS, *fields)])


class StrangeColumn:
    """A column of another library: no index, no `dtype` argument, a zone under another name."""

    def __init__(self, numbers: Any, zone: str | None = None) -> None:
        self.numbers = np.asarray(numbers)
        self.dtype = type("Dtype", (), {"time_zone": zone})()

    def to_numpy(self) -> Any:
        return self.numbers


class StrangeFrame:
    def __init__(self, zone: str | None) -> None:
        self.columns = ["time", "open", "high", "low", "close", "volume"]
        self.zone = zone

    def __getitem__(self, name: str) -> StrangeColumn:
        if name == "time":
            return StrangeColumn(TIMES_NS.view("M8[ns]").astype("M8[us]"), self.zone)
        return StrangeColumn(getattr(EXPECTED, name))


def test_frame_of_another_library_is_read_as_well() -> None:
    assert bars_of(StrangeFrame("UTC")) == EXPECTED
    with pytest.raises(DataError, match="times must have a time zone"):
        bars_of(StrangeFrame(None))


def test_model_loads_without_pandas() -> None:
    code = "import sys, workbench.model; sys.exit('pandas' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
