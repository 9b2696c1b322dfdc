"""`Stats`: the figures of one result, each a number or ``nan`` with the reason why it is undefined."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from workbench.charts.card_markup import card, card_table
from workbench.errors import ConfigError
from workbench.research.formatting import format_value
from workbench.research.measures import GROUPS, MEASURES, Measure

if TYPE_CHECKING:
    import pandas as pd


class Stats(Mapping[str, float]):
    """The figures of one result: a read-only mapping whose keys are attributes too.

    Fractions are fractions, money is quote currency, durations are seconds; see ``describe()`` for what each one means.

    Parameters
    ----------
    values : mapping of str to float
        Value by measure; the names are those of `workbench.research.measures.MEASURES`, not necessarily all of them.
    reasons : mapping of str to str
        Why a value is ``nan``, for every value that is.
    currency : str, default ""
        Quote currency, for display.

    Raises
    ------
    ConfigError
        An unknown name, a ``nan`` without a reason, or a reason for a number.

    Examples
    --------
    >>> stats = Stats({"total_return": 0.21, "sharpe": float("nan")}, {"sharpe": "fewer than two daily returns"})
    >>> stats.total_return
    0.21
    >>> stats.reason("sharpe")
    'fewer than two daily returns'
    >>> stats
    Total return  21.00 %
    Sharpe        n/a (fewer than two daily returns)
    """

    __slots__ = ("_currency", "_reasons", "_values")
    _values: Mapping[str, float]
    _reasons: Mapping[str, str]
    _currency: str

    def __init__(self, values: Mapping[str, float], reasons: Mapping[str, str], *, currency: str = "") -> None:
        problems = [f"{name} is no measure" for name in values if name not in MEASURES]
        problems += [
            f"{name} is nan without a reason" for name in values if math.isnan(values[name]) and name not in reasons
        ]
        problems += [f"{name} has a reason but is no nan" for name in reasons if not math.isnan(values.get(name, 0.0))]
        if problems:
            raise ConfigError("; ".join(problems))
        object.__setattr__(self, "_values", MappingProxyType(dict(values)))
        object.__setattr__(self, "_reasons", MappingProxyType(dict(reasons)))
        object.__setattr__(self, "_currency", currency)

    def __getitem__(self, name: str) -> float:
        """Return the value of a measure; a KeyError tells which there are."""
        if name not in self._values:
            raise KeyError(f"Stats has no {name!r}; it has {', '.join(self._values)}")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in display order."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many measures there are."""
        return len(self._values)

    def __getattr__(self, name: str) -> float:
        """Return the value of a measure."""
        # Without this, unpickling would look for `_values` in `_values`.
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._values:
            raise AttributeError(f"Stats has no {name!r}; it has {', '.join(self._values)}")
        return self._values[name]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a result never changes."""
        raise AttributeError(f"Stats is read-only: cannot set {name} to {value!r}")

    def __dir__(self) -> list[str]:
        """Return the names with the measures, for completion."""
        return [*super().__dir__(), *self._values]

    def __reduce__(self) -> tuple[object, ...]:
        """Support copy and pickle in spite of the read-only attributes."""
        return _restore, (dict(self._values), dict(self._reasons), self._currency)

    def reason(self, name: str) -> str | None:
        """Return why a measure is undefined, or None when it is a number.

        Parameters
        ----------
        name : str
            The measure.

        Raises
        ------
        KeyError
            There is no such measure.
        """
        if name not in self._values:
            raise KeyError(name)
        return self._reasons.get(name)

    def describe(self) -> pd.DataFrame:
        """Return a table of all measures as a person reads them; ``pandas.Series(stats)`` has the numbers.

        Returns
        -------
        pandas.DataFrame
            Indexed by name, with columns ``label``, ``value`` (text with its unit) and ``meaning``, or the reason why
            it is undefined.
        """
        import pandas as pd  # noqa: PLC0415  a sweep's worker never needs it

        measures = [MEASURES[name] for name in self._values]
        return pd.DataFrame(
            {
                "label": [measure.label for measure in measures],
                "value": [self.shown(measure.name) for measure in measures],
                "meaning": [self._reasons.get(measure.name, measure.meaning) for measure in measures],
            },
            index=pd.Index(list(self._values), name="measure"),
        )

    def shown(self, name: str) -> str:
        """Return a value as a person reads it: ``12.35 %``, ``1,234.50 USDT``, ``3 d 4 h``, ``n/a``.

        Parameters
        ----------
        name : str
            The measure; a KeyError names an unknown one.
        """
        return format_value(self._values[name], MEASURES[name].unit, self._currency)

    def __repr__(self) -> str:
        """Return a table, with a blank line between groups."""
        groups = [[m for m in group if m.name in self._values] for group in GROUPS.values()]
        width = max((len(m.label) for group in groups for m in group), default=0)
        return "\n\n".join("\n".join(self._line(m, width) for m in group) for group in groups if group)

    def _repr_html_(self) -> str:
        return card("Figures", "", self.as_table())

    def as_table(self) -> str:
        """Return all figures with their meaning, or the reason why one is undefined, as HTML."""
        named = ((MEASURES[name], self.shown(name), self.reason(name)) for name in self)
        rows = ((measure.label, shown, reason or measure.meaning) for measure, shown, reason in named)
        return card_table(("Figure", "Value", "Meaning"), rows, numbers=frozenset({1}))

    def _line(self, measure: Measure, width: int) -> str:
        reason = self._reasons.get(measure.name)
        return f"{measure.label:<{width}}  {self.shown(measure.name)}" + (f" ({reason})" if reason else "")


def _restore(values: dict[str, float], reasons: dict[str, str], currency: str) -> Stats:
    return Stats(values, reasons, currency=currency)
