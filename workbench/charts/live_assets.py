"""What the browser needs: the chart's own module made of the files in `js`, its style sheet, and Plotly's script."""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from workbench.errors import WorkbenchError

__all__ = ["MODULES", "module_source", "pane_source", "plotly_script", "style_sheet"]

_FOLDER: Final = Path(__file__).parent / "js"

# Leaves first: each file comes after those that it imports.
MODULES: Final = (
    "format",
    "table",
    "levels",
    "study",
    "store",
    "wire",
    "link",
    "labels",
    "geometry",
    "viewport",
    "holding",
    "volume",
    "figure",
    "shapes",
    "overlay",
    "header",
    "loader",
    "view",
    "widget",
)
_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./[\w/]+\.js";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)


@cache
def module_source() -> str:
    """Return the chart's browser module as one text.

    A widget's module is loaded from a text without an address, so it cannot import its neighbours: the files are joined
    in order and their imports of each other taken out. A name stands for one thing in all files.
    """
    return _joined(*(_FOLDER / f"{name}.js" for name in MODULES))


@cache
def pane_source() -> str:
    """Return the browser module of a pane, with the wire that it shares with the chart."""
    return _joined(_FOLDER / "wire.js", _FOLDER.parent / "pane.js")


def _joined(*files: Path) -> str:
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", file.read_text(encoding="utf-8"))) for file in files)


@cache
def style_sheet() -> str:
    """Return the chart's style sheet."""
    return (_FOLDER / "live.css").read_text(encoding="utf-8")


@cache
def plotly_script() -> bytes:
    """Return the minified Plotly script of the installed package, compressed with gzip.

    Raises
    ------
    WorkbenchError
        The plotly package is not installed or has no script.
    """
    spec = find_spec("plotly")  # finds the folder without importing the package, which would take a second
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise WorkbenchError("plotly's script plotly.min.js was not found; install the package plotly")
    return gzip.compress(path.read_bytes(), 4, mtime=0)  # higher levels take twice the time to save a twentieth
