"""What lies between a backtest and the session that ran the same strategy, in parts."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import ConfigError

__all__ = ["EquityPart", "EquityWaterfall"]

_START, _END = "bar-only backtest", "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPart:
    """One reason why a session's final equity differs from that of a backtest.

    Parameters
    ----------
    name : str
        A word or two.
    amount : float
        What it added to the session's final equity, in quote currency; negative for what it cost.
    meaning : str
        One sentence for people.
    """

    name: str
    amount: float
    meaning: str


@dataclass(frozen=True, kw_only=True, repr=False)
class EquityWaterfall:
    """The way from the final equity of the bar-only backtest to that of a session, part by part.

    Parameters
    ----------
    currency : str
        The quote currency of all amounts.
    start, end : float
        Final equity of the bar-only backtest, and of the session.
    parts : tuple of EquityPart
        In the order in which one thing after another was put in the place of what the backtest assumes. Their sum is
        ``difference``.
    matched_orders, missed_orders, extra_orders : int, default 0
        Orders that were filled both in the simulation and at the exchange, only in the simulation, and only at the
        exchange; 0 for a session whose fills are simulated.

    Examples
    --------
    >>> part = EquityPart(name="fees", amount=-1.25, meaning="The exchange's fees against those assumed.")
    >>> EquityWaterfall(currency="USDT", start=10_000.0, end=9_998.75, parts=(part,))
    bar-only backtest  10,000.00 USDT
    fees                   -1.25
    session             9,998.75 USDT
    """

    figure_factory: ClassVar[Callable[["EquityWaterfall"], Any] | None] = None
    card_factory: ClassVar[Callable[["EquityWaterfall"], str] | None] = None

    currency: str
    start: float
    end: float
    parts: tuple[EquityPart, ...]
    matched_orders: int = 0
    missed_orders: int = 0
    extra_orders: int = 0

    @property
    def difference(self) -> float:
        """Final equity of the session less that of the bar-only backtest, in quote currency."""
        return self.end - self.start

    def part(self, name: str) -> float:
        """Return the amount of the part of this `name`, 0 when there is none."""
        return math.fsum(part.amount for part in self.parts if part.name == name)

    def plot(self) -> Any:  # noqa: ANN401  a plotly figure, which this room does not know
        """Return a figure of the parts, one step down or up each.

        Raises
        ------
        ConfigError
            The facade is not loaded.
        """
        if EquityWaterfall.figure_factory is None:
            raise ConfigError("figures are drawn in a room above; import workbench.api to have them")
        return EquityWaterfall.figure_factory(self)

    def _repr_html_(self) -> str | None:
        return None if EquityWaterfall.card_factory is None else EquityWaterfall.card_factory(self)

    def __repr__(self) -> str:
        # The sum turns the -0.0 of a rounded amount into 0.0.
        shown = [(part.name, f"{round(part.amount, 2) + 0.0:+,.2f}") for part in self.parts]
        rows = [(_START, f"{self.start:,.2f}"), *shown, (_END, f"{self.end:,.2f}")]
        names, amounts = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{name:<{names}}  {amount:>{amounts}}" for name, amount in rows]
        lines[0] += f" {self.currency}"
        lines[-1] += f" {self.currency}"
        if self.matched_orders or self.missed_orders or self.extra_orders:
            lines.append(
                f"orders: {self.matched_orders} matched, {self.missed_orders} missed, {self.extra_orders} extra"
            )
        return "\n".join(lines)
