"""The environment of a process's start is what the system keeps, in children and forks too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import RealTradingDisabledError
from workbench.exchange.real_money import REAL_TRADING_SWITCH, child_environment, config_folder, started_environment

SHOW = (
    "from workbench.exchange.real_money.started import started_environment as started; "
    f"print(started().get('{REAL_TRADING_SWITCH}'))"
)
LATE = f"import os; os.environ['{REAL_TRADING_SWITCH}'] = '1'; {SHOW}"
# A session is forked from a process that waits for it; what a fork is started with is what that one was.
FORKED = f"""
import os
os.environ.pop('{REAL_TRADING_SWITCH}', None)
{{set_late}}
child = os.fork()
if child == 0:
    {SHOW}
    os._exit(0)
os.waitpid(child, 0)
"""


def shown(code: str, *, switch: str | None, **more: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != REAL_TRADING_SWITCH} | more
    if switch is not None:
        environment[REAL_TRADING_SWITCH] = switch
    done = subprocess.run(
        [sys.executable, "-u", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_what_is_set_later_does_not_count() -> None:
    assert shown(SHOW, switch=None) == "None"
    assert shown(LATE, switch=None) == "None"
    assert shown(SHOW, switch="1") == "1"


def test_fork_has_what_its_parent_was_started_with() -> None:
    late = f"os.environ['{REAL_TRADING_SWITCH}'] = '1'"
    assert shown(FORKED.format(set_late=late), switch=None) == "None"
    assert shown(FORKED.format(set_late=""), switch="1") == "1"


def test_only_a_process_that_was_started_as_a_supervisor_takes_over_what_another_one_had() -> None:
    code = f"""
from workbench.exchange.real_money.started import vouch
vouch({{'{REAL_TRADING_SWITCH}': '1'}})
{SHOW}
"""
    assert shown(code, switch=None) == "None"
    assert shown(code, switch=None, WORKBENCH_SUPERVISOR="1") == "1"
    assert shown(SHOW, switch=None, WORKBENCH_SUPERVISOR="1") == "None"


def test_child_gets_the_switch_only_as_it_was_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REAL_TRADING_SWITCH, "1")
    monkeypatch.setenv("ANOTHER", "2")
    assert REAL_TRADING_SWITCH not in started_environment()
    assert REAL_TRADING_SWITCH not in child_environment()
    assert child_environment()["ANOTHER"] == "2"
    monkeypatch.setattr("workbench.exchange.real_money.started.started_environment", lambda: {REAL_TRADING_SWITCH: "1"})
    monkeypatch.delenv(REAL_TRADING_SWITCH)
    assert child_environment()[REAL_TRADING_SWITCH] == "1"


def test_system_that_does_not_tell_is_one_without_real_trading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workbench.exchange.real_money.started._OWN_ENVIRONMENT", tmp_path / "nothing")
    with pytest.raises(RealTradingDisabledError, match="needs a system that tells how a process was started"):
        started_environment()
    assert REAL_TRADING_SWITCH not in child_environment()


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"WORKBENCH_CONFIG_DIR": "/a/b", "XDG_CONFIG_HOME": "/c", "HOME": "/d"}, "/a/b"),
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/d"}, "/c/workbench"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/d"}, "/d/.config/workbench"),
    ],
)
def test_folder_is_where_the_user_has_it(environment: dict[str, str], folder: str) -> None:
    assert config_folder(environment) == Path(folder)


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"WORKBENCH_CONFIG_DIR": "a"}, {"XDG_CONFIG_HOME": "c"}])
def test_folder_that_depends_on_where_one_stands_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(RealTradingDisabledError, match="must be a full path"):
        config_folder(environment)
