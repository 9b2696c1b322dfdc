"""Messages on their way to listeners: collected while the market plays, taken by the server in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from workbench.exchange.practice.faults import FaultPlan

__all__ = ["MarketMessage", "Outbox", "UserMessage"]


class MarketMessage(NamedTuple):
    """A message of a stream, as JSON text."""

    stream: str
    text: str


class UserMessage(NamedTuple):
    """An event of the account, as JSON text; `kind` is the execution type or the name of the event."""

    kind: str
    text: str


class Outbox:
    """Messages in order of time, with the faults that lose, repeat and reorder them.

    Parameters
    ----------
    faults : FaultPlan
        What is to go wrong.
    """

    def __init__(self, faults: FaultPlan) -> None:
        self._faults = faults
        self._market: dict[str, list[MarketMessage]] = {"spot": [], "perpetual": []}
        self._user: dict[str, list[UserMessage]] = {"spot": [], "perpetual": []}
        self._heard = {"spot": 0, "perpetual": 0}
        self._held: dict[str, UserMessage] = {}
        self._last: dict[str, str] = {}

    def is_heard(self, section: str) -> bool:
        """Return whether anybody listens to the account's events, so that they are worth putting into words."""
        return self._heard[section] > 0

    def count_listener(self, section: str, change: int) -> None:
        """Count a listener to the account's events in (1) or out (-1)."""
        self._heard[section] += change

    def put_market(self, section: str, stream: str, text: str) -> None:
        """Add a message of a stream, or what a fault makes of it."""
        if self._faults.strike("silent_stream", stream) is not None:
            return
        if self._faults.strike("stuck_stream", stream) is not None:
            text = self._last.get(f"{section} {stream}", text)
        self._last[f"{section} {stream}"] = text
        self._market[section].append(MarketMessage(stream, text))

    def put_user(self, section: str, message: UserMessage) -> None:
        """Add an event of the account, or what a fault makes of it; a held one goes out behind the next of its kind."""
        faults, sent = self._faults, self._user[section]
        if faults.strike("silent_stream", f"user {message.kind}") or faults.strike("lost_event", message.kind):
            return
        if section not in self._held and faults.strike("reordered_events", message.kind):
            self._held[section] = message
            return
        sent.append(message)
        if faults.strike("duplicate_event", message.kind):
            sent.append(message)
        held = self._held.get(section)
        if held is not None and held.kind == message.kind:
            sent.append(self._held.pop(section))

    def take_market(self, section: str) -> list[MarketMessage]:
        """Return the stream messages that were collected, oldest first, and forget them."""
        taken, self._market[section] = self._market[section], []
        return taken

    def take_user(self, section: str) -> list[UserMessage]:
        """Return the account's events that were collected, oldest first, and forget them."""
        taken, self._user[section] = self._user[section], []
        return taken
