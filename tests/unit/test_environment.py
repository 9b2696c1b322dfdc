"""The places that say what the project needs agree, and the tests run as strictly as they say."""

import re
import socket
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).parents[2]
LOCKS = ("run", "test")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def environment() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def locked_versions(name: str) -> dict[str, set[str]]:
    """Map each package of a lock file to its pinned versions (several when it forks by marker)."""
    versions: dict[str, set[str]] = {}
    for line in lock_text(name).splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line):
            versions.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return versions


def required_by(lock: str) -> list[str]:
    """List what pyproject says that a lock file must hold."""
    project = pyproject()
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    if lock == "test":
        asked += [text for extra in project["project"]["optional-dependencies"].values() for text in extra]
    return asked


def test_environment_has_the_python_that_pyproject_asks_for() -> None:
    conda = [text for text in environment()["dependencies"] if isinstance(text, str)]
    assert f"python{pyproject()['project']['requires-python']}" in conda
    assert "pip" in conda


def test_environment_adds_this_project_with_every_extra_and_nothing_else() -> None:
    (pip,) = (entry["pip"] for entry in environment()["dependencies"] if isinstance(entry, dict))
    extras = sorted(pyproject()["project"]["optional-dependencies"])
    assert pip == [f"-e .[{','.join(extras)}]"]


def test_environment_comes_from_conda_forge_alone() -> None:
    assert environment()["channels"] == ["conda-forge", "nodefaults"]


def test_linters_read_the_code_as_the_oldest_supported_python() -> None:
    lowest = re.fullmatch(r">=3\.(\d+)", pyproject()["project"]["requires-python"])
    assert lowest is not None
    assert pyproject()["tool"]["ruff"]["target-version"] == f"py3{lowest[1]}"
    assert pyproject()["tool"]["mypy"]["python_version"] == f"3.{lowest[1]}"


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_everything_that_pyproject_asks_for_within_its_bounds(lock: str) -> None:
    pinned = locked_versions(lock)
    for text in required_by(lock):
        requirement = Requirement(text)
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{text} is missing in requirements/{lock}.txt; run `make lock`"
        for version in versions:
            assert requirement.specifier.contains(version), f"{text}, was {version}; run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_carries_a_hash(lock: str) -> None:
    pins = re.split(r"^(?=[A-Za-z0-9])", lock_text(lock), flags=re.MULTILINE)[1:]
    assert pins
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_no_address(lock: str) -> None:
    assert re.findall(r"\S*(?:://|--index-url|--find-links)\S*", lock_text(lock)) == []


def test_test_lock_holds_the_run_lock_with_the_same_versions() -> None:
    tested = locked_versions("test")
    assert {name: tested.get(name) for name in locked_versions("run")} == locked_versions("run")


def test_kernel_of_the_live_chart_stays_below_the_first_untried_version() -> None:
    (text,) = (text for text in pyproject()["project"]["dependencies"] if text.startswith("ipykernel"))
    assert Requirement(text).specifier == SpecifierSet(">=7.1,<7.4")


def test_outside_network_is_out_of_reach() -> None:
    with pytest.raises(SocketConnectBlockedError), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))  # an address reserved for documentation


def test_loopback_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning, match="old"):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_setting_of_pytest_that_is_misspelt_is_an_error(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption("strict_config")
    assert pytestconfig.getoption("strict_markers")
    assert pytestconfig.getini("xfail_strict") is True
    assert float(pytestconfig.getini("timeout")) > 0
