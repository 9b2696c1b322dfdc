"""The axes of a figure's picture: from values to pixels, and the labels beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["AxisKind", "StillAxis", "values_of"]

AxisKind = Literal["linear", "log", "date", "category"]

_MINUTE_MS: Final = 60_000.0
_DAY_MS: Final = 1440 * _MINUTE_MS
_MINUTES: Final = (1, 5, 15, 60, 180, 360, 720)
_DAYS: Final = (1, 2, 7, 14, 30, 91, 182, 365, 730, 1825, 3650)
_DATE_STEPS: Final = (*(count * _MINUTE_MS for count in _MINUTES), *(count * _DAY_MS for count in _DAYS))
_MOST_NAMES: Final = 16


def values_of(values: Any, kind: AxisKind, names: Sequence[str] = ()) -> Floats:  # noqa: ANN401  what plotly takes: a list, an array
    """Return values as numbers, nan where there is none: times in ms, logarithms, places among the `names`."""
    if values is None:
        return np.empty(0)
    if kind == "category":
        return np.array([names.index(str(value)) for value in values], dtype=np.float64)
    if kind == "date":
        times = np.array(["NaT" if value is None else value for value in values], dtype="datetime64[ns]")
        return np.where(np.isnat(times), np.nan, times.astype(np.int64) / 1e6)
    numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    return np.log10(np.where(numbers > 0.0, numbers, np.nan)) if kind == "log" else numbers


@dataclass(frozen=True, slots=True)
class StillAxis:
    """One axis: `low` and `high` are values, after the logarithm where it has one, at the pixels `begin` and `end`."""

    kind: AxisKind
    low: float
    high: float
    begin: float
    end: float
    names: tuple[str, ...] = ()
    suffix: str = ""

    def pixels(self, values: Any) -> Floats:  # noqa: ANN401  as above
        """Return where values of a trace stand."""
        return self.place(values_of(values, self.kind, self.names))

    def place(self, numbers: Floats) -> Floats:
        """Return where numbers stand, as `values_of` gives them."""
        return self.begin + (numbers - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self, count: int) -> list[tuple[float, str]]:
        """Return pixels and texts of about `count` labels."""
        if self.kind == "category":
            every = -(-len(self.names) // _MOST_NAMES)
            named = [(float(at), self.names[at]) for at in range(0, len(self.names), every)]
        elif self.kind == "date":
            named = self._dates(count)
        elif self.kind == "log":
            named = [(math.log10(value), f"{value:,.6g}") for value in self._powers()]
        else:
            step = _nice((self.high - self.low) / max(1, count))
            digits = max(0, -math.floor(math.log10(step)))
            named = [(value, f"{value:,.{digits}f}{self.suffix}") for value in _multiples(self.low, self.high, step)]
        return [(float(self.place(np.array(value))), text) for value, text in named]

    def _dates(self, count: int) -> list[tuple[float, str]]:
        wanted = (self.high - self.low) / max(1, count)
        step = next((step for step in _DATE_STEPS if step >= wanted), _DATE_STEPS[-1])
        is_daily = step >= _DAY_MS
        found = []
        for value in _multiples(self.low, self.high, step):
            text = str(np.datetime64(round(value), "ms"))
            found.append((value, text[:10] if is_daily else f"{text[5:10]} {text[11:16]}"))
        return found

    def _powers(self) -> Iterable[float]:
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for digit in (1, 2, 5):
                if self.low <= math.log10(value := digit * 10.0**power) <= self.high:
                    yield value


def _nice(step: float) -> float:
    """Return the next one of 1, 2, 5, 10, ... that is not below a step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1.0 - 1e-9))


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [step * at for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
