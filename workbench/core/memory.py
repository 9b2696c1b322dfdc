"""The door between Python and the kernels: a book as the arrays that hold its records.

Taking a record from Python costs numba microseconds, since its type is spelled out on each call; an array costs a
hundredth of that. Kernels that Python calls bar by bar or tick by tick therefore take a `Memory` and make the book of
it inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from workbench.core.compiled import kernel
from workbench.core.records import Book

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Memory(NamedTuple):
    """The parts of a `Book`, each as the array that it is a view of.

    Attributes
    ----------
    account, config, output : ndarray, shape (1,)
        The records `ACCOUNT`, `CONFIG` and `OUTPUT`.
    symbols, log : ndarray
        As in the book.
    """

    account: NDArray[np.void]
    config: NDArray[np.void]
    output: NDArray[np.void]
    symbols: NDArray[np.void]
    log: NDArray[np.void]


def memory_of(book: Book) -> Memory:
    """Return the arrays behind a book from `workbench.core.book.open_book`: the same memory, no copy."""
    # numpy's type hints deny that a record has a base.
    account, config, output = (cast("NDArray[np.void]", record.base) for record in book[:3])
    return Memory(account, config, output, book.symbols, book.log)


# Inlined before the compiler sees it, because no compiled function can return records.
@kernel(_nrt=False, inline="always")
def book_of(memory: Memory) -> Book:
    """Return the book whose memory this is."""
    return Book(memory.account[0], memory.config[0], memory.output[0], memory.symbols, memory.log)
