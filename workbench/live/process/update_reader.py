"""The thread that hears a session's updates for a handle, made when somebody subscribes and ended with the last one."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import zmq

from workbench.errors import WorkbenchError
from workbench.live.process.codec import decode
from workbench.live.process.messages import LARGEST_UPDATE
from workbench.live.process.publisher import PULSE, PULSE_S, UPDATE
from workbench.live.process.sockets import UPDATES, end_point, shared_context, socket_path
from workbench.live.process.update_queue import Waker
from workbench.live.records import BAR_COLUMNS, EQUITY_COLUMNS, StepUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.live.process.numbering import Numbering
    from workbench.model import AccountState

__all__ = ["UpdateReader"]

_log = logging.getLogger(__name__)

_WAITING: Final = 2_000
_RECONNECT_MS: Final = 50
_SLOWEST_RECONNECT_MS: Final = 500
_RECOVERY_S: Final = 0.1
_MS_PER_S: Final = 1_000


class UpdateReader:
    """Hears one session, also when its process is started anew.

    Parameters
    ----------
    folder : Path
        The session's folder.
    numbering : Numbering
        The handle's numbers.
    tell : callable
        Called on this reader's thread with each update.
    fetch_account : callable
        Asks for the account, for the word that something was lost.
    topic : bytes, default b""
        What the messages begin with; see `workbench.live.process.publisher.topic_of`.
    """

    def __init__(
        self,
        folder: Path,
        numbering: Numbering,
        tell: Callable[[StepUpdate], None],
        fetch_account: Callable[[], AccountState],
        *,
        topic: bytes = b"",
    ) -> None:
        self.pid = os.getpid()
        self._folder = folder
        self._numbering = numbering
        self._tell = tell
        self._fetch_account = fetch_account
        self._topic = topic
        self._boot = ""
        self._sequence = 0
        self._waker = Waker()
        self._ending = threading.Event()
        self._greeted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"workbench-updates-{folder.name}", daemon=True)
        self._thread.start()

    def wait_greeted(self, timeout_s: float) -> bool:
        """Return whether the session has taken the subscription within the timeout in seconds."""
        return self._greeted.wait(timeout_s)

    def end(self) -> None:
        """End the thread soon; does not wait, so it may be called by a callback."""
        self._ending.set()
        self._waker.wake()

    def _run(self) -> None:
        try:
            with shared_context().socket(zmq.SUB) as ear:
                ear.setsockopt(zmq.LINGER, 0)
                ear.setsockopt(zmq.RCVHWM, _WAITING)
                ear.setsockopt(zmq.MAXMSGSIZE, LARGEST_UPDATE)
                ear.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
                ear.setsockopt(zmq.RECONNECT_IVL_MAX, _SLOWEST_RECONNECT_MS)
                ear.connect(end_point(socket_path(self._folder, UPDATES)))
                ear.subscribe(self._topic)
                self._hear(ear)
        finally:
            self._waker.close()

    def _hear(self, ear: zmq.Socket[bytes]) -> None:
        poller = zmq.Poller()
        poller.register(ear, zmq.POLLIN)
        poller.register(self._waker.fileno(), zmq.POLLIN)
        while not self._ending.is_set():
            poller.poll(round(PULSE_S * _MS_PER_S))
            self._waker.quiet()
            while not self._ending.is_set() and ear.poll(0):
                frames = ear.recv_multipart()
                try:
                    # Who follows the first chart by its empty topic is sent those of the others too.
                    if frames[0] in (self._topic + UPDATE, self._topic + PULSE):
                        self._take(frames[0], decode(frames[1], frames[2:]))
                except Exception:  # noqa: BLE001  the border to what another process sends
                    # A message that cannot be read is a lost one: the next pulse shows the gap.
                    _log.exception("an update of session %s cannot be read", self._folder.name)
                    self._ending.wait(_RECOVERY_S)

    def _take(self, kind: bytes, message: Any) -> None:  # noqa: ANN401  what came over the wire
        if kind == self._topic + UPDATE:
            self._take_update(message["boot"], message["update"])
        else:
            self._take_pulse(message["host"]["boot"], message["sequence"])

    def _take_update(self, boot: str, update: StepUpdate) -> None:
        number = self._numbering.shown(boot, update.sequence)
        if number is None:
            return
        self._boot, self._sequence = boot, update.sequence
        self._tell(replace(update, sequence=number))

    def _take_pulse(self, boot: str, sequence: int) -> None:
        """Notice what no update tells: a new process, or updates lost with none behind them."""
        is_known = boot == self._boot
        is_lost = is_known and sequence > self._sequence
        is_restarted = bool(self._boot) and not is_known
        self._boot, self._sequence = boot, max(sequence, self._sequence if is_known else 0)
        if is_lost:
            self._numbering.skip()
        if is_lost or is_restarted:
            self._tell_lost(boot, sequence)
        self._greeted.set()

    def _tell_lost(self, boot: str, sequence: int) -> None:
        """Tell readers by a number that leaves one out; the update itself changes nothing."""
        try:
            account = self._fetch_account()
        except WorkbenchError:
            # The process ended in between or does not answer; the next pulse, of whomever, tells it.
            self._boot = "unknown"
            return
        number = self._numbering.shown(boot, sequence)
        if number is not None:
            empty = (np.empty((0, BAR_COLUMNS)), np.empty((0, EQUITY_COLUMNS)))
            self._tell(StepUpdate(number, *empty, (), {}, account))
