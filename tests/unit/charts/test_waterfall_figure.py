import pytest

from workbench import api  # noqa: F401  makes results draw themselves
from workbench.charts import waterfall_figure
from workbench.errors import ConfigError
from workbench.model import EquityPart, EquityWaterfall


def made(**changes: object) -> EquityWaterfall:
    parts = [("latency", -2.0), ("fees", 0.5), ("rest", 1e-12)]
    whole = tuple(EquityPart(name=name, amount=amount, meaning=f"{name} it is.") for name, amount in parts)
    settings = {"currency": "USDT", "start": 10_000.0, "end": 9_998.5, "parts": whole} | changes
    return EquityWaterfall(**settings)


def test_each_part_is_a_step_and_the_difference_their_sum() -> None:
    (columns,) = waterfall_figure(made()).data
    assert list(columns.x) == ["latency", "fees", "difference"]
    assert list(columns.y) == [-2.0, 0.5, -1.5]
    assert list(columns.measure) == ["relative", "relative", "total"]
    assert list(columns.text) == ["-2.00", "+0.50", "-1.50"]
    assert columns.customdata[0] == "latency it is."


def test_a_rest_that_is_more_than_rounding_is_shown() -> None:
    parts = (EquityPart(name="rest", amount=0.01, meaning="What no part explains."),)
    assert list(waterfall_figure(made(parts=parts)).data[0].x) == ["rest", "difference"]


def test_the_title_says_what_is_compared() -> None:
    layout = waterfall_figure(made(matched_orders=7, missed_orders=1)).layout
    assert layout.title.text == "Session against bar-only backtest"
    assert layout.title.subtitle.text == "10,000.00 to 9,998.50 USDT · 7 orders matched, 1 missed, 0 extra"
    assert waterfall_figure(made()).layout.title.subtitle.text == "10,000.00 to 9,998.50 USDT"


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ConfigError, match="theme must be one of"):
        waterfall_figure(made(), theme="pink")


def test_a_waterfall_draws_itself() -> None:
    assert list(made().plot().data[0].x) == ["latency", "fees", "difference"]


def test_without_the_facade_there_is_no_figure(monkeypatch) -> None:
    monkeypatch.setattr(EquityWaterfall, "figure_factory", None)
    with pytest.raises(ConfigError, match=r"import workbench\.api"):
        made().plot()


def test_a_waterfall_reads_as_a_table() -> None:
    assert repr(made(matched_orders=2)).splitlines() == [
        "bar-only backtest  10,000.00 USDT",
        "latency                -2.00",
        "fees                   +0.50",
        "rest                   +0.00",
        "session             9,998.50 USDT",
        "orders: 2 matched, 0 missed, 0 extra",
    ]
    assert made().part("fees") == 0.5
    assert made().part("missed fills") == 0.0


def test_an_amount_that_rounds_to_nothing_has_no_sign_of_its_own() -> None:
    parts = tuple(EquityPart(name=name, amount=amount, meaning="") for name, amount in (("a", -0.0), ("b", -0.004)))
    text = repr(EquityWaterfall(currency="USDT", start=1.0, end=1.0, parts=parts))
    assert [line.split()[-1] for line in text.splitlines()[1:3]] == ["+0.00", "+0.00"]
