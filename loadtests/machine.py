"""The machine and the versions that a result belongs to."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from loadtests.contenders import BUNDLES
from loadtests.texts import ROOT
from service.bundle import find_bundles

_VERSIONS = ("bentoml", "onnxruntime", "numpy", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    versions: dict[str, str]
    bundles: dict[str, str]
    commit: str
    time: str


def describe() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        versions={name: version(name) for name in _VERSIONS},
        bundles={task: path.name for task, path in find_bundles(BUNDLES).items()},
        commit=_commit(),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = [line.partition(":")[2].strip() for line in lines if line.startswith("model\t")]
    return f"{names[0]} (model {model[0]})" if names and model else platform.machine()


def _commit() -> str:
    """The commit of the checkout, with a plus where tracked files differ from it."""
    git = ["git", "-C", str(ROOT)]
    found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    status = [*git, "status", "--porcelain", "--untracked-files=no", "service"]
    changed = subprocess.run(status, capture_output=True, text=True)
    return (found.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")
