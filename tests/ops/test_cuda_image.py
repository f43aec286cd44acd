"""What the CUDA image installs can be resolved for its Python, from wheels alone, without torch."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import ROOT
from tests.ops.record import record

pytestmark = pytest.mark.ops

# Ubuntu 24.04, on which deploy/Dockerfile.cuda builds.
_PYTHON = "3.12"
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.timeout(900)
def test_the_python_side_of_the_cuda_image_is_resolved(tmp_path: Path) -> None:
    """With --dry-run: an index that serves metadata apart spares the downloads."""
    listed = run(sys.executable, ROOT / "deploy/requirements.py", "gpu", "tracing")
    (tmp_path / "requirements.txt").write_text(listed.stdout)
    platforms = [part for name in _PLATFORMS for part in ("--platform", name)]
    wheels = ("--dry-run", "--ignore-installed", "--only-binary", ":all:", "--target", tmp_path)
    files = ("-c", ROOT / "constraints.txt", "-r", tmp_path / "requirements.txt")
    pip = (sys.executable, "-m", "pip", "install")
    done = run(*pip, *wheels, "--python-version", _PYTHON, *platforms, *files)
    if "Could not fetch URL" in done.stderr or "Connection" in done.stderr:
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr[-2_000:]
    [would] = [line for line in done.stdout.splitlines() if line.startswith("Would install")]
    names = {part.rpartition("-")[0].lower() for part in would.split()[2:]}
    record("CUDA image", packages=len(names))
    assert "onnxruntime-gpu" in names
    # CUDA and cuDNN are the base image's.
    assert not {name for name in names if name.startswith(("torch", "nvidia-cu"))}
