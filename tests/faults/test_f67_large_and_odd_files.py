"""F67: a CSV file that is huge, or written in another way than usual, is read right or refused with row and reason."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.data import FileFormat, load_bars
from workbench.errors import BarError, DataError, MissingDataError, OutOfOrderError
from workbench.model.bars import Bars
from workbench.model.synthetic import synthetic_bars

HEADER = "time,open,high,low,close,volume"
GIB = 1_073_741_824


@pytest.fixture
def hours() -> Bars:
    return synthetic_bars("BTC/USDT", "1h", 50, start="2025-01-01")


def rows(bars: Bars, *, form: str = "{:.2f}", separator: str = ",") -> list[str]:
    """Write bars as lines with times in whole seconds."""
    times = (bars.time_ns // 1_000_000_000).tolist()
    return [
        separator.join([str(time), *(form.format(value) for value in row)])
        for time, row in zip(times, bars.values[:, 0].T.tolist(), strict=True)
    ]


def cents(bars: Bars) -> Bars:
    """Return bars as they are after they were written with two decimals."""
    return Bars(bars.symbols, bars.timeframe, bars.instruments, bars.time_ns, np.round(bars.values, 2))


def load(path: Path, **options: object) -> Bars:
    return load_bars(path, "BTC/USDT", "1h", **options)  # type: ignore[arg-type] # each test passes what it tests


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_file_of_ten_gigabytes_is_refused_at_once_with_size_and_estimate(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "huge.csv", "\n".join([HEADER, *rows(hours) * 40]) + "\n")
    lines, size = 2_001, path.stat().st_size
    os.truncate(path, 10 * GIB)  # a hole at the end: it takes no room on the disk
    expected = round(10 * GIB * lines / size / 1e6)
    with pytest.raises(
        DataError, match=r"huge\.csv has 10\.7 GB, about [\d,]+ rows; the limit is 1\.1 GB: cut it"
    ) as caught:
        load(path)
    estimate = int(str(caught.value).split("about ")[1].split(" rows")[0].replace(",", ""))
    # The estimate is made from the first 64 KiB, the exact number of the whole text.
    assert abs(estimate / 1e6 - expected) < 0.1 * expected


def test_limit_can_be_set(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "small.csv", "\n".join([HEADER, *rows(hours)]))
    with pytest.raises(DataError, match=r"has 2\.\d KB, about \d\d rows; the limit is 2\.0 KB"):
        load(path, file_format=FileFormat(max_size_bytes=2_000))
    assert load(path) == cents(hours)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_and_line_ends_do_not_matter(hours: Bars, tmp_path: Path, end: str, mark: str) -> None:
    path = written(tmp_path / "ends.csv", mark + end.join([HEADER, *rows(hours)]) + end)
    assert load(path) == cents(hours)


def test_mixed_line_ends_and_blank_lines_do_not_matter(hours: Bars, tmp_path: Path) -> None:
    lines = [HEADER, *rows(hours)]
    text = "".join(line + ("\r\n", "\n", "\n\n")[row % 3] for row, line in enumerate(lines))
    assert load(written(tmp_path / "mixed.csv", text)) == cents(hours)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separator_is_named_and_read_when_stated(hours: Bars, tmp_path: Path, separator: str) -> None:
    text = "\n".join([HEADER.replace(",", separator), *rows(hours, separator=separator)])
    path = written(tmp_path / "separated.csv", text)
    with pytest.raises(DataError, match=r"the header has no ',' but '.+': pass file_format=FileFormat\(separator='"):
        load(path)
    assert load(path, file_format=FileFormat(separator=separator)) == cents(hours)


def test_thousands_separators_are_named_with_their_row_and_read_when_stated(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "grouped.csv", "\n".join([HEADER, *rows(hours, form='"{:,.2f}"')]))
    with pytest.raises(BarError, match=r"row 0: open must be a number, was '\d+,\d+\.\d+' \(pass .*thousands=','\)"):
        load(path)
    assert load(path, file_format=FileFormat(thousands=",")) == cents(hours)


def test_decimal_comma_is_named_with_its_row_and_read_when_stated(hours: Bars, tmp_path: Path) -> None:
    text = "\n".join([HEADER.replace(",", ";"), *rows(hours, separator=";")]).replace(".", ",")
    path = written(tmp_path / "comma.csv", text)
    with pytest.raises(BarError, match=r"row 0: open must be a number, was '\d+,\d+' \(pass .*decimal=','"):
        load(path, file_format=FileFormat(separator=";"))
    assert load(path, file_format=FileFormat(separator=";", decimal=",")) == cents(hours)


def test_lines_above_the_header_are_named_and_skipped_when_stated(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "headed.csv", "\n".join(["made by a site", HEADER, *rows(hours)]))
    with pytest.raises(DataError, match=r"line 1 is no header: pass file_format=FileFormat\(skip_rows=1\)"):
        load(path)
    assert load(path, file_format=FileFormat(skip_rows=1)) == cents(hours)


def test_file_without_header_is_refused_and_its_first_row_is_not_lost(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "bare.csv", "\n".join(rows(hours)))
    with pytest.raises(DataError, match="there is no header, the first line is data"):
        load(path)
    assert load(path, file_format=FileFormat(header=tuple(HEADER.split(",")))) == cents(hours)


@pytest.mark.parametrize(("unit", "ns"), [("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1)])
def test_each_unit_of_time_is_read_and_another_one_stated_is_refused(
    hours: Bars, tmp_path: Path, unit: str, ns: int
) -> None:
    lines = [f"{time // ns},1,1,1,1,1" for time in hours.time_ns.tolist()]
    path = written(tmp_path / "unit.csv", "\n".join([HEADER, *lines]))
    assert load(path).time_ns.tolist() == hours.time_ns.tolist()
    assert load(path, time_unit=unit).time_ns.tolist() == hours.time_ns.tolist()
    with pytest.raises(BarError, match=r"row 0: time .* looks like"):
        load(path, time_unit="ms" if unit != "ms" else "s")


def test_times_without_zone_are_refused_and_read_when_stated(hours: Bars, tmp_path: Path) -> None:
    local = hours.to_frame().tz_convert("Asia/Tokyo").tz_localize(None).reset_index()
    local.to_csv(tmp_path / "naive.csv", index=False)
    local.to_feather(tmp_path / "naive.feather")
    for name in ("naive.csv", "naive.feather"):
        with pytest.raises(DataError, match=r"no zone .*file_format=FileFormat\(time_zone=\"UTC\"\)"):
            load(tmp_path / name)
        assert load(tmp_path / name, file_format=FileFormat(time_zone="Asia/Tokyo")) == hours


def test_hour_that_a_clock_shows_twice_is_refused(tmp_path: Path) -> None:
    text = "\n".join([HEADER, *(f"2024-10-27 0{hour}:00:00,1,1,1,1,1" for hour in range(5))])
    with pytest.raises(DataError, match="times cannot be of Europe/Berlin, whose clock is changed twice a year"):
        load(written(tmp_path / "berlin.csv", text), file_format=FileFormat(time_zone="Europe/Berlin"))


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda lines: lines[::-1], OutOfOrderError, "row 1 .*earlier than the row before"),
        (lambda lines: [*lines[:8], lines[7], *lines[8:]], OutOfOrderError, "row 8 .*duplicate time"),
        (
            lambda lines: [*lines[:8], lines[8][:12], *lines[9:]],
            BarError,
            "row 8 .*high, low, close, volume are nan",
        ),
        (lambda lines: [*lines[:8], "x" + lines[8], *lines[9:]], BarError, "row 8: time 'x.*' is no number"),
        (lambda lines: [*lines[:8], lines[8] + ",7", *lines[9:]], DataError, "Expected 6 fields in line 10, saw 7"),
        (
            lambda lines: [line + ",7" for line in lines],
            DataError,
            "rows have more fields than the header, which has 6",
        ),
    ],
    ids=["newest first", "duplicate", "cut row", "letter in a time", "one long row", "all rows long"],
)
def test_wrong_rows_are_named_and_nothing_is_repaired(
    hours: Bars, tmp_path: Path, change: object, error: type[Exception], reason: str
) -> None:
    lines = change(rows(hours))  # type: ignore[operator] # a function of the case
    with pytest.raises(error, match=reason):
        load(written(tmp_path / "wrong.csv", "\n".join([HEADER, *lines])))


def test_text_of_another_encoding_is_refused(hours: Bars, tmp_path: Path) -> None:
    path = written(tmp_path / "wide.csv", "\n".join([HEADER, *rows(hours)]), "utf-16")
    with pytest.raises(DataError, match=r"wide\.csv cannot be read as csv: it is UTF-16 text: save it as UTF-8"):
        load(path)
    latin = written(tmp_path / "latin.csv", f"{HEADER},Währung\n1735689600,1,1,1,1,1,€", "cp1252")
    with pytest.raises(DataError, match=r"latin\.csv cannot be read as csv: 'utf-8' codec"):
        load(latin)


@pytest.mark.parametrize("text", ["", "\n\n\n", HEADER, HEADER + "\n"])
def test_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises((DataError, MissingDataError)):
        load(written(tmp_path / "empty.csv", text))


def test_json_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.data.files._MAX_JSON_BYTES", 1_000)
    path = written(tmp_path / "long.json", "[" + "[1735689600000,1,1,1,1,1]," * 100 + "[]]")
    with pytest.raises(DataError, match=r"JSON is read up to 1\.0 KB; write it as CSV or Parquet"):
        load(path)


def test_columns_that_nobody_needs_may_hold_anything(hours: Bars, tmp_path: Path) -> None:
    frame = hours.to_frame().reset_index().assign(note="x" * 60, tags=[["a"]] * len(hours))
    frame.to_parquet(tmp_path / "rich.parquet")
    assert load(tmp_path / "rich.parquet") == hours
    assert isinstance(frame, pd.DataFrame)
