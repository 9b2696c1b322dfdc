"""The market as a strategy sees it: the columns of one symbol's bars, and indicators by name."""

from collections.abc import Sequence
from typing import Any, NoReturn

from workbench.core.expressions import Expr, whole_number
from workbench.core.features import Feature, FeatureFunction
from workbench.core.graph import Graph
from workbench.core.indicator_definitions import indicator_definition, indicator_names
from workbench.core.indicator_methods import IndicatorMethod
from workbench.core.nodes import PRICE_NAMES, Node, Price
from workbench.core.operators import as_series
from workbench.errors import ConfigError

__all__ = ["MarketView"]

# Nodes never change, so that every view shares these.
_PRICES = tuple(Price(column) for column in range(len(PRICE_NAMES)))


class MarketView:
    """The bars of one symbol as expressions: the ``m`` of a strategy.

    ``m.open``, ``m.high``, ``m.low``, ``m.close`` and ``m.volume`` are series; every TA-Lib indicator is a method by
    its lower-case name (``m.atr(14)``, ``m.adx(timeperiod=20)``, ``m.stoch().slowk``) and reads the columns that
    TA-Lib names for it, unless other series come first: ``m.atr(high, low, close, 14)``.

    Parameters
    ----------
    graph : Graph, optional
        Where the expressions' nodes are kept; a new one by default.

    Examples
    --------
    >>> m = MarketView()
    >>> m.close.sma(10).crosses_above(m.close.sma(30)) & (m.rsi(14) < 70)
    (sma(close, 10).crosses_above(sma(close, 30)) & (rsi(close, 14) < 70))
    """

    __slots__ = ("graph",)

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = Graph() if graph is None else graph

    def _of(self, node: Node) -> Expr:
        return Expr(self.graph, node)

    def __repr__(self) -> str:
        return "MarketView(open, high, low, close, volume, indicators by name)"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *indicator_names()]

    def __getitem__(self, name: object) -> NoReturn:
        columns = ", ".join(f"m.{column}" for column in PRICE_NAMES)
        raise ConfigError(f"m[{name!r}] is refused: a strategy sees one symbol, whose columns are {columns}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            definition = indicator_definition(name)
        except ConfigError as error:
            raise AttributeError(f"{error}; columns: {', '.join(PRICE_NAMES)}") from None
        return IndicatorMethod(definition, self._of)

    @property
    def open(self) -> Expr:
        """First price of each bar."""
        return self._of(_PRICES[0])

    @property
    def high(self) -> Expr:
        """Highest price of each bar."""
        return self._of(_PRICES[1])

    @property
    def low(self) -> Expr:
        """Lowest price of each bar."""
        return self._of(_PRICES[2])

    @property
    def close(self) -> Expr:
        """Last price of each bar."""
        return self._of(_PRICES[3])

    @property
    def volume(self) -> Expr:
        """Traded volume of each bar, in units of the base currency."""
        return self._of(_PRICES[4])

    def feature(self, function: FeatureFunction, *, lookback: int, inputs: Expr | Sequence[Expr] | None = None) -> Expr:
        """Return a series computed by a free function that looks back only.

        Over many bars the function is called once; near the start, at the end and at many rows between, the answer is
        checked against calls on nothing but the last rows. Live it is called on those rows.

        Parameters
        ----------
        function : callable
            Takes one float64 array for each input, all of one length, and returns one number per row.
        lookback : int
            Rows it needs for one value, the current one included, >= 1.
        inputs : Expr or sequence of Expr, optional
            What it gets, in order; ``m.close`` by default.

        Raises
        ------
        ConfigError
            ``lookback`` is not a whole number >= 1, or there are no inputs.
        LookAheadError
            On evaluation: a value depends on more than the last rows.

        Examples
        --------
        >>> def spread(high, low):
        ...     return high - low
        >>> m = MarketView()
        >>> m.feature(spread, lookback=1, inputs=(m.high, m.low)) / m.close
        (spread(high, low, lookback=1) / close)
        """
        window = whole_number("lookback", lookback)
        if window < 1:
            raise ConfigError(f"lookback must be >= 1, was {window}")
        given = (self.close,) if inputs is None else (inputs,) if isinstance(inputs, Expr) else tuple(inputs)
        if not given:
            raise ConfigError("a feature needs at least one input")
        return self._of(Feature(function, window, [as_series(one.node) for one in given]))
