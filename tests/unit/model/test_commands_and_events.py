import numpy as np
import pytest

from workbench.errors import ConfigError
from workbench.model import (
    BAR,
    BAR_CLOSED,
    COMMAND,
    COMMANDS,
    EVENT,
    EVENT_KINDS,
    REPORT,
    TICK,
    TIME_ADVANCED,
    Command,
)


def test_commands_keep_their_codes() -> None:
    assert COMMANDS == ("pause", "resume", "flatten", "stop", "kill", "clear_breaker", "mute")
    assert [Command(name).code for name in COMMANDS] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_comes_back_from_its_code(name: str) -> None:
    assert Command.from_code(Command(name).code) == Command(name)
    assert str(Command(name)) == name


def test_unknown_commands_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"command must be one of 'pause', 'resume', .* was 'explode'"):
        Command("explode")
    for code in (-1, 7):
        with pytest.raises(ConfigError, match=rf"command code must be in \[0, 6\], was {code}"):
            Command.from_code(code)


def test_event_kinds_keep_their_numbers_as_journals_hold_them() -> None:
    assert (TICK, BAR_CLOSED, COMMAND, REPORT, TIME_ADVANCED, BAR) == (1, 2, 3, 4, 5, 6)
    assert set(EVENT_KINDS) == {1, 2, 3, 4, 5, 6}


def test_event_row_is_72_bytes_without_padding() -> None:
    assert EVENT.itemsize == 72  # 9 fields of 8 bytes
    assert EVENT.names == ("kind", "symbol", "time_ns", "a", "b", "c", "d", "e", "remaining")
    assert {EVENT[name].kind for name in "abcde"} == {"f"}
    assert {EVENT[name] for name in ("kind", "symbol", "time_ns", "remaining")} == {np.dtype("i8")}
