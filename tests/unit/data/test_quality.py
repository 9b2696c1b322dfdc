from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.data import CandleStore, FileFormat, QualityReport, Span, load_bars, quality_report
from workbench.errors import BarError, ConfigError, DataError, MissingDataError
from workbench.model.bars import Bars
from workbench.model.synthetic import synthetic_bars

HOUR = 3_600_000_000_000


@pytest.fixture
def hours() -> Bars:
    return synthetic_bars("BTC/USDT", "1h", 200, start="2025-01-01")


@pytest.fixture
def frame(hours: Bars) -> pd.DataFrame:
    """Rows as a download site writes them, times in whole seconds."""
    table = hours.to_frame().reset_index(drop=True)
    table.insert(0, "unix", hours.time_ns // 10**9)
    return table


def report_of(frame: pd.DataFrame, tmp_path: Path, **options: object) -> QualityReport:
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return quality_report(tmp_path / "rows.csv", "BTC/USDT", "1h", **options)  # type: ignore[arg-type] # as the test says


def lines(report: QualityReport, kind: str) -> list[tuple[int | None, int, str]]:
    return [(finding.row, finding.count, finding.reason) for finding in report.listed(kind)]


def test_clean_rows_have_no_findings(frame: pd.DataFrame, hours: Bars, tmp_path: Path) -> None:
    report = report_of(frame, tmp_path)
    assert (report.is_clean, report.is_loadable, report.counts) == (True, True, {})
    assert report.headline() == "200 rows, 2025-01-01T00:00Z to 2025-01-09T07:00Z, times in seconds, clean"
    assert report.repair().bars == hours == load_bars(tmp_path / "rows.csv", "BTC/USDT", "1h")
    assert report.repair().steps == ()


def test_gap_is_told_with_its_length_and_does_not_keep_from_loading(frame: pd.DataFrame, tmp_path: Path) -> None:
    report = report_of(frame.drop(index=[50, 51, 52, 120]), tmp_path)
    assert lines(report, "gap") == [(None, 3, "until 2025-01-03T05:00Z"), (None, 1, "until 2025-01-06T01:00Z")]
    assert report.is_loadable
    assert not report.is_clean
    assert len(report.repair().bars) == 196


def test_repeated_rows_are_told_with_what_differs(frame: pd.DataFrame, tmp_path: Path) -> None:
    other = frame.loc[[60]].assign(close=frame.loc[60, "low"], volume=7.0)
    report = report_of(pd.concat([frame.loc[:40], frame.loc[[40]], frame.loc[41:60], other, frame.loc[61:]]), tmp_path)
    (same, differing) = lines(report, "duplicate")
    assert same == (41, 1, "repeats row 40 with the same numbers")
    assert differing[0] == 62
    close, low, volume = (f"{frame.loc[60, name]:.10g}" for name in ("close", "low", "volume"))
    assert differing[2] == f"repeats row 61 with other numbers: close {close} and {low}, volume {volume} and 7"
    assert not report.is_loadable


def test_repeated_rows_are_dropped_as_asked_only(frame: pd.DataFrame, hours: Bars, tmp_path: Path) -> None:
    other = frame.loc[[60]].assign(volume=7.0)
    report = report_of(pd.concat([frame.loc[:60], other, frame.loc[61:]]), tmp_path)
    with pytest.raises(DataError, match=r"more than was allowed: pass duplicates='first' or 'last'"):
        report.repair(order=True, units=True, bad_rows="drop")
    first, last = report.repair(duplicates="first"), report.repair(duplicates="last")
    assert first.bars == hours
    assert (last.bars.volume[60], len(last.bars)) == (7.0, 200)
    assert first.steps == ("kept the first of 1 repeated times, 1 of them with other numbers",)


def test_newest_first_is_one_finding_and_single_rows_are_each_their_own(
    frame: pd.DataFrame, hours: Bars, tmp_path: Path
) -> None:
    report = report_of(frame.iloc[::-1], tmp_path)
    assert lines(report, "out_of_order") == [(1, 199, "newest first")]
    repaired = report.repair(order=True)
    assert repaired.bars == hours
    assert repaired.steps == ("sorted 200 rows by time, which were newest first",)
    swapped = frame.iloc[[*range(10), 11, 10, *range(12, 200)]]
    report = report_of(swapped, tmp_path)
    assert lines(report, "out_of_order") == [(11, 1, "is earlier than row 10")]
    with pytest.raises(DataError, match="pass order=True"):
        report.repair()
    assert report.repair(order=True).bars == hours


def test_mixed_units_are_told_and_read_only_when_asked(frame: pd.DataFrame, hours: Bars, tmp_path: Path) -> None:
    frame.loc[30:49, "unix"] *= 1_000
    report = report_of(frame, tmp_path)
    ((row, count, reason),) = lines(report, "time_unit")
    assert (row, count) == (30, 20)
    assert reason.startswith("180 rows in seconds and 20 rows in milliseconds; each row's unit is the only one that")
    assert report.time_ns.tolist() == hours.time_ns.tolist()
    with pytest.raises(DataError, match="pass units=True"):
        report.repair()
    repaired = report.repair(units=True)
    assert repaired.bars == hours
    assert repaired.steps == ("read times by their size, 20 as milliseconds and 180 as seconds",)


def test_stated_unit_makes_all_other_rows_unreadable(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[30:49, "unix"] *= 1_000
    report = report_of(frame, tmp_path, time_unit="s")
    assert report.counts["unread"] == 20
    assert lines(report, "unread")[0][0] == 30


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("high", 1.0, "high 1.0 is below low"),
        ("open", -1.0, "open must be in (0, inf), was -1.0"),
        ("close", 1e9, "close 1000000000.0 is outside low..high"),
        ("volume", -2.0, "volume must be in [0, inf), was -2.0"),
        ("low", None, "low is nan (a missing bar has all five nan)"),
    ],
)
def test_bad_row_is_told_as_loading_would(
    frame: pd.DataFrame, tmp_path: Path, column: str, value: float | None, reason: str
) -> None:
    frame.loc[77, column] = value
    report = report_of(frame, tmp_path)
    ((row, _, text),) = lines(report, "bad_row")
    assert row == 77
    assert text.startswith(reason)
    with pytest.raises(BarError) as caught:
        load_bars(tmp_path / "rows.csv", "BTC/USDT", "1h")
    assert reason in str(caught.value)
    assert "quality_report(...) shows all that is wrong" in str(caught.value)
    with pytest.raises(DataError, match="pass bad_rows='drop'"):
        report.repair()
    repaired = report.repair(bad_rows="drop")
    assert len(repaired.bars) == 199
    assert repaired.steps == ("left out 1 bad row",)


def test_what_cannot_be_read_is_told_with_the_word(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame = frame.astype({"unix": object, "high": object})
    frame.loc[5, "unix"], frame.loc[9, "high"], frame.loc[11, "unix"] = "soon", "1,234.5", "12"
    report = report_of(frame, tmp_path)
    assert lines(report, "unread") == [
        (5, 1, "time is in no unit of the years 2009 to 2099, was 'soon'"),
        (
            9,
            1,
            "high is no number, was '1,234.5' (pass file_format=FileFormat(thousands=',') if that is what it means)",
        ),
        (11, 1, "time is in no unit of the years 2009 to 2099, was '12'"),
    ]
    assert "bad_row" not in report.counts
    assert len(report.repair(bad_rows="drop").bars) == 197


def test_text_times_are_read_one_by_one(hours: Bars, tmp_path: Path) -> None:
    table = hours.to_frame().reset_index()
    table["time"] = table["time"].astype(str)
    table.loc[3, "time"] = "yesterday"
    report = report_of(table, tmp_path)
    assert lines(report, "unread") == [(3, 1, "time cannot be read, was 'yesterday'")]
    assert report.repair(bad_rows="drop").bars.time_ns.tolist() == np.delete(hours.time_ns, 3).tolist()


def test_times_without_zone_need_one_for_a_report_too(hours: Bars, tmp_path: Path) -> None:
    table = hours.to_frame().tz_localize(None).reset_index()
    with pytest.raises(DataError, match=r"^rows\.csv: row 0: time .* has no zone"):
        report_of(table, tmp_path)
    assert report_of(table, tmp_path, file_format=FileFormat(time_zone="UTC")).is_clean


def test_wrong_timeframe_and_times_off_the_grid_are_told(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "rows.csv", index=False)
    finer = quality_report(tmp_path / "rows.csv", "BTC/USDT", "4h")
    assert lines(finer, "spacing") == [(None, 199, "rows are usually 3600 s apart, the timeframe 4h has 14400 s")]
    frame.loc[8, "unix"] += 60
    off = report_of(frame, tmp_path)
    assert lines(off, "off_grid") == [(8, 1, "is no multiple of 1h")]
    assert off.counts["spacing"] == 1  # row 9 is only 59 minutes after row 8


def test_price_that_jumps_is_told_and_kept(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[90, ["open", "high"]] = 4 * frame.loc[90, "high"]
    report = report_of(frame, tmp_path)
    assert [finding.row for finding in report.listed("jump")] == [90]
    assert report.is_loadable
    assert len(report.repair().bars) == 200


def test_thousands_of_findings_are_counted_and_a_thousand_listed(tmp_path: Path) -> None:
    many = synthetic_bars("BTC/USDT", "1h", 3_000, start="2025-01-01")
    frame = many.to_frame().reset_index(drop=True)
    frame.insert(0, "unix", many.time_ns // 10**9)
    report = report_of(pd.concat([frame, frame]).sort_values("unix", kind="stable"), tmp_path)
    assert report.counts == {"duplicate": 3_000}
    assert len(report.listed("duplicate")) == 1_000
    assert len(report.to_frame()) == 1_000


def test_bars_and_stored_candles_have_reports_too(hours: Bars) -> None:
    holed = Bars(hours.symbols, hours.timeframe, hours.instruments, hours.time_ns[::2], hours.values[:, :, ::2])
    report = quality_report(holed)
    assert (report.title, report.counts) == ("BTC/USDT 1h", {"gap": 99, "spacing": 1})
    store = CandleStore()
    start = int(hours.time_ns[0])
    store.append("mine", holed[:5], covered=Span(start, start + 10 * HOUR))
    store.append("mine", hours[20:30])
    stored = quality_report("mine", "BTC/USDT", "1h")
    assert [(finding.count, finding.reason) for finding in stored.listed("gap")] == [
        *[(1, f"until 2025-01-01T0{hour}:00Z, the exchange has none") for hour in (2, 4, 6, 8)],
        (11, "until 2025-01-01T20:00Z, not downloaded"),
    ]
    both = Bars.join([hours, synthetic_bars("ETH/USDT", "1h", 5, start="2025-01-01")])
    assert quality_report(both, "ETH/USDT").rows == 5
    with pytest.raises(ConfigError, match="symbol must be one of BTC/USDT, ETH/USDT, was None"):
        quality_report(both)


def test_symbol_and_timeframe_are_needed_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="symbol and timeframe are needed"):
        quality_report(tmp_path / "rows.csv")
    with pytest.raises(MissingDataError, match="there is no file"):
        quality_report(tmp_path / "rows.csv", "BTC/USDT", "1h")


def test_table_and_text_tell_the_same(frame: pd.DataFrame, tmp_path: Path) -> None:
    report = report_of(frame.iloc[::-1].drop(index=[100]), tmp_path)
    table = report.to_frame()
    assert table["kind"].tolist() == ["out_of_order", "gap"]
    assert table["row"].isna().tolist() == [False, True]
    assert str(table.loc[1, "time"]) == "2025-01-05 04:00:00+00:00"
    assert repr(report).splitlines() == [
        "rows.csv: 199 rows, 2025-01-01T00:00Z to 2025-01-09T07:00Z, times in seconds, cannot be loaded as it is",
        "  out_of_order (earlier than the row before): 1",
        "    row 1, 2025-01-09T06:00Z, 198: newest first",
        "  gap (bars that are missing between two others): 1",
        "    2025-01-05T04:00Z: until 2025-01-05T05:00Z",
    ]


def test_card_escapes_what_a_file_says(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame = frame.astype({"high": object})
    frame.loc[0, "high"] = "<img onerror=alert(1)>"
    card = report_of(frame, tmp_path)._repr_html_()
    assert "<img" not in card
    assert "&lt;img onerror" in card


def test_wrong_repair_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    report = report_of(frame, tmp_path)
    with pytest.raises(ConfigError, match="duplicates must be None, 'first' or 'last', was 'mean'"):
        report.repair(duplicates="mean")  # type: ignore[arg-type] # the point of the test
    with pytest.raises(ConfigError, match="bad_rows must be None or 'drop'"):
        report.repair(bad_rows="mend")  # type: ignore[arg-type] # as above
