"""A sweep's grid: parameter values to try, their combinations, and the condition that some must meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Final, TypeAlias

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_COMBINATIONS: Final = 1_000_000

Condition: TypeAlias = Callable[[SimpleNamespace], object]
# A combination and the places of its values.
_Pair: TypeAlias = tuple[tuple[object, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Grid:
    """The combinations of a sweep.

    Parameters
    ----------
    values : mapping of str to tuple
        The values of each parameter, in the order in which they were given.
    combinations : tuple of tuple
        One value a parameter, in the order of ``values``; the last parameter changes fastest.
    places : tuple of tuple of int
        The place of each value in its parameter's tuple, for finding neighbours.
    """

    values: Mapping[str, tuple[object, ...]]
    combinations: tuple[tuple[object, ...], ...]
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls,
        grid: Mapping[str, Iterable[object]],
        *,
        defaults: Mapping[str, object],
        where: Condition | None = None,
    ) -> Grid:
        """Return the combinations of ``grid`` that meet ``where``.

        Parameters
        ----------
        grid : mapping of str to iterable
            Values to try of each parameter.
        defaults : mapping of str to object
            The strategy's parameters with the values that the grid leaves alone.
        where : callable, optional
            Called with all parameters of a combination as attributes; a false answer leaves it out.

        Raises
        ------
        ConfigError
            The grid is empty, names an unknown parameter, has a parameter without values, with a value twice or with
            something that is not a collection of values; there are over 1,000,000 combinations, or none is left.

        Examples
        --------
        >>> axes, defaults = {"fast": [1, 2], "slow": [2, 3]}, {"fast": 1, "slow": 9}
        >>> Grid.of(axes, defaults=defaults, where=lambda p: p.fast < p.slow).combinations
        ((1, 2), (1, 3), (2, 3))
        """
        values = _checked_values(grid, defaults)
        size = 1
        for column in values.values():
            size *= len(column)
        if size > MAX_COMBINATIONS:
            sizes = " x ".join(f"{len(column):,} {name}" for name, column in values.items())
            raise ConfigError(
                f"grid must have at most {MAX_COMBINATIONS:,} combinations, was {size:,} ({sizes}); take wider steps "
                f"or sweep in parts"
            )
        places = itertools.product(*(range(len(column)) for column in values.values()))
        pairs: Iterable[_Pair] = zip(itertools.product(*values.values()), places, strict=True)
        if where is not None and not callable(where):
            raise ConfigError(f"where must be a function of the parameters, as in lambda p: p.a < p.b, was {where!r}")
        if where is not None:
            pairs = _meeting(pairs, tuple(values), defaults, where)
        kept = tuple(pairs)
        if not kept:
            raise ConfigError(f"no combination is left: where refused all {size:,}")
        combinations, kept_places = zip(*kept, strict=True)
        return cls(MappingProxyType(values), combinations, kept_places)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that vary."""
        return tuple(self.values)

    def __len__(self) -> int:
        """Return how many combinations there are."""
        return len(self.combinations)


def _checked_values(
    grid: Mapping[str, Iterable[object]], defaults: Mapping[str, object]
) -> dict[str, tuple[object, ...]]:
    if not isinstance(grid, Mapping) or not grid:
        raise ConfigError(
            f"grid must name at least one parameter with its values, such as {{'fast': [5, 10]}}, was {grid!r}"
        )
    problems: list[str] = []
    values: dict[str, tuple[object, ...]] = {}
    for name, column in grid.items():
        if name not in defaults:
            problems.append(f"{name!r} is no parameter of the strategy, which has {', '.join(defaults) or 'none'}")
            continue
        if isinstance(column, (str, bytes, Mapping)) or not isinstance(column, Iterable):
            problems.append(f"grid[{name!r}] must be a collection of values, was {column!r}")
            continue
        values[name] = tuple(_plain(value) for value in column)
        problems += _column_problems(name, values[name])
    if problems:
        raise ConfigError("; ".join(problems))
    return values


def _column_problems(name: str, column: Sequence[object]) -> list[str]:
    if not column:
        return [f"grid[{name!r}] has no values"]
    seen: list[object] = []
    for value in column:
        if value in seen:
            return [f"grid[{name!r}] has {value!r} twice"]
        seen.append(value)
    return []


def _plain(value: object) -> object:
    # numpy scalars would travel into strategies, tables and reprs as np.int64(5).
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def _meeting(
    pairs: Iterable[_Pair],
    names: Sequence[str],
    defaults: Mapping[str, object],
    where: Condition,
) -> Iterator[_Pair]:
    point = SimpleNamespace(**defaults)
    for combination, place in pairs:
        vars(point).update(zip(names, combination, strict=True))
        try:
            is_wanted = bool(where(point))
        except AttributeError as error:
            if error.obj is not point:
                raise
            raise ConfigError(f"where asks for {error.name!r}, but the parameters are {', '.join(defaults)}") from error
        if is_wanted:
            yield combination, place
