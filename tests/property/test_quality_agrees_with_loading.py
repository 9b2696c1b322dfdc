"""However rows are spoiled: the report calls them loadable exactly when they load, and mends all that can be mended."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data import load_bars, quality_report
from workbench.errors import DataError
from workbench.model.synthetic import synthetic_bars

BARS = synthetic_bars("BTC/USDT", "1h", 40, start="2025-01-01")
Spoil = Callable[[pd.DataFrame, int], pd.DataFrame]


def clean() -> pd.DataFrame:
    frame = BARS.to_frame().reset_index(drop=True).astype(object)
    frame.insert(0, "unix", (BARS.time_ns // 1_000_000).astype(object))
    return frame


def put(column: str, value: object) -> Spoil:
    def spoil(frame: pd.DataFrame, row: int) -> pd.DataFrame:
        frame.loc[frame.index[row % len(frame)], column] = value
        return frame

    return spoil


def moved(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    order = np.roll(np.arange(len(frame)), row % len(frame))
    return frame.iloc[order].reset_index(drop=True)


def repeated(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    place = row % len(frame)
    return pd.concat([frame.iloc[: place + 1], frame.iloc[place:]]).reset_index(drop=True)


def dropped(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    return frame.drop(index=row % len(frame)).reset_index(drop=True) if len(frame) > 5 else frame


def in_seconds(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    place = frame.index[row % len(frame)]
    if isinstance(frame.loc[place, "unix"], int) and frame.loc[place, "unix"] > 10**11:
        frame.loc[place, "unix"] //= 1_000
    return frame


def reversed_rows(frame: pd.DataFrame, _: int) -> pd.DataFrame:
    return frame.iloc[::-1].reset_index(drop=True)


def shifted(frame: pd.DataFrame, _: int) -> pd.DataFrame:
    is_late = [isinstance(time, int) and time > 10**11 for time in frame["unix"]]
    frame.loc[is_late, "unix"] += 61_000
    return frame


SPOILS: dict[str, Spoil] = {
    "moved": moved,
    "repeated": repeated,
    "dropped": dropped,
    "in seconds": in_seconds,
    "reversed": reversed_rows,
    "all off the grid": shifted,
    "negative price": put("low", -5.0),
    "high below low": put("high", 1.0),
    "no volume": put("volume", None),
    "word for a price": put("close", "n/a."),
    "word for a time": put("unix", "noon"),
    "no time": put("unix", None),
    "time of no unit": put("unix", 12),
    "time off the grid": put("unix", 1_735_689_600_000 + 61_000),
    "price of another coin": put("open", 3.0),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rows") / "rows.csv"


def check(path: Path, spoils: list[tuple[str, int]]) -> None:
    frame = clean()
    for name, row in spoils:
        frame = SPOILS[name](frame, row)
    frame.to_csv(path, index=False)
    report = quality_report(path, "BTC/USDT", "1h")
    try:
        loaded = load_bars(path, "BTC/USDT", "1h")
    except DataError:
        loaded = None
    assert report.is_loadable == (loaded is not None), (spoils, report)
    if loaded is not None:
        assert report.repair().bars == loaded
    if "spacing" in report.counts:  # rows that overlap are not mended, as nobody can say which is right
        return
    repaired = report.repair(order=True, units=True, duplicates="last", bad_rows="drop").bars
    assert quality_report(repaired).is_loadable
    assert 30 <= len(repaired) <= 40


@pytest.mark.parametrize("row", [0, 1, 20, 39])
@pytest.mark.parametrize("name", sorted(SPOILS))
def test_rows_with_one_fault_are_loadable_exactly_when_they_load(path: Path, name: str, row: int) -> None:
    check(path, [(name, row)])


@given(spoils=st.lists(st.tuples(st.sampled_from(sorted(SPOILS)), st.integers(0, 60)), max_size=4))
def test_rows_with_several_faults_are_loadable_exactly_when_they_load(
    path: Path, spoils: list[tuple[str, int]]
) -> None:
    check(path, spoils)
