"""What the browser needs: the chart's own module made of the files in `js`, its style sheet, and Plotly's script."""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from workbench.errors import WorkbenchError

__all__ = ["MODULES", "module_source", "plotly_script", "style_sheet"]

_FOLDER: Final = Path(__file__).parent / "js"

# Leaves first: each file comes after those that it imports.
MODULES: Final = (
    "format",
    "table",
    "levels",
    "study",
    "store",
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
_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)


@cache
def module_source() -> str:
    """Return the chart's browser module as one text.

    A widget's module is loaded from a text without an address, so it cannot import its neighbours: the files are joined
    in order and their imports of each other taken out. A name stands for one thing in all files.
    """
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in MODULES]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts)


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
