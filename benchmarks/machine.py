"""Say on which machine, and with which versions, the figures of a benchmark were measured."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "numba", "llvmlite", "TA-Lib", "pandas")


def processor() -> str:
    """Return the model name of the processor, as the operating system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    sysctl = shutil.which("sysctl")
    if sysctl:
        answer = subprocess.run([sysctl, "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if answer.stdout.strip():
            return answer.stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> str:
    """Return the load average of the last minute, or "unknown"; above the number of cores the figures are too slow."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def print_machine() -> None:
    """Print the processor, the cores, the load and the versions."""
    print(f"machine: {processor()}, {cores()} cores, load {load()}, {platform.system()} {platform.machine()}")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"versions: Python {platform.python_version()}, {versions}")


if __name__ == "__main__":
    print_machine()
