from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.real_money import KEY, SECRET
from workbench.errors import ConfigError, RealTradingDisabledError
from workbench.exchange.real_money import key_names, load_key, store_key
from workbench.exchange.real_money.private_files import read_private, write_private


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "workbench" / "keys" / "one.json"
    write_private(path, {"a": 1})
    return path


def test_file_is_its_users_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "workbench" / "keys" / "one.json"
        write_private(path, {"a": 1})
    finally:
        os.umask(before)
    modes = [place.stat().st_mode & 0o777 for place in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert read_private(path) == {"a": 1}
    assert [one.name for one in path.parent.iterdir()] == ["one.json"]


def test_file_that_is_not_there_is_none(path: Path) -> None:
    assert read_private(path.with_name("two.json")) is None
    assert read_private(path.parent / "nowhere" / "two.json") is None


@pytest.mark.parametrize("mode", [0o601, 0o604, 0o610, 0o620, 0o640, 0o660, 0o666, 0o777])
def test_file_that_others_may_touch_is_not_believed(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(RealTradingDisabledError, match=f"its mode must be 0600, was {mode:04o}"):
        read_private(path)


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o777])
def test_folder_that_others_may_enter_is_not_believed(path: Path, mode: int) -> None:
    path.parent.chmod(mode)
    for attempt in (lambda: read_private(path), lambda: write_private(path, {"a": 2})):
        with pytest.raises(RealTradingDisabledError, match=f"with mode 0700, was {mode:04o}: chmod 700"):
            attempt()
    path.parent.chmod(0o700)
    assert read_private(path) == {"a": 1}


def test_link_device_or_pipe_is_no_file(path: Path) -> None:
    link, pipe = path.with_name("link.json"), path.with_name("pipe.json")
    link.symlink_to(path)
    os.mkfifo(pipe, 0o600)
    for place in (link, pipe, path.parent):
        with pytest.raises(RealTradingDisabledError, match="is not believed"):
            read_private(place)


def test_folder_behind_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "workbench" / "other"
    link.symlink_to(path.parent)
    with pytest.raises(RealTradingDisabledError, match="must be a folder of this user"):
        write_private(link / "one.json", {"a": 2})
    assert read_private(path) == {"a": 1}


@pytest.mark.parametrize("text", ["", "[]", "5", "{", '"a"', "null", "{" + " " * 70_000 + "}", "\x00"])
def test_what_is_no_small_object_is_not_believed(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(RealTradingDisabledError, match="is no JSON object of at most 65536 B"):
        read_private(path)


def test_failed_write_leaves_the_old_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RealTradingDisabledError, match="cannot be written: No space left on device"):
        write_private(path, {"a": 2})
    assert read_private(path) == {"a": 1}
    assert [one.name for one in path.parent.iterdir()] == ["one.json"]


def test_no_error_about_a_key_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "workbench"
    with pytest.raises(ConfigError) as short:
        store_key(folder, "main", exchange="binance", key=KEY, secret="short", can_withdraw="no")  # noqa: S106 - made up
    assert KEY not in str(short.value)
    assert key_names(folder) == ()
    store_key(folder, "main", exchange="binance", key=KEY, secret=SECRET, can_withdraw="no")
    assert key_names(folder) == ("main",)
    assert SECRET not in repr(load_key(folder, "main"))
    path = folder / "keys" / "main.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(RealTradingDisabledError) as unknown:
        load_key(folder, "main")
    assert SECRET not in f"{unknown.value!r} {unknown.value.__cause__!r}"
    for name in ("../main", "Main", "", "a/b", ".main"):
        with pytest.raises(ConfigError, match="account must be"):
            store_key(folder, name, exchange="binance", key=KEY, secret=SECRET, can_withdraw="no")
