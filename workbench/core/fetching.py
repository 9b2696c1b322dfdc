"""A hint to the processor: what is read soon but was not read lately, on its way early, takes no time to wait for."""

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numba.extending import intrinsic, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["fetch"]

# Of llvm.prefetch: to read, as near as can be, data.
_READ, _NEAREST, _DATA = 0, 3, 1


def fetch(array: "NDArray[np.float64]", row: int) -> None:
    """Let the processor fetch a row; it may lie outside the array, for nothing is read. Does nothing interpreted."""


def _prefetch(typing_context: Any, array: Any, row: Any) -> Any:  # noqa: ARG001  numba's protocol
    if not isinstance(array, types.Array) or not isinstance(row, types.Integer):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        number, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        builder.call(hint, [place, *(ir.Constant(number, value) for value in (_READ, _NEAREST, _DATA))])
        return context.get_dummy_value()

    return types.none(array, row), generate


_prefetched: Any = intrinsic(_prefetch)


@overload(fetch)
def _compile_fetch(array: Any, row: Any) -> Any:  # noqa: ARG001  numba's protocol
    def compiled(array: Any, row: Any) -> None:
        _prefetched(array, row)

    return compiled
