"""From parts of markup to numbered messages for the page: only what changed, and nothing while no page looks.

Pure bookkeeping without threads or widgets, on an injected clock: `hear` takes what the page says, `pump` returns what
must be sent now.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PRESENCE_S", "PaneStream"]

# As those of a live chart: a page that has not been heard for so long is gone; a calm page still gets a pulse.
PRESENCE_S: Final = 10.0
_PULSE_S: Final = 2.0


class PaneStream:
    """The messages of one pane.

    Parameters
    ----------
    look : callable
        Returns the markup of each part by name; the part called ``""`` holds the others.
    interval_s : float, default 1
        Seconds between two looks while nobody acts.
    clock : callable, default time.monotonic
        Seconds that never run backwards.

    Examples
    --------
    >>> stream = PaneStream(lambda: {"": "<b data-slot='n'></b>", "n": "1"}, clock=lambda: 0.0)
    >>> stream.pump()
    >>> stream.hear({"kind": "whole"})
    >>> stream.pump()
    {'kind': 'whole', 'sequence': 1, 'parts': {'': "<b data-slot='n'></b>", 'n': '1'}}
    """

    def __init__(
        self,
        look: Callable[[], Mapping[str, str]],
        *,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._interval_s = interval_s
        self._clock = clock
        self._lock = threading.Lock()
        self._heard_at = -math.inf
        self._needs_whole = True
        self._is_due = True
        # Touched by `pump` alone.
        self._shown: dict[str, str] = {}
        self._sequence = 0
        self._looked_at = -math.inf
        self._sent_at = -math.inf

    @property
    def is_watched(self) -> bool:
        """Whether a page was heard recently."""
        return self._clock() - self._heard_at < PRESENCE_S

    def hear(self, content: Mapping[str, Any]) -> None:
        """Take a message of the page: a heartbeat, a question for the whole, or an act."""
        with self._lock:
            self._needs_whole |= content.get("kind") == "whole"
            self._heard_at = self._clock()

    def wake(self) -> None:
        """Look again as soon as possible."""
        with self._lock:
            self._is_due = True

    def pump(self) -> dict[str, object] | None:
        """Return the message that must be sent now, or None."""
        now = self._clock()
        since_s = now - self._looked_at
        with self._lock:
            is_due = self._is_due or self._needs_whole or since_s >= self._interval_s
            if not self.is_watched:
                return None
            if not is_due:
                return self._pulse(now)
            needs_whole, self._needs_whole, self._is_due = self._needs_whole, False, False
        self._looked_at = now
        parts = dict(self._look())
        if needs_whole:
            return self._numbered(now, "whole", parts, parts)
        changed = {name: html for name, html in parts.items() if self._shown.get(name) != html}
        return self._numbered(now, "change", parts, changed) if changed else self._pulse(now)

    def _numbered(self, now: float, kind: str, parts: dict[str, str], sent: dict[str, str]) -> dict[str, object]:
        self._shown = parts
        self._sequence += 1
        self._sent_at = now
        return {"kind": kind, "sequence": self._sequence, "parts": sent}

    def _pulse(self, now: float) -> dict[str, object] | None:
        if now - self._sent_at < _PULSE_S:
            return None
        self._sent_at = now
        return {"kind": "pulse", "sequence": self._sequence}
