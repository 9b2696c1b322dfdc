"""Evaluation over whole arrays, and the cache that lets a sweep compute each distinct indicator once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.nodes import PRICE_NAMES, FloatArray, Node, Price, frozen
from workbench.errors import ConfigError, DataError

__all__ = ["EvaluationCache", "evaluation_order"]

_COLUMNS = len(PRICE_NAMES)
_TABLE_DIMENSIONS = 2


def evaluation_order(
    roots: Sequence[Node], values: dict[Node, Any], cache: "EvaluationCache | None" = None
) -> list[Node]:
    """Return all nodes that the roots need, each once, inputs before the nodes that read them.

    Parameters
    ----------
    roots : sequence of Node
        What is to be known in the end.
    values : dict of Node to value
        Known already: these nodes, and what only they need, are left out. Takes what the cache holds.
    cache : EvaluationCache, optional
        Asked for every node that it may hold.
    """
    order: list[Node] = []
    seen = set(values)
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        if node in seen:
            stack.pop()
            continue
        value = cache.get(node) if cache is not None and node.is_shared else None
        if value is not None:
            values[node] = value
            seen.add(node)
            continue
        # Reversed, so that inputs are numbered in the order in which they are written.
        waiting = [source for source in reversed(node.inputs) if source not in seen]
        if waiting:
            stack += waiting
        else:
            order.append(node)
            seen.add(node)
    return order


class EvaluationCache:
    """Indicator values over one set of bars, shared by all evaluations over these bars, from any thread.

    Only indicators and features are kept: there are few distinct ones. What combines them is cheap and differs with
    each combination of parameters, so memory stays O(bars + distinct indicators).

    Parameters
    ----------
    ohlcv : ndarray of float64, shape (5, n)
        The bars: open, high, low, close, volume. Not copied; do not change them while the cache lives.
    max_bytes : int, default 256 MiB
        Most memory that kept values may take; the ones unused for longest are dropped first.

    Raises
    ------
    ConfigError
        ``max_bytes`` is negative.
    DataError
        ``ohlcv`` has another shape or type.
    """

    def __init__(self, ohlcv: FloatArray, *, max_bytes: int = 256 * 1024 * 1024) -> None:
        if max_bytes < 0:
            raise ConfigError(f"max_bytes must be >= 0, was {max_bytes}")
        self.ohlcv = checked_ohlcv(ohlcv)
        self._columns = price_columns(ohlcv)
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._values: OrderedDict[Node, NDArray[Any]] = OrderedDict()
        self._computing: dict[Node, threading.Event] = {}
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """Bytes that the kept values take."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._values)

    def holds(self, ohlcv: FloatArray) -> bool:
        """Return whether the cache is for exactly these bars: the same memory, not merely equal values."""
        own = self.ohlcv
        return ohlcv is own or (
            ohlcv.shape == own.shape and ohlcv.strides == own.strides and ohlcv.ctypes.data == own.ctypes.data
        )

    def columns(self) -> tuple[FloatArray, ...]:
        """Return the bars' columns as read-only views."""
        return self._columns

    def get(self, node: Node) -> NDArray[Any] | None:
        """Return the kept value of a node, or None; a value that another thread computes just now is waited for."""
        while True:
            with self._lock:
                value = self._values.get(node)
                if value is not None:
                    self._values.move_to_end(node)
                    return value
                event = self._computing.get(node)
            if event is None:
                return None
            event.wait()

    def compute(self, node: Node, calculate: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return the kept value of a node, calculating it first when no thread has done or is doing so."""
        while True:
            with self._lock:
                value = self._values.get(node)
                if value is not None:
                    return value
                event = self._computing.get(node)
                if event is None:
                    done = self._computing[node] = threading.Event()
                    break
            event.wait()
        try:
            value = calculate()
            self._keep(node, value)
        finally:
            # Also after an error: the next thread then tries, and meets the error itself.
            with self._lock:
                del self._computing[node]
            done.set()
        return value

    def _keep(self, node: Node, value: NDArray[Any]) -> None:
        with self._lock:
            self._values[node] = value
            self._size_bytes += value.nbytes
            while self._size_bytes > self._max_bytes:
                _, dropped = self._values.popitem(last=False)
                self._size_bytes -= dropped.nbytes


def checked_ohlcv(ohlcv: FloatArray) -> FloatArray:
    """Return the bars' value table, or raise DataError unless it is float64 of shape (5, n)."""
    if ohlcv.ndim != _TABLE_DIMENSIONS or ohlcv.shape[0] != _COLUMNS or ohlcv.dtype != np.float64:
        raise DataError(f"ohlcv must be float64 of shape (5, n), was {ohlcv.dtype} of shape {ohlcv.shape}")
    return ohlcv


def price_columns(ohlcv: FloatArray) -> tuple[FloatArray, ...]:
    """Return the five columns as read-only, contiguous arrays, views where possible."""
    columns = []
    for row in ohlcv:
        # A view of its own, so that marking it read-only leaves the caller's table as it was.
        column = row if row.flags.c_contiguous else np.ascontiguousarray(row)
        columns.append(frozen(column.view()))
    return tuple(columns)


def evaluate(roots: Sequence[Node], ohlcv: FloatArray, cache: EvaluationCache | None) -> list[Any]:
    """Return the roots' values over all bars; what the cache already knows is not computed, nor anything below it."""
    if cache is None:
        columns = price_columns(checked_ohlcv(ohlcv))
    elif cache.holds(ohlcv):
        columns = cache.columns()
    else:
        raise DataError("the evaluation cache is for other bars: make one cache for each ohlcv table")
    if cache is not None:
        kept = [cache.get(root) for root in roots]
        if all(value is not None for value in kept):
            return kept
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in evaluation_order(roots, values, cache):
            if isinstance(node, Price):
                values[node] = columns[node.column]
                continue
            inputs = [values[source] for source in node.inputs]
            if cache is not None and node.is_shared:
                values[node] = cache.compute(node, partial(node.evaluate, inputs))
            else:
                values[node] = node.evaluate(inputs)
    return [values[root] for root in roots]
