"""The supervisor's door: what it answers, to whom, and when it goes to rest."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process_sessions import PLENTY_S, ROOT, eventually, process_config, supervisor_of
from workbench.errors import ConfigError, SessionError
from workbench.live.journal.ballast import BALLAST_BYTES
from workbench.live.process.folders import SessionFolder, private_folder
from workbench.live.process.record import ProcessOptions, read_record
from workbench.live.process.registry import SessionRegistry
from workbench.live.process.supervisor_client import ask_supervisor, supervisor_key, supervisor_socket

SERVE = """
import socket, sys
from pathlib import Path
from workbench.live.process.folders import private_folder
from workbench.live.process.supervisor import Supervisor
root = Path(sys.argv[1])
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[2])
listener.listen()
Supervisor(root, listener, "key", idle_s=float(sys.argv[3])).run()
"""


def raw(registry: SessionRegistry, line: bytes) -> bytes:
    """Say something to the supervisor and return all that it answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PLENTY_S)
        connection.connect(str(supervisor_socket(registry.root)))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4_096):
            answer += part
        return answer


def test_supervisor_is_one_for_all_who_ask(registry: SessionRegistry) -> None:
    first = supervisor_of(registry)
    assert supervisor_of(registry) == first
    assert ask_supervisor(registry.root, {"op": "ping"}, starts=False)["pid"] == first.pid
    assert supervisor_socket(registry.root).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line", [b"", b"nonsense\n", b"[1]\n", b"{", b'{"op": "start"}\n', b'{"op": "fly"}\n', b"\xff" * 99]
)
def test_nonsense_changes_nothing(registry: SessionRegistry, line: bytes) -> None:
    supervisor = supervisor_of(registry)
    answer = raw(registry, line)
    assert answer == b"" or b"the supervisor cannot do" in answer
    assert supervisor_of(registry) == supervisor


@pytest.mark.parametrize("name", ["../other", "nobody", "", None])
def test_session_that_is_none_is_not_started(registry: SessionRegistry, name: object) -> None:
    answer = ask_supervisor(registry.root, {"op": "start", "mode": "start", "name": name})
    assert answer["error"] in {"SessionError", "SessionNotFoundError"}


def test_error_of_a_session_that_cannot_run_comes_back_as_it_is(registry: SessionRegistry) -> None:
    folder = SessionFolder(registry.root, "damaged").make()
    folder.config.write_text("{}")
    folder.config.chmod(0o600)
    with pytest.raises(SessionError, match=r"session.json in damaged is damaged"):
        registry._ask(folder, "start")  # noqa: SLF001 - past the looks of `start`
    assert read_record(folder) is None
    # It never was a session, so nothing else takes it away.
    shutil.rmtree(folder.path)


def test_root_python_and_code_name_a_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = supervisor_key(tmp_path)
    assert supervisor_key(tmp_path / "other") != key
    monkeypatch.setattr(sys, "executable", "/usr/bin/other-python")
    assert supervisor_key(tmp_path) != key


def test_nobody_is_asked_where_no_supervisor_is_to_be_started(tmp_path: Path) -> None:
    private_folder(tmp_path / "sessions")
    assert ask_supervisor(tmp_path / "sessions", {"op": "ping"}, starts=False) is None


def test_supervisor_without_sessions_goes_to_rest_and_removes_its_socket(tmp_path: Path) -> None:
    root = private_folder(tmp_path / "s")
    private_folder(root / ".supervisor")
    path = Path(f"/tmp/wb-test-{os.getpid()}.sock")  # noqa: S108 - short enough for a socket
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", SERVE, str(root), str(path), "0.2"], env=environment, timeout=PLENTY_S, check=False
    )
    assert ended.returncode == 0
    assert not path.exists()


def test_supervisor_whose_root_is_removed_ends(tmp_path: Path) -> None:
    root = private_folder(tmp_path / "s")
    private_folder(root / ".supervisor")
    path = Path(f"/tmp/wb-test-{os.getpid()}.sock")  # noqa: S108 - short enough for a socket
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    serving = subprocess.Popen([sys.executable, "-c", SERVE, str(root), str(path), "1000"], env=environment)
    try:
        assert eventually(lambda: answered(path))
        shutil.rmtree(root)
        answered(path)  # it looks around whenever it is asked, and each ten seconds
        assert serving.wait(PLENTY_S) == 0
    finally:
        serving.kill()
        serving.wait()
        path.unlink(missing_ok=True)


def answered(path: Path) -> bytes:
    """Return what the supervisor at a socket says to a ping; nothing where none listens, or one that ends."""
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(PLENTY_S)
        try:
            asker.connect(str(path))
            asker.sendall(b'{"op": "ping"}\n')
            return asker.recv(1_000)
        except OSError:
            return b""


def test_running_session_keeps_room_for_a_full_disk(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("one"))
    room = info.folder.path / "ballast"
    assert eventually(lambda: room.exists() and room.stat().st_size == BALLAST_BYTES)


def test_process_that_needs_more_memory_than_it_may_is_started_anew(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("hungry"), options=ProcessOptions(memory_limit_bytes=1_000_000))
    record = eventually(lambda: (found := read_record(info.folder)) and found.deaths_s and found)
    assert record.deaths_s
    assert "at 1 MB the process is started again" in info.folder.log.read_text()


def test_full_log_is_put_aside_and_written_on(registry: SessionRegistry) -> None:
    info, _ = registry.start(process_config("talks"), options=ProcessOptions(log_limit_bytes=500))
    older = info.folder.log.with_name("stderr.log.1")
    os.kill(info.process.pid, signal.SIGUSR1)  # the stacks of its threads take more than that
    eventually(older.exists)
    assert "most recent call first" in older.read_text()
    os.kill(info.process.pid, signal.SIGUSR1)
    assert eventually(lambda: "most recent call first" in info.folder.log.read_text())


@pytest.mark.parametrize("wrong", [{"step_budget_s": 0.0}, {"memory_limit_bytes": -1}, {"log_limit_bytes": 0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be above 0"):
        ProcessOptions(**wrong)
