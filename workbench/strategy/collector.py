"""Collects a strategy's definition and all that it refers to into one self-contained text."""

import __future__

import ast
import builtins
import inspect
from types import FunctionType, ModuleType
from typing import Any, Final

from workbench.core.user_source import MISSING, NotCompilableError, function_definition, resolve, source_text
from workbench.errors import ConfigError
from workbench.strategy.installed import import_path, is_installed, is_installed_name
from workbench.strategy.literals import NoLiteralError, literal
from workbench.strategy.outer_names import outer_names, without_annotations

__all__ = ["Collector"]

_ANNOTATIONS_ARE_TEXT: Final = __future__.annotations.compiler_flag
_OF_PYTHON: Final = "of Python"
_NOTEBOOK_PACKAGES: Final = frozenset({"IPython", "ipykernel", "__main__"})


class Collector:
    """The text of one strategy, built up definition by definition: what something needs stands before it.

    Parameters
    ----------
    strategy : str
        Its name, for messages.
    are_annotations_text : bool
        Whether the strategy was written under ``from __future__ import annotations``.
    """

    def __init__(self, strategy: str, *, are_annotations_text: bool) -> None:
        self._strategy = strategy
        self._are_annotations_text = are_annotations_text
        self._imports: dict[str, None] = {}
        self._parts: list[str] = []
        # What each name of the text stands for, with the definition that uses it so.
        self._meanings: dict[str, tuple[object, str]] = {}
        self._defined: dict[int, str] = {}
        self._kept: list[object] = []

    def text(self) -> str:
        """Return the module: imports, then constants and definitions."""
        future = ["from __future__ import annotations\n"] if self._are_annotations_text else []
        imports = ["\n".join(sorted(self._imports)) + "\n"] if self._imports else []
        title = f'"""The strategy {self._strategy}, as text."""\n'
        return "\n".join([title, *future, *imports, *self._parts])

    def add_function(self, function: FunctionType, owner: object) -> str:
        """Add a function and what it refers to; return its name in the text.

        Parameters
        ----------
        function : function
            As it was written.
        owner : object
            What stands for it where it is used: itself, or what its decorators made of it.
        """
        text, definition = _function_text(function)
        if owner is not function and not definition.decorator_list and not self._is_first(owner):
            raise ConfigError(
                f"{self._strategy} cannot travel as text: {definition.name} was wrapped by a call; write the "
                "wrapper as a decorator above its def"
            )
        is_text = bool(function.__code__.co_flags & _ANNOTATIONS_ARE_TEXT)
        if is_text != self._are_annotations_text:
            text = without_annotations(text)
        self._define(definition.name, text, owner, lambda name: resolve(function, (name,)))
        return definition.name

    def add_class(self, owner: type) -> str:
        """Add a class and what it refers to; return its name in the text."""
        text = source_text(owner)
        if text is None:
            raise _no_text(owner.__name__)
        methods = _methods(owner, text)
        for method in methods:
            _check_method(owner, method)
        flags = {bool(method.__code__.co_flags & _ANNOTATIONS_ARE_TEXT) for method in methods}
        if flags and flags != {self._are_annotations_text}:
            raise ConfigError(
                f"{self._strategy} cannot travel as text: {owner.__name__} and it must both be written with `from "
                "__future__ import annotations`, or both without"
            )
        self._define(owner.__name__, text, owner, lambda name: _resolve_in_class(owner, methods, name))
        return owner.__name__

    def _is_first(self, owner: object) -> bool:
        return not self._kept or self._kept[0] is owner

    def _define(self, name: str, text: str, owner: object, resolved: Any) -> None:  # noqa: ANN401  a function of a name
        self._kept.append(owner)  # an id is its own only as long as the object lives
        self._defined[id(owner)] = name
        self._mean(name, owner, name)
        found = outer_names(text, are_annotations_text=self._are_annotations_text)
        if found.written:
            raise self._refusal(
                found.written[0], name, "is assigned to: a strategy keeps nothing between bars but its position"
            )
        for module in found.imported:
            if not is_installed_name(module):
                raise self._refusal(module, name, "is no installed module; take what it needs in by name, at the top")
        for one, paths in found.paths.items():
            self._add_name(one, resolved(one), name, paths)
        self._parts.append("\n" + text.strip("\n") + "\n")

    def _mean(self, name: str, meaning: object, user: str) -> bool:
        """Note what a name stands for; return whether that is new.

        Raises
        ------
        ConfigError
            It stands for something else elsewhere.
        """
        known, by = self._meanings.setdefault(name, (meaning, user))
        if known is not meaning and not (isinstance(known, str) and known == meaning):
            raise ConfigError(
                f"{self._strategy} cannot travel as text: {name} means one thing in {by} and another in {user}; "
                "rename one of them"
            )
        return by is user and known is meaning

    def _add_name(self, name: str, value: object, user: str, paths: tuple[tuple[str, ...], ...]) -> None:
        """Add what a name stands for inside a definition."""
        if id(value) in self._defined:
            self._add_alias(name, value, user)
        elif value is MISSING:
            raise self._refusal(name, user, "is not defined; define it at the top level, before the strategy is made")
        elif getattr(builtins, name, MISSING) is value and not _is_of_the_notebook(value):
            self._mean(name, _OF_PYTHON, user)
        elif name.startswith("__") and name.endswith("__"):
            raise self._refusal(name, user, "means another thing in another process")
        elif isinstance(value, ModuleType):
            self._add_module(name, value, user, paths)
        else:
            self._add_value(name, value, user)

    def _add_alias(self, name: str, value: object, user: str) -> None:
        defined = self._defined[id(value)]
        if name not in self._meanings:
            self._parts.append(f"{name} = {defined}\n")
        self._mean(name, value, user)

    def _add_module(self, name: str, module: ModuleType, user: str, paths: tuple[tuple[str, ...], ...]) -> None:
        if not is_installed(module):
            raise self._refusal(
                name, user, f"is a module of your own; write `from {module.__name__} import ...`, so that its text goes"
            )
        self._mean(name, module, user)
        self._import(f"import {module.__name__}" + ("" if module.__name__ == name else f" as {name}"))
        for path in paths:
            inner = module
            for attribute in path[1:]:
                one = getattr(inner, attribute, None)
                if not isinstance(one, ModuleType) or one.__name__ != f"{inner.__name__}.{attribute}":
                    break
                inner = one
            if inner is not module:
                self._import(f"import {inner.__name__}")

    def _add_value(self, name: str, value: object, user: str) -> None:
        try:
            text = f"{name} = {literal(value, lambda kind: self._class_name(kind, user))}\n"
        except NoLiteralError as error:
            self._add_object(name, value, user, str(error))
            return
        if name not in self._meanings:
            self._parts.append(text)
        # By their texts, since equal numbers may be of different types.
        self._mean(name, text, user)

    def _add_object(self, name: str, value: object, user: str, what: str) -> None:
        place = import_path(value, name)
        written = inspect.unwrap(value) if callable(value) else value
        if place is not None:
            self._mean(name, value, user)
            module, own_name = place
            self._import(f"from {module} import {own_name}" + ("" if own_name == name else f" as {name}"))
            return
        if isinstance(value, type):
            self.add_class(value)
        elif isinstance(written, FunctionType) and written.__name__ == "<lambda>":
            raise self._refusal(name, user, "is a lambda; write it with def")
        elif isinstance(written, FunctionType):
            self.add_function(written, value)
        else:
            raise self._refusal(
                name, user, f"is {_with_article(what)}; give it as a parameter, or make it inside the function"
            )
        self._add_alias(name, value, user)

    def _class_name(self, kind: type, user: str) -> str:
        """Return the name by which the text knows the class of a constant."""
        if id(kind) not in self._defined:
            self._add_object(kind.__name__, kind, user, "class")
        return kind.__name__

    def _import(self, line: str) -> None:
        self._imports[line] = None

    def _refusal(self, name: str, user: str, why: str) -> ConfigError:
        return ConfigError(f"{self._strategy} cannot travel as text: {name}, which {user} refers to, {why}")


def _is_of_the_notebook(value: object) -> bool:
    """Return whether a builtin name was put there by IPython, such as ``display``."""
    return str(getattr(value, "__module__", "")).partition(".")[0] in _NOTEBOOK_PACKAGES


def _with_article(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def _no_text(name: str) -> ConfigError:
    return ConfigError(
        f"{name} cannot travel as text, as its source cannot be read: write it in a notebook cell or a file, with def "
        "or class"
    )


def _function_text(function: FunctionType) -> tuple[str, ast.FunctionDef]:
    """Return the text of a function with its decorators, checked to be what was loaded."""
    text = source_text(function)
    if text is None:
        raise _no_text(function.__name__)
    try:
        function_definition(function)
    except NotCompilableError as error:
        raise ConfigError(
            f"{function.__name__} cannot travel as text: {error}; write it with def, and load it again after a change"
        ) from None
    definition = ast.parse(text).body[0]
    if not isinstance(definition, ast.FunctionDef):  # `function_definition` has looked
        raise _no_text(function.__name__)
    return text, definition


def _methods(owner: type, text: str) -> list[FunctionType]:
    """Return the functions that were written in the body of a class; what a decorator made is not in its text."""
    (definition,) = ast.parse(text).body
    written = {node.name for node in ast.walk(definition) if isinstance(node, ast.FunctionDef)}
    found = []
    for name, member in vars(owner).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        function = inspect.unwrap(function) if callable(function) else function
        if name in written and isinstance(function, FunctionType):
            found.append(function)
    return found


def _check_method(owner: type, method: FunctionType) -> None:
    mangled = f"_{owner.__name__.lstrip('_')}__"
    if any(name.startswith(mangled) for name in method.__code__.co_names):
        return  # alone, outside its class, it would compile to other names
    try:
        function_definition(method)
    except NotCompilableError as error:
        raise ConfigError(
            f"{owner.__name__} cannot travel as text: {error}; load the class again after a change"
        ) from None


def _resolve_in_class(owner: type, methods: list[FunctionType], name: str) -> Any:  # noqa: ANN401  any value
    """Return what a name stands for in the body of a class or its methods, or `MISSING`."""
    for base in owner.__bases__:
        if base.__name__ == name:
            return base
    for method in methods:
        if name in method.__code__.co_freevars:
            return resolve(method, (name,))
    if methods:
        return resolve(methods[0], (name,))
    home = inspect.getmodule(owner)
    return getattr(home, name, getattr(builtins, name, MISSING))
