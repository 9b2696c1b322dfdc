# ruff: noqa: ARG001, ARG005  an on_bar takes self, now and position, whatever it reads of them
import functools
import linecache
import math
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import workbench
from workbench.core import intents
from workbench.core.generated import cache_folder, load_generated
from workbench.core.intents import enter_long, hold
from workbench.core.translation import Translation
from workbench.core.user_source import NotCompilableError, function_definition, source_text, unknown_attributes

LIMIT = 5.0
TABLE = [1.0, 2.0]


def translated(function: FunctionType) -> str:
    translation = Translation()
    translation.add(function)
    return "\n".join(translation.texts)


def reason(function: Any) -> str:
    with pytest.raises(NotCompilableError) as caught:
        Translation().add(function)
    return str(caught.value)


def doubled(x, factor=2):
    return x * factor


def test_outer_numbers_become_literals_and_outer_functions_are_found_by_what_they_are() -> None:
    def on_bar(self, now, position):
        if now.close > LIMIT + math.pi:
            return workbench.core.intents.hold()
        return intents.enter_long(limit=-math.inf, stop=math.nan)

    text = translated(on_bar)
    assert "now.close > 5.0 + 3.141592653589793" in text
    assert "wb_intents.hold()" in text
    assert "wb_intents.enter_long(limit=-wb_math.inf, stop=wb_math.nan)" in text


def test_helper_functions_come_along_with_their_defaults() -> None:
    def on_bar(self, now, position):
        return enter_long(size=doubled(now.close))

    text = translated(on_bar)
    assert text.index("doubled") < text.index("on_bar")
    assert "(x, factor=2):" in text


def test_a_closure_is_read_like_a_global() -> None:
    threshold = 7.5

    def on_bar(self, now, position):
        return hold() if now.close > threshold else None

    assert "now.close > 7.5" in translated(on_bar)


def test_powers_and_roots_go_through_exact_functions() -> None:
    def on_bar(self, now, position):
        x = now.close
        x **= 2
        return enter_long(size=math.sqrt(x) + 2**x + math.exp(1.0) + math.log(x))

    text = translated(on_bar)
    assert "x = wb_power(x, 2)" in text
    assert "wb_sqrt(x) + wb_power(2, x) + wb_exp(1.0) + wb_log(x)" in text


def test_statements_that_mean_the_same_pass() -> None:
    def on_bar(self, now, position):
        """Say nothing."""
        a: float = now.close
        b, c = a * 2, abs(a)
        if a > b > c or (a != c and position.is_flat):
            d = min(a, b, c)
        elif a is None:
            return None
        else:
            d = max(a, b) if a % b else a // b
        d += 1
        return enter_long(size=d)

    assert translated(on_bar).count("\n") > 8


def test_a_change_of_an_outer_number_is_noticed() -> None:
    scope: dict[str, Any] = {"LEVEL": 1.0, "hold": hold, "__name__": __name__}
    text = "def on_bar(self, now, position):\n    return hold() if now.close > LEVEL else None\n"
    name = "<cell 1>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), scope)  # noqa: S102  code without a file is the case
    translation = Translation()
    translation.add(scope["on_bar"])
    assert translation.is_current()
    for value in (1, True, 2.0, None):
        scope["LEVEL"] = value
        assert not translation.is_current()
    scope["LEVEL"] = 1.0
    assert translation.is_current()
    del scope["LEVEL"]
    assert not translation.is_current()


def test_a_file_that_changed_after_it_was_loaded_is_not_trusted(tmp_path, monkeypatch) -> None:
    file = tmp_path / "edited_strategy.py"
    file.write_text("def on_bar(self, now, position):\n    return 1.0 * 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    import edited_strategy

    function_definition(edited_strategy.on_bar)
    file.write_text("def on_bar(self, now, position):\n    return 2.0 * 3\n")
    linecache.checkcache()
    assert "is not what was loaded" in reason(edited_strategy.on_bar)
    del sys.modules["edited_strategy"]


def loops(self, now, position):
    for _ in range(3):
        pass


def uses_numpy(self, now, position):
    return enter_long(size=np.exp(now.close))


def uses_list(self, now, position):
    return TABLE[0]


def uses_table(self, now, position):
    return TABLE


def calls_itself(self, now, position):
    return calls_itself(self, now, position)


def may_be_unset(self, now, position):
    if now.close > 1.0:
        size = 2.0
    return enter_long(size=size)


def uses_undefined(self, now, position):
    return missing_name  # noqa: F821  an undefined name is the case


def uses_int(self, now, position):
    return enter_long(size=int(now.close))


def time_product(self, now, position):
    return enter_long(size=now.time_ns / 1e9)


def uses_keywords(self, now, position):
    sizes = now
    return enter_long(**sizes)


def minimum_of_list(self, now, position):
    return enter_long(size=min([now.close, 1.0]))


def logarithm_to_a_base(self, now, position):
    return enter_long(size=math.log(now.close, 3))


def has_star(self, *rest):
    return None


def uses_method(self, now, position):
    return now.close.hex()


def uses_inner(self, now, position):
    def inner(x):
        return x

    return inner(now.close)


def reserved(self, now, position):
    wb_math = now.close
    return enter_long(size=wb_math)


def sets_global(self, now, position):
    global LIMIT  # noqa: PLW0603  as is a global
    LIMIT = 2.0


def shifts_bits(self, now, position):
    return 1 << position.bars_held


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (loops, "the statement for"),
        (uses_numpy, "np.exp()"),
        (uses_list, "TABLE[0]"),
        (uses_table, "TABLE, which is list and no number"),
        (calls_itself, "calls itself"),
        (may_be_unset, "size, which may not be set there"),
        (uses_undefined, "missing_name, which is not defined"),
        (uses_int, "int()"),
        (time_product, "a time in ns does not fit into a float; subtract first"),
        (uses_keywords, "enter_long"),
        (minimum_of_list, "min([now.close, 1.0])"),
        (logarithm_to_a_base, "math.log(now.close, 3)"),
        (has_star, "parameters other than plain ones"),
        (uses_method, "now.close.hex"),
        (uses_inner, "the statement functiondef"),
        (reserved, "reserved name wb_math"),
        (sets_global, "the statement global"),
        (shifts_bits, "1 << position.bars_held"),
    ],
)
def test_what_may_mean_something_else_in_machine_code_is_named(function: FunctionType, text: str) -> None:
    assert text in reason(function)


def test_the_line_of_the_reason_is_that_of_the_file() -> None:
    line = loops.__code__.co_firstlineno + 1
    assert reason(loops).startswith(f"line {line} of loops")


def test_a_difference_of_times_may_be_divided() -> None:
    def on_bar(self, now, position):
        return enter_long(size=(now.time_ns - position.entry_time_ns) / 1e9)

    assert "(now.time_ns - position.entry_time_ns) / 1000000000.0" in translated(on_bar)


def test_a_lambda_and_a_decorated_function_are_told_apart() -> None:
    assert "not written with def" in reason((lambda self, now, position: None))

    def wrapper(function):
        @functools.wraps(function)
        def inner(*arguments):
            return function(*arguments)

        return inner

    @wrapper
    def on_bar(self, now, position):
        return None

    assert reason(on_bar)


def test_fields_that_do_not_exist_are_found() -> None:
    def on_bar(self, now, position):
        return enter_long(size=self.sise) if now.close > now.tip else None

    definition = function_definition(on_bar)
    assert unknown_attributes(definition, (("size",), ("close", "top"), ())) == ["now.tip", "self.sise"]


def test_source_of_a_builtin_is_none() -> None:
    assert source_text(len) is None
    assert source_text(doubled).startswith("def doubled(x, factor=2):")


def test_a_generated_module_is_one_object_for_one_text(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    module = load_generated("workbench_test", "x = 1\n")
    assert load_generated("workbench_test", "x = 1\n") is module
    assert load_generated("workbench_test", "x = 2\n").x == 2
    assert sys.modules[module.__name__] is module
    folder = tmp_path / "cache" / "generated"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.glob("*.py"))) == 2


def test_a_damaged_file_of_a_generated_module_is_written_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))
    module = load_generated("workbench_test", "y = 1\n")
    Path(module.__file__).write_text("y = 99")
    del sys.modules[module.__name__]
    assert load_generated("workbench_test", "y = 1\n").y == 1


def test_a_cache_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path, monkeypatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(blocked))
    module = load_generated("workbench_test", "z = 3\n")
    assert module.z == 3
    assert not module.__file__.startswith(str(tmp_path))


def test_a_generated_module_that_fails_is_not_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE_DIR", str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load_generated("workbench_test", "1 / 0\n")


def test_the_cache_folder_follows_the_users_own(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("WORKBENCH_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "workbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "workbench"
