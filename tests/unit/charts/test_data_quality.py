import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.charts import quality_figure
from workbench.errors import DataError
from workbench.model import Bars

START_NS = 1_735_689_600_000_000_000
MINUTE_NS = 60_000_000_000


def minutes(*which):
    close = 100.0 + np.array(which, dtype=float)
    times = START_NS + MINUTE_NS * np.array(which)
    return Bars.from_arrays("BTC/USDT", "1m", times, close, close, close, close, np.ones(len(which)))


def trace(figure, name):
    return next(one for one in figure.data if one.name == name)


def test_line_breaks_where_bars_are_missing():
    figure = quality_figure(wb.quality_report(minutes(0, 1, 2, 5, 6)))
    line = trace(figure, "Close")
    assert np.isnan(line.y).tolist() == [False, False, False, True, False, False]
    assert np.isnat(line.x.astype("datetime64[ns]")).tolist() == [False, False, False, True, False, False]


def test_line_of_many_bars_breaks_at_its_gaps_too():
    rows = [row for row in range(50_000) if not 20_000 <= row < 25_000]
    line = trace(quality_figure(wb.quality_report(minutes(*rows))), "Close")
    assert len(line.y) < 7_000
    assert np.isnan(line.y).sum() == 1


def test_share_of_bars_is_counted_by_stretches_of_time():
    # 480 minutes in 240 stretches of two; minutes 0 and 1 are there, of the second stretch only minute 2.
    rows = [0, 1, 2, *range(4, 480)]
    bar = trace(quality_figure(wb.quality_report(minutes(*rows))), "Bars present")
    assert bar.y[:3].tolist() == [100.0, 50.0, 100.0]
    assert bar.customdata[1].tolist() == [1, 2]
    assert bar.customdata[:, 0].sum() == 479


def test_bad_and_repeated_rows_are_marked_with_row_and_reason(tmp_path):
    frame = minutes(*range(60)).to_frame().reset_index()
    frame.loc[10, "high"] = 1.0
    frame = pd.concat([frame.loc[:20], frame.loc[[20]], frame.loc[21:]])
    frame.to_csv(tmp_path / "rows.csv", index=False)
    figure = wb.quality_report(tmp_path / "rows.csv", "BTC/USDT", "1m").plot()
    assert trace(figure, "bad row (1)").text == ("row 10: high 1.0 is below low 110.0",)
    assert trace(figure, "duplicate (1)").y.tolist() == [120.0]
    assert figure.layout.title.text == "rows.csv"


def test_figure_without_times_is_refused():
    with pytest.raises(DataError, match="has no time to draw"):
        quality_figure(wb.quality_report(minutes(0)[:0]))


def test_one_bar_is_drawn():
    assert trace(quality_figure(wb.quality_report(minutes(3))), "Bars present").y.tolist() == [100.0]
