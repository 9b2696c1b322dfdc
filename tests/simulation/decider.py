"""What a history of orders is made around: a session's decisions, and what its disk keeps through a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(eq=False)
class Want:
    """Something the session decided: to have a quantity whatever it takes, or to try and cancel what is left."""

    quantity: int
    must: bool
    booked: int = 0
    in_flight: int | None = None
    is_cancelled: bool = False


class Decider:
    """Stands for the deterministic core: inputs in, requests out; replaying the inputs gives the same."""

    def __init__(self) -> None:
        self.wants: list[Want] = []
        self.of_number: dict[int, Want] = {}

    def decide(self, quantity: int, *, must: bool) -> tuple[int, Want]:
        self.wants.append(Want(quantity, must))
        return self._request(self.wants[-1])

    def book(self, number: int, quantity: int, *, is_done: bool) -> tuple[int, Want] | None:
        """Book a report; what must be had and is not is wanted again once nothing is in flight."""
        want = self.of_number[number]
        want.booked += quantity
        if not is_done or want.in_flight != number:
            return None
        want.in_flight = None
        return self._request(want) if want.must and want.booked < want.quantity else None

    def _request(self, want: Want) -> tuple[int, Want]:
        number = len(self.of_number)
        self.of_number[number] = want
        want.in_flight = number
        return number, want


class Disk:
    """What outlives a crash: notes, in transactions."""

    def __init__(self) -> None:
        self.notes: list[tuple[Any, ...]] = []
        self.intents: set[str] = set()

    def write(self, notes: Iterable[tuple[Any, ...]]) -> None:
        self.notes.extend(notes)
        self.intents.update(note[1].client_order_id for note in notes if note[0] == "intent")
