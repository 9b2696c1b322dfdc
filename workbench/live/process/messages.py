"""Questions and answers between a handle and a session: their form, their sizes, and errors that cross over.

A question is one JSON text. An answer is a JSON text and the buffers of its arrays; it always says which process gives
it, so that a handle notices when a session was started anew.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench import errors
from workbench.errors import DataError, ExchangeError, SessionError, WorkbenchError
from workbench.live.process.codec import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LARGEST_ANSWER", "LARGEST_QUESTION", "LARGEST_UPDATE", "VERSION", "Answer", "Host", "Question"]

VERSION: Final = 1
LARGEST_QUESTION: Final = 64 * 1024
LARGEST_UPDATE: Final = 8 * 1024 * 1024
LARGEST_ANSWER: Final = 256 * 1024 * 1024
_LONGEST_TEXT: Final = 4_000
_ID: Final = re.compile(r"[0-9a-f]{32}")
_OPERATION: Final = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Host:
    """The process that hosts a session.

    Attributes
    ----------
    session_id : str
        The session's id.
    pid : int
        The process.
    epoch : int
        How often the session's journal was opened for writing.
    boot : str
        Names this one server; another one, even in the same process, has another.
    """

    session_id: str
    pid: int
    epoch: int
    boot: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a handle asks.

    Attributes
    ----------
    id : str
        32 hexadecimal digits. A command with an id that was seen before is not carried out again.
    operation : str
        Name of what is asked.
    arguments : mapping of str
        By name.
    boot : str or None, default None
        The server that a command is for; another one refuses it.
    """

    id: str
    operation: str
    arguments: Mapping[str, Any]
    boot: str | None = None

    def encode(self) -> bytes:
        """Return the question as text.

        Raises
        ------
        DataError
            An argument cannot be sent, or the whole is too long.
        """
        arguments, _ = encode(self.arguments)
        head = {"v": VERSION, "id": self.id, "op": self.operation, "boot": self.boot}
        text = json.dumps(head).encode()[:-1] + b', "args": ' + arguments + b"}"
        if len(text) > LARGEST_QUESTION:
            raise DataError(f"a question must be at most {LARGEST_QUESTION:,} bytes, was {len(text):,}")
        return text

    @classmethod
    def decode(cls, text: bytes) -> Question:
        """Return the question of a text that may be anything.

        Raises
        ------
        DataError
            It is no question of this version.
        """
        if len(text) > LARGEST_QUESTION:
            raise DataError(f"a question must be at most {LARGEST_QUESTION:,} bytes, was {len(text):,}")
        found = decode(text)
        if not isinstance(found, dict):
            raise DataError("a question must be a JSON object")
        if found.get("v") != VERSION:
            raise DataError(
                f"the session speaks version {VERSION} of its protocol, the question was of version "
                f"{str(found.get('v'))[:20]}: use the version of workbench that the session was started with"
            )
        number, operation, arguments, boot = (found.get(name) for name in ("id", "op", "args", "boot"))
        if not (_is_text(number, _ID) and _is_text(operation, _OPERATION)):
            raise DataError("a question must have an id of 32 hexadecimal digits and the name of an operation")
        if not isinstance(arguments, dict) or not (boot is None or isinstance(boot, str)):
            raise DataError("a question's arguments must be an object, and its boot a text")
        return cls(str(number), str(operation), arguments, boot)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a session's server says.

    Attributes
    ----------
    id : str
        That of the question; empty when it had none that could be read.
    host : Host
        Who answers.
    value : object
        What was asked for; None beside an error.
    error : WorkbenchError or None, default None
        Why there is no value.
    is_misdirected : bool, default False
        Whether the question was a command for another server than this; it was not carried out.
    """

    id: str
    host: Host
    value: Any
    error: WorkbenchError | None = None
    is_misdirected: bool = False

    def encode(self) -> tuple[bytes, ...]:
        """Return the answer as frames; one that is too large becomes an error.

        Raises
        ------
        DataError
            The value cannot be sent.
        """
        value, buffers = encode(self.value)
        if len(value) + sum(map(len, buffers)) > LARGEST_ANSWER:
            size = f"the answer is larger than {LARGEST_ANSWER:,} bytes: ask for fewer"
            return Answer(self.id, self.host, None, SessionError(size)).encode()
        head = {"v": VERSION, "id": self.id, "host": asdict(self.host)}
        if self.error is not None:
            head["error"] = _error_fields(self.error)
            head["misdirected"] = self.is_misdirected
        return (json.dumps(head).encode()[:-1] + b', "value": ' + value + b"}", *buffers)

    @classmethod
    def decode(cls, frames: Sequence[bytes]) -> Answer:
        """Return the answer of its frames.

        Raises
        ------
        DataError
            They are no answer of this version.
        """
        found = decode(frames[0], frames[1:]) if frames else None
        if not isinstance(found, dict) or found.get("v") != VERSION:
            raise DataError("the session answered in another version of the protocol: use the version of workbench "
                            "that it was started with")  # fmt: skip
        try:
            host = Host(**found["host"])
            error = _error_of(found["error"]) if "error" in found else None
            return cls(str(found["id"]), host, found["value"], error, bool(found.get("misdirected", False)))
        except (KeyError, TypeError) as problem:
            raise DataError(f"the session's answer has not the right fields: {problem}") from problem


def _is_text(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _error_fields(error: WorkbenchError) -> dict[str, object]:
    fields: dict[str, object] = {"type": type(error).__name__, "message": str(error)[:_LONGEST_TEXT]}
    if isinstance(error, ExchangeError):
        fields |= {"exchange": error.exchange, "retryable": error.retryable}
    if isinstance(error, SessionError):
        fields["session_id"] = error.session_id
    return fields


def _error_of(fields: Mapping[str, Any]) -> WorkbenchError:
    """Return the error that crossed over; one that this version does not know comes as a SessionError."""
    name, message = str(fields["type"]), str(fields["message"])
    kind: type[WorkbenchError] | None = getattr(errors, name, None) if name in errors.__all__ else None
    if kind is None:
        return SessionError(f"{name}: {message}")
    if issubclass(kind, ExchangeError):
        return kind(message, exchange=str(fields["exchange"]), retryable=bool(fields["retryable"]))
    if issubclass(kind, SessionError):
        return kind(message, session_id=fields.get("session_id"))
    return kind(message)
