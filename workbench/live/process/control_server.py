"""The session's end of the wire: a thread that answers questions, carries out commands and publishes updates.

The session's thread never waits for it: an update goes into a bounded queue and that is all. A subscriber that is slow
or gone loses updates, sees that by their numbers, and asks for the whole state.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import zmq

from workbench.errors import DataError, SessionError, WorkbenchError
from workbench.live.process.command_desk import CommandDesk, Outcome
from workbench.live.process.messages import LARGEST_QUESTION, Answer, Host, Question
from workbench.live.process.operations import checked_arguments, operation_of
from workbench.live.process.publisher import Publisher
from workbench.live.process.sockets import CONTROL, UPDATES, claim_socket, end_point, zmq_context
from workbench.live.process.state_waiters import StateWaiters
from workbench.live.process.update_queue import Waker

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.live.session import LiveSession

__all__ = ["ControlServer"]

_log = logging.getLogger(__name__)

_AT_A_TIME: Final = 64
_FRAMES: Final = 8
_LONGEST_POLL_S: Final = 60.0
# Per handle: who does not take answers of up to a few hundred kilobytes goes without more of them.
_WAITING_QUESTIONS: Final = 100
_WAITING_ANSWERS: Final = 32
_RECOVERY_S: Final = 0.1
# How long the end waits for commands at work, and for answers on their way out.
_LAST_WORDS_S: Final = 2.0
_LINGER_MS: Final = 500
_JOIN_S: Final = 5.0
_MS_PER_S: Final = 1_000


class ControlServer:
    """Answers for one session in its folder, on a thread of its own, from its making until `close`.

    Parameters
    ----------
    session : LiveSession
        The session, in any state.
    folder : Path
        The session's folder: its user's alone, mode 0700.
    epoch : int, default 1
        How often the session's journal was opened; tells handles of a restart.

    Raises
    ------
    SessionError
        The folder is not its user's alone, or another process serves there.
    """

    def __init__(self, session: LiveSession, folder: Path, *, epoch: int = 1) -> None:
        self._session = session
        self.host = Host(session.session_id, os.getpid(), epoch, uuid.uuid4().hex)
        self._waker = Waker()
        self._desk = CommandDesk(self._waker.wake)
        self._waiters = StateWaiters()
        self._closing = threading.Event()
        self._questions = 0
        self._refused = 0
        self._files: dict[Path, int] = {}
        self._context = zmq_context()
        self._context.linger = _LINGER_MS
        try:
            self._control = self._bind(zmq.ROUTER, folder, CONTROL)
            updates = self._bind(zmq.XPUB, folder, UPDATES)
        except BaseException:
            self._context.destroy(linger=0)
            self._remove_files()
            self._waker.close()
            raise
        self._publisher = Publisher(session, self.host, updates, self._waker.wake)
        self._end_listening = session.listen(self._publisher.changed)
        self._thread = threading.Thread(target=self._run, name=f"workbench-control-{session.name}", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"ControlServer({self._session.name!r})"

    @property
    def counts(self) -> dict[str, int]:
        """Questions that came and were refused, commands carried out, updates published and dropped."""
        return {
            "questions": self._questions,
            "refused": self._refused,
            "commands": self._desk.carried_out,
            "updates": self._publisher.published,
            "dropped_updates": self._publisher.dropped,
        }

    def close(self) -> None:
        """Finish the commands at work, say the last words and leave; the session itself goes on."""
        self._closing.set()
        self._waker.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def _bind(self, kind: int, folder: Path, name: str) -> zmq.Socket[bytes]:
        bound = self._context.socket(kind)
        # A larger question ends the connection; one below is refused in words.
        bound.setsockopt(zmq.MAXMSGSIZE, 2 * LARGEST_QUESTION)
        bound.setsockopt(zmq.RCVHWM, _WAITING_QUESTIONS)
        if kind == zmq.XPUB:
            # Each subscription is told, so that each subscriber is greeted.
            bound.setsockopt(zmq.XPUB_VERBOSER, 1)
        else:
            bound.setsockopt(zmq.SNDHWM, _WAITING_ANSWERS)
        path = claim_socket(folder, name)
        bound.bind(end_point(path))
        path.chmod(0o600)
        self._files[path] = path.lstat().st_ino
        return bound

    def _remove_files(self) -> None:
        """Take the sockets out of the folder, but not those of a server that has come after this one."""
        for path, number in self._files.items():
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == number:
                    path.unlink()

    def _run(self) -> None:
        poller = zmq.Poller()
        for source in (self._control, self._publisher.socket, self._waker.fileno()):
            poller.register(source, zmq.POLLIN)
        while not self._closing.is_set():
            try:
                self._turn(poller)
            except Exception:  # noqa: BLE001  logged with its traceback
                # The border between a session and whoever speaks to it: the session trades on, and so does this.
                _log.exception("the control server of session %s failed at something", self._session.name)
                self._closing.wait(_RECOVERY_S)
        try:
            self._say_last_words()
        finally:
            self._end_listening()
            self._control.close()
            self._publisher.socket.close()
            self._remove_files()
            self._context.term()
            self._waker.close()

    def _turn(self, poller: zmq.Poller) -> None:
        """Wait for something to do, and do it."""
        left_s = min(self._publisher.due_at, self._waiters.due_at) - time.monotonic()
        # Rounded up, so that what is due is due when the wait is over.
        poller.poll(math.ceil(min(max(0.0, left_s), _LONGEST_POLL_S) * _MS_PER_S))
        self._waker.quiet()
        for _ in range(_AT_A_TIME):
            if not self._take_question():
                break
        self._tell_outcomes()
        self._publisher.turn()
        self._tell_waiters()

    def _say_last_words(self) -> None:
        until = time.monotonic() + _LAST_WORDS_S
        while time.monotonic() < until:
            self._waker.quiet()
            while self._take_question():
                pass
            self._tell_outcomes()
            if self._desk.is_idle:
                break
            poller = zmq.Poller()
            poller.register(self._waker.fileno(), zmq.POLLIN)
            poller.poll(math.ceil(max(0.0, until - time.monotonic()) * _MS_PER_S))
        self._publisher.end()
        self._tell_waiters()

    def _take_question(self) -> bool:
        """Take one question if there is one, and answer it or begin what it asks."""
        try:
            asker = self._control.recv(zmq.NOBLOCK)
        except zmq.Again:
            return False
        frames: list[bytes] = []
        while self._control.getsockopt(zmq.RCVMORE):
            frame = self._control.recv(zmq.NOBLOCK)
            if len(frames) < _FRAMES:
                frames.append(frame)
        self._questions += 1
        number = ""
        try:
            if len(frames) != 1:
                raise DataError(f"a question must be one frame, was {len(frames)}")  # noqa: TRY301  answered below
            question = Question.decode(frames[0])
            number = question.id
            self._answer(asker, question)
        except WorkbenchError as error:
            self._refuse(asker, number, error)
        except Exception as error:  # noqa: BLE001  logged, and it is the answer: the asker must not wait in vain
            _log.exception("a question to session %s failed", self._session.name)
            self._refuse(asker, number, SessionError(f"{type(error).__name__}: {error}"))
        return True

    def _refuse(self, asker: bytes, number: str, error: WorkbenchError) -> None:
        self._refused += 1
        self._send(asker, Answer(number, self.host, None, error))

    def _answer(self, asker: bytes, question: Question) -> None:
        name = question.operation
        if name == "wait_for":
            self._waiters.add(asker, question, time.monotonic())
            return
        operation, is_command = operation_of(name)
        arguments = checked_arguments(name, operation, question.arguments)
        if not is_command:
            value = operation.run(self._session, **arguments)
            self._send(asker, Answer(question.id, self.host, self._with_counts(value) if name == "metrics" else value))
            return
        if question.boot not in (None, self.host.boot):
            error = SessionError(f"session {self._session.name!r} was started anew", session_id=self.host.session_id)
            self._send(asker, Answer(question.id, self.host, None, error, is_misdirected=True))
            return
        outcome = self._desk.submit(question.id, asker, lambda: operation.run(self._session, **arguments))
        if outcome is not None:
            self._send_outcome(asker, question.id, outcome)

    def _with_counts(self, metrics: dict[str, Any]) -> dict[str, Any]:
        return {**metrics, "control": self.counts}

    def _tell_outcomes(self) -> None:
        for number, askers, outcome in self._desk.finished():
            for asker in askers:
                self._send_outcome(asker, number, outcome)

    def _send_outcome(self, asker: bytes, number: str, outcome: Outcome) -> None:
        self._send(asker, Answer(number, self.host, outcome.value, outcome.error))

    def _tell_waiters(self) -> None:
        state, reason = str(self._session.state), self._session.reason
        for asker, number, is_there in self._waiters.due(state, time.monotonic()):
            self._send(asker, Answer(number, self.host, {"is_there": is_there, "state": state, "reason": reason}))

    def _send(self, asker: bytes, answer: Answer) -> None:
        try:
            frames = answer.encode()
        except DataError as error:
            frames = Answer(answer.id, answer.host, None, error).encode()
        # Who does not take its answers goes without them.
        with contextlib.suppress(zmq.Again):
            self._control.send_multipart([asker, *frames], zmq.NOBLOCK)
