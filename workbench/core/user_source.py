"""The source of a user's function, checked against what really runs, and the outside names it uses."""

import ast
import builtins
import dis
import inspect
import linecache
import textwrap
from collections.abc import Collection, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["MISSING", "NotCompilableError", "function_definition", "resolve", "source_text", "unknown_attributes"]

# What a name stands for that stands for nothing.
MISSING = object()

# Instructions that only prepare a call or pad the code.
_ENCODING = frozenset({"PUSH_NULL", "PRECALL", "CACHE", "NOP", "RESUME", "EXTENDED_ARG"})


class NotCompilableError(Exception):
    """Code that has to run interpreted; the message is the reason."""


def source_text(thing: FunctionType | type) -> str | None:
    """Return the text of a function or class without its indentation, or None when it cannot be had.

    Works for files and notebook cells; code from ``exec`` or a plain prompt has no text.
    """
    if isinstance(thing, type):
        return _class_text(thing)
    try:
        return textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        return None


def _class_text(owner: type) -> str | None:
    """Return the text of a class, found by the place of its methods: the standard way needs a file, cells have none."""
    for method in vars(owner).values():
        if not isinstance(method, FunctionType) or method.__qualname__ != f"{owner.__qualname__}.{method.__name__}":
            continue
        code = method.__code__
        lines = linecache.getlines(code.co_filename, method.__globals__)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            return None
        around = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and node.name == owner.__name__
            and node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
        ]
        if around:
            innermost = max(around, key=lambda node: node.lineno)
            first = min([innermost.lineno, *(decorator.lineno for decorator in innermost.decorator_list)])
            return textwrap.dedent("".join(lines[first - 1 : innermost.end_lineno]))
    return None


def function_definition(function: FunctionType) -> ast.FunctionDef:
    """Return the syntax tree of a function that was written with ``def``.

    Raises
    ------
    NotCompilableError
        There is no text, or it is not the text of this function: the file was edited after it was loaded.
    """
    text = source_text(function)
    if text is None:
        raise NotCompilableError(f"the source of {function.__name__} cannot be read")
    try:
        tree = ast.parse(text)
    except SyntaxError:
        raise NotCompilableError(f"the source of {function.__name__} is no statement of its own") from None
    definition = tree.body[0] if tree.body else None
    if not isinstance(definition, ast.FunctionDef):
        raise NotCompilableError(f"{function.__name__} is not written with def")
    definition.decorator_list = []
    if not _is_source_of(definition, function):
        raise NotCompilableError(f"the source of {function.__name__} is not what was loaded")
    return definition


def unknown_attributes(definition: ast.FunctionDef, known: Sequence[Collection[str]]) -> list[str]:
    """Return the attributes that a function reads of its parameters, but that these do not have, as ``name.attribute``.

    Parameters
    ----------
    definition : ast.FunctionDef
        The function.
    known : sequence of collections of str
        Attributes of each of its parameters, in order.
    """
    names = [argument.arg for argument in definition.args.args]
    attributes = dict(zip(names, known, strict=False))
    found: dict[str, None] = {}
    for node in ast.walk(definition):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            if owner in attributes and node.attr not in attributes[owner]:
                found[f"{owner}.{node.attr}"] = None
    return list(found)


def _is_source_of(definition: ast.FunctionDef, function: FunctionType) -> bool:
    """Return whether compiling the definition gives the function's own code."""
    # Inside a function that owns its outer names, or they would compile as globals. Its own name may be one of them.
    owned = function.__code__.co_freevars
    lines = [f"{name} = None" for name in owned]
    if definition.name not in owned:
        lines.append(f"global {definition.name}")
    tree = ast.parse("def outer():\n" + textwrap.indent("\n".join([*lines, ast.unparse(definition)]), "    "))
    code: CodeType = compile(tree, "<check>", "exec", dont_inherit=True)
    compiled = _nested_code(_nested_code(code, "outer"), definition.name)
    return _operations(compiled) == _operations(function.__code__)


def _nested_code(code: CodeType, name: str) -> CodeType:
    return next(value for value in code.co_consts if isinstance(value, CodeType) and value.co_name == name)


def _operations(code: CodeType) -> list[tuple[str, str]]:
    """Return what a function does, without what depends on the text around it.

    Whether a module is imported above decides how a call of its function is encoded, and with it all offsets.
    """
    operations = []
    for instruction in dis.get_instructions(code):
        name = instruction.opname.replace("LOAD_METHOD", "LOAD_ATTR")
        if name in _ENCODING:
            continue
        value = (
            "" if instruction.opcode in dis.hasjrel or isinstance(instruction.argval, CodeType) else instruction.argval
        )
        operations.append((name, repr(value)))
    return operations


def resolve(function: FunctionType, path: tuple[str, ...]) -> Any:
    """Return what a dotted name stands for inside a function, or `MISSING`.

    Only modules are looked into: an attribute of anything else may change from call to call.
    """
    value = _outer_name(function, path[0])
    for attribute in path[1:]:
        if not isinstance(value, ModuleType):
            return MISSING
        value = getattr(value, attribute, MISSING)
    return value


def _outer_name(function: FunctionType, name: str) -> Any:
    if name in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:
            return MISSING
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)
