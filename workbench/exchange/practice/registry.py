"""Where running practice exchanges are: one small file each, readable by their user alone."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final
from urllib.error import URLError

from workbench.errors import ConfigError
from workbench.exchange.credentials import PRACTICE_REAL_PREFIX
from workbench.exchange.practice.clock import RunningClock

__all__ = ["PracticeAddress", "find_practice_exchange", "register", "unregister"]

_FOLDER_VARIABLE: Final = "WORKBENCH_RUNTIME_DIR"
_LOOPBACK: Final = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")
_ANSWER_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeAddress:
    """What a client needs to know of a practice exchange.

    Parameters
    ----------
    url : str
        ``http://127.0.0.1:<port>``, nothing else.
    key, secret : str
        Credentials that only this exchange accepts; the secret is not shown by ``repr``.
    speed : float
        Seconds of the exchange in a real one.
    start_ns, origin_ns : int or None
        Its clock, as for `RunningClock`; None when it is moved by hand.
    pid : int
        Process that serves it.

    Raises
    ------
    ConfigError
        The address is not on this machine.
    """

    url: str
    key: str
    secret: str = field(repr=False)
    speed: float
    start_ns: int | None = None
    origin_ns: int | None = None
    pid: int = field(default_factory=os.getpid)

    def __post_init__(self) -> None:
        """Refuse an address elsewhere: the credentials are worth nothing there, and a key may not wander."""
        if _LOOPBACK.fullmatch(self.url) is None:
            raise ConfigError(f"a practice exchange is at http://127.0.0.1:<port>, was {self.url!r}")

    @property
    def plays_real(self) -> bool:
        """Whether it plays a real exchange, which takes no order without a permit; its key says so."""
        return self.key.startswith(PRACTICE_REAL_PREFIX)

    @property
    def spot_stream_url(self) -> str:
        """Websocket of spot market streams; ccxt wants ``/stream`` in it."""
        return f"{self._websocket}/stream/ws"

    @property
    def perpetual_stream_url(self) -> str:
        """Websocket of streams of perpetuals; ccxt wants no ``/stream`` in it, and ``/ws`` at its end."""
        return f"{self._websocket}/linear/ws"

    @property
    def spot_interface_url(self) -> str:
        """Websocket of requests and the account's events of spot."""
        return f"{self._websocket}/ws-api/v3"

    def clock(self) -> RunningClock | None:
        """Return a clock that shows the exchange's time in this process; None when it is moved by hand."""
        if self.start_ns is None or self.origin_ns is None:
            return None
        return RunningClock(self.start_ns, speed=self.speed, origin_ns=self.origin_ns)

    def answers(self) -> bool:
        """Return whether an exchange that accepts this key answers there."""
        request = urllib.request.Request(f"{self.url}/practice/state", headers={"X-MBX-APIKEY": self.key})  # noqa: S310 - the scheme is checked above
        try:
            # No proxy: an address of this machine must not leave it.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=_ANSWER_TIMEOUT_S) as response:
                return bool(response.status == 200)  # noqa: PLR2004 - OK
        except (URLError, OSError, ValueError):
            return False

    @property
    def _websocket(self) -> str:
        return f"ws{self.url.removeprefix('http')}"


def register(address: PracticeAddress) -> Path:
    """Let this user's other processes find the exchange at an `address`; return the file that says so."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _path(folder, address)
    fresh = path.with_suffix(f".{address.pid}.new")
    # Made with its final rights: the secret is never readable by others, not even for a moment.
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(address), file)
    fresh.replace(path)
    return path


def unregister(address: PracticeAddress) -> None:
    """Undo `register` of an `address`."""
    _path(_folder(), address).unlink(missing_ok=True)


def find_practice_exchange(url: str | None = None, *, plays_real: bool = False) -> PracticeAddress | None:
    """Return a running exchange of this user, the one that started last; None when there is none.

    Files of exchanges that are gone are ignored and removed.

    Parameters
    ----------
    url : str, optional
        Where it has to be, such as ``http://127.0.0.1:40001``.
    plays_real : bool, default False
        Whether it must be one that plays a real exchange; otherwise it is none of those.
    """
    folder = _folder()
    files = sorted(folder.glob("practice-*.json"), key=_modified_ns, reverse=True) if folder.is_dir() else []
    for path in files:
        address = _read(path)
        is_wanted = address is not None and url in (None, address.url) and address.plays_real == plays_real
        if address is not None and is_wanted and _is_alive(address.pid) and address.answers():
            return address
        if address is not None and not _is_alive(address.pid):
            path.unlink(missing_ok=True)
    return None


def _folder() -> Path:
    named = os.environ.get(_FOLDER_VARIABLE)
    if named:
        return Path(named)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "workbench"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "workbench" / "run"


def _path(folder: Path, address: PracticeAddress) -> Path:
    return folder / f"practice-{address.url.rpartition(':')[2]}.json"


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path) -> PracticeAddress | None:
    """Return what a file says; None when it cannot be read, or others could have written it."""
    try:
        status = path.lstat()
        # A link's own rights are all rights, so none is followed.
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            return None
        return PracticeAddress(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
