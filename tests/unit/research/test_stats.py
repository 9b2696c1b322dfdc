import copy
import math
import pickle

import pytest

from workbench.errors import ConfigError
from workbench.research.measures import CENTRES, GROUPS, MEASURES, SWEEP_MEASURES
from workbench.research.stats import Stats


@pytest.fixture
def stats():
    values = {"final_equity": 12_345.678, "total_return": 0.2345678, "sharpe": math.nan, "trade_count": 1_234}
    return Stats(values, {"sharpe": "fewer than two daily returns"}, currency="USDT")


def test_a_measure_is_a_key_and_an_attribute(stats):
    assert stats["total_return"] == stats.total_return == 0.2345678
    assert list(stats) == ["final_equity", "total_return", "sharpe", "trade_count"]
    assert len(stats) == 4
    assert dict(stats)["trade_count"] == 1_234


def test_an_undefined_measure_says_why(stats):
    assert math.isnan(stats.sharpe)
    assert stats.reason("sharpe") == "fewer than two daily returns"
    assert stats.reason("total_return") is None


def test_an_unknown_measure_is_named(stats):
    with pytest.raises(AttributeError, match=r"no 'sharp'.*total_return"):
        _ = stats.sharp
    with pytest.raises(KeyError, match="sharp"):
        stats.reason("sharp")
    with pytest.raises(KeyError, match=r"no 'sharp'.*total_return"):
        stats["sharp"]
    assert stats.get("sharp") is None


def test_stats_never_change(stats):
    with pytest.raises(AttributeError, match="read-only"):
        stats.total_return = 1.0
    with pytest.raises(TypeError):
        stats["total_return"] = 1.0


def test_stats_do_not_follow_the_mapping_they_were_made_of():
    values = {"total_return": 0.1}
    stats = Stats(values, {})
    values["total_return"] = 9.0
    assert stats.total_return == 0.1


@pytest.mark.parametrize(
    ("values", "reasons", "message"),
    [
        ({"sharpe": math.nan}, {}, "sharpe is nan without a reason"),
        ({"sharpe": 1.0}, {"sharpe": "because"}, "sharpe has a reason but is no nan"),
        ({"sharp": 1.0}, {}, "sharp is no measure"),
    ],
)
def test_a_nan_without_a_reason_and_a_reason_without_a_nan_are_refused(values, reasons, message):
    with pytest.raises(ConfigError, match=message):
        Stats(values, reasons)


def test_stats_can_be_copied_and_pickled(stats):
    for twin in (copy.deepcopy(stats), pickle.loads(pickle.dumps(stats))):  # noqa: S301  bytes of our own
        assert repr(twin) == repr(stats)
        assert twin.reason("sharpe") == stats.reason("sharpe")


def test_completion_offers_the_measures(stats):
    assert {"total_return", "sharpe", "describe"} <= set(dir(stats))


def test_repr_aligns_values_with_units_and_reasons(stats):
    assert repr(stats).splitlines() == [
        "Final equity  12,345.68 USDT",
        "Total return  23.46 %",
        "",
        "Sharpe        n/a (fewer than two daily returns)",
        "",
        "Trades        1,234",
    ]


def test_describe_has_value_display_and_meaning(stats):
    table = stats.describe()
    assert table.index.tolist() == list(stats)
    assert table.loc["total_return", "value"] == "23.46 %"
    assert table.loc["total_return", "meaning"] == MEASURES["total_return"].meaning
    assert table.loc["sharpe", "meaning"] == "fewer than two daily returns"


def test_every_measure_is_listed_once_and_explained():
    names = [measure.name for group in GROUPS.values() for measure in group]
    assert len(names) == len(set(names)) == len(MEASURES)
    # pandas cuts what is longer than 50 characters
    assert all(measure.label and 10 < len(measure.meaning) <= 50 for measure in MEASURES.values())
    assert set(SWEEP_MEASURES) <= set(MEASURES)
    assert set(CENTRES) <= set(SWEEP_MEASURES)
