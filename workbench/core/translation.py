"""Which user code may be compiled, and its translation into text that means the same in Python and in machine code.

Allowed is what gives the same bits both ways: arithmetic, comparison, ``and or not``, ``if``, local names, ``abs``,
``min``, ``max``, ``float``, ``bool``, some functions of ``math``, the intents, numbers from outside and helper
functions of the same kind. Anything else is named as the reason why the function stays interpreted.
"""

import ast
import math
from collections.abc import Sequence
from types import FunctionType
from typing import Any

from workbench.core import intents
from workbench.core.user_source import MISSING, NotCompilableError, function_definition, resolve

__all__ = ["PRELUDE", "Translation"]

# What the translated text needs before it.
PRELUDE = """\
import math as wb_math
from workbench.core import intents as wb_intents
from workbench.core.compiled import kernel as wb_kernel
from workbench.core.exact_math import exp as wb_exp, log as wb_log, power as wb_power, sqrt as wb_sqrt
"""

_FUNCTIONS: dict[Any, str] = {
    abs: "abs",
    min: "min",
    max: "max",
    float: "float",
    bool: "bool",
    math.sqrt: "wb_sqrt",
    math.exp: "wb_exp",
    math.log: "wb_log",
    math.isnan: "wb_math.isnan",
    math.isinf: "wb_math.isinf",
    math.isfinite: "wb_math.isfinite",
    math.fabs: "wb_math.fabs",
    intents.enter_long: "wb_intents.enter_long",
    intents.enter_short: "wb_intents.enter_short",
    intents.exit_position: "wb_intents.exit_position",
    intents.hold: "wb_intents.hold",
}
# Fewest and most arguments, where machine code takes another number than Python does.
_ARGUMENTS = {"min": (2, 99), "max": (2, 99), "wb_log": (1, 1), "float": (1, 1), "bool": (1, 1)}

_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.BitOr)
_UNARY = (ast.USub, ast.UAdd, ast.Not)
_COMPARE = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)

# A time in ns does not fit into a float: machine code rounds it before these operators, Python after.
_ROUNDING = (ast.Mult, ast.Div, ast.Pow)
_TIMES = frozenset({"time_ns", "entry_time_ns"})


class Translation:
    """Functions translated so far, and the outside names that their text depends on.

    Attributes
    ----------
    texts : list of str
        Source of each function, callees before callers.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._references: dict[tuple[FunctionType, tuple[str, ...]], Any] = {}
        self._names: dict[FunctionType, str] = {}
        self._open: list[FunctionType] = []

    def add(self, function: FunctionType) -> str:
        """Translate a function and all that it calls; return the name it has in the text.

        Raises
        ------
        NotCompilableError
            Something in it may mean something else in machine code.
        """
        if function in self._names:
            return self._names[function]
        if function in self._open:
            raise NotCompilableError(f"{function.__name__} calls itself")
        self._open.append(function)
        definition = function_definition(function)
        name = f"wb_user_{function.__name__}_{len(self._open)}_{len(self._names)}"
        body = _Translator(self, function).translate(definition, name)
        self._open.pop()
        self._names[function] = name
        self.texts.append(f"@wb_kernel\n{body}\n")
        return name

    def look_up(self, function: FunctionType, path: tuple[str, ...]) -> Any:
        """Return what an outside name stands for, and remember that the text depends on it."""
        value = resolve(function, path)
        self._references[function, path] = value
        return value

    def is_current(self) -> bool:
        """Return whether every outside name still stands for what it stood for."""
        return all(_is_same(resolve(*reference), value) for reference, value in self._references.items())


def _is_same(now: object, then: object) -> bool:
    # By text, since 1, 1.0 and True are equal but compile apart, and nan is not equal to itself.
    return now is then or (isinstance(now, (int, float)) and repr(now) == repr(then))


class _Translator:
    """Translates one function; refuses by raising NotCompilableError."""

    def __init__(self, translation: Translation, function: FunctionType) -> None:
        self._translation = translation
        self._function = function
        code = function.__code__
        self._locals = frozenset(code.co_varnames) | frozenset(code.co_cellvars)
        if taken := [name for name in self._locals if name.startswith("wb_")]:
            raise NotCompilableError(f"{function.__name__} uses the reserved name {taken[0]}")

    def translate(self, definition: ast.FunctionDef, name: str) -> str:
        """Return the text of the function under its new name."""
        arguments = definition.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
            raise self._refusal(definition, "parameters other than plain ones")
        names = [argument.arg for argument in arguments.args]
        body, _ = self._block(definition.body, set(names))
        plain = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=argument) for argument in names],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[self._value(default, "a default") for default in self._function.__defaults__ or ()],
        )
        translated = ast.FunctionDef(name=name, args=plain, body=body or [ast.Pass()], decorator_list=[])
        return ast.unparse(ast.fix_missing_locations(translated))

    def _refusal(self, node: ast.AST, what: str) -> NotCompilableError:
        line = self._function.__code__.co_firstlineno + getattr(node, "lineno", 1) - 1
        return NotCompilableError(f"line {line} of {self._function.__name__} uses {what}")

    def _block(self, statements: Sequence[ast.stmt], assigned: set[str]) -> tuple[list[ast.stmt], bool]:
        """Return translated statements and whether their end is reached; names set for sure are added to `assigned`."""
        result: list[ast.stmt] = []
        for statement in statements:
            if isinstance(statement, ast.Return):
                value = None if statement.value is None else self._expression(statement.value, assigned)
                result.append(ast.Return(value=value))
                return result, False
            if isinstance(statement, ast.If):
                test = self._expression(statement.test, assigned)
                in_body, in_orelse = set(assigned), set(assigned)
                body, body_ends = self._block(statement.body, in_body)
                orelse, orelse_ends = self._block(statement.orelse, in_orelse)
                result.append(ast.If(test=test, body=body or [ast.Pass()], orelse=orelse))
                # A branch that returns leaves no name unset behind it.
                reaching = [names for names, ends in ((in_body, body_ends), (in_orelse, orelse_ends)) if ends]
                if not reaching:
                    return result, False
                assigned |= set.intersection(*reaching)
            else:
                result += self._simple(statement, assigned)
        return result, True

    def _simple(self, statement: ast.stmt, assigned: set[str]) -> list[ast.stmt]:
        match statement:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return []
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                translated = self._expression(value, assigned)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                return [self._unpacking(statement, targets, values, assigned)]
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                both = ast.copy_location(ast.BinOp(left=ast.Name(id=name), op=op, right=value), statement)
                translated = self._expression(both, assigned)
            case ast.Expr(value=value):
                raise self._refusal(statement, f"{ast.unparse(value)!r}")
            case _:
                raise self._refusal(statement, f"the statement {type(statement).__name__.lower()}")
        if name not in self._locals:
            raise self._refusal(statement, f"the outer name {name} as a target")
        assigned.add(name)
        return [ast.Assign(targets=[ast.Name(id=name)], value=translated)]

    def _unpacking(
        self, statement: ast.stmt, targets: Sequence[ast.expr], values: Sequence[ast.expr], assigned: set[str]
    ) -> ast.stmt:
        names = [target.id for target in targets if isinstance(target, ast.Name) and target.id in self._locals]
        if len(names) != len(targets) or len(targets) != len(values):
            raise self._refusal(statement, "an assignment that is not name by name")
        translated = [self._expression(value, assigned) for value in values]
        assigned.update(names)
        left = ast.Tuple(elts=[ast.Name(id=name) for name in names])
        return ast.Assign(targets=[left], value=ast.Tuple(elts=translated))

    def _expression(self, node: ast.expr, assigned: set[str]) -> ast.expr:
        def go(part: ast.expr) -> ast.expr:
            return self._expression(part, assigned)

        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node
            case ast.Name(id=name) if name in self._locals:
                if name not in assigned:
                    raise self._refusal(node, f"{name}, which may not be set there")
                return ast.Name(id=name)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self._locals:
                return ast.Attribute(value=go(node.value), attr=attribute)
            case ast.Name() | ast.Attribute():
                path = self._path(node)
                return self._value(self._translation.look_up(self._function, path), ".".join(path), node)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, go(left), op, go(right))
            case ast.UnaryOp(op=op, operand=operand) if isinstance(op, _UNARY):
                return ast.UnaryOp(op=op, operand=go(operand))
            case ast.BoolOp(op=op, values=values):
                return ast.BoolOp(op=op, values=[go(value) for value in values])
            case ast.Compare(left=left, ops=ops, comparators=others) if all(isinstance(op, _COMPARE) for op in ops):
                return ast.Compare(left=go(left), ops=ops, comparators=[go(other) for other in others])
            case ast.Compare(
                left=left, ops=[ast.Is() | ast.IsNot()] as ops, comparators=[ast.Constant(value=None) as none]
            ):
                return ast.Compare(left=go(left), ops=ops, comparators=[none])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return ast.IfExp(test=go(test), body=go(body), orelse=go(orelse))
            case ast.Call():
                return self._call(node, assigned)
        raise self._refusal(node, f"{ast.unparse(node)!r}")

    def _binary(self, node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
        if isinstance(op, _ROUNDING):
            for side in (node.left, node.right):
                if isinstance(side, ast.Attribute) and side.attr in _TIMES:
                    raise self._refusal(
                        node, f"{ast.unparse(node)!r}: a time in ns does not fit into a float; subtract first"
                    )
        if isinstance(op, ast.Pow):
            return ast.Call(func=ast.Name(id="wb_power"), args=[left, right], keywords=[])
        if not isinstance(op, _BINARY):
            raise self._refusal(node, f"{ast.unparse(node)!r}")
        return ast.BinOp(left=left, op=op, right=right)

    def _call(self, node: ast.Call, assigned: set[str]) -> ast.expr:
        path = self._path(node.func)
        called = self._translation.look_up(self._function, path)
        name = self._callee(node, called)
        fewest, most = _ARGUMENTS.get(name, (0, 99))
        if not fewest <= len(node.args) <= most or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self._refusal(node, f"{ast.unparse(node)!r}")
        keywords = []
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._refusal(node, f"{ast.unparse(node)!r}")
            keywords.append(ast.keyword(arg=keyword.arg, value=self._expression(keyword.value, assigned)))
        arguments = [self._expression(argument, assigned) for argument in node.args]
        return ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords)

    def _callee(self, node: ast.Call, called: object) -> str:
        try:
            known = _FUNCTIONS.get(called)
        except TypeError:
            known = None
        if known is not None:
            return known
        if isinstance(called, FunctionType):
            return self._translation.add(called)
        raise self._refusal(node, f"{ast.unparse(node.func)}(), which may give other bits in machine code")

    def _path(self, node: ast.expr) -> tuple[str, ...]:
        names: list[str] = []
        part = node
        while isinstance(part, ast.Attribute):
            names.append(part.attr)
            part = part.value
        if not isinstance(part, ast.Name) or part.id in self._locals:
            raise self._refusal(node, f"{ast.unparse(node)!r}")
        return (part.id, *reversed(names))

    def _value(self, value: object, name: str, node: ast.AST | None = None) -> ast.expr:
        """Return a number from outside as a literal."""
        if value is MISSING:
            raise self._refusal(node or ast.Pass(), f"{name}, which is not defined or not part of a module")
        if value is None or isinstance(value, (bool, int)):
            return ast.Constant(value=value)
        if type(value) is float:
            # nan and inf have no literal; that of any other float is exact.
            special = {"nan": "wb_math.nan", "inf": "wb_math.inf", "-inf": "-wb_math.inf"}.get(str(value))
            return ast.Constant(value=value) if special is None else ast.parse(special, mode="eval").body
        raise self._refusal(node or ast.Pass(), f"{name}, which is {type(value).__name__} and no number")
