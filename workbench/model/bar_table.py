"""The storage below ``Bars``: checked, locked columns with a content hash."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.model.bars_checks import FIELDS, check_times, check_values
from workbench.model.instrument import Instrument
from workbench.model.timeframe import Timeframe
from workbench.model.times import utc_datetime, utc_text

__all__ = ["BarTable"]

_MOST_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BarTable:
    """Columns of bars that cannot change once they are made; ``Bars`` adds the ways in and out.

    Parameters
    ----------
    symbols : tuple of str
        The symbols, each once.
    timeframe : Timeframe
        Length of the bars.
    instruments : tuple of Instrument
        One per symbol, in the same order.
    time_ns : ndarray of int64, shape (n,)
        Open labels, nanoseconds UTC, strictly ascending.
    values : ndarray of float64, shape (5, n_symbols, n)
        Open, high, low, close, volume; all five ``nan`` where a symbol has no bar.

    Attributes
    ----------
    valid : ndarray of bool, shape (n_symbols, n)
        Where a symbol has a bar.

    Raises
    ------
    BarError, OutOfOrderError, DataError
        See ``Bars``.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    instruments: tuple[Instrument, ...]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    valid: NDArray[np.bool_] = field(init=False)
    _known_hash: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Copy the arrays, check them, and lock them."""
        self._adopt(np.array(self.time_ns, dtype=np.int64), np.array(self.values, dtype=np.float64, order="C"))

    @classmethod
    def _owning(
        cls,
        symbols: tuple[str, ...],
        timeframe: Timeframe,
        instruments: tuple[Instrument, ...],
        time_ns: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> Self:
        """Return a checked table of arrays that nobody else has, so that they need not be copied."""
        table = object.__new__(cls)
        for name, value in (("symbols", symbols), ("instruments", instruments), ("timeframe", timeframe)):
            object.__setattr__(table, name, value)
        table._adopt(time_ns, values)
        return table

    @classmethod
    def _trusted(
        cls,
        symbols: tuple[str, ...],
        instruments: tuple[Instrument, ...],
        timeframe: Timeframe,
        arrays: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]],
    ) -> Self:
        """Return a table of times, values and validity that were checked before, without copying or checking again."""
        table = object.__new__(cls)
        for name, value in (("symbols", symbols), ("instruments", instruments), ("timeframe", timeframe)):
            object.__setattr__(table, name, value)
        table._lock(*arrays)
        return table

    @property
    def n_symbols(self) -> int:
        """How many symbols there are."""
        return len(self.symbols)

    @property
    def open(self) -> NDArray[np.float64]:
        """First prices of the only symbol, shape (n,); ``DataError`` when there are several."""
        return self._field(0)

    @property
    def high(self) -> NDArray[np.float64]:
        """Highest prices of the only symbol, shape (n,); ``DataError`` when there are several."""
        return self._field(1)

    @property
    def low(self) -> NDArray[np.float64]:
        """Lowest prices of the only symbol, shape (n,); ``DataError`` when there are several."""
        return self._field(2)

    @property
    def close(self) -> NDArray[np.float64]:
        """Last prices of the only symbol, shape (n,); ``DataError`` when there are several."""
        return self._field(3)

    @property
    def volume(self) -> NDArray[np.float64]:
        """Traded amounts of the only symbol, shape (n,); ``DataError`` when there are several."""
        return self._field(4)

    @property
    def start(self) -> dt.datetime:
        """Open label of the first bar as an aware datetime; ``DataError`` when there is no bar."""
        return utc_datetime(self._edge_ns(0))

    @property
    def end(self) -> dt.datetime:
        """Open label of the last bar as an aware datetime; ``DataError`` when there is no bar."""
        return utc_datetime(self._edge_ns(-1))

    @property
    def content_hash(self) -> str:
        """The sha256, in hex, of symbols, timeframe, times and values; worked out once. Instruments do not count."""
        if not self._known_hash:
            digest = hashlib.sha256()
            for text in (*self.symbols, f"{self.timeframe.ns} ns"):
                digest.update(f"{text}\n".encode())
            digest.update(np.ascontiguousarray(self.time_ns, dtype="<i8").data)
            digest.update(np.ascontiguousarray(self.values, dtype="<f8").data)
            self._known_hash.append(digest.hexdigest())
        return self._known_hash[0]

    def symbol_index(self, symbol: str) -> int:
        """Return the position of a symbol.

        Raises
        ------
        DataError
            There is no such symbol; the message names those there are.
        """
        if symbol not in self.symbols:
            raise DataError(f"symbol must be one of {', '.join(self.symbols)}, was {symbol!r}")
        return self.symbols.index(symbol)

    def __len__(self) -> int:
        return int(self.time_ns.size)

    def __eq__(self, other: object) -> bool:
        return self.content_hash == other.content_hash if isinstance(other, BarTable) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __reduce__(self) -> tuple[Any, ...]:
        # numpy unpickles writable arrays, so the copy is put together by the constructor that locks them.
        arrays = (self.time_ns, self.values, self.valid)
        return self._trusted, (self.symbols, self.instruments, self.timeframe, arrays)

    def __repr__(self) -> str:
        if self.n_symbols == 1:
            names = repr(self.symbols[0])
        else:
            names = str(list(self.symbols)) if self.n_symbols <= _MOST_NAMES_SHOWN else f"{self.n_symbols} symbols"
        span = f", {utc_text(self._edge_ns(0))} .. {utc_text(self._edge_ns(-1))}" if len(self) else ""
        return f"{type(self).__name__}({names}, '{self.timeframe}', {len(self)} bars{span})"

    def _field(self, index: int) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self.values[index, self._only_symbol(FIELDS[index])]
        return column

    def _only_symbol(self, wanted: str) -> int:
        """Return the position of the only symbol, or raise an error that shows how to ask for one of several."""
        if self.n_symbols != 1:
            example = f"bars.one({self.symbols[0]!r}).{wanted}"
            raise DataError(f"these bars hold {self.n_symbols} symbols; say which, as in {example}")
        return 0

    def _edge_ns(self, position: int) -> int:
        if not len(self):
            raise DataError("these bars are empty, so they have no start and no end")
        return int(self.time_ns[position])

    def _check_shapes(self, time_ns: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Raise unless symbols, instruments and arrays fit together."""
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise DataError(f"symbols must be at least one, each once, was {self.symbols}")
        owners = tuple(instrument.symbol for instrument in self.instruments)
        if owners != self.symbols:
            raise DataError(f"instruments must be those of the symbols {self.symbols}, was {owners}")
        wanted = (len(FIELDS), len(self.symbols), time_ns.size)
        if time_ns.ndim != 1 or values.shape != wanted:
            raise DataError(f"values must have the shape {wanted} (fields, symbols, times), was {values.shape}")

    def _adopt(self, time_ns: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Check the arrays, make equal bars have equal bytes, and lock them."""
        self._check_shapes(time_ns, values)
        check_times(time_ns, self.timeframe)
        valid = np.empty(values.shape[1:], dtype=np.bool_)
        for index, symbol in enumerate(self.symbols):
            valid[index] = check_values(values[:, index], time_ns, symbol)
        # Adding 0 turns a volume of -0.0 into 0.0, and the nan of a missing bar becomes the one usual nan.
        values[4] += 0.0
        if not valid.all():
            values[:, ~valid] = np.nan
        self._lock(time_ns, values, valid)

    def _lock(self, time_ns: NDArray[np.int64], values: NDArray[np.float64], valid: NDArray[np.bool_]) -> None:
        """Set the arrays on this frozen object so that nobody can write to them."""
        for name, array in (("time_ns", time_ns), ("values", values), ("valid", valid)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "_known_hash", [])
