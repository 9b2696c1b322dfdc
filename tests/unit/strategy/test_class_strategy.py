# ruff: noqa: ARG002  an on_bar takes self, now and position, whatever it reads of them
import dataclasses
import linecache
import re
from typing import Any, ClassVar

import pytest

from tests.ohlcv import random_ohlcv
from workbench.core.intents import enter_long, hold
from workbench.errors import ConfigError
from workbench.strategy import ConfiguredStrategy, Strategy, configured, donchian_breakout, param, plan_of

BARS = random_ohlcv(300)


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))


class Breakout(Strategy):
    """Buy new highs."""

    lookback: int = param(48, low=2, high=500, help="Bars of the channel")
    risk: float = 0.01
    stop: float | None = None
    note: ClassVar[str] = "not a parameter"

    def indicators(self, m):
        return {"top": m.high.max(self.lookback).shift(1), "atr": m.atr(14)}

    def on_bar(self, now, position):
        if position.is_flat and now.close > now.top:
            return enter_long(risk=self.risk, stop_loss=2 * now.atr / now.close)
        return hold()


def test_fields_are_the_parameters() -> None:
    assert [parameter.name for parameter in Breakout.spec] == ["lookback", "risk", "stop"]
    assert dict(Breakout(lookback=20).parameters) == {"lookback": 20, "risk": 0.01, "stop": None}
    assert Breakout.spec[0].high == 500
    assert Breakout.name == "Breakout"
    assert isinstance(Breakout(), ConfiguredStrategy)


def test_a_strategy_is_a_frozen_dataclass() -> None:
    made = Breakout(lookback=20)
    assert dataclasses.is_dataclass(made)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.lookback = 5
    assert repr(made) == "Breakout(lookback=20, risk=0.01, stop=None)"
    assert made == Breakout(lookback=20)
    assert hash(made) == hash(Breakout(lookback=20))
    assert made != Breakout()
    assert dataclasses.replace(made, risk=0.02) == Breakout(lookback=20, risk=0.02)
    assert made.with_parameters(risk=0.02).lookback == 20


def test_unknown_and_invalid_parameters_are_named() -> None:
    with pytest.raises(ConfigError, match="Breakout: look is not a parameter; lookback must be a whole number in"):
        Breakout(look=3, lookback=1)
    with pytest.raises(ConfigError, match=r"takes its parameters by name \(lookback, risk, stop\)"):
        Breakout(20)
    with pytest.raises(ConfigError, match="risk must be a finite number, was None"):
        Breakout(risk=None)


def test_a_subclass_adds_and_changes_parameters() -> None:
    class Wider(Breakout):
        risk: float = 0.05
        width: int = 2

    assert dict(Wider().parameters) == {"lookback": 48, "risk": 0.05, "stop": None, "width": 2}
    assert Wider.name == "Wider"
    assert plan_of(Wider()).warmup == 48
    assert Breakout().risk == 0.01


def test_the_plan_has_indicators_parameters_and_source() -> None:
    plan = plan_of(Breakout(lookback=20))
    assert (plan.kind, plan.name, plan.warmup) == ("callable", "Breakout", 20)
    assert plan.indicator_names == ("top", "atr")
    assert plan.params.lookback == 20
    assert plan.source.startswith("class Breakout(Strategy):")
    assert plan.compiled_decide() is not None


@pytest.mark.parametrize("name", ["name", "parameters", "spec", "lower", "_hidden"])
def test_a_parameter_cannot_hide_what_a_strategy_offers(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} cannot be the name of a parameter"):
        type("Wrong", (Strategy,), {"__annotations__": {name: int}, name: 1})


def test_a_field_without_a_default_is_refused() -> None:
    with pytest.raises(ConfigError, match="the parameter lookback needs a default"):

        class Wrong(Strategy):
            lookback: int


def test_a_strategy_without_on_bar_is_refused_when_it_is_used() -> None:
    class Empty(Strategy):
        pass

    with pytest.raises(ConfigError, match="Empty needs a method on_bar"):
        plan_of(Empty())


@pytest.mark.parametrize("given", [None, [1], {"top": 5}])
def test_indicators_must_be_expressions_by_name(given: Any) -> None:
    class Wrong(Strategy):
        def indicators(self, m):
            return given

        def on_bar(self, now, position):
            return hold()

    with pytest.raises(ConfigError, match=r"Wrong.indicators must return"):
        plan_of(Wrong())


def test_a_class_stands_for_its_defaults() -> None:
    assert configured(Breakout) == Breakout()
    assert configured(donchian_breakout).name == "donchian_breakout"


def test_string_annotations_are_understood() -> None:
    made = type(
        "Later",
        (Strategy,),
        {
            "__annotations__": {"stop": "float | None", "size": "float", "word": "ClassVar[str]"},
            "stop": 0.1,
            "size": 0.5,
            "word": "no",
        },
    )
    assert [(parameter.name, parameter.is_optional) for parameter in made.spec] == [("stop", True), ("size", False)]


def test_a_class_from_a_notebook_cell_has_its_text() -> None:
    body = "    n: int = 2\n\n    def on_bar(self, now, position):\n        return None\n"
    text = "x = 1\n\n\nclass Cell(Strategy):\n" + body
    name = "<ipython-input-7>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"Strategy": Strategy, "__name__": "__main__"}
    exec(compile(text, name, "exec"), scope)  # noqa: S102  how a cell is run
    assert scope["Cell"].source == text[text.index("class") :]
    assert plan_of(scope["Cell"]()).source == scope["Cell"].source


def test_of_two_classes_of_one_name_each_has_its_own_text() -> None:
    made = []
    for _ in range(1):

        class Twin(Strategy):
            def on_bar(self, now, position):
                return "first"

        made.append(Twin)

        class Twin(Strategy):
            def on_bar(self, now, position):
                return "second"

        made.append(Twin)
    assert ["first" in one.source for one in made] == [True, False]


def test_a_class_without_source_has_no_text() -> None:
    scope: dict[str, Any] = {"Strategy": Strategy}
    text = "class Bare(Strategy):\n    def on_bar(self, now, position):\n        return None\n"
    exec(text, scope)  # noqa: S102  a plain prompt
    assert scope["Bare"].source is None


def test_parameter_without_an_annotation_says_what_to_write() -> None:
    class Bare(Strategy):
        fast = 10
        ratio = 0.5
        note: ClassVar[str] = "x"
        slow: int = 20

        def on_bar(self, now: Any, position: Any) -> Any:
            return None

    assert dict(Bare(slow=30).parameters) == {"slow": 30}
    way_out = (
        "Bare: fast, ratio has no annotation in the class, so it is no parameter: write `fast: int = 10` and `ratio"
    )
    with pytest.raises(ConfigError, match=re.escape(way_out)):
        Bare(fast=5, ratio=0.1, slow=30)
    # What is no parameter on purpose, or nowhere at all, is still refused as before.
    with pytest.raises(ConfigError, match=r"Bare: note is not a parameter \(parameters: slow=20\)"):
        Bare(note="y")
    with pytest.raises(ConfigError, match="Bare: fats is not a parameter"):
        Bare(fats=5)
