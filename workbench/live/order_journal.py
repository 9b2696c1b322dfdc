"""Where an order line keeps what must outlive its process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NoJournal", "OrderJournal", "OrderNote"]


class OrderNote(Protocol):
    """A note as a journal gives it back."""

    @property
    def kind(self) -> str:
        """What it is about."""

    @property
    def time_ns(self) -> int:
        """When it was, by the session's time, ns UTC."""

    @property
    def body(self) -> Mapping[str, Any]:
        """What it says."""


class OrderJournal(Protocol):
    """The part of a journal that an order line needs; the session's thread alone uses it."""

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:
        """Buffer a note until the next commit.

        Raises
        ------
        JournalError
            It cannot be kept, such as a second intent of one order; the buffer is as it was.
        """

    def commit(self) -> None:
        """Make durable, in one transaction, all that is buffered.

        Raises
        ------
        JournalError
            Nothing was written; the buffer is kept and may be committed again.
        """


class NoJournal:
    """Keeps nothing: for sessions that end with their process."""

    def note(self, kind: str, time_ns: int, body: Mapping[str, Any]) -> int:  # noqa: ARG002  the protocol's
        """Forget a note."""
        return 0

    def commit(self) -> None:
        """Do nothing."""
