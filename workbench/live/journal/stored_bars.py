"""Warm-up bars as exact bytes, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from workbench.errors import JournalError
from workbench.live.journal.chain import seal
from workbench.live.journal.note import canonical_text
from workbench.model import FIELDS, Bars, Instrument, Timeframe

__all__ = ["StoredBars"]


class StoredBars(NamedTuple):
    """Bars in the form in which the journal keeps them.

    Attributes
    ----------
    about : str
        Symbols, instruments, timeframe and content hash as canonical JSON.
    time_ns, values : bytes
        The two arrays, little-endian; `values` in the order fields, symbols, times.
    """

    about: str
    time_ns: bytes
    values: bytes

    @classmethod
    def of(cls, bars: Bars) -> StoredBars:
        """Return bars as bytes.

        Examples
        --------
        >>> bars = Bars.from_arrays("BTC/USDT", "1h", [1_735_689_600_000_000_000], [2.0], [3.0], [1.0], [2.5], [0.1])
        >>> StoredBars.of(bars).bars() == bars
        True
        """
        about = {
            "content_hash": bars.content_hash,
            "instruments": [asdict(instrument) for instrument in bars.instruments],
            "timeframe": bars.timeframe.name,
        }
        times = np.ascontiguousarray(bars.time_ns, dtype="<i8").tobytes()
        values = np.ascontiguousarray(bars.values, dtype="<f8").tobytes()
        return cls(canonical_text(about, "instruments of the warm-up bars"), times, values)

    @property
    def digest(self) -> bytes:
        """The sha256 of all three parts."""
        return seal(*self)

    def bars(self) -> Bars:
        """Return the bars; ``JournalError`` when they have not the content that was stored."""
        about = json.loads(self.about)
        instruments = tuple(Instrument(**fields) for fields in about["instruments"])
        times = np.frombuffer(self.time_ns, dtype="<i8")
        values = np.frombuffer(self.values, dtype="<f8").reshape(len(FIELDS), len(instruments), len(times))
        symbols = tuple(instrument.symbol for instrument in instruments)
        bars = Bars(symbols, Timeframe(about["timeframe"]), instruments, times, values)
        if bars.content_hash != about["content_hash"]:
            raise JournalError(f"warm-up bars must have the content {about['content_hash']}, was {bars.content_hash}")
        return bars
