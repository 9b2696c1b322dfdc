"""Code run as a notebook runs it: its text can be read again, but stands in no file."""

import itertools
import linecache
from typing import Any

_NUMBERS = itertools.count(1)


def run_cell(text: str, scope: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run the text of a cell and return the names of the notebook, new ones or those of an earlier cell."""
    names: dict[str, Any] = {"__name__": "__main__"} if scope is None else scope
    file = f"<cell {next(_NUMBERS)} of a notebook>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec", dont_inherit=True), names)  # noqa: S102  how a cell is run
    return names
