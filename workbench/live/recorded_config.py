"""What is read of a recorded session, also where its market cannot be reached any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.live.record import RecordedNote
    from workbench.live.session_config import LiveSessionConfig
    from workbench.model import Bars, Instrument

__all__ = ["ReadableRecord", "recorded_instruments"]


class ReadableRecord(Protocol):
    """What is read of a session's record, whether it is being written or was long ago."""

    def read(self, count: int | None = None) -> NDArray[np.void]:
        """Return the first `count` rows of `EVENT`, or all."""

    def notes(self, *kinds: str) -> Sequence[RecordedNote]:
        """Return the notes of some kinds, or all, oldest first."""

    def history(self) -> Bars | None:
        """Return the bars before the first row."""


def recorded_instruments(config: LiveSessionConfig, history: Bars | None) -> tuple[Instrument, ...]:
    """Return the rules of a recorded session's symbols: its source's, or those of its warm-up bars.

    Raises
    ------
    WorkbenchError
        The source does not know a symbol or cannot be asked, and there are no warm-up bars.
    """
    try:
        return config.source.instruments(config.symbols)
    except WorkbenchError:
        # Not reached, or not allowed here; the rules that an exchange gave stand with the bars that it gave.
        if history is None or history.symbols != config.symbols:
            raise
        return history.instruments
