import pytest

from tests.notebook_cells import run_cell
from workbench.errors import ConfigError
from workbench.model import Bars, utc_text
from workbench.strategy import Signals, buy_and_hold, compare_decisions, donchian_breakout, sma_cross

START, HOUR = 1_735_689_600_000_000_000, 3_600_000_000_000


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))


def bars(*closes: float, symbol: str = "BTC/USDT") -> Bars:
    times = [START + row * HOUR for row in range(len(closes))]
    tops, bottoms = [close + 1 for close in closes], [close - 1 for close in closes]
    return Bars.from_arrays(symbol, "1h", times, closes, tops, bottoms, closes, [1.0] * len(closes))


RISING = bars(10.0, 11.0, 12.0, 13.0, 14.0, 15.0)

RULES = """\
import workbench as wb
@wb.strategy
def mine(m):
    return wb.Rules({rules})
"""
CLASS = """\
import math
import workbench as wb
class Mine(wb.Strategy):
    n: int = 2
    def indicators(self, m):
        return {{"top": m.close.max({window}).shift(1)}}
    def on_bar(self, now, position):
        {body}
        return wb.hold()
"""


def rules(text: str) -> object:
    return run_cell(RULES.format(rules=text))["mine"]


def on_bar(body: str = "pass", window: str = "self.n") -> object:
    return run_cell(CLASS.format(body=body, window=window))["Mine"]


@pytest.mark.parametrize("strategy", [sma_cross(fast=2, slow=3), buy_and_hold, donchian_breakout(lookback=2)], ids=str)
def test_a_strategy_decides_as_itself(strategy: object) -> None:
    compare_decisions(strategy, strategy, RISING)


@pytest.mark.parametrize(
    ("one", "other", "row", "what"),
    [
        # 13 is the first close above 12, and the first not below 13
        ("enter_long=m.close > 12", "enter_long=m.close > 13", 3, "enter_long is True and False"),
        ("enter_long=True, exit_long=m.close > 99", "enter_long=True, exit_long=m.close > 14", 5,
         "exit_long is False and True"),
        # only read where there is an entry: the close of 14 on row 4 is the first
        ("enter_long=m.close > 13, stop_loss=0.1", "enter_long=m.close > 13, stop_loss=0.2", 4,
         "stop_loss is 0.1 and 0.2"),
        ("enter_long=m.close > 13, limit=m.close", "enter_long=m.close > 13, limit=m.open * m.close / 14", 5,
         "limit is 15.0 and 16.071428571428573"),  # 15 * 15 / 14
    ],
)  # fmt: skip
def test_rules_that_decide_differently_are_named_with_the_first_bar(one: str, other: str, row: int, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compare_decisions(rules(one), rules(other), RISING)
    assert f"at the BTC/USDT bar of {utc_text(START + row * HOUR)}: {what}" in str(caught.value)


def test_levels_that_are_never_read_may_differ() -> None:
    compare_decisions(
        rules("enter_long=m.close > 99, stop_loss=0.1"), rules("enter_long=m.close > 99, stop_loss=0.2"), RISING
    )


@pytest.mark.parametrize(
    ("one", "other", "row", "what"),
    [
        # decided from row 2 on: max(2) shifted by 1 has a warm-up of 2 bars
        ("if now.close > 12: return wb.enter_long()", "if now.close > 13: return wb.enter_long()", 3,
         "when flat it answers Intent(action=1, sizing=0, size=nan"),
        ("if position.is_long: return wb.exit_position()", "pass", 2, "when long it answers Intent(action=3"),
        ("if position.is_short: return wb.exit_position()", "pass", 2, "when short it answers Intent(action=3"),
        ("if now.close > 13: math.sqrt(-1)", "pass", 4, "when flat it answers ValueError: "),
        # 12 / 12 - 1 = 0: open is close here
        ("if position.is_long and position.unrealized_return == 0.0: return wb.exit_position()", "pass", 2,
         "when long"),
    ],
)  # fmt: skip
def test_classes_that_decide_differently_are_named_with_the_first_bar(
    one: str, other: str, row: int, what: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        compare_decisions(on_bar(one), on_bar(other), RISING)
    assert f"at the BTC/USDT bar of {utc_text(START + row * HOUR)}: {what}" in str(caught.value)


def test_a_strategy_that_raises_the_same_is_the_same() -> None:
    compare_decisions(on_bar("math.sqrt(-1)"), on_bar("math.sqrt(-2)"), RISING)


def test_indicators_that_differ_are_named() -> None:
    zigzag = bars(10.0, 11.0, 10.5, 10.7, 12.0)
    # max(2) and max(3) of the closes before: 11 and 11 at row 3, 10.7 and 11 at row 4
    one, other = on_bar(window="2 + 0 * self.n"), on_bar(window="2")
    compare_decisions(one, other, zigzag)
    with pytest.raises(ConfigError, match="are not one strategy: callable with 2 bars of warm-up, and callable with 3"):
        compare_decisions(one, on_bar(window="3"), zigzag)
    changed = run_cell(CLASS.format(body="pass", window="2").replace("m.close.max", "m.open.max"))["Mine"]
    compare_decisions(one, changed, zigzag)  # open is close here
    changed = run_cell(CLASS.format(body="pass", window="2").replace("m.close.max", "m.high.max"))["Mine"]
    with pytest.raises(ConfigError, match=r"top is 11.0 and 12.0"):  # the highest high before is 11 + 1
        compare_decisions(one, changed, zigzag)


def test_every_symbol_is_compared() -> None:
    both = Bars.join([bars(2.0, 2.0, 2.0), bars(2.0, 2.0, 5.0, symbol="ETH/USDT")])
    with pytest.raises(ConfigError, match="at the ETH/USDT bar of 2025-01-01T02:00Z: enter_long is True and False"):
        compare_decisions(rules("enter_long=m.close > 2"), rules("enter_long=m.close > 6"), both)


def test_different_kinds_are_not_one_strategy() -> None:
    with pytest.raises(ConfigError, match="are not one strategy: rules with 0 bars of warm-up, and callable with 2"):
        compare_decisions(buy_and_hold, on_bar(), RISING)
    arrays = Signals(enter_long=[True] * 6)
    with pytest.raises(ConfigError, match="signals is made of arrays, which have no other form"):
        compare_decisions(arrays, arrays, RISING)
