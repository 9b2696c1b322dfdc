"""Whatever a file holds, it becomes bars or a report, or is refused by one of the package's errors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data import FileFormat, load_bars, quality_report, read_funding
from workbench.errors import WorkbenchError

NAMES = ("time", "unix", "date", "open", "high", "low", "close", "volume", "Volume BTC", "rate", "other")
TIME = 1_735_689_600_000
odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([TIME, TIME + 3_600_000, TIME // 1_000, 10**400, -1, 0]),
    st.floats(),
    st.sampled_from(
        ["", "1", str(TIME), "2025-01-01", "2025-01-01 03:00", "2025-01-01T03:00Z", "1,234.5", "nan", "inf"]
    ),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
rows_of_json = st.one_of(
    st.lists(st.lists(odd_values, min_size=5, max_size=7), max_size=4),
    st.lists(st.dictionaries(st.sampled_from(NAMES), odd_values), max_size=4),
    odd_values,
)
cells = st.one_of(
    st.sampled_from(
        ["", "1", "2.5", str(TIME), str(TIME // 1_000), "2025-01-01", "2025-01-01T03:00Z", '"1,234.5"', "NULL"]
    ),
    st.text(alphabet=' ,;"\t\n\r0123456789.-:TZeENa\ufeff', max_size=12),
)
rows_of_csv = st.lists(st.lists(cells, max_size=8).map(",".join), max_size=6)
headers = st.one_of(
    st.just("time,open,high,low,close,volume"), st.lists(st.sampled_from(NAMES), max_size=8).map(",".join), cells
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


def try_all(path: Path) -> None:
    ways: list[Callable[[FileFormat], object]] = [
        lambda form: load_bars(path, "BTC/USDT", "1h", file_format=form),
        lambda form: repr(quality_report(path, "BTC/USDT", "1h", file_format=form).to_frame()),
        lambda form: quality_report(path, "BTC/USDT", "1h", file_format=form).repair(
            order=True, units=True, duplicates="first", bad_rows="drop"
        ),
        lambda form: repr(read_funding(path, "BTC/USDT:USDT", file_format=form)),
    ]
    for form in (FileFormat(), FileFormat(time_zone="Europe/Berlin", thousands=",")):
        for way in ways:
            try:
                way(form)
            except WorkbenchError as error:
                assert str(error)  # noqa: PT017 - most files are refused, and some are not


@given(content=rows_of_json)
def test_any_json_is_read_or_refused(folder: Path, content: object) -> None:
    path = folder / "odd.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    try_all(path)


@given(header=headers, rows=rows_of_csv)
def test_any_csv_is_read_or_refused(folder: Path, header: str, rows: list[str]) -> None:
    path = folder / "odd.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    try_all(path)


@given(content=st.binary(max_size=300), suffix=st.sampled_from(["csv", "json", "parquet", "feather"]))
def test_any_bytes_are_read_or_refused(folder: Path, content: bytes, suffix: str) -> None:
    path = folder / f"odd.{suffix}"
    path.write_bytes(content)
    try_all(path)
