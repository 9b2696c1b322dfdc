"""Cells of a notebook that nobody should run, run one by one in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SWITCH = "WORKBENCH_ENABLE_REAL_TRADING"
LIMIT_S = 200.0
# The shell of a kernel, with its magics; what a cell raises comes back in words.
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.colors = "NoColor"
answers = []
for cell in json.load(sys.stdin):
    outcome = shell.run_cell(cell)
    error = outcome.error_before_exec or outcome.error_in_exec
    answers.append([type(error).__name__ if error else "", str(error or outcome.result)])
print("ANSWERS" + json.dumps(answers))
"""


class Answer(NamedTuple):
    """What came of a cell: the class of its error, empty for none, and its words or value."""

    error: str
    text: str


def run_cells(
    cells: Sequence[str],
    folder: Path,
    *,
    is_switched_on: bool,
    more: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> tuple[list[Answer], str]:
    """Run cells in a process of their own; return what came of them, and all that was printed."""
    environment = {name: value for name, value in os.environ.items() if name != SWITCH}
    environment |= {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "WORKBENCH_RUNTIME_DIR": str(folder / "run"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
        **({SWITCH: "1"} if is_switched_on else {}),
        **(more or {}),
    }
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps(list(cells)),
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
        start_new_session=True,
    )
    printed, _, answers = done.stdout.rpartition("ANSWERS")
    assert answers, done.stderr[-2_000:]
    return [Answer(*answer) for answer in json.loads(answers)], printed + done.stderr + answers
