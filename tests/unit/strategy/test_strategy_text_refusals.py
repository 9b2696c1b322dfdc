import builtins
import linecache
import sys
from types import ModuleType

import pytest

from tests.notebook_cells import run_cell
from workbench.errors import ConfigError
from workbench.strategy import Signals, strategy_text

RULES = """\
import workbench as wb
{before}
@wb.strategy
def mine(m, n=2):
    {inside}
    return wb.Rules(enter_long=m.close > n)
"""


def refusal(before: str, inside: str) -> str:
    notebook = run_cell(RULES.format(before=before, inside=inside))
    with pytest.raises(ConfigError) as caught:
        strategy_text(notebook["mine"])
    return str(caught.value)


@pytest.mark.parametrize(
    ("before", "inside", "message"),
    [
        ("import numpy as np\nweights = np.ones(3)", "weights",
         "mine cannot travel as text: weights, which mine refers to, is a numpy.ndarray; give it as a parameter, or m"),
        ("import pandas as pd\nframe = pd.DataFrame()", "len(frame)", "frame, which mine refers to, is a pandas."),
        ("import sys\nfile = sys.stdin", "file.read()", "file, which mine refers to, is a"),
        ("from sys import stdin", "stdin.read()", "stdin, which mine refers to, is a"),
        ("from os import environ", "environ['KEY']", "environ, which mine refers to, is an os._Environ"),
        ("import numpy as np\nlevel = np.float64(2)", "level", "level, which mine refers to, is a numpy.float64"),
        ("import functools\nhalf = functools.partial(pow, 2)", "half(2)", "half, which mine refers to, is a functools"),
        ("", "missing", "missing, which mine refers to, is not defined; define it at the top level"),
        ("count = 0", "global count; count = 1", "count, which mine refers to, is assigned to: a strategy keeps"),
        ("", "__name__", "__name__, which mine refers to, means another thing in another"),
        ("def one(x):\n    return weights\nweights = object()", "one(1)", "weights, which one refers to, is an object"),
        ("double = lambda x: 2 * x", "double(1)", "double, which mine refers to, is a lambda; write it with def"),
        ("", "import beside_the_notebook", "beside_the_notebook, which mine refers to, is no installed module"),
        ("", "from .beside import one", ".beside, which mine refers to, is no installed module"),
        ("import numpy as np\ndef one(x):\n    return x\nwrapped = np.vectorize(one)", "wrapped(1)",
         "wrapped, which mine refers to, is"),
        ("import functools\ndef one(x):\n    return x\nkept = functools.cache(one)", "kept(1)",
         "one was wrapped by a call; write the wrapper as a decorator above its def"),
    ],
)  # fmt: skip
def test_what_no_text_stands_for_is_refused_by_name(before: str, inside: str, message: str) -> None:
    assert message in refusal(before, inside)


def test_a_name_that_the_notebook_adds_to_python_is_imported(monkeypatch) -> None:
    from IPython.display import display

    monkeypatch.setattr(builtins, "display", display, raising=False)
    text = strategy_text(run_cell(RULES.format(before="", inside="display(n)"))["mine"])
    assert "from IPython.core.display_functions import display\n" in text.source


def test_a_module_of_the_users_own_is_refused(monkeypatch) -> None:
    own = ModuleType("own_rules")
    own.__file__ = "own_rules.py"
    monkeypatch.setitem(sys.modules, "own_rules", own)
    message = refusal("import own_rules as rules", "rules.level")
    assert "rules, which mine refers to, is a module of your own; write `from own_rules import ...`" in message


def test_one_name_with_two_meanings_is_refused() -> None:
    other = run_cell("LIMIT = 1\ndef limit(x):\n    return x + LIMIT\n")
    notebook = run_cell(
        "import workbench as wb\nLIMIT = 1.0\n@wb.strategy\ndef mine(m):\n"
        "    return wb.Rules(enter_long=m.feature(limit, lookback=1) > LIMIT)\n",
        {"__name__": "__main__", "limit": other["limit"]},
    )
    message = "mine cannot travel as text: LIMIT means one thing in mine and another in limit; rename one of them"
    with pytest.raises(ConfigError, match=message):
        strategy_text(notebook["mine"])


def test_a_hidden_builtin_name_is_another_meaning() -> None:
    other = run_cell("def largest(x):\n    return max(x, 1)\n")
    notebook = run_cell(
        "import workbench as wb\ndef max(a, b):\n    return b\n@wb.strategy\ndef mine(m):\n"
        "    return wb.Rules(enter_long=m.close > max(largest(1), 2))\n",
        {"__name__": "__main__", "largest": other["largest"]},
    )
    with pytest.raises(ConfigError, match=r"max means one thing in .* and another in"):
        strategy_text(notebook["mine"])


def test_code_without_text_is_refused() -> None:
    names = {"__name__": "__main__"}
    exec(RULES.format(before="", inside="pass"), names)  # noqa: S102  code that leaves no text behind
    with pytest.raises(ConfigError, match="mine cannot travel as text, as its source cannot be read: write it in a"):
        strategy_text(names["mine"])


def test_code_that_was_edited_after_it_was_loaded_is_refused() -> None:
    notebook = run_cell(RULES.format(before="", inside="n + 1"))
    file = notebook["mine"].function.__code__.co_filename
    text = RULES.format(before="", inside="n + 2")
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    with pytest.raises(ConfigError, match="the source of mine is not what was loaded; write it with def, and load it"):
        strategy_text(notebook["mine"])


CLASS = """\
import workbench as wb
class Mine(wb.Strategy):
    n: int = 2
    def on_bar(self, now, position):
        return wb.enter_long() if now.close > {level} else wb.hold()
"""


def test_a_class_that_was_edited_after_it_was_loaded_is_refused() -> None:
    notebook = run_cell(CLASS.format(level="1.0"))
    file = notebook["Mine"].on_bar.__code__.co_filename
    text = CLASS.format(level="2.0")
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    with pytest.raises(ConfigError, match=r"Mine cannot travel .* is not what was loaded; load the class again"):
        strategy_text(notebook["Mine"])


def test_what_a_class_refers_to_is_checked_too() -> None:
    notebook = run_cell("level = object()\n" + CLASS.format(level="level"))
    with pytest.raises(ConfigError, match="level, which Mine refers to, is an object; give it as a parameter"):
        strategy_text(notebook["Mine"])


def test_a_base_class_under_another_rule_for_annotations_is_refused() -> None:
    notebook = run_cell("from __future__ import annotations\n" + CLASS.format(level="1.0"))
    notebook["Base"] = notebook["Mine"]
    run_cell("class Other(Base):\n    def indicators(self, m):\n        return {}\n", notebook)
    with pytest.raises(ConfigError, match="Mine and it must both be written with `from __future__ import annotations`"):
        strategy_text(notebook["Other"])


def test_arrays_are_refused() -> None:
    with pytest.raises(ConfigError, match="signals are arrays over known bars: they cannot travel as text"):
        strategy_text(Signals(enter_long=[True]))


def test_what_is_no_strategy_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no strategy in 5"):
        strategy_text(5)
