"""The third door: ready arrays, made elsewhere. Research only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.core.intents import DEFAULT, SIZINGS
from workbench.core.plan import CONDITION_NAMES, LEVEL_NAMES, SignalPlan, level_fault
from workbench.errors import ConfigError, DataError
from workbench.strategy.parameters import Parameter

__all__ = ["Signals"]

_LEVELS = LEVEL_NAMES[:-1]
_SIZINGS = SIZINGS[1:]
_COLUMNS = (*CONDITION_NAMES, *_LEVELS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Signals:
    """Decisions as arrays with one value for each bar, from pandas, a model or anywhere else.

    Nothing proves that they use no later bar, so results are marked as not proven causal and sessions refuse them. The
    arrays are read by position: they must be as long as the bars they are run on. Where one has an index of times, as a
    pandas series has, these must be the opens of the bars.

    Parameters
    ----------
    enter_long, exit_long, enter_short, exit_short : array-like of bool, optional
        One value per bar, 0 and 1 are fine, no missing ones. At least one of the four.
    size : array-like of float or float, optional
        Amount in the unit of ``sizing``, > 0 on every bar with an entry. None: all equity after costs.
    sizing : {"fraction", "notional", "units", "risk"}, default "fraction"
        As in `Rules`.
    limit, stop, stop_loss, take_profit, trailing_stop, max_holding_s : array-like of float or float, optional
        As in `Rules`; read on bars with an entry.

    Raises
    ------
    ConfigError
        No array was given, or the sizing is unknown.
    DataError
        Arrays differ in length, or a value is missing or out of range; the row is named.

    Examples
    --------
    >>> Signals(enter_long=[0, 1, 0], exit_long=[0, 0, 1])
    Signals(3 bars, 1 bars with an entry, 1 with an exit)
    """

    enter_long: ArrayLike | None = None
    exit_long: ArrayLike | None = None
    enter_short: ArrayLike | None = None
    exit_short: ArrayLike | None = None
    size: ArrayLike | None = None
    sizing: str = "fraction"
    limit: ArrayLike | None = None
    stop: ArrayLike | None = None
    stop_loss: ArrayLike | None = None
    take_profit: ArrayLike | None = None
    trailing_stop: ArrayLike | None = None
    max_holding_s: ArrayLike | None = None
    time_ns: NDArray[np.int64] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Check every field and keep arrays of the right type."""
        given = {name: getattr(self, name) for name in CONDITION_NAMES if getattr(self, name) is not None}
        if not given:
            raise ConfigError(f"signals need at least one array: {', '.join(CONDITION_NAMES)}")
        if self.sizing not in _SIZINGS:
            raise ConfigError(f"sizing must be one of {', '.join(_SIZINGS)}, was {self.sizing!r}")
        if self.limit is not None and self.stop is not None:
            raise ConfigError("give only one of limit and stop: an entry rests at one price")
        object.__setattr__(self, "time_ns", _common_times({name: getattr(self, name) for name in _COLUMNS}))
        conditions = {name: _condition(name, value) for name, value in given.items()}
        rows = _common_length(conditions)
        for name in CONDITION_NAMES:
            object.__setattr__(self, name, conditions.get(name, np.zeros(rows, dtype=np.bool_)))
        is_entry = self._array("enter_long") | self._array("enter_short")
        for name in _LEVELS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _level(name, getattr(self, name), is_entry))

    def __repr__(self) -> str:
        entries = np.count_nonzero(self._array("enter_long") | self._array("enter_short"))
        exits = np.count_nonzero(self._array("exit_long") | self._array("exit_short"))
        return f"Signals({len(self)} bars, {entries} bars with an entry, {exits} with an exit)"

    def __len__(self) -> int:
        return len(self._array("enter_long"))

    def _array(self, name: str) -> NDArray[np.bool_]:
        array: NDArray[np.bool_] = getattr(self, name)
        return array

    @property
    def name(self) -> str:
        """Name of the strategy: ``"signals"``."""
        return "signals"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """No parameters."""
        return MappingProxyType({})

    @property
    def spec(self) -> tuple[Parameter, ...]:
        """No parameters."""
        return ()

    def with_parameters(self, **changes: object) -> "Signals":
        """Return the signals themselves; raise ConfigError when a change is asked for."""
        if changes:
            raise ConfigError(f"signals have no parameters, was given {', '.join(changes)}")
        return self

    def check_times(self, time_ns: NDArray[np.int64]) -> None:
        """Check that the arrays' own times, if they came with some, are the opens of the bars.

        Parameters
        ----------
        time_ns : array of int64, shape (n_bars,)
            The bars' opens, ns UTC.

        Raises
        ------
        DataError
            They are not: read by position, each decision would be another bar's.
        """
        if self.time_ns is not None:
            _require_same(self.time_ns, time_ns, "the arrays' index", "the bars")

    def lower(self) -> SignalPlan:
        """Return the decision plan."""
        codes = np.zeros(len(self), dtype=np.uint8)
        for bit, name in enumerate(CONDITION_NAMES):
            codes |= np.left_shift(self._array(name).astype(np.uint8), np.uint8(bit))
        levels = [getattr(self, name) for name in _LEVELS]
        varies = any(isinstance(level, np.ndarray) for level in levels)
        table = np.full((len(LEVEL_NAMES), len(self) if varies else 1), math.nan)
        for row, level in enumerate(levels):
            if level is not None:
                table[row] = level
        table[-1] = DEFAULT if self.size is None else SIZINGS.index(self.sizing)
        table.setflags(write=False)
        codes.setflags(write=False)
        return SignalPlan(self.name, codes, table)


def _condition(name: str, value: ArrayLike) -> NDArray[np.bool_]:
    array = np.asarray(value)
    if array.ndim != 1:
        raise DataError(f"{name} must have one dimension, had shape {array.shape}")
    if array.dtype.kind == "b":
        return array.copy()
    for row, one in enumerate(array.tolist()):
        if not _is_flag(one):
            raise DataError(f"{name} must be True or False on every bar, was {one!r} at row {row}")
    return array.astype(np.bool_)


def _is_flag(value: object) -> bool:
    try:
        return value in (0, 1)
    except TypeError:
        # A missing value of pandas is neither equal nor unequal to anything.
        return False


def _times_of(column: object) -> NDArray[np.int64] | None:
    """Return the times of an index, ns UTC (naive ones as they stand); None where there is no index of times."""
    index: Any = getattr(column, "index", None)
    if not str(getattr(index, "dtype", "")).startswith("datetime64["):
        return None
    times: NDArray[np.int64] = index.to_numpy(dtype="datetime64[ns]").view(np.int64)
    return times


def _common_times(columns: Mapping[str, object]) -> NDArray[np.int64] | None:
    """Return the times that columns with an index of times share, or None."""
    indexed = {name: times for name, column in columns.items() if (times := _times_of(column)) is not None}
    if not indexed:
        return None
    (first, common), *others = indexed.items()
    for name, times in others:
        _require_same(times, common, f"the index of {name}", f"that of {first}")
    return common


def _require_same(times: NDArray[np.int64], wanted: NDArray[np.int64], what: str, whose: str) -> None:
    """Raise DataError where times of as many rows differ; other lengths have an error of their own."""
    if len(times) != len(wanted) or np.array_equal(times, wanted):
        return
    row = int(np.argmax(times != wanted))
    was, must = (str(np.datetime64(int(column[row]), "ns"))[:19] for column in (times, wanted))
    raise DataError(
        f"{what} must have the times of {whose}: row {row} was of {was}, must be of {must} (UTC); reindex it, or pass "
        f"to_numpy() if its rows are the bars' by position"
    )


def _common_length(conditions: Mapping[str, NDArray[np.bool_]]) -> int:
    lengths = {name: len(array) for name, array in conditions.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"signals must be of one length, had {', '.join(f'{k} {n}' for k, n in lengths.items())}")
    return next(iter(lengths.values()))


def _level(name: str, value: ArrayLike, is_entry: NDArray[np.bool_]) -> NDArray[np.float64] | float:
    array = np.array(value, dtype=np.float64)
    if array.ndim == 0:
        if fault := level_fault(name, float(array)):
            raise DataError(fault)
        return float(array)
    if array.shape != is_entry.shape:
        raise DataError(
            f"{name} must be a number or have one value for each of {len(is_entry)} bars, had shape {array.shape}"
        )
    # Only bars with an entry read it; elsewhere anything may stand.
    read = np.where(is_entry, array, np.nan)
    missing = is_entry & np.isnan(array)
    if missing.any():
        raise DataError(
            f"{name} must have a value on every bar with an entry, was nan at row {int(np.argmax(missing))}"
        )
    if fault := level_fault(name, read):
        raise DataError(fault)
    read.setflags(write=False)
    return read
