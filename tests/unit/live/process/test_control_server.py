"""What a server does with everything that is no good question, and with subscribers that do not listen."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zmq

from tests.unit.live.markets import session_config
from tests.unit.live.process.hosted import WAIT_S, Heard, Hosted, hosted
from workbench.errors import DataError, SessionError
from workbench.live.process import publisher
from workbench.live.process.control_server import ControlServer
from workbench.live.process.handle import ProcessSession
from workbench.live.process.messages import LARGEST_QUESTION, Answer, Question
from workbench.live.process.publisher import Publisher
from workbench.live.process.sockets import CONTROL, UPDATES, end_point, shared_context, socket_path

ID = "0123456789abcdef0123456789abcdef"
GOOD = {"v": 1, "id": ID, "op": "status", "args": {}, "boot": None}
HOSTILE: dict[str, tuple[bytes, ...]] = {
    "empty": (b"",),
    "no JSON": (b"\x00\xff\xfe{{{",),
    "no object": (b"[1, 2]",),
    "a number": (b"7",),
    "deep": (b"[" * 30_000 + b"]" * 30_000,),
    "large": (b'"' + b"x" * LARGEST_QUESTION + b'"',),
    "many frames": (json.dumps(GOOD).encode(),) * 20,
    "a number of many digits": (b'{"v": ' + b"9" * 5_000 + b"}",),
    "another version": (json.dumps({**GOOD, "v": 2}).encode(),),
    "no id": (json.dumps({**GOOD, "id": 7}).encode(),),
    "an unknown operation": (json.dumps({**GOOD, "op": "format_disk"}).encode(),),
    "a private operation": (json.dumps({**GOOD, "op": "__class__"}).encode(),),
    "an unknown argument": (json.dumps({**GOOD, "args": {"self": 1}}).encode(),),
    "arguments of another type": (json.dumps({**GOOD, "op": "fills", "args": {"limit": "all"}}).encode(),),
    "arguments that are a list": (json.dumps({**GOOD, "args": [1]}).encode(),),
    "a record where none is known": (json.dumps({**GOOD, "args": {"$r": "Popen", "f": {}}}).encode(),),
    "a record of bad fields": (json.dumps({**GOOD, "args": {"$r": "Timeframe", "f": {"name": "no"}}}).encode(),),
    "an array without its buffer": (json.dumps({**GOOD, "args": {"a": {"$a": [3, "<f8", [1]]}}}).encode(),),
    "an array of objects": (json.dumps({**GOOD, "args": {"a": {"$a": [0, "O", [1]]}}}).encode(),),
    "a wait for nothing": (json.dumps({**GOOD, "op": "wait_for"}).encode(),),
    "a wait without end": (json.dumps({**GOOD, "op": "wait_for", "args": {"states": [], "timeout_s": 1e9}}).encode(),),
}  # fmt: skip


@contextmanager
def asker(folder: Path) -> Iterator[zmq.Socket[bytes]]:
    with shared_context().socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.RCVTIMEO, round(WAIT_S * 1_000))
        socket.connect(end_point(socket_path(folder, CONTROL)))
        yield socket


def answer_to(socket: zmq.Socket[bytes], *frames: bytes) -> Answer:
    socket.send_multipart(frames)
    return Answer.decode(socket.recv_multipart())


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_question_is_refused_in_words_and_the_server_goes_on(tmp_path: Path, what: str) -> None:
    with hosted(tmp_path) as host, asker(tmp_path) as socket:
        assert answer_to(socket, *HOSTILE[what]).error is not None
        assert host.server.counts["refused"] == 1
        assert host.handle.state == "PREPARED"


def test_a_handle_hears_why_its_question_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(tmp_path) as host:
        monkeypatch.setattr(Question, "encode", lambda _question: json.dumps({**GOOD, "v": 9}).encode())
        with pytest.raises(DataError, match="the question was of version 9: use the version of workbench"):
            host.handle.snapshot()


def test_what_is_far_too_large_ends_the_connection_and_the_server_goes_on(tmp_path: Path) -> None:
    with hosted(tmp_path) as host, asker(tmp_path) as socket:
        socket.setsockopt(zmq.RCVTIMEO, 200)
        with pytest.raises(zmq.Again):
            answer_to(socket, b"x" * 10_000_000)
        assert host.handle.state == "PREPARED"


def test_a_command_of_one_id_is_carried_out_once(tmp_path: Path) -> None:
    with hosted(tmp_path) as host, asker(tmp_path) as socket:
        host.start()
        text = Question(ID, "pause", {}).encode()
        assert [answer_to(socket, text).value for _ in range(3)] == [True, True, True]
        assert host.server.counts["commands"] == 2  # the start, and the pause
        host.handle.resume()
        assert answer_to(socket, text).value is True
        assert host.session.state == "ACTIVE"


def test_a_command_for_another_server_is_not_carried_out(tmp_path: Path) -> None:
    with hosted(tmp_path) as host, asker(tmp_path) as socket:
        host.start()
        answer = answer_to(socket, Question(ID, "pause", {}, "f" * 32).encode())
        assert answer.is_misdirected
        assert host.session.state == "ACTIVE"


def test_commands_and_reads_go_on_while_a_command_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(tmp_path) as host:
        host.start()
        begun, may_end = threading.Event(), threading.Event()

        def take_long() -> bool:
            begun.set()
            return may_end.wait(WAIT_S)

        monkeypatch.setattr(host.session, "parity", take_long)
        asking = threading.Thread(target=lambda: ask_quietly(host.handle))
        asking.start()
        assert begun.wait(WAIT_S)
        assert host.handle.pause()
        assert host.handle.state == "EXITS_ONLY"
        may_end.set()
        asking.join(WAIT_S)


def ask_quietly(handle: ProcessSession) -> None:
    with pytest.raises(SessionError):  # the stand-in answers with True, which is no report
        handle.parity()


def test_too_many_commands_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(tmp_path) as host, asker(tmp_path) as socket:
        may_end = threading.Event()
        monkeypatch.setattr(host.session, "parity", lambda: may_end.wait(WAIT_S))
        for number in range(17):
            socket.send(Question(f"{number:032x}", "parity", {}).encode())
        answer = Answer.decode(socket.recv_multipart())
        may_end.set()
        assert "16 commands are at work already" in str(answer.error)


def test_a_command_that_fails_in_an_odd_way_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no memory")

    with hosted(tmp_path) as host:
        monkeypatch.setattr(host.session, "parity", fail)
        with pytest.raises(SessionError, match="RuntimeError: no memory"):
            host.handle.parity()
        monkeypatch.setattr(host.session, "snapshot", fail)
        with pytest.raises(SessionError, match="RuntimeError: no memory"):
            host.handle.snapshot()
        assert host.handle.state == "PREPARED"


def test_a_server_that_stumbles_gets_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stumbled = threading.Event()

    def stumble(_publisher: Publisher) -> None:
        monkeypatch.undo()
        stumbled.set()
        raise OSError("no buffer space")

    with hosted(tmp_path) as host:
        monkeypatch.setattr(Publisher, "turn", stumble)
        assert host.handle.state == "PREPARED"
        assert stumbled.wait(WAIT_S)
        assert host.handle.state == "PREPARED"


def test_a_subscriber_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    with hosted(tmp_path) as host, shared_context().socket(zmq.SUB) as deaf:
        deaf.setsockopt(zmq.RCVHWM, 1)
        deaf.setsockopt(zmq.RCVBUF, 1)
        deaf.connect(end_point(socket_path(tmp_path, UPDATES)))
        deaf.subscribe(b"")
        greeting = deaf.recv_multipart()
        assert greeting[0] == b"pulse"
        host.start()
        bars = 150
        host.bars(bars)  # never waits: each bar is one step of the session
        assert host.session.metrics()["counts"]["bars"] == bars


def test_updates_that_nobody_takes_are_dropped_and_the_gap_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "_QUEUE", 4)
    heard = Heard()
    is_held, may_go_on = threading.Event(), threading.Event()

    def hold_up() -> None:
        is_held.set()
        may_go_on.wait(WAIT_S)

    with hosted(tmp_path) as host:
        host.start()
        host.handle.subscribe(heard)
        host.bars(2)
        assert heard.until(lambda: heard.numbers == [1, 2])
        monkeypatch.setattr(host.session, "snapshot", hold_up)
        with asker(tmp_path) as socket:
            socket.send(Question(ID, "snapshot", {}).encode())  # holds the server's thread up, and nobody else
            assert is_held.wait(WAIT_S)
            host.bars(10)
            may_go_on.set()
            socket.recv_multipart()
        # Room for four: 3-6 give way to 7, 7-10 give way to 11.
        assert heard.until(lambda: heard.numbers == [1, 2, 11, 12])
        assert host.server.counts["dropped_updates"] == 8
        assert host.handle.chart_state().sequence == 12


def test_sockets_are_their_owners_alone(tmp_path: Path) -> None:
    with hosted(tmp_path):
        for name in (CONTROL, UPDATES):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with pytest.raises(SessionError, match=r"mode 750.*chmod 700"):
        Hosted(tmp_path, session_config())
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(SessionError, match="no link to one"):
        Hosted(tmp_path / "link", session_config())


def test_a_second_server_of_a_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        with pytest.raises(SessionError, match=f"process {os.getpid()} serves the session"):
            ControlServer(host.session, tmp_path)
        assert host.handle.state == "PREPARED"


def test_what_a_dead_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / CONTROL).write_bytes(b"")
    (tmp_path / UPDATES).write_bytes(b"")
    with hosted(tmp_path) as host:
        assert host.handle.state == "PREPARED"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Return a folder whose path leaves room for the name of a socket, however many workers run the tests."""
    with TemporaryDirectory(prefix="wb-", dir="/tmp") as folder:
        yield Path(folder)


def test_a_folder_with_a_long_path_is_served_by_a_short_socket(
    tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(mode=0o700, parents=True)
    with hosted(folder) as host:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "elsewhere"))  # the pointer says where it is
        assert host.handle.state == "PREPARED"
        assert socket_path(folder, CONTROL).parent == short_folder / f"workbench-{os.getuid()}"
        assert socket_path(folder, CONTROL) != socket_path(folder, UPDATES)
        (short_folder / f"workbench-{os.getuid()}").chmod(0o755)
        with pytest.raises(SessionError, match="must be its owner's alone"):
            socket_path(folder, CONTROL)
        (short_folder / f"workbench-{os.getuid()}").chmod(0o700)
