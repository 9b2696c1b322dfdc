"""The notebook's end of the wire: one question, one fresh socket, one answer, from any thread and after any fork.

A socket that is used for one question only cannot be left unusable by an interrupt, a fork or a lost answer. While an
answer is awaited the question is repeated, with the same id, so that it also reaches a server that comes up meanwhile.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

import zmq

from workbench.errors import SessionError, SessionTimeoutError
from workbench.live.process.messages import LARGEST_ANSWER, Answer, Host, Question
from workbench.live.process.sockets import CONTROL, end_point, listener_pid, shared_context, socket_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ControlLink", "NotRunningError"]

# After so much silence the link looks whether anyone is there; after so much it asks again.
_SLICE_S: Final = 0.1
_REPEAT_S: Final = 2.0
_MS_PER_S: Final = 1_000


class NotRunningError(SessionError):
    """No process serves the session.

    Parameters
    ----------
    message : str
        Which session.
    is_sent : bool
        Whether the question had been sent, so that it may have been heard.
    """

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class ControlLink:
    """Asks the server of one session; thread-safe, as it holds nothing but what it learnt last.

    Parameters
    ----------
    folder : Path
        The session's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host: Host | None = None
        self._is_suspect = True

    @property
    def pid(self) -> int | None:
        """The process that listens now, by the word of the kernel; None when there is none, 0 when it is not told."""
        return listener_pid(socket_path(self.folder, CONTROL))

    def ask(self, operation: str, timeout_s: float, /, **arguments: object) -> Answer:
        """Return the answer to a question that changes nothing.

        Raises
        ------
        NotRunningError
            No process serves the session.
        SessionTimeoutError
            There was no answer in `timeout_s` real seconds.
        WorkbenchError
            What the session says against it.
        """
        answer, _ = self._exchange(Question(uuid.uuid4().hex, operation, arguments), timeout_s)
        return _checked(answer)

    def command(self, operation: str, timeout_s: float, /, **arguments: object) -> Answer:
        """Return the answer to a command, which is carried out once at most, and by one process only.

        Raises
        ------
        NotRunningError
            No process serves the session.
        SessionTimeoutError
            There was no answer in `timeout_s` real seconds; the command may be carried out later all the same.
        SessionError
            The session was started anew while the command was under way, so that nobody knows what became of it.
        WorkbenchError
            What the session says against it.
        """
        host = self.host
        if host is None:
            host = self.ask("ping", timeout_s).host
        answer, sendings = self._exchange(Question(uuid.uuid4().hex, operation, arguments, host.boot), timeout_s)
        if answer.is_misdirected and sendings == 1:
            # The only copy went to the new server, which did nothing: it may be given again, under a name of its own.
            question = Question(uuid.uuid4().hex, operation, arguments, answer.host.boot)
            answer, _ = self._exchange(question, timeout_s)
        if answer.is_misdirected:
            raise SessionError(
                f"session {self.folder.name!r} was started anew while {operation} was under way, so it may have been "
                "carried out or not: look at the session's state, and ask again if it is still wanted",
                session_id=answer.host.session_id,
            )
        return _checked(answer)

    def _exchange(self, question: Question, timeout_s: float) -> tuple[Answer, int]:
        """Return the answer, and how often the question was sent."""
        text = question.encode()
        path = socket_path(self.folder, CONTROL)
        if self._is_suspect or not path.exists():
            self._require_listener(is_sent=False)
        until = time.monotonic() + timeout_s
        asked_at, sendings = time.monotonic(), 1
        with shared_context().socket(zmq.DEALER) as asker:
            asker.setsockopt(zmq.LINGER, 0)
            asker.setsockopt(zmq.MAXMSGSIZE, LARGEST_ANSWER)
            asker.connect(end_point(path))
            asker.send(text)
            while True:
                left_s = until - time.monotonic()
                if asker.poll(round(max(0.0, min(_SLICE_S, left_s)) * _MS_PER_S)):
                    answer = Answer.decode(asker.recv_multipart())
                    if answer.id in {question.id, ""}:
                        self.host, self._is_suspect = answer.host, False
                        return answer, sendings
                    continue
                self._require_listener(is_sent=True)
                if left_s <= 0:
                    self._is_suspect = True
                    raise SessionTimeoutError(self._timeout_text(question.operation, timeout_s))
                if time.monotonic() - asked_at >= _REPEAT_S:
                    asked_at, sendings = time.monotonic(), sendings + 1
                    asker.send(text)

    def _require_listener(self, *, is_sent: bool) -> None:
        if self.pid is None:
            self._is_suspect = True
            raise NotRunningError(f"no process serves session {self.folder.name!r}", is_sent=is_sent)

    def _timeout_text(self, operation: str, timeout_s: float) -> str:
        name, pid = self.folder.name, self.pid
        return (
            f"session {name!r} (process {pid or 'unknown'}) did not answer {operation} within {timeout_s:g} s: it is "
            "busy, suspended or hangs. What was asked may be carried out later; try again, see health(), or end it "
            f"with kill() or `workbench kill {name}`"
        )


def _checked(answer: Answer) -> Answer:
    if answer.error is not None:
        raise answer.error
    return answer
