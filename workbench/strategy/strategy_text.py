"""A strategy as text: what travels from a notebook to the process that runs it."""

import __future__

import ast
import hashlib
import inspect
import linecache
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, Final, Literal, get_args

from workbench.errors import ConfigError
from workbench.strategy.class_strategy import Strategy
from workbench.strategy.collector import Collector
from workbench.strategy.lowering import ConfiguredStrategy, configured
from workbench.strategy.rule_strategy import ConfiguredRules, RuleStrategy, strategy
from workbench.strategy.signals import Signals

__all__ = ["StrategyText", "strategy_from_text", "strategy_text"]

StrategyKind = Literal["rules", "class"]

_ANNOTATIONS_ARE_TEXT: Final = __future__.annotations.compiler_flag
_SHORT_HASH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyText:
    """A configured strategy as text.

    Parameters
    ----------
    name : str
        Name of the function or class.
    kind : {"rules", "class"}
        Whether it is a function that returns rules, or a class.
    source : str
        Text of a module that holds it with all that it refers to; only what is installed is imported.
    parameters : mapping of str to value
        All its parameters: numbers, bools, texts or None. Kept as a read-only copy.
    sha256 : str
        Of ``source``, in hex.

    Raises
    ------
    ConfigError
        The kind is unknown, or the source is not the one of the sha256.
    """

    name: str
    kind: StrategyKind
    source: str = field(repr=False)
    parameters: Mapping[str, Any]
    sha256: str

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.kind not in get_args(StrategyKind):
            raise ConfigError(f"kind of a strategy text must be 'rules' or 'class', was {self.kind!r}")
        actual = _sha256(self.source)
        if actual != self.sha256:
            raise ConfigError(
                f"the source of {self.name} was changed: its sha256 is {actual[:_SHORT_HASH]} and should be "
                f"{self.sha256[:_SHORT_HASH]}; make the text anew with strategy_text, from the strategy that you want"
            )
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


def strategy_text(strategy: object) -> StrategyText:
    """Return a strategy as text: its source, that of the functions and classes it names, its constants and imports.

    Parameters
    ----------
    strategy : object
        As for `configured`. It may come from a file, a notebook cell or a strategy text.

    Raises
    ------
    ConfigError
        Its source cannot be read or is not what was loaded, it is made of arrays, or it refers to something that no
        text stands for, such as a frame or an open file; the message names it.

    Examples
    --------
    >>> from workbench.strategy import sma_cross
    >>> text = strategy_text(sma_cross(fast=10))
    >>> text.name, text.kind, text.parameters["fast"]
    ('sma_cross', 'rules', 10)
    >>> strategy_from_text(text)
    sma_cross(fast=10, slow=50, stop=0.02)
    """
    made = configured(strategy)
    if isinstance(made, Signals):
        raise ConfigError(
            "signals are arrays over known bars: they cannot travel as text or run live; write the rules as a strategy"
        )
    if isinstance(made, Strategy):
        kind: StrategyKind = "class"
        owner = type(made)
        collector = Collector(made.name, are_annotations_text=_is_written_with_text_annotations(owner))
        name = collector.add_class(owner)
    elif isinstance(made, ConfiguredRules):
        kind = "rules"
        function = _written(made.template)
        are_text = bool(function.__code__.co_flags & _ANNOTATIONS_ARE_TEXT)
        collector = Collector(made.name, are_annotations_text=are_text)
        name = collector.add_function(function, made.template)
    else:
        raise ConfigError(f"{made!r} is no strategy that can travel as text")
    source = collector.text()
    return StrategyText(name=name, kind=kind, source=source, parameters=dict(made.parameters), sha256=_sha256(source))


def strategy_from_text(text: StrategyText) -> ConfiguredStrategy:
    """Return the strategy that a text describes, built from that text alone.

    The text is run as a new module each time. Its source can be read again, so that the strategy compiles, shows up in
    tracebacks and can itself become a text, which is the same.

    Raises
    ------
    ConfigError
        The text cannot be run here, for instance because a package is missing, or has no such strategy.
    """
    module = _load(text)
    found = getattr(module, text.name, None)
    if text.kind == "rules" and isinstance(found, FunctionType):
        found = strategy(found)
    is_there = (
        isinstance(found, RuleStrategy)
        if text.kind == "rules"
        else isinstance(found, type) and issubclass(found, Strategy)
    )
    if not is_there:
        raise ConfigError(f"the text of {text.name} has no strategy of that name, was {found!r}")
    return configured(found).with_parameters(**text.parameters)


def _load(text: StrategyText) -> ModuleType:
    """Run a text as a module of its own."""
    name = f"workbench_text_{text.sha256[:_SHORT_HASH]}"
    file = f"<strategy {text.name} {text.sha256[:_SHORT_HASH]}>"
    module = ModuleType(name)
    # Without a time, an entry is never taken for an old one.
    linecache.cache[file] = (len(text.source), None, text.source.splitlines(keepends=True), file)
    # By name, since dataclasses and annotations look their module up.
    sys.modules[name] = module
    try:
        code = compile(ast.parse(text.source, file), file, "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102  the user's own strategy, checked by its sha256
    except ImportError as error:
        raise ConfigError(f"{text.name} needs {error.name or 'a module'}, which cannot be imported: {error}") from error
    except Exception as error:
        raise ConfigError(f"the text of {text.name} cannot be run: {type(error).__name__}: {error}") from error
    return module


def _is_written_with_text_annotations(owner: type) -> bool:
    functions = [member for member in vars(owner).values() if isinstance(member, FunctionType)]
    flags = [one.__code__.co_flags for one in functions if one.__qualname__ == f"{owner.__qualname__}.{one.__name__}"]
    return bool(flags and flags[0] & _ANNOTATIONS_ARE_TEXT)


def _written(template: RuleStrategy) -> FunctionType:
    """Return a strategy's function as it was written, without its decorators."""
    function = inspect.unwrap(template.function)
    if not isinstance(function, FunctionType):
        raise ConfigError(f"{template.name} cannot travel as text: it must be written with def, was {function!r}")
    return function


def _sha256(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
