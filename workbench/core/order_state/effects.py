"""What an order's procedure wants done, and what it is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from workbench.core.order_state.intents import Intent
    from workbench.core.order_state.live_order import OrderReport

__all__ = [
    "Answer",
    "Cancel",
    "Doubted",
    "Effect",
    "Ended",
    "Failed",
    "Found",
    "Journal",
    "Looked",
    "Now",
    "Placed",
    "Query",
    "Refused",
    "Send",
    "Sleep",
    "Tell",
    "Told",
]


@dataclass(frozen=True, slots=True)
class Journal:
    """Record an intent for good. Answered with True once it is durable, with False when it cannot be."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Now:
    """Look at our clock. Answered with its time, ns UTC."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send the order, once. Answered with `Found`, `Refused` or `Doubted`.

    Parameters
    ----------
    intent : Intent
        What is wanted.
    refused_before : int, default 0
        How many exits of its symbol were refused in a row just before: what is sent may ask for less each time.
    """

    intent: Intent
    refused_before: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """Ask for an order by our name of it. Answered with `Looked` or `Failed`."""

    symbol: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel an order by our name of it. Answered with `Found`, or with `Failed` for whatever else came of it."""

    symbol: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for some real seconds. Answered with None."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell people; `needs_person` when no waiting mends it. Answered with None."""

    text: str
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Book what the exchange says of an order. Answered with None."""

    client_order_id: str
    report: OrderReport


Effect: TypeAlias = Journal | Now | Send | Query | Cancel | Sleep | Tell | Told
"""What a procedure may want done."""


@dataclass(frozen=True, slots=True)
class Found:
    """The exchange has the order."""

    report: OrderReport

    @property
    def is_rejection(self) -> bool:
        """Whether it has it as one that it did not take."""
        return self.report.status == "rejected"


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely no: the order never was and never will be. Anything less definite is `Doubted`.

    Parameters
    ----------
    reason : str
        Why, in words.
    code : str, default ""
        The exchange's own code; empty without one.
    """

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Doubted:
    """Nobody can tell: the order may be there, may still arrive, or may never.

    Parameters
    ----------
    reason : str
        What happened, in words.
    closes_ns : int or None
        Exchange time from which on the request can no longer be accepted, ns UTC; None when the exchange has no such
        rule.
    """

    reason: str
    closes_ns: int | None


@dataclass(frozen=True, slots=True)
class Looked:
    """An answer of the exchange: the order as it is, or None when it has none; asked at `asked_ns` of its time."""

    report: OrderReport | None
    asked_ns: int


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer; asking again soon is useless unless `may_repeat`."""

    reason: str
    may_repeat: bool = True


Answer: TypeAlias = bool | int | Found | Refused | Doubted | Looked | Failed | None
"""What a procedure is told of an effect."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The order will never be at the exchange: ``rejected`` by it, ``never_arrived`` there, or ``expired`` unsent."""

    status: Literal["rejected", "never_arrived", "expired"]
    reason: str
    code: str = ""

    @property
    def is_rejection(self) -> bool:
        """Whether the exchange did not take it."""
        return self.status == "rejected"


Placed: TypeAlias = Found | Ended
"""What placing an order comes to in the end."""
