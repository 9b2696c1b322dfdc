"""Notebook servers of this machine that strangers could use: whoever can run a cell can trade."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from workbench.errors import RealTradingDisabledError

__all__ = ["open_notebook_servers", "require_closed_notebooks"]

_EVERYWHERE: Final = ("", "*", "0.0.0.0", "::")  # noqa: S104 - looked for, not listened on
_FILES: Final = ("jpserver-*.json", "nbserver-*.json")


def open_notebook_servers(folder: Path | None = None) -> tuple[str, ...]:
    """Return each running Jupyter server of this user that strangers could use, with the reason; empty when none.

    A server is open when it asks for neither token nor password, or listens on every network address. Servers that
    leave no file in Jupyter's runtime folder, such as those in a container or of another user, are not seen.

    Parameters
    ----------
    folder : Path, optional
        Jupyter's runtime folder; that of this user unless given.
    """
    if folder is None:
        from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415 - only who trades real money waits for it

        folder = Path(jupyter_runtime_dir())
    files = sorted(path for pattern in _FILES for path in folder.glob(pattern)) if folder.is_dir() else []
    return tuple(text for text in map(_complaint, files) if text is not None)


def require_closed_notebooks(folder: Path | None = None) -> None:
    """Raise unless no running notebook server is open to strangers; `folder` as for `open_notebook_servers`.

    Raises
    ------
    RealTradingDisabledError
        One is; the message says which and why.
    """
    found = open_notebook_servers(folder)
    if found:
        raise RealTradingDisabledError(
            f"real trading is off: {'; '.join(found)}; restart it as `jupyter lab`, which listens on this machine only "
            "and asks for a token"
        )


def _complaint(path: Path) -> str | None:
    """Return what is wrong with the server that a file tells of; None when nothing is, or it is gone."""
    try:
        info: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        info = None
    if not isinstance(info, dict) or not isinstance(info.get("pid"), int):
        return f"the notebook server of {path.name} cannot be judged: its file cannot be read"
    if not _is_alive(info["pid"]):
        return None
    where = f"the notebook server at {info.get('url') or info.get('sock') or path.name}"
    if not info.get("token") and info.get("password") is not True:
        return f"{where} asks for no token"
    # A server behind a socket file has no address.
    if not info.get("sock") and str(info.get("hostname", "")) in _EVERYWHERE:
        return f"{where} listens on every network address"
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
