"""What a download did, for people."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.spans import Span
    from workbench.model.timeframe import Timeframe

__all__ = ["DownloadSummary", "SymbolDownload"]


@dataclass(frozen=True, slots=True)
class SymbolDownload:
    """What a download did for one symbol.

    Attributes
    ----------
    symbol : str
        Unified symbol.
    new : int
        Candles that were loaded.
    before : int
        Candles of the wanted time that were in the store already.
    holes : tuple of Span
        Times of which the exchange has no candle.
    answers : int
        Questions that the exchange answered; 0 when nothing was lacking.
    """

    symbol: str
    new: int
    before: int
    holes: tuple[Span, ...]
    answers: int


@dataclass(frozen=True, slots=True, repr=False)
class DownloadSummary:
    """What a download did; prints itself as a table.

    Attributes
    ----------
    exchange : str
        Name of the exchange.
    timeframe : Timeframe
        Length of a candle.
    span : Span
        The time that was wanted, by open labels.
    folder : str
        The store.
    symbols : tuple of SymbolDownload
        One entry per symbol, in the order asked.
    """

    exchange: str
    timeframe: Timeframe
    span: Span
    folder: str
    symbols: tuple[SymbolDownload, ...]

    @property
    def new(self) -> int:
        """How many candles were loaded."""
        return sum(one.new for one in self.symbols)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per symbol: new, before, holes and the candles missing in them, questions asked."""
        import pandas as pd  # noqa: PLC0415 - half a second that only a table may cost

        return pd.DataFrame(
            {
                "symbol": [one.symbol for one in self.symbols],
                "new": [one.new for one in self.symbols],
                "before": [one.before for one in self.symbols],
                "holes": [len(one.holes) for one in self.symbols],
                "missing": [self._missing(one) for one in self.symbols],
                "answers": [one.answers for one in self.symbols],
            }
        ).set_index("symbol")

    def __repr__(self) -> str:
        lines = [self._line(one) for one in self.symbols]
        return "\n".join([f"{self._title()}, {self.new:,} new candles", *(f"  {line}" for line in lines)])

    def _repr_html_(self) -> str:
        # The store's folder is not shown: it names the user.
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(one.symbol)}</td><td>{one.new:,}</td><td>{one.before:,}</td>"
            f"<td>{len(one.holes):,}</td><td>{self._missing(one):,}</td><td>{one.answers:,}</td></tr>"
            for one in self.symbols
        )
        head = "".join(f"<th>{name}</th>" for name in ("", "new", "before", "holes", "missing", "answers"))
        return f"<div><b>{escape(self._title())}</b><table><tr>{head}</tr>{rows}</table></div>"

    def _title(self) -> str:
        return f"{self.exchange} {self.timeframe}, {self.span}"

    def _missing(self, one: SymbolDownload) -> int:
        return sum(end - start for start, end in one.holes) // self.timeframe.ns

    def _line(self, one: SymbolDownload) -> str:
        text = f"{one.symbol}: {one.new:,} new, {one.before:,} before, {one.answers:,} answers"
        if one.holes:
            text += f"; no candle at {self._missing(one):,} times, the first {one.holes[0]}"
        return text
