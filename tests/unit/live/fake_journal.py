"""A journal in memory: what was committed outlives a crash, what was only buffered does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import JournalError
from workbench.model import EVENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class FakeNote(NamedTuple):
    kind: str
    time_ns: int
    text: str

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.text)


class FakeJournal:
    """Keeps notes as text, as a file would."""

    def __init__(self) -> None:
        self.notes: list[FakeNote] = []
        self.rows: list[Any] = []
        self.is_full = False
        self.is_unreadable = False
        self._buffer: list[FakeNote] = []
        self._rows: list[Any] = []

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        assert time_ns > 0
        name = body.get("client_order_id")
        if kind == "intent" and self.is_unreadable:
            raise JournalError("the disk cannot be read")
        if kind == "intent" and name in [one.body["client_order_id"] for one in self.all() if one.kind == "intent"]:
            raise JournalError(f"client order id {name!r} has an intent already")
        self._buffer.append(FakeNote(kind, time_ns, json.dumps(body, allow_nan=False)))
        return len(self.notes) + len(self._buffer)

    def append(self, rows: NDArray[np.void]) -> None:
        self._rows += rows.tolist()

    def commit(self) -> None:
        if self.is_full:
            raise JournalError("the disk is full")
        self.notes += self._buffer
        self.rows += self._rows
        self._buffer, self._rows = [], []

    def crash(self) -> None:
        """Lose what was not committed."""
        self._buffer, self._rows = [], []

    def all(self) -> list[FakeNote]:
        return self.notes + self._buffer

    def kinds(self) -> list[str]:
        return [one.kind for one in self.notes]

    def reports(self) -> NDArray[np.void]:
        return np.array(self.rows, dtype=EVENT)
