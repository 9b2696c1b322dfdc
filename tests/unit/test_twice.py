"""What fails beside others is run once more alone, and nothing is hidden by that."""

from pathlib import Path

import pytest

from tests import twice

BUSY = """
from pathlib import Path
def test_needs_a_quiet_machine():
    seen = Path({seen!r})
    is_first = not seen.exists()
    seen.touch()
    assert not is_first
"""
SOUND = "def test_is_sound():\n    pass\n"
SEEDED = "import random\ndef test_depends_on_the_seed():\n    print('drawn', random.random())\n    assert False\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the others only take time to load
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p xdist -p pytest_randomly")
    return tmp_path


def run(folder: Path, *texts: str) -> int:
    (folder / "test_cases.py").write_text("".join(texts))
    return twice.run("cases", ["-q", "-n", "0"], folder)


def test_failures_are_repeated_with_the_same_seed_and_none_is_hidden(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, SOUND, SEEDED, BUSY.format(seen=str(folder / "seen"))) == twice.TESTS_FAILED
    busy, seeded = "test_cases.py::test_needs_a_quiet_machine", "test_cases.py::test_depends_on_the_seed"
    assert (folder / "cases.alone").read_text() == f"{busy}\n"
    printed = capfd.readouterr().out
    assert f"\n== PASSED ONLY ALONE, a defect of each of these tests or of what it tests:\n   {busy}\n" in printed
    assert f"\n== FAILED TWICE:\n   {seeded}\n" in printed
    drawn = [line for line in printed.splitlines() if line.startswith("drawn")]
    assert len(drawn) == 2
    assert drawn[0] == drawn[1]


def test_what_passes_alone_leaves_the_build_green_and_its_name(folder: Path) -> None:
    assert run(folder, SOUND, BUSY.format(seen=str(folder / "seen"))) == 0
    assert (folder / "cases.alone").read_text() == "test_cases.py::test_needs_a_quiet_machine\n"
    assert run(folder, SOUND) == 0
    assert not (folder / "cases.alone").exists()


def test_many_failures_are_not_repeated(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "import pytest\n@pytest.mark.parametrize('n', range(13))\ndef test_is_broken(n):\n    assert False\n"
    assert run(folder, many) == twice.TESTS_FAILED
    assert "13 tests failed: too many" in capfd.readouterr().out


def test_file_that_cannot_be_collected_fails_the_build(folder: Path) -> None:
    assert run(folder, "import no_such_module\n") not in {0, twice.TESTS_FAILED}
