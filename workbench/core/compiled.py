"""The one decorator behind every compiled function of the package.

numba's file cache asks only whether the file of the cached function changed. A kernel that calls a function
of another file, or reads a constant from one, would go on running the old machine code after an edit there.
`kernel` therefore stamps each cache with a hash of all source a kernel can see: ``core``, ``model`` and ``errors``.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
import numpy as np
from numba.core.types import unliteral
from numba.extending import register_jitable

__all__ = [
    "inlined_kernel",
    "is_compiling",
    "jitable",
    "kernel",
    "machine_code",
    "place",
    "record_kernel",
    "source_stamp",
]

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parent.parent

# fastmath is never set: it may reorder sums, and compiled code must equal interpreted code bit for bit. The others are
# named because numba hands those that are not down from caller to callee: one inlined function would inline all that it
# calls.
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "python",
    "_nrt": True,
    "forceinline": False,
    "no_cpython_wrapper": False,
    "no_cfunc_wrapper": False,
}


@cache
def source_stamp() -> str:
    """Return the sha256 of all source that a kernel can call or read, as hex digits.

    Covers every ``.py`` file of ``workbench.core`` and ``workbench.model`` and ``workbench/errors.py``, by relative
    path and content, so a moved, renamed or edited file changes it. Computed once in a process.

    Examples
    --------
    >>> len(source_stamp())
    64
    """
    digest = hashlib.sha256()
    files = [*(_PACKAGE / "core").rglob("*.py"), *(_PACKAGE / "model").rglob("*.py"), _PACKAGE / "errors.py"]
    for path in sorted(file for file in files if file.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_compiling() -> bool:
    """Return whether kernels are compiled: False when ``NUMBA_DISABLE_JIT=1`` was set before the import of numba."""
    return not getattr(numba.config, "DISABLE_JIT", False)


@overload
def kernel(function: F, /) -> F: ...
@overload
def kernel(function: None = None, /, **options: Any) -> Callable[[F], F]: ...
def kernel(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """Compile a function with numba: no GIL, cached on disk, Python's error model, never fastmath.

    The cache is dropped as soon as any source a kernel can see changed (`source_stamp`), not only the file of this
    function. Under ``NUMBA_DISABLE_JIT=1`` the plain Python function comes back.

    Parameters
    ----------
    function : callable, optional
        The function to compile; left out when options are given: ``@kernel(inline="always")``.
    **options
        More options of ``numba.njit``; they override the ones above.

    Returns
    -------
    callable
        numba's dispatcher, with the original function as ``.py_func``, or the function itself without the compiler.

    Examples
    --------
    >>> @kernel(cache=False)
    ... def double(x):
    ...     return 2.0 * x
    >>> double(21.0)
    42.0
    """
    if function is None:
        return lambda wrapped: _compile(wrapped, options)
    return _compile(function, options)


def _compile(function: F, options: dict[str, Any]) -> F:
    if not is_compiling():
        return function
    dispatcher = numba.njit(**(_OPTIONS | options))(function)
    typed = dispatcher.get_call_template

    # A kernel called with constants would be compiled once for each combination of their values.
    dispatcher.get_call_template = lambda args, kws: typed(tuple(map(unliteral, args)), kws)
    cache_file = getattr(dispatcher._cache, "_cache_file", None)  # noqa: SLF001  numba has no public way to stamp
    if cache_file is not None:
        cache_file._source_stamp = (cache_file._source_stamp, source_stamp())  # noqa: SLF001  as above
    compiled: F = dispatcher
    return compiled


def machine_code(function: F, *examples: Any) -> F:
    """Return a kernel's machine code for arguments of exactly the types of `examples`, compiling it first if need be.

    A kernel works out the types of its arguments on each call, which takes longer than a step of the core. What comes
    back does not: arguments of other types than the examples' crash the process. For loops whose arguments are fixed.

    Parameters
    ----------
    function : callable
        A kernel; without the compiler it comes back as it is.
    *examples
        One argument for each parameter, by position.

    Returns
    -------
    callable
        Takes positional arguments.

    Examples
    --------
    >>> @kernel(cache=False)
    ... def double(x):
    ...     return 2.0 * x
    >>> machine_code(double, 1.0)(21.0)
    42.0
    """
    if not is_compiling():
        return function
    dispatcher: Any = function
    types = tuple(map(numba.typeof, examples))
    dispatcher.compile(types)
    code: F = dispatcher.overloads[types].entry_point
    return code


def record_kernel(function: F, /) -> F:
    """Compile a function that works on the arrays it is given and makes none: no reference is counted.

    Counting the references of arrays costs more than a step of the core does; numba's run-time is therefore left out,
    and a function that allocates fails to compile.
    """
    return kernel(_nrt=False)(function)


def inlined_kernel(function: F, /) -> F:
    """Compile like `record_kernel`, and always inline: for what runs on every bar, where a call would cost most.

    Not to be called from Python.
    """
    return kernel(_nrt=False, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


@inlined_kernel
def place(row: int) -> Any:
    """Return a row number >= 0 as an unsigned index, for which numba adds no code that counts from the end."""
    return np.uint64(row)


def jitable(function: F) -> F:
    """Return the function unchanged, and let kernels and compiled strategies call it too.

    The same object works in plain Python at the price of a Python call and is compiled into each kernel that names it.

    Examples
    --------
    >>> @jitable
    ... def half(x):
    ...     return 0.5 * x
    >>> half(3.0)
    1.5
    """
    registered: F = register_jitable(error_model="python")(function)
    return registered
