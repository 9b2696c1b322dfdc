"""What really went over the wire during one call of ccxt: what ccxt's own errors and answers do not tell."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.exchange.ccxt_client.limiter import CallPriority

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CURRENT_CALL", "CallRecord"]

_TOO_MANY: Final = (418, 429)
_SERVER_ERROR: Final = 500
_SHOWN_CHARS: Final = 300


@dataclass(slots=True)
class CallRecord:
    """The last request and answer of one call. An exchange may repeat a key in its answer, so that is not shown.

    Attributes
    ----------
    priority : CallPriority
        How urgent its requests are.
    sent_ns : int or None
        When its last request that could change something (no GET) left, ns UTC of the exchange's clock; None when none
        did, so that nothing can have been executed.
    left_ns, arrived_ns : int or None
        When the last request left and when its answer was there, ns UTC of our clock.
    status : int or None
        HTTP status of the last answer; None when none came.
    headers : mapping
        Headers of the last answer.
    body : str
        Beginning of the last answer's body.
    document : object
        The last answer's JSON; None when the body is none.
    lines : dict of str to object
        The websockets that the call uses, by address.
    """

    priority: CallPriority = CallPriority.MARKET
    sent_ns: int | None = None
    left_ns: int | None = None
    arrived_ns: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    document: Any = field(default=None, repr=False)
    lines: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_answered(self) -> bool:
        """Whether an answer came, whatever it says."""
        return self.status is not None

    @property
    def is_server_error(self) -> bool:
        """Whether the exchange's own side failed (5xx), so that the request may have been executed all the same."""
        return self.status is not None and self.status >= _SERVER_ERROR

    @property
    def is_too_many(self) -> bool:
        """Whether the exchange asked for fewer calls (429) or has banned us (418)."""
        return self.status in _TOO_MANY

    @property
    def is_garbage(self) -> bool:
        """Whether the answer, if any, is nothing that an exchange answers with: no JSON, or nothing in it.

        An empty list is an answer (no open orders); an empty object is not (an account without anything).
        """
        return self.is_answered and (self.document is None or self.document == {})

    @property
    def code(self) -> str | None:
        """The exchange's own code of an error, as text; None when it gives none."""
        if not isinstance(self.document, dict):
            return None
        code = self.document.get("code", self.document.get("retCode", self.document.get("error_code")))
        # OKX answers each order of a list with a code of its own, and says beside them only that some have failed.
        rows = self.document.get("data")
        row = rows[0] if isinstance(rows, list) and rows else None
        own = row.get("sCode") if isinstance(row, dict) else None
        code = code if own in {None, "", "0", 0} else own
        return None if code in {None, ""} else str(code)

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the exchange wants us to stay away; None when it does not say."""
        for name, value in self.headers.items():
            if name.lower() == "retry-after":
                try:
                    return max(0.0, float(value))
                except ValueError:
                    return None
        return None

    @property
    def shown(self) -> str:
        """Status and beginning of the body for messages, to be redacted."""
        return f"HTTP {self.status}: {self.body[:_SHOWN_CHARS]}" if self.is_answered else "no answer"

    def restart(self) -> None:
        """Forget the last answer, as another request leaves."""
        self.status, self.arrived_ns, self.headers, self.body, self.document = None, None, {}, "", None


CURRENT_CALL: ContextVar[CallRecord | None] = ContextVar("current_call", default=None)
"""The record of the call that the running task makes; requests that ccxt makes of its own have none."""
