import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SessionError, SessionNotFoundError
from workbench.live.process.folders import SessionFolder, private_folder, read_json, sessions_root, write_json
from workbench.live.session_config import SESSION_NAME


def made(root: Path, name: str = "one") -> SessionFolder:
    folder = SessionFolder(root, name).make()
    folder.config.write_text("{}")
    return folder


def test_root_is_in_the_home_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert sessions_root() == tmp_path / "sessions"


def test_root_is_in_the_users_data_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert sessions_root() == tmp_path / "workbench" / "sessions"


def test_folders_are_for_their_user_alone(tmp_path: Path) -> None:
    folder = made(tmp_path / "root")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.root, folder.path)] == [0o700, 0o700]


def test_folder_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(tmp_path / "open").stat().st_mode) == 0o700


def test_folder_is_not_made_where_a_link_is(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "one").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SessionError, match="no link"):
        SessionFolder(tmp_path, "one").make()


def test_link_to_a_session_is_no_session(tmp_path: Path) -> None:
    made(tmp_path, "one")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert SessionFolder(tmp_path, "one").is_there
    with pytest.raises(SessionNotFoundError):
        SessionFolder(tmp_path, "two").check()


def test_session_whose_configuration_is_a_link_is_none(tmp_path: Path) -> None:
    folder = made(tmp_path)
    folder.config.rename(tmp_path / "config")
    folder.config.symlink_to(tmp_path / "config")
    assert not folder.is_there


def test_retired_folder_gives_its_name_free_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    places = []
    for _ in range(3):
        folder = made(tmp_path)
        folder.log.write_text("said")
        places.append(folder.retire("12345678-90ab"))
        assert not folder.path.exists()
    assert [place.name for place in places] == ["one-12345678", "one-12345678-2", "one-12345678-3"]
    assert all((place / "stderr.log").read_text() == "said" for place in places)


def test_retired_folder_stays_inside_whatever_the_id_says(tmp_path: Path) -> None:
    place = made(tmp_path).retire("../../etc")
    assert place == tmp_path / ".finished" / "one-etc"


def test_json_is_read_back_and_damage_reads_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": [1, 2.5]})
    assert read_json(path) == {"a": [1, 2.5]}
    for damage in (b"{", b"[1]", b"\xff\xfe", b""):
        path.write_bytes(damage)
        assert read_json(path) == {}
    assert read_json(tmp_path / "missing") == {}


def test_json_is_not_read_through_a_link(tmp_path: Path) -> None:
    write_json(tmp_path / "there.json", {"a": 1})
    (tmp_path / "link.json").symlink_to(tmp_path / "there.json")
    assert read_json(tmp_path / "link.json") == {}


@given(st.one_of(st.text(max_size=80), st.from_regex(r"(\.\./)*[a-z/\0.]{1,20}", fullmatch=True)))
def test_no_name_leads_out_of_the_root(name: str) -> None:
    root = Path("/data/sessions")
    if SESSION_NAME.fullmatch(name) is None:
        with pytest.raises(SessionError, match="a session's name must be"):
            SessionFolder(root, name)
    else:
        folder = SessionFolder(root, name)
        assert folder.path.parent == root
        assert folder.journal.parents[1] == root


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "/etc", "a" * 65, "A", "con.txt", "a\0", "\uff41", ".finished", "a\n"]
)
def test_such_a_name_is_refused(name: str) -> None:
    with pytest.raises(SessionError, match="a session's name must be"):
        SessionFolder(Path("/data"), name)
