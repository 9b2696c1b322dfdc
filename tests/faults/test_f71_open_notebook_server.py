"""F71: a Jupyter server that strangers can use is found by the file it leaves, and real trading is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import RealTradingDisabledError
from workbench.exchange.practice import PracticeExchange, SteppedClock
from workbench.exchange.real_money import open_notebook_servers, require_closed_notebooks

SAFE = {
    "url": "http://localhost:8888/",
    "hostname": "localhost",
    "port": 8888,
    "sock": "",
    "secure": False,
    "token": "3f1c9a",
    "password": False,
    "pid": os.getpid(),
}


def told(folder: Path, name: str = "jpserver-1.json", **changes: Any) -> tuple[str, ...]:
    (folder / name).write_text(json.dumps(SAFE | changes))
    return open_notebook_servers(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hostname": "127.0.0.1"},
        {"token": "", "password": True},
        {"sock": "/run/user/1000/jupyter.sock", "hostname": ""},
    ],
)
def test_server_with_a_token_on_this_machine_is_good(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert told(tmp_path, **changes) == ()
    require_closed_notebooks(tmp_path)


@pytest.mark.parametrize("name", ["jpserver-1.json", "nbserver-1.json"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": ""}, "asks for no token"),
        ({"token": None}, "asks for no token"),
        ({"token": "", "password": "no"}, "asks for no token"),
        ({"token": "", "sock": "/run/user/1000/jupyter.sock"}, "asks for no token"),
        ({"hostname": "0.0.0.0"}, "listens on every network address"),  # noqa: S104 - looked for
        ({"hostname": "::"}, "listens on every network address"),
        ({"hostname": "*"}, "listens on every network address"),
        ({"hostname": ""}, "listens on every network address"),
        ({"pid": "1"}, "cannot be judged"),
    ],
)
def test_open_server_is_told_and_refused(tmp_path: Path, name: str, changes: dict[str, Any], reason: str) -> None:
    (found,) = told(tmp_path, name, **changes)
    assert reason in found
    with pytest.raises(RealTradingDisabledError, match=reason):
        require_closed_notebooks(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "5", '{"pid": null}'])
def test_file_that_cannot_be_read_counts_as_open(tmp_path: Path, text: str) -> None:
    (tmp_path / "jpserver-1.json").write_text(text)
    assert open_notebook_servers(tmp_path) != ()


def test_server_that_is_gone_is_no_danger(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert told(tmp_path, token="", pid=gone.pid) == ()
    assert open_notebook_servers(tmp_path / "nowhere") == ()


def test_several_servers_are_all_named(tmp_path: Path) -> None:
    told(tmp_path, "jpserver-1.json", token="")
    found = told(tmp_path, "jpserver-2.json", hostname="0.0.0.0")  # noqa: S104 - as above
    assert len(found) == 2


def test_paper_session_warns_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(tmp_path, token="")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    with PracticeExchange(["BTC/USDT"], clock=SteppedClock()) as exchange:
        with pytest.warns(UserWarning, match="asks for no token: whoever reaches it can run cells here"):
            session = wb.paper(
                wb.strategy.buy_and_hold(), exchange=exchange, execution="exchange", name="warned", start=False
            )
        assert session.state == "PREPARED"
        session.close()
