import functools
import hashlib
import math
import os
import subprocess
import sys
import traceback
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy import sqrt as root
from numpy.typing import NDArray

import workbench as wb
from tests.notebook_cells import run_cell
from tests.ohlcv import random_ohlcv
from workbench.errors import ConfigError
from workbench.model import Timeframe
from workbench.strategy import (
    Rules,
    Strategy,
    StrategyText,
    bollinger_reversion,
    buy_and_hold,
    configured,
    donchian_breakout,
    param,
    plan_of,
    rsi_reversion,
    sma_cross,
    strategy_from_text,
    strategy_text,
)

BARS = random_ohlcv(300)

SCALE = 0.1 + 0.2
LEVELS = {"deep": (1, math.inf), "off": None}
FRAME = Timeframe("5m")
Base = Strategy


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))


def twice(function):
    @functools.wraps(function)
    def call(*arguments):
        return 2.0 * function(*arguments)

    return call


def rooted(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return root(x) * SCALE


@twice
def distance(close):
    return rooted(close) + np.linalg.norm([0.0]) + LEVELS["deep"][0]


far = distance


@wb.strategy
def momentum(m, length: int = param(20, low=2, high=100), stop=0.05):
    """Buy what rises."""
    far_away = m.feature(far, lookback=1)
    before = m.close.shift(length + FRAME.seconds - 300)
    return Rules(enter_long=(m.close > before) & (far_away > 0), exit_long=m.close < before, stop_loss=stop)


class Averaged(Base):
    length: int = param(5, low=2, high=50)
    note: ClassVar[str] = "not a parameter"

    def indicators(self, m):
        return {"average": m.close.sma(self.length)}


def above(close, average):
    return close > average * (1.0 + 0.001 * SCALE)


class Crossing(Averaged):
    risk: float = 0.01

    def on_bar(self, now, position):
        if position.is_flat and above(now.close, now.average):
            return wb.enter_long(risk=self.risk, stop_loss=0.02)
        if position.is_long and not above(now.close, now.average):
            return wb.exit_position()
        return wb.hold()


BUILT_IN = [sma_cross(fast=7), rsi_reversion, bollinger_reversion(), buy_and_hold, donchian_breakout(lookback=20)]
ALL = [momentum(length=7), momentum, Crossing(length=9, risk=0.1 + 0.2), *BUILT_IN]


@pytest.mark.parametrize("strategy", ALL, ids=str)
def test_a_rebuilt_strategy_has_the_same_plan_and_the_same_text(strategy: object) -> None:
    text = strategy_text(strategy)
    rebuilt = strategy_from_text(text)
    one, other = plan_of(strategy), plan_of(rebuilt)
    assert (one.name, one.source, one.kind, one.warmup) == (other.name, other.source, other.kind, other.warmup)
    assert repr(dict(one.parameters)) == repr(dict(other.parameters))
    assert one.source is not None
    assert strategy_text(rebuilt) == text
    assert rebuilt.spec == configured(strategy).spec


def test_rebuilt_rules_decide_the_same() -> None:
    codes, levels = plan_of(momentum(length=7)).batch(BARS)
    other_codes, other_levels = plan_of(strategy_from_text(strategy_text(momentum(length=7)))).batch(BARS)
    assert codes.any()
    assert codes.tobytes() == other_codes.tobytes()
    assert levels.tobytes() == other_levels.tobytes()


def test_a_rebuilt_class_compiles_to_the_same_machine_code_each_time() -> None:
    text = strategy_text(Crossing())
    plans = [plan_of(strategy_from_text(text)) for _ in range(2)]
    assert [plan.compiled_decide() is None for plan in plans] == [False, False]
    # The name of a generated module is the sha256 of its text, by which numba finds what it compiled before.
    assert plans[0].now_type is plans[1].now_type
    assert plans[0].decide is not plans[1].decide


def test_the_text_names_each_thing_once_and_before_it_is_needed() -> None:
    source = strategy_text(momentum()).source
    lines = source.splitlines()
    order = ["SCALE = 0.30000000000000004", "def rooted(x: NDArray[np.float64]) -> NDArray[np.float64]:"]
    order += ["LEVELS = {'deep': (1, float('inf')), 'off': None}", "def distance(close):", "far = distance"]
    order += ["FRAME = Timeframe(name='5m')", "def momentum(m, length: int = param(20, low=2, high=100), stop=0.05):"]
    assert [lines.count(line) for line in order] == [1] * len(order)
    for line in ("import functools", "import numpy as np", "import numpy.linalg", "from numpy import sqrt as root"):
        assert lines.count(line) == 1
    assert lines.index("def twice(function):") < lines.index("@twice") < lines.index("far = distance")
    assert lines.index(order[0]) < lines.index(order[1]) < lines.index("def distance(close):")
    assert "above" not in source
    compile(source, "text", "exec")


def test_a_built_in_strategy_carries_its_own_text() -> None:
    source = strategy_text(sma_cross).source
    assert "def sma_cross(" in source
    assert "import sma_cross" not in source


CELL = """\
import workbench as wb
LIMIT = 30

@wb.strategy
def dip(m, length=wb.param(14, low=2, high=50)):
    return wb.Rules(enter_long=m.rsi(length) < LIMIT, exit_long=m.rsi(length) > 60)
"""


def test_a_strategy_of_a_notebook_cell_travels() -> None:
    notebook = run_cell(CELL)
    text = strategy_text(notebook["dip"](length=5))
    assert "LIMIT = 30\n" in text.source
    assert strategy_text(strategy_from_text(text)) == text


def test_the_text_holds_what_a_name_stands_for_when_it_is_collected() -> None:
    notebook = run_cell(CELL)
    run_cell("LIMIT = 25\n", notebook)
    assert "LIMIT = 25\n" in strategy_text(notebook["dip"]).source


def test_a_strategy_of_a_text_is_run_anew_each_time() -> None:
    notebook = run_cell(
        "import workbench as wb\nSEEN = []\ndef seen(x):\n    SEEN.append(1)\n    return x\n"
        "@wb.strategy\ndef rising(m):\n    return wb.Rules(enter_long=m.feature(seen, lookback=1) > 0)\n"
    )
    text = strategy_text(notebook["rising"])
    plan_of(strategy_from_text(text)).batch(BARS)
    assert strategy_text(strategy_from_text(text)) == text  # SEEN is empty again


INNER = """\
import workbench as wb

def make(length):
    slow = 2 * length

    @wb.strategy
    def inner(m, fast=3):
        return wb.Rules(enter_long=m.close.sma(fast) > m.close.sma(slow))

    return inner
"""


def test_what_encloses_a_strategy_becomes_a_constant() -> None:
    text = strategy_text(run_cell(INNER)["make"](5))
    assert "slow = 10\n" in text.source
    assert plan_of(strategy_from_text(text)).warmup == 9  # sma(10) has its first value on the tenth bar


LATE_ANNOTATIONS = """\
from __future__ import annotations
import workbench as wb

@wb.strategy
def hinted(m: Nowhere, stop: float | None = 0.1) -> Nothing:
    here: Anything = m.close
    return wb.Rules(enter_long=here > 0, stop_loss=stop)
"""


def test_annotations_that_stay_text_need_no_names() -> None:
    strategy = run_cell(LATE_ANNOTATIONS)["hinted"]
    rebuilt = strategy_from_text(strategy_text(strategy))
    assert rebuilt.spec == strategy.spec
    assert plan_of(rebuilt).source == plan_of(strategy).source


def test_a_class_whose_annotations_stay_text_travels() -> None:
    late = LATE_ANNOTATIONS.partition("@")[0] + (
        "class Late(wb.Strategy):\n    length: int = 5\n    stop: float | None = None\n"
        "    def on_bar(self, now: Nowhere, position) -> Nothing:\n        return wb.hold()\n"
    )
    made = run_cell(late)["Late"](length=3)
    rebuilt = strategy_from_text(strategy_text(made))
    assert (repr(rebuilt), rebuilt.spec) == (repr(made), made.spec)


def test_a_helper_under_another_rule_for_annotations_loses_them() -> None:
    notebook = run_cell("from __future__ import annotations\ndef same(x: Nowhere) -> Nothing:\n    return x\n")
    run_cell(
        "import workbench as wb\n@wb.strategy\ndef rising(m):\n"
        "    return wb.Rules(enter_long=m.feature(same, lookback=1) > 0)\n",
        notebook,
    )
    text = strategy_text(notebook["rising"])
    assert "def same(x):\n    return x\n" in text.source
    assert strategy_text(strategy_from_text(text)) == text


def test_functions_that_call_each_other_travel() -> None:
    notebook = run_cell(
        "import workbench as wb\ndef even(n):\n    return n == 0 or odd(n - 1)\n"
        "def odd(n):\n    return n > 0 and even(n - 1)\n"
        "@wb.strategy\ndef parity(m, n=4):\n    return wb.Rules(enter_long=even(n))\n"
    )
    text = strategy_text(notebook["parity"])
    assert strategy_text(strategy_from_text(text)) == text
    assert plan_of(strategy_from_text(text)).batch(BARS)[0].tolist() == [1] * 300


ENUM = """\
import enum
import workbench as wb

class Mode(enum.Enum):
    FAST = 3
    SLOW = 30

    def bars(self):
        return self.value

MODE = Mode.SLOW

class Moded(wb.Strategy):
    length: int = Mode.FAST.value

    def indicators(self, m):
        return {"average": m.close.sma(MODE.bars()), "other": m.close.sma(self.length)}

    def on_bar(self, now, position):
        return wb.hold()
"""


def test_classes_of_the_users_own_travel_too() -> None:
    made = run_cell(ENUM)["Moded"](length=4)
    text = strategy_text(made)
    assert "MODE = Mode['SLOW']\n" in text.source
    rebuilt = strategy_from_text(text)
    assert strategy_text(rebuilt) == text
    assert plan_of(rebuilt).warmup == plan_of(made).warmup == 29  # sma(30)


def test_a_traceback_shows_the_text() -> None:
    notebook = run_cell(
        "import workbench as wb\n@wb.strategy\ndef failing(m):\n    return wb.Rules(enter_long=1 / 0)  # here\n"
    )
    rebuilt = strategy_from_text(strategy_text(notebook["failing"]))
    with pytest.raises(ZeroDivisionError) as caught:
        plan_of(rebuilt)
    assert "1 / 0)  # here" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_a_changed_source_is_refused() -> None:
    text = strategy_text(sma_cross)
    with pytest.raises(ConfigError, match=r"the source of sma_cross was changed: its sha256 is .* should be"):
        replace(text, source=text.source.replace("crosses_above", "crosses_below"))


def made_text(source: str, name: str = "one", kind: str = "rules") -> StrategyText:
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    return StrategyText(name=name, kind=kind, source=source, parameters={}, sha256=sha256)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import not_installed_here", "one needs not_installed_here, which cannot be imported"),
        ("1 / 0", "the text of one cannot be run: ZeroDivisionError: division by zero"),
        ("def one(", "the text of one cannot be run: SyntaxError"),
        ("one = 5", "the text of one has no strategy of that name, was 5"),
        ("two = 5", "the text of one has no strategy of that name, was None"),
    ],
)
def test_a_text_that_cannot_be_run_says_why(source: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        strategy_from_text(made_text(source))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="kind of a strategy text must be 'rules' or 'class', was 'arrays'"):
        made_text("", kind="arrays")


IN_IPYTHON = """\
import workbench as wb
from workbench.strategy import strategy_from_text, strategy_text
LIMIT = 30
class Cell(wb.Strategy):
    length: int = 5
    def indicators(self, m):
        return {"index": m.rsi(self.length)}
    def on_bar(self, now, position):
        return wb.enter_long() if now.index < LIMIT else wb.hold()
text = strategy_text(Cell(length=7))
assert strategy_text(strategy_from_text(text)) == text
print(text.sha256)
"""


def test_a_cell_of_ipython_travels_to_another_process() -> None:
    # Random hashes, so that an order by hash would show.
    run = functools.partial(
        subprocess.run,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
        env=os.environ | {"PYTHONHASHSEED": "5"},
    )
    answer = run([sys.executable, "-m", "IPython", "--no-banner", "--quick", "--colors=NoColor", "-c", IN_IPYTHON])
    notebook = run_cell(IN_IPYTHON)
    assert answer.stdout.split()[-1] == notebook["text"].sha256
