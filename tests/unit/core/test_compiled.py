import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core import compiled
from workbench.core.compiled import is_compiling, jitable, kernel, source_stamp

KERNEL = """
from {package}.core.compiled import kernel
from {package}.core.callee import factor

@kernel
def scaled(x):
    return x * factor()
"""
CALLEE = """
from {package}.core.compiled import kernel

@kernel
def factor():
    return {factor}
"""
RUN = """
import sys
from {package}.core.caller import scaled
print(scaled(10.0), getattr(scaled, "stats", None) and sum(scaled.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path: Path) -> str:
    """Return the name of a package with this decorator and a kernel that calls one of another file."""
    name = "stamped"
    core = tmp_path / name / "core"
    core.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (core / "__init__.py").touch()
    (tmp_path / name / "errors.py").touch()
    (core / "compiled.py").write_text(Path(compiled.__file__).read_text())
    (core / "caller.py").write_text(KERNEL.format(package=name))
    (core / "callee.py").write_text(CALLEE.format(package=name, factor=2.0))
    return name


def run(folder: Path, package: str, **environment: str) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    result = subprocess.run(
        [sys.executable, "-c", RUN.format(package=package)],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_a_kernel_is_taken_from_the_cache_until_a_function_of_another_file_changes(
    tmp_path: Path,
    package: str,
) -> None:
    assert run(tmp_path, package) == ["20.0", "0"]
    assert run(tmp_path, package) == ["20.0", "1"]
    # The caller's own file stays as it is: numba alone would answer 20.0 again.
    (tmp_path / package / "core" / "callee.py").write_text(CALLEE.format(package=package, factor=3.0))
    assert run(tmp_path, package) == ["30.0", "0"]
    assert run(tmp_path, package) == ["30.0", "1"]


def test_without_the_compiler_a_kernel_is_the_function_itself(tmp_path: Path, package: str) -> None:
    assert run(tmp_path, package, NUMBA_DISABLE_JIT="1") == ["20.0", "None"]


def test_the_stamp_follows_every_source_a_kernel_can_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("core/inner", "model", "strategy"):
        (tmp_path / folder).mkdir(parents=True)
    files = [tmp_path / name for name in ("core/a.py", "core/inner/b.py", "model/c.py", "errors.py")]
    for file in files:
        file.write_text("x = 1")
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    stamps = [source_stamp.__wrapped__()]
    for file in files:
        file.write_text("x = 2")
        stamps.append(source_stamp.__wrapped__())
    files[0].rename(tmp_path / "core/z.py")
    stamps.append(source_stamp.__wrapped__())
    assert len(set(stamps)) == len(stamps)
    (tmp_path / "strategy/d.py").write_text("x = 3")
    assert source_stamp.__wrapped__() == stamps[-1]


def test_a_kernel_divides_by_zero_as_python_does() -> None:
    @kernel(cache=False)
    def quotient(a, b):
        return a / b

    with pytest.raises(ZeroDivisionError):
        quotient(1.0, 0.0)


@pytest.mark.skipif(not is_compiling(), reason="needs the compiler")
def test_a_kernel_runs_without_the_interpreter_lock_and_never_reorders_sums() -> None:
    @kernel
    def total(values):
        return values.sum()

    assert total.targetoptions["nogil"] is True
    assert total.targetoptions["error_model"] == "python"
    assert not total.targetoptions.get("fastmath", False)


def test_a_jitable_function_is_the_same_object_inside_and_outside_of_kernels() -> None:
    def half(x):
        return x / 2

    assert jitable(half) is half

    @kernel(cache=False)
    def quarter(x):
        return half(half(x))

    assert quarter(8.0) == 2.0
