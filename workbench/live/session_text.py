"""A session's definition as a file: its configuration, its strategy as text, and the versions it was made with."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError, SessionError, SessionNotFoundError
from workbench.live.private_files import read_private, write_private
from workbench.live.record_text import plain, record_from, record_of, value_from
from workbench.live.session_config import LiveSessionConfig
from workbench.live.source_text import read_source, write_source
from workbench.model import Costs, RiskConfig
from workbench.strategy import StrategyText, strategy_from_text, strategy_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workbench.live.record_text import Json

__all__ = ["SESSION_FILE", "SavedSession", "current_versions", "read_session", "write_session"]

SESSION_FILE: Final = "session.json"
_FORMAT: Final = 1
_SHORT_HASH: Final = 16
# Written in forms of their own; every other field of a configuration is a plain value.
_OWN_FORMS: Final = frozenset({"strategy", "timeframe", "source", "risk", "costs"})
_DISTRIBUTIONS: Final = {
    "workbench": "workbench-trading",
    "numpy": "numpy",
    "numba": "numba",
    "ta-lib": "TA-Lib",
    "ccxt": "ccxt",
}
_HOW_TO_GO_ON: Final = "restore the file from a copy, or start a new session under this name from the notebook"


@dataclass(frozen=True, slots=True)
class SavedSession:
    """What was read of a session's folder.

    Attributes
    ----------
    session_id : str
        Which session.
    config : LiveSessionConfig
        All that defines it; its strategy was built from the text.
    versions : mapping of str to str
        What it was written with: python, workbench and the packages that calculate or trade.
    sha256 : str
        Of all that defines the session, in hex.
    """

    session_id: str
    config: LiveSessionConfig
    versions: Mapping[str, str]
    sha256: str


def write_session(folder: Path, config: LiveSessionConfig, *, session_id: str) -> StrategyText:
    """Write a session's definition into its folder, for a process that knows nothing else of it.

    No key or secret is written. The file is there whole or not at all, and its user alone can read it.

    Parameters
    ----------
    folder : Path
        Has to be there.
    config : LiveSessionConfig
        All that defines the session.
    session_id : str
        Its id.

    Returns
    -------
    StrategyText
        As what the strategy was written.

    Raises
    ------
    ConfigError
        The strategy or the source cannot travel, or a field is no plain value; the message says what to do.
    SessionError
        The file cannot be written.
    """
    text = strategy_text(config.strategy)
    try:
        content: dict[str, Json] = {
            "format": _FORMAT,
            "session_id": session_id,
            "versions": current_versions(),
            "config": {
                **{one.name: plain(one.name, getattr(config, one.name)) for one in _plain_fields()},
                "timeframe": config.timeframe.name,
                "risk": record_of(config.risk),
                "costs": record_of(config.costs),
                "source": write_source(folder, config.source),
            },
            "strategy": _strategy_to(text),
        }
        content["sha256"] = _sha256(content)
        write_private(folder / SESSION_FILE, json.dumps(content, indent=1, allow_nan=False).encode())
    except OSError as error:
        raise SessionError(f"the session cannot be written to {folder}: {error}", session_id=session_id) from error
    return text


def read_session(folder: Path) -> SavedSession:
    """Return the session that was written into a folder; its strategy is built from the text there.

    Raises
    ------
    SessionNotFoundError
        There is none.
    SessionError
        The file is damaged, was changed by hand, may be written by others, or is of a newer workbench.
    ConfigError
        The strategy cannot be built here, or a value is refused.
    """
    content = _content(folder)
    try:
        values = dict(content["config"])
        ready: dict[str, Any] = {
            "timeframe": values.pop("timeframe"),
            "risk": record_from(RiskConfig, values.pop("risk")),
            "costs": record_from(Costs, values.pop("costs")),
            "source": read_source(folder, values.pop("source")),
            "strategy": strategy_from_text(_strategy_from(content["strategy"])),
        }
        config = record_from(LiveSessionConfig, values, **ready)
        return SavedSession(content["session_id"], config, dict(content["versions"]), content["sha256"])
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"a part is missing: {error}") from error


def current_versions() -> dict[str, str]:
    """Return the versions of python, workbench and the packages that calculate or trade.

    Examples
    --------
    >>> sorted(current_versions())
    ['ccxt', 'numba', 'numpy', 'python', 'ta-lib', 'workbench']
    """
    return {"python": platform.python_version()} | {name: _version(package) for name, package in _DISTRIBUTIONS.items()}


@cache
def _version(package: str) -> str:
    """Return an installed package's version, looked up once: what is loaded does not change."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _plain_fields() -> list[Any]:
    return [one for one in fields(LiveSessionConfig) if one.init and one.name not in _OWN_FORMS]


def _strategy_to(text: StrategyText) -> dict[str, Json]:
    parameters = {name: plain(name, value) for name, value in text.parameters.items()}
    return {
        "name": text.name,
        "kind": text.kind,
        "sha256": text.sha256,
        "parameters": parameters,
        "source": text.source,
    }


def _strategy_from(content: dict[str, Json]) -> StrategyText:
    parameters = {name: value_from(value) for name, value in content["parameters"].items()}
    return StrategyText(
        name=content["name"],
        kind=content["kind"],
        source=content["source"],
        parameters=parameters,
        sha256=content["sha256"],
    )


def _content(folder: Path) -> dict[str, Json]:
    """Return what the file says, checked to be what was written."""
    try:
        content = json.loads(read_private(folder / SESSION_FILE))
    except FileNotFoundError:
        raise SessionNotFoundError(f"there is no session in {folder}: it has no {SESSION_FILE}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise _damaged(folder, "it is no session")
    if content["format"] > _FORMAT:
        raise SessionError(
            f"{SESSION_FILE} in {folder.name} is of a newer workbench: format {content['format']}, and this one reads "
            f"up to {_FORMAT}; update workbench"
        )
    said = content.pop("sha256", None)
    _check_strategy(folder, content.get("strategy"))
    actual = _sha256(content)
    if said != actual:
        raise SessionError(
            f"{SESSION_FILE} in {folder.name} was changed after it was written (sha256 {actual[:_SHORT_HASH]}, not "
            f"{str(said)[:_SHORT_HASH]}): a running session keeps its definition; {_HOW_TO_GO_ON}"
        )
    return content | {"sha256": actual}


def _check_strategy(folder: Path, content: Json) -> None:
    """Say of a strategy that was changed by hand that it is the strategy; the likeliest change of all."""
    try:
        _strategy_from(content)
    except ConfigError as error:
        raise SessionError(f"{SESSION_FILE} in {folder.name}: {error}; {_HOW_TO_GO_ON}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"its strategy is incomplete: {error}") from error


def _damaged(folder: Path, why: str) -> SessionError:
    return SessionError(f"{SESSION_FILE} in {folder.name} is damaged: {why}; {_HOW_TO_GO_ON}")


def _sha256(content: Mapping[str, Json]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
