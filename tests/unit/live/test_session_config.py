from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.live.markets import BTC, ETH, session_config, walk
from workbench.errors import ConfigError, DataError
from workbench.live import BarsSource, LiveSessionConfig
from workbench.model import Costs, RiskConfig, Timeframe
from workbench.strategy import Rules, sma_cross, strategy

MINUTE_NS = 60_000_000_000


@pytest.mark.parametrize("name", ["a", "btc-1", "0_x", "a" * 64])
def test_a_good_name_is_taken(name: str) -> None:
    assert session_config(name=name).name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "Btc", "a b", "a/b", "../x", "a" * 65, "a\n", "ü", None, 5])
def test_a_bad_name_is_refused(name: object) -> None:
    with pytest.raises(ConfigError, match="name must be 1 to 64 of a-z, 0-9, _ and -"):
        session_config(name=name)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cash", 0, r"cash must be in \(0, inf\), was 0"),
        ("cash", math.nan, r"cash must be in \(0, inf\), was nan"),
        ("speed", 0.5, r"speed must be in \[1, 1000\] or inf, was 0.5"),
        ("speed", 1_001, r"speed must be in \[1, 1000\] or inf, was 1001"),
        ("speed", math.nan, r"speed must be in \[1, 1000\] or inf, was nan"),
        ("path", "up", "path must be one of 'adverse', .* was 'up'"),
        ("warmup_bars", -1, "warmup_bars must be a whole number from 0, was -1"),
        ("warmup_bars", 1.5, "warmup_bars must be a whole number from 0, was 1.5"),
        ("max_bars", 0, "max_bars must be a whole number from 1, was 0"),
        ("max_errors", True, "max_errors must be a whole number from 1, was True"),
        ("max_strategy_errors", 0, "max_strategy_errors must be a whole number from 1, was 0"),
        ("stale_after_s", 0, r"stale_after_s must be in \(0, inf\), was 0"),
        ("symbols", (), "symbols must be a tuple of at least one symbol, each once"),
        ("symbols", BTC, "symbols must be a tuple"),
        ("symbols", (BTC, BTC), "symbols must be a tuple of at least one symbol, each once"),
        ("strategy", None, "strategy must be a configured strategy"),
        ("risk", None, "risk must be a RiskConfig, was None"),
        ("costs", 0.1, "costs must be a Costs, was 0.1"),
        ("timeframe", "1y", "timeframe must be"),
    ],
)
def test_a_bad_field_is_named_with_its_value_and_range(field: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        session_config(**{field: value})


def test_all_bad_fields_are_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"name .*; cash .*; speed .*; path "):
        session_config(name="B", cash=-1, speed=0, path="")


def test_a_timeframe_may_be_text() -> None:
    assert session_config(timeframe="1m").timeframe == Timeframe("1m")


@pytest.mark.parametrize(("given", "expected_ns"), [(None, 90_000_000_000), (10.0, 10_000_000_000)])
def test_data_is_stale_after_one_bar_and_a_half_unless_said_otherwise(given: float | None, expected_ns: int) -> None:
    assert session_config(stale_after_s=given).stale_after_ns == expected_ns  # 1.5 * 60 s


def test_the_core_gets_the_sources_instruments_and_the_sessions_rules() -> None:
    config = session_config(cash=500.0, risk=RiskConfig(stop_loss=0.1), costs=Costs(taker_fee=0.002), path="ohlc")
    core = config.engine_config()
    assert (core.symbols, core.cash, core.risk, core.costs, core.path) == (
        (BTC,), 500.0, RiskConfig(stop_loss=0.1), Costs(taker_fee=0.002), "ohlc",
    )  # fmt: skip


def test_what_is_no_source_is_named() -> None:
    with pytest.raises(ConfigError, match=r"source must be a market source such as PracticeSource\(\), was 'practice'"):
        session_config(walk(100), source="practice")


def test_a_symbol_that_the_source_does_not_know_is_named() -> None:
    with pytest.raises(DataError, match=ETH):
        session_config(symbols=(ETH,)).engine_config()


def crossing(average: str) -> Any:
    if average == "sma":

        @strategy
        def cross(m: Any, length: int = 5) -> Rules:
            return Rules(enter_long=m.close > m.close.sma(length))

    else:

        @strategy
        def cross(m: Any, length: int = 5) -> Rules:
            return Rules(enter_long=m.close > m.close.ema(length))

    return cross()


def test_the_same_configuration_has_no_differences() -> None:
    bars = walk(100)
    assert session_config(bars).differences(session_config(walk(100))) == ()


def test_each_difference_is_named_with_both_values() -> None:
    one = session_config(walk(100), cash=1_000.0)
    other = session_config(walk(100), cash=2_000.0, speed=10.0)
    assert one.differences(other) == ("cash: 1000.0 -> 2000.0", "speed: inf -> 10.0")


def test_different_parameters_of_the_strategy_are_named() -> None:
    one = session_config(strategy=sma_cross(fast=5, slow=20))
    other = session_config(strategy=sma_cross(fast=6, slow=20))
    assert one.differences(other) == ("strategy.fast: 5 -> 6",)


def test_a_changed_source_text_is_a_difference_and_a_cell_run_twice_is_none() -> None:
    assert session_config(strategy=crossing("sma")).differences(session_config(strategy=crossing("sma"))) == ()
    (difference,) = session_config(strategy=crossing("sma")).differences(session_config(strategy=crossing("ema")))
    assert "source text" in difference


def test_other_bars_are_another_source() -> None:
    one = session_config(walk(100))
    (difference,) = one.differences(session_config(walk(100), source=BarsSource(walk(100, seed=9))))
    assert difference.startswith("source: ")


def test_a_configuration_does_not_change() -> None:
    config = session_config()
    with pytest.raises(AttributeError):
        config.cash = 5.0  # type: ignore[misc]  # the fault under test
    assert isinstance(config, LiveSessionConfig)
