"""Run pytest, and once more alone what failed beside others; what passes only alone is named, never hidden.

`python -m tests.twice unit -n 2 -m "not browser"` runs `pytest -n 2 -m "not browser"`. A test that fails is run again
in one process, with the seed of the first run. One that fails twice fails the build. One that passes alone has a defect
of its own: it depends on how busy the machine is, or on another test. `build/tests/unit.alone` keeps its name.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path("build/tests")
TESTS_FAILED = 1
MOST = 12  # more than these are no matter of a busy machine


def run(name: str, arguments: Sequence[str], folder: Path = FOLDER) -> int:
    """Run pytest with the arguments, repeat what failed, and return the exit code that counts."""
    cache, note = (folder / f"{name}.cache").resolve(), folder / f"{name}.alone"
    shutil.rmtree(cache, ignore_errors=True)  # else the failures of another day are repeated as well
    note.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
    first = subprocess.run(command, check=False).returncode
    failed = failures(cache)
    if first != TESTS_FAILED or not failed:
        return first
    if len(failed) > MOST:
        say(f"{len(failed)} tests failed: too many to be a matter of a busy machine, so none is repeated")
        return first
    say("Run once more, alone:", *failed)
    again = ["-n", "0", "--last-failed", "--last-failed-no-failures=none", "--randomly-seed=last"]
    second = subprocess.run([*command, *again], check=False).returncode
    left = failures(cache)
    if alone := [test for test in failed if test not in left]:
        say("PASSED ONLY ALONE, a defect of each of these tests or of what it tests:", *alone)
        note.write_text("".join(f"{test}\n" for test in alone), encoding="utf-8")
    if left:
        say("FAILED TWICE:", *left)
    return second if second or not left else first


def failures(cache: Path) -> list[str]:
    """Return the tests that pytest remembers as failed."""
    path = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def say(*lines: str) -> None:
    """Print lines where a reader of the log finds them."""
    sys.stdout.write("".join(f"\n== {line}" if number == 0 else f"\n   {line}" for number, line in enumerate(lines)))
    sys.stdout.write("\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
