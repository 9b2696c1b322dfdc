import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.data import load_bars
from workbench.errors import BarError, ConfigError, DataError, MissingDataError, OutOfOrderError
from workbench.model.bars import Bars
from workbench.model.instrument import Instrument
from workbench.model.practice import PRACTICE_LIVE_START, practice_bars
from workbench.model.synthetic import synthetic_bars, synthetic_rows

DAY_NS = 86_400_000_000_000


@pytest.fixture
def hours() -> Bars:
    return synthetic_bars("BTC/USDT", "1h", 100, start="2025-01-01")


def frame_of(bars: Bars) -> pd.DataFrame:
    return bars.to_frame().reset_index()


def write(bars: Bars, path: Path) -> Path:
    frame = frame_of(bars)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".feather":
        frame.to_feather(path)
    else:
        times = (bars.time_ns // 1_000_000).tolist()
        path.write_text(
            json.dumps([[time, *row] for time, row in zip(times, bars.values[:, 0].T.tolist(), strict=True)])
        )
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".json"])
def test_file_gives_back_the_bars_that_were_written(hours: Bars, tmp_path: Path, suffix: str) -> None:
    path = write(hours, tmp_path / f"candles{suffix}")
    assert load_bars(path, "BTC/USDT", "1h") == hours
    assert load_bars(str(path), symbol="BTC/USDT", timeframe="1h") == hours


def test_parquet_with_its_times_in_the_index_is_read(hours: Bars, tmp_path: Path) -> None:
    hours.to_frame().to_parquet(tmp_path / "indexed.parquet")
    assert load_bars(tmp_path / "indexed.parquet", "BTC/USDT", "1h") == hours


def test_json_of_objects_is_read(hours: Bars, tmp_path: Path) -> None:
    frame = frame_of(hours).assign(time=hours.time_ns // 1_000_000)
    frame.to_json(tmp_path / "candles.json", orient="records", double_precision=15)
    assert load_bars(tmp_path / "candles.json", "BTC/USDT", "1h") == hours


def test_file_in_the_working_folder_is_found_by_its_name(
    hours: Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(hours, tmp_path / "candles.csv")
    monkeypatch.chdir(tmp_path)
    assert load_bars("candles.csv", "BTC/USDT", "1h") == hours


def test_instrument_of_a_file_is_plain_unless_one_is_given(hours: Bars, tmp_path: Path) -> None:
    path = write(hours, tmp_path / "candles.feather")
    rules = Instrument("BTC/USDT", lot=0.001, tick=0.1)
    assert load_bars(path, "BTC/USDT", "1h").instruments == (Instrument("BTC/USDT"),)
    assert load_bars(path, "BTC/USDT", "1h", instrument=rules).instruments == (rules,)


def test_only_bars_wholly_between_start_and_end_are_kept(hours: Bars, tmp_path: Path) -> None:
    path = write(hours, tmp_path / "candles.feather")
    part = load_bars(path, "BTC/USDT", "1h", start="2025-01-02", end="2025-01-03T02:30Z")
    # From bar 24 on; the bar of 02:00 is still open at 02:30, so 24 + 2 bars.
    assert part == hours[24:50]
    assert load_bars(path, "BTC/USDT", "1h", end="2025-01-01T01:00Z") == hours[:1]


def test_practice_market_is_the_one_that_the_exchange_plays() -> None:
    bars = load_bars("practice", "BTC/USDT", "1h", start="2025-06-01", end="2025-06-03")
    assert bars == practice_bars("BTC/USDT", "1h", "2025-06-01", "2025-06-03")
    assert bars.instruments[0].tick == 0.01


def test_made_up_markets_reach_ninety_days_back_from_the_live_start() -> None:
    for source in ("practice", "synthetic"):
        bars = load_bars(source, "BTC/USDT", "1d")
        assert len(bars) == 90
        assert bars.time_ns[-1] == PRACTICE_LIVE_START - DAY_NS


def test_start_alone_reaches_to_the_live_start_and_end_alone_ninety_days_back() -> None:
    assert load_bars("practice", "BTC/USDT", "1d", start="2025-06-20").time_ns[-1] == PRACTICE_LIVE_START - DAY_NS
    assert len(load_bars("practice", "BTC/USDT", "1d", start="2025-09-01")) == 90
    assert str(load_bars("practice", "BTC/USDT", "1d", end="2024-04-01").start.date()) == "2024-01-02"


def test_seed_chooses_the_made_up_market() -> None:
    for source in ("practice", "synthetic"):
        one, same, other = (load_bars(source, "BTC/USDT", "1h", start="2025-06-29", seed=seed) for seed in (3, 3, 4))
        assert one == same
        assert one != other


def test_synthetic_market_begins_at_the_first_whole_bar() -> None:
    bars = load_bars("synthetic", "BTC/USDT", "1h", start="2025-01-01T00:30Z", end="2025-01-01T05:10Z")
    assert (bars.start.hour, bars.end.hour) == (1, 4)
    assert bars == synthetic_bars("BTC/USDT", "1h", 4, seed=0, start="2025-01-01T01:00Z")


def test_several_symbols_share_one_axis() -> None:
    bars = load_bars("practice", ["BTC/USDT", "ETH/USDT"], "1h", start="2025-06-01", end="2025-06-02")
    assert bars.symbols == ("BTC/USDT", "ETH/USDT")
    assert len(bars) == 24
    assert bars.valid.all()


@pytest.mark.parametrize("source", ["practice", "synthetic"])
def test_range_without_a_bar_says_so(source: str) -> None:
    with pytest.raises(MissingDataError, match="no whole 1h bar lies between"):
        load_bars(source, "BTC/USDT", "1h", start="2025-01-01T00:30Z", end="2025-01-01T01:30Z")


def test_range_outside_a_file_says_where_it_is(hours: Bars, tmp_path: Path) -> None:
    path = write(hours, tmp_path / "candles.feather")
    with pytest.raises(MissingDataError) as caught:
        load_bars(path, "BTC/USDT", "1h", start="2026-01-01")
    assert str(caught.value) == (
        "candles.feather has no bar between start and end: it goes from 2025-01-01T00:00Z to 2025-01-05T03:00Z"
    )


def test_unknown_source_lists_the_possibilities_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load_bars("practise", "BTC/USDT", "1h")
    assert str(caught.value) == (
        'unknown source \'practise\': it may be "practice", "synthetic", the path of a file (.csv, .parquet, .feather, '
        ".json) or the name of a ccxt exchange such as \"binance\"; did you mean 'practice'?"
    )


def test_missing_symbol_and_timeframe_are_both_named() -> None:
    with pytest.raises(ConfigError, match=r"symbol is missing: .* 'BTC/USDT'; timeframe is missing: .* '1h'"):
        load_bars("practice")
    with pytest.raises(ConfigError, match="symbol is missing"):
        load_bars("practice", [], "1h")


@pytest.mark.parametrize("timeframe", ["1x", "hour", "0m", "1M"])
def test_unknown_timeframe_is_refused(timeframe: str) -> None:
    with pytest.raises(ConfigError, match="timeframe must be"):
        load_bars("practice", "BTC/USDT", timeframe)


def test_start_after_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="start must be before end, was 2025-01-02 with the end 2025-01-01"):
        load_bars("practice", "BTC/USDT", "1h", start="2025-01-02", end="2025-01-01")


def test_arguments_of_another_kind_of_source_are_refused_by_name(hours: Bars, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="time_unit is for a file, columns is for a file; this source is a made-up"):
        load_bars("practice", "BTC/USDT", "1h", time_unit="ms", columns={"time": "t"})
    with pytest.raises(ConfigError, match="seed is for a made-up market; this source is a file"):
        load_bars(write(hours, tmp_path / "candles.csv"), "BTC/USDT", "1h", seed=1)


def test_file_for_several_symbols_is_refused(hours: Bars, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a file holds one symbol, 2 were asked for"):
        load_bars(write(hours, tmp_path / "candles.csv"), ["BTC/USDT", "ETH/USDT"], "1h")


@pytest.mark.parametrize("name", ["nowhere.csv", "folder/nowhere.csv"])
def test_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingDataError, match=r"there is no file .*nowhere\.csv"):
        load_bars(str(tmp_path / name), "BTC/USDT", "1h")


def test_folder_and_unknown_suffix_are_refused(tmp_path: Path) -> None:
    (tmp_path / "candles.xlsx").write_text("no")
    with pytest.raises(MissingDataError, match="is not a file"):
        load_bars(tmp_path, "BTC/USDT", "1h")
    with pytest.raises(DataError, match=r"the suffix must be one of \.csv, \.parquet, \.feather, \.json, was '\.xlsx'"):
        load_bars(tmp_path / "candles.xlsx", "BTC/USDT", "1h")


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".json"])
def test_file_of_another_format_is_refused_by_name(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"broken{suffix}").write_bytes(b"this is not it")
    with pytest.raises(DataError, match=rf"broken\{suffix} cannot be read as {suffix[1:]}"):
        load_bars(tmp_path / f"broken{suffix}", "BTC/USDT", "1h")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1}', "must be a list of bars, was dict"),
        ("[[1, 2], [3]]", r"row 0 must be \[timestamp, open"),
        ("[7]", "row 0"),
    ],
)
def test_json_of_another_shape_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "candles.json").write_text(content)
    with pytest.raises(DataError, match=reason):
        load_bars(tmp_path / "candles.json", "BTC/USDT", "1h")


@pytest.mark.parametrize(
    ("name", "content"), [("empty.csv", "time,open,high,low,close,volume\n"), ("empty.json", "[]")]
)
def test_file_without_rows_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(MissingDataError, match=f"{name} has no rows"):
        load_bars(tmp_path / name, "BTC/USDT", "1h")


def test_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nothing.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"nothing\.csv cannot be read as csv"):
        load_bars(tmp_path / "nothing.csv", "BTC/USDT", "1h")


def messy(hours: Bars, tmp_path: Path, **changes: object) -> Path:
    """Write a CSV as a download site does: milliseconds, readable dates beside them, volumes of both coins."""
    frame = frame_of(hours)
    frame.insert(0, "unix", hours.time_ns // 1_000_000)
    frame["time"] = frame["time"].dt.strftime("%Y-%m-%d %H:%M:%S")
    frame = frame.rename(columns={"time": "date", "volume": "Volume BTC"}).assign(**{"Volume USDT": 1.0})
    for column, rows in changes.items():
        for row, value in rows.items():  # type: ignore[attr-defined] # a mapping from row to value
            frame.loc[row, column.replace("_", " ")] = value
    frame.to_csv(tmp_path / "messy.csv", index=False)
    return tmp_path / "messy.csv"


def test_csv_of_a_download_site_is_read_without_help(hours: Bars, tmp_path: Path) -> None:
    assert load_bars(messy(hours, tmp_path), "BTC/USDT", "1h") == hours


def test_seconds_among_milliseconds_are_named(hours: Bars, tmp_path: Path) -> None:
    path = messy(hours, tmp_path, unix={60: hours.time_ns[60] // 1_000_000_000})
    with pytest.raises(BarError, match=r"^messy\.csv: row 60: time \d{10} looks like seconds, where milliseconds came"):
        load_bars(path, "BTC/USDT", "1h")


def test_newest_first_is_refused_and_not_turned(hours: Bars, tmp_path: Path) -> None:
    frame = frame_of(hours).iloc[::-1]
    frame.to_csv(tmp_path / "newest.csv", index=False)
    with pytest.raises(OutOfOrderError, match=r"^newest\.csv: row 1 .*earlier than the row before"):
        load_bars(tmp_path / "newest.csv", "BTC/USDT", "1h")


def test_duplicate_is_named(tmp_path: Path) -> None:
    rows = synthetic_rows("BTC/USDT", "1h", 50, start="2025-01-01", duplicates=1)
    pd.DataFrame(rows._asdict()).to_feather(tmp_path / "twice.feather")
    row = int(np.flatnonzero(np.diff(rows.time_ns) == 0)[0]) + 1
    with pytest.raises(OutOfOrderError, match=rf"^twice\.feather: row {row} .*: duplicate time"):
        load_bars(tmp_path / "twice.feather", "BTC/USDT", "1h")


def test_impossible_price_is_named(hours: Bars, tmp_path: Path) -> None:
    with pytest.raises(BarError, match=r"^messy\.csv: .*row 7 \(2025-01-01T07:00Z\): open .*-1\.0"):
        load_bars(messy(hours, tmp_path, open={7: -1.0}), "BTC/USDT", "1h")


def test_gaps_stay_gaps(tmp_path: Path) -> None:
    holed = synthetic_bars("BTC/USDT", "1m", 300, gaps=5)
    assert load_bars(write(holed, tmp_path / "holed.parquet"), "BTC/USDT", "1m") == holed


def test_rows_of_another_timeframe_are_refused_both_ways(hours: Bars, tmp_path: Path) -> None:
    path = write(hours, tmp_path / "candles.csv")
    with pytest.raises(BarError, match="opens 3600 s after the row before, less than the timeframe 4h"):
        load_bars(path, "BTC/USDT", "4h")
    with pytest.raises(DataError, match=r"rows are usually 3600 s apart, further than the timeframe 1m \(60 s\)"):
        load_bars(path, "BTC/USDT", "1m")


def test_exchange_needs_a_start() -> None:
    with pytest.raises(ConfigError, match="start is missing: an exchange must be told from when on"):
        load_bars("binance", "BTC/USDT", "1h")


def test_room_loads_neither_pandas_nor_ccxt_until_they_are_needed() -> None:
    code = (
        "import sys, workbench.data as data; data.load_bars('practice', 'BTC/USDT', '1d', start='2025-06-30'); "
        "assert not {'pandas', 'pyarrow', 'ccxt', 'numba'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=200)
