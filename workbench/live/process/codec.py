"""Frozen records as JSON and buffers, and back: exact floats, no code, nothing but what is listed here.

A record travels with the names of its fields, so that a session of another version can still be read: fields that this
version does not know are left out, missing ones take their defaults.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.live.health import SessionHealth
from workbench.live.open_orders import OpenOrder
from workbench.live.parity import ParityReport
from workbench.live.process.strategy_view import StrategyView
from workbench.live.records import ChartState, ErrorRecord, SessionEvent, StepUpdate
from workbench.model import (
    AccountState,
    ClosedTrade,
    Denied,
    EquityPart,
    EquityWaterfall,
    Fill,
    PositionSnapshot,
    Timeframe,
)
from workbench.strategy.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["decode", "encode"]

_RECORDS: Final[dict[str, type[Any]]] = {
    record.__name__: record
    for record in (
        AccountState,
        ChartState,
        ClosedTrade,
        Denied,
        EquityPart,
        EquityWaterfall,
        ErrorRecord,
        Fill,
        OpenOrder,
        Parameter,
        ParityReport,
        PositionSnapshot,
        SessionEvent,
        SessionHealth,
        StepUpdate,
        StrategyView,
        Timeframe,
    )
}
_FIELDS: Final = {name: tuple(f.name for f in dataclasses.fields(cls) if f.init) for name, cls in _RECORDS.items()}
_ARRAYS: Final = ("<f8", "<i8")
# Keys of the objects that stand for something else than a mapping.
_ARRAY, _FLOAT, _PAIRS, _RECORD = "$a", "$f", "$m", "$r"


def encode(value: object) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a value as JSON text, and its arrays as buffers.

    Parameters
    ----------
    value : object
        None, a bool, int, float or str; a tuple or list, which becomes a tuple; a mapping with text as keys; an array
        of float64 or int64; or a record that is listed in this module. Scalars of numpy become Python's.

    Raises
    ------
    DataError
        There is something else in it.

    Examples
    --------
    >>> encode((1, 0.1, float("nan"), {"stop": None}))
    (b'[1,0.1,{"$f":"nan"},{"stop":null}]', ())
    >>> decode(*encode((1, 0.1, float("inf"), {"stop": None})))
    (1, 0.1, inf, {'stop': None})
    """
    buffers: list[bytes] = []
    text = json.dumps(_plain(value, buffers), allow_nan=False, separators=(",", ":"))
    # Text that is no Unicode, such as half of a surrogate pair, is escaped by JSON and survives.
    return text.encode("ascii"), tuple(buffers)


def decode(text: bytes, buffers: Sequence[bytes] = ()) -> Any:  # noqa: ANN401  whatever was encoded
    """Return the value of a JSON text and its buffers; arrays are read-only views of the buffers.

    Raises
    ------
    DataError
        It was not made by `encode`, or by a version that this one does not understand.
    """
    try:
        return _value(json.loads(text), buffers)
    except (KeyError, IndexError, RecursionError, TypeError, ValueError) as error:
        raise DataError(f"a message cannot be read: {type(error).__name__}: {str(error)[:200]}") from error


def _plain(value: Any, buffers: list[bytes]) -> object:  # noqa: ANN401, PLR0911  one return for each kind of value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic):
        return _plain(value.item(), buffers)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_FLOAT: str(float(value))}
    if isinstance(value, tuple | list):
        return [_plain(item, buffers) for item in value]
    if isinstance(value, Mapping):
        return _plain_mapping(value, buffers)
    if isinstance(value, np.ndarray):
        return {_ARRAY: _plain_array(value, buffers)}
    name = type(value).__name__
    if _RECORDS.get(name) is not type(value):
        raise DataError(f"a {name} cannot be sent to another process")
    return {_RECORD: name, "f": {field: _plain(getattr(value, field), buffers) for field in _FIELDS[name]}}


def _plain_mapping(mapping: Mapping[Any, object], buffers: list[bytes]) -> object:
    if not all(isinstance(key, str) for key in mapping):
        raise DataError("a mapping whose keys are not all text cannot be sent to another process")
    if any(key.startswith("$") for key in mapping):
        return {_PAIRS: [[key, _plain(item, buffers)] for key, item in mapping.items()]}
    return {str(key): _plain(item, buffers) for key, item in mapping.items()}


def _plain_array(array: NDArray[Any], buffers: list[bytes]) -> list[object]:
    kind = array.dtype.newbyteorder("<").str
    if kind not in _ARRAYS:
        raise DataError(f"an array of {array.dtype} cannot be sent to another process")
    buffers.append(np.ascontiguousarray(array, dtype=kind).tobytes())
    return [len(buffers) - 1, kind, list(array.shape)]


def _value(plain: Any, buffers: Sequence[bytes]) -> Any:  # noqa: ANN401, PLR0911  as above
    if isinstance(plain, list):
        return tuple(_value(item, buffers) for item in plain)
    if not isinstance(plain, dict):
        return plain
    if _RECORD in plain:
        return _record(plain, buffers)
    if _FLOAT in plain:
        return float(plain[_FLOAT])
    if _ARRAY in plain:
        return _array(plain[_ARRAY], buffers)
    if _PAIRS in plain:
        return {key: _value(item, buffers) for key, item in plain[_PAIRS]}
    return {key: _value(item, buffers) for key, item in plain.items()}


def _record(plain: Mapping[str, Any], buffers: Sequence[bytes]) -> object:
    name = plain[_RECORD]
    known = _FIELDS[name]
    return _RECORDS[name](**{field: _value(item, buffers) for field, item in plain["f"].items() if field in known})


def _array(plain: Sequence[Any], buffers: Sequence[bytes]) -> NDArray[Any]:
    index, kind, shape = plain
    if kind not in _ARRAYS or not isinstance(index, int) or index < 0:
        raise ValueError(f"an array of {str(kind)[:20]!r}")
    return np.frombuffer(buffers[index], dtype=kind).reshape([int(length) for length in shape])
