"""The arithmetic of compiled strategies where the compiler would answer otherwise than Python.

A compiler turns ``x ** 2.0`` into ``x * x``, which differs from Python's answer in the last bit about once in a
thousand times, and its square root of a negative number is nan where Python raises. Compiled strategies call these.
"""

import math
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numba.extending import intrinsic, overload

from workbench.core.compiled import jitable

__all__ = ["exp", "log", "power", "sqrt"]


@jitable
def sqrt(x: float) -> float:
    """Return ``math.sqrt(x)``; a negative number raises ValueError when compiled too.

    Examples
    --------
    >>> sqrt(9.0)
    3.0
    """
    if x < 0.0:
        raise ValueError("math domain error")
    return math.sqrt(x)


@jitable
def log(x: float) -> float:
    """Return ``math.log(x)``; a number that is not positive raises ValueError when compiled too.

    Examples
    --------
    >>> log(1.0)
    0.0
    """
    if x <= 0.0:
        raise ValueError("math domain error")
    return math.log(x)


@jitable
def exp(x: float) -> float:
    """Return ``math.exp(x)``; an overflow raises OverflowError when compiled too.

    Examples
    --------
    >>> exp(0.0)
    1.0
    """
    result = math.exp(x)
    if math.isinf(result) and not math.isinf(x):
        raise OverflowError("math range error")
    return result


def power(base: float, exponent: float) -> float:
    """Return ``base ** exponent`` as Python's floats give it, compiled too.

    Examples
    --------
    >>> power(3, 2)
    9
    """
    result: float = base**exponent
    return result


def _hide(typing_context: Any, value: Any) -> Any:  # noqa: ARG001  numba's protocol
    """Return a float that the optimizer knows nothing of, so that it cannot replace a power by a product."""
    if not isinstance(value, types.Float):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001  numba's protocol
        # Assembly without an instruction: its output is its input, in an integer register of whatever machine.
        bits = builder.bitcast(arguments[0], ir.IntType(64))
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.bitcast(builder.asm(kind, "", "=r,0", [bits], side_effect=False), ir.DoubleType())

    return types.float64(types.float64), generate


# numba calls it with the value alone, unlike what its type says.
_hidden: Any = intrinsic(_hide)


@overload(power, jit_options={"error_model": "python"})
def _compile_power(base: Any, exponent: Any) -> Any:  # noqa: ARG001  numba's protocol
    def compiled(base: Any, exponent: Any) -> Any:
        x, y = float(base), float(exponent)
        if x == 0.0 and y < 0.0:
            raise ZeroDivisionError("0.0 cannot be raised to a negative power")
        if x < 0.0 and math.isfinite(y) and y != math.floor(y):
            # Python gives a complex number, which no decision can be made of.
            raise ValueError("a negative number cannot be raised to a fractional power")
        result = x ** _hidden(y)
        if math.isinf(result) and math.isfinite(x) and math.isfinite(y):
            raise OverflowError("numerical result out of range")
        return result

    return compiled
