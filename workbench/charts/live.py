"""The live chart of a running session: candles with fills and level lines, equity, drawdown; fed by binary deltas."""

from __future__ import annotations

import logging
import math
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anywidget
import traitlets

from workbench.charts.live_assets import module_source, style_sheet
from workbench.charts.live_palette import FONT_FAMILY, LIVE_COLORS
from workbench.charts.live_stream import ChartStream, StreamLimits
from workbench.charts.page_writer import PageWriter
from workbench.charts.symbol_source import symbol_source, symbols_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.charts.live_source import ChartSource, ChartState

__all__ = ["ChartOptions", "LiveChart"]

_log = logging.getLogger(__name__)

_IDLE_S: Final = 0.25
_RECOVERY_S: Final = 1.0
_NS_PER_MS: Final = 1_000_000
_NS_PER_UNIT: Final = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartOptions:
    """How a live chart looks and how often it speaks.

    Parameters
    ----------
    height : int, default 480
        Height of the plot in pixels.
    mode : str, default "paper · simulated"
        What kind of money this is, shown beside the symbol.
    is_titled : bool, default True
        Whether symbol, timeframe and mode stand above the plot; a panel that shows them itself says no.
    is_whole : bool, default False
        Whether it opens on all bars instead of the newest.
    symbol : str, optional
        Which of several symbols it shows first; the first by default.
    limits : StreamLimits, optional
        Message rates.
    """

    height: int = 480
    mode: str = "paper · simulated"
    is_titled: bool = True
    is_whole: bool = False
    symbol: str | None = None
    limits: StreamLimits | None = None


class LiveChart(anywidget.AnyWidget):
    """Live chart of one session. Where that trades several symbols, the page chooses which one is shown.

    One thread writes to the page. It runs only while a page is there: it starts with the page's heartbeat and ends when
    the heartbeat has been missing for ten seconds, when the session is finished and shown whole, or at `close`. Between
    runs the chart is not subscribed to the session at all.

    Parameters
    ----------
    source : ChartSource
        Handle of the session.
    options : ChartOptions, optional
        Look and rates.
    clock : callable, default time.monotonic
        Seconds that never run backwards.

    Raises
    ------
    ConfigError
        The session has no such symbol.
    """

    _esm = module_source()
    _css = style_sheet()
    uid = traitlets.Unicode().tag(sync=True)
    title = traitlets.Dict().tag(sync=True)
    timeframe_ms = traitlets.Float().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    is_whole = traitlets.Bool().tag(sync=True)
    palettes = traitlets.Dict().tag(sync=True)
    font = traitlets.Unicode(FONT_FAMILY).tag(sync=True)

    def __init__(
        self,
        source: ChartSource,
        options: ChartOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        options = ChartOptions() if options is None else options
        # First of all: it is closed with a chart that a wrong symbol left half made.
        self._writer = PageWriter("workbench-chart", self._has_work, self._write)
        self._session = source
        self._symbols = symbols_of(source)
        self._source = symbol_source(source, options.symbol)
        state = self._source.chart_state()
        # What the page wants, and what is subscribed to: the writer's thread brings the one to the other.
        self._wanted = self._shown = state.symbol
        self._end: Callable[[], object] | None = None
        super().__init__(
            uid=uuid.uuid4().hex,
            title={
                "symbol": state.symbol,
                "timeframe": timeframe_name(state.timeframe_ns),
                "quote": quote_currency(state.symbol),
                "mode": options.mode,
                "is_shown": options.is_titled,
                **({"symbols": list(self._symbols)} if len(self._symbols) > 1 else {}),
            },
            timeframe_ms=state.timeframe_ns / _NS_PER_MS,
            height=options.height,
            is_whole=options.is_whole,
            palettes={name: dict(colors) for name, colors in LIVE_COLORS.items()},
        )
        self._limits = options.limits or StreamLimits()
        self._stream = ChartStream(self._source, clock=clock, limits=self._limits, on_work=self._writer.work.set)
        self._stream.see(state.bars)
        self._passenger: Callable[[], None] = lambda: None
        self._carried_at = -math.inf
        self._clock = clock
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        # Constant: a notebook test compares the text of a cell's output.
        return f"LiveChart({self.title['symbol']!r}, {self.title['timeframe']!r})"

    def carry(self, passenger: Callable[[], None]) -> None:
        """Call `passenger` on the writer thread about four times a second while a page looks, and once at the end.

        A panel around the chart is written by the same thread, so that no widget ever has two writers.
        """
        self._passenger = passenger

    def wake(self) -> None:
        """Look at the session now, for example after a button was pressed."""
        self._carried_at = -math.inf
        self._writer.work.set()
        self._writer.ensure()

    def close(self) -> None:
        """Stop the writer thread and remove the chart from the page."""
        self._writer.close()
        super().close()

    @property
    def is_writing(self) -> bool:
        """Whether the writer thread is at work."""
        return self._writer.is_writing

    @property
    def symbol(self) -> str:
        """Symbol of the candles."""
        return self._shown

    def chart_state(self) -> ChartState:
        """Return what the session has for this chart now."""
        return self._source.chart_state()

    @property
    def last_price(self) -> float:
        """Newest price that the chart has seen; nan before the first."""
        return self._stream.last_price

    def see(self, state: ChartState) -> None:
        """Take the newest price of a snapshot, for a chart that no page looks at.

        Parameters
        ----------
        state : ChartState
            What the session published last.
        """
        self._stream.see(state.bars)

    def _hear(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        if content.get("symbol") in self._symbols:
            self._wanted = str(content["symbol"])
        self._stream.hear(content)
        self._writer.ensure()

    def _has_work(self) -> bool:
        return self._stream.is_watched and not self._stream.is_done

    def _write(self) -> None:
        while not self._writer.is_over(self._leave):
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  the border between a session and its page
                # A chart that fails must neither stop the session nor look alive.
                _log.exception("live chart of %s failed", self.title["symbol"])
                self.send({"kind": "fault", "text": f"{type(error).__name__}: {error}"})
                self._writer.closing.wait(_RECOVERY_S)
            self._writer.closing.wait(self._limits.interval_s)
            self._writer.work.wait(_IDLE_S)
            self._writer.work.clear()

    def _follow(self) -> None:
        """Subscribe to what the page wants to see."""
        self._leave()
        wanted = self._wanted
        if self._shown != wanted:
            self._source, self._shown = symbol_source(self._session, wanted), wanted
        self._end = self._source.subscribe(self._stream.follow(self._source))

    def _leave(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()

    def _step(self) -> None:
        if self._end is None or self._shown != self._wanted:
            self._follow()
        for message in self._stream.pump():
            self.send(message.content, list(message.buffers))
        now = self._clock()
        if now - self._carried_at >= _IDLE_S or self._stream.is_done:
            self._carried_at = now
            self._passenger()


def timeframe_name(timeframe_ns: int) -> str:
    """Return a bar length as people write it.

    Examples
    --------
    >>> timeframe_name(60_000_000_000), timeframe_name(4 * 3_600_000_000_000)
    ('1m', '4h')
    """
    seconds = timeframe_ns // 1_000_000_000
    return next((f"{seconds // size}{unit}" for unit, size in _NS_PER_UNIT if seconds % size == 0), f"{seconds}s")


def quote_currency(symbol: str) -> str:
    """Return the currency in which a symbol is priced, or nothing when its name does not tell.

    Examples
    --------
    >>> quote_currency("BTC/USDT"), quote_currency("BTC/USDT:USDT"), quote_currency("SPX")
    ('USDT', 'USDT', '')
    """
    return symbol.partition("/")[2].partition(":")[0]
