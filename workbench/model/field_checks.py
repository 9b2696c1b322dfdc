"""Collect every bad field of a configuration, so that one error names them all.

A configuration that reports one mistake per attempt makes its user run five times to mend five fields. The records of
this room therefore gather their complaints here and raise once, at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import cast

from workbench.errors import WorkbenchError

__all__ = ["FieldChecks", "Interval", "shown"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers that prints itself the way mathematics writes it.

    Parameters
    ----------
    low, high : float
        The ends. ``high`` may be infinite, which then is never itself inside.
    includes_low, includes_high : bool, default False
        Whether the end itself is allowed.

    Examples
    --------
    >>> str(Interval(0.0, 0.5, includes_low=True))
    '[0, 0.5)'
    >>> 0.5 in Interval(0.0, 0.5, includes_low=True)
    False
    >>> float("nan") in Interval(0.0, 1.0)
    False
    """

    low: float
    high: float
    includes_low: bool = False
    includes_high: bool = False

    def __contains__(self, value: object) -> bool:
        """Return whether ``value`` is a finite number inside; ``nan``, a bool and what is no number are outside."""
        if isinstance(value, bool) or not isinstance(value, Real):
            return False
        number = cast("float", value)  # any real number compares like one
        is_above = number >= self.low if self.includes_low else number > self.low
        is_below = number <= self.high if self.includes_high else number < self.high
        return is_above and is_below

    def __str__(self) -> str:
        """Return the interval as text, such as ``(0, 1]``."""
        return f"{'[' if self.includes_low else '('}{self.low:g}, {self.high:g}{']' if self.includes_high else ')'}"


class FieldChecks:
    """A list of complaints about one object's fields.

    Examples
    --------
    >>> checks = FieldChecks()
    >>> checks.in_interval("stop_loss", 5, Interval(0.0, 1.0))
    >>> checks.is_one_of("path", "up", ("adverse", "ohlc"))
    >>> checks.message
    "stop_loss must be in (0, 1), was 5; path must be one of 'adverse', 'ohlc', was 'up'"
    """

    __slots__ = ("_complaints",)

    def __init__(self) -> None:
        self._complaints: list[str] = []

    @property
    def message(self) -> str:
        """All complaints in one line, in the order of the checks; empty when every field is good."""
        return "; ".join(self._complaints)

    def in_interval(self, name: str, value: object, interval: Interval) -> None:
        """Complain unless ``value`` is a finite number inside ``interval``."""
        if value not in interval:
            self._complaints.append(f"{name} must be in {interval}, was {shown(value)}")

    def in_interval_or_off(self, name: str, value: object, interval: Interval) -> None:
        """Complain unless ``value`` is ``None`` (off) or a finite number inside ``interval``."""
        if value is not None and value not in interval:
            self._complaints.append(f"{name} must be in {interval}, was {shown(value)}")

    def is_one_of(self, name: str, value: object, choices: Sequence[str]) -> None:
        """Complain unless ``value`` is one of the given words."""
        if not isinstance(value, str) or value not in choices:
            self._complaints.append(f"{name} must be one of {', '.join(map(repr, choices))}, was {shown(value)}")

    def is_name(self, name: str, value: object) -> None:
        """Complain unless ``value`` is text that is not empty."""
        self.require(name, value, "be a name", is_met=isinstance(value, str) and bool(value))

    def is_count_or_off(self, name: str, value: object) -> None:
        """Complain unless ``value`` is ``None`` (off) or a whole number from 1."""
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        self.require(name, value, "be a whole number from 1", is_met=value is None or is_count)

    def require(self, name: str, value: object, demand: str, *, is_met: bool) -> None:
        """Complain ``<name> must <demand>, was <value>`` unless ``is_met``."""
        if not is_met:
            self._complaints.append(f"{name} must {demand}, was {shown(value)}")

    def raise_if_any(self, error: type[WorkbenchError]) -> None:
        """Raise ``error`` with all complaints in one sentence; do nothing when there are none."""
        if self._complaints:
            raise error(self.message)


def shown(value: object) -> str:
    """Return ``value`` as an error message shows it: text in quotes, numbers plain.

    Examples
    --------
    >>> import numpy as np
    >>> shown("5"), shown(np.float64(5.0))
    ("'5'", '5.0')
    """
    return repr(value) if isinstance(value, str) else str(value)
