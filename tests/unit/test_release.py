"""What a release promises: one version everywhere, credits, nothing large by accident."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from service import __version__

ROOT = Path(__file__).parents[2]
_LARGEST = 1 << 20


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert __version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_onnx_runtime_is_told_to_report_nothing() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_no_large_file_is_tracked_but_models() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    large = [
        file
        for file in files
        if file.is_file() and file.stat().st_size > _LARGEST and "exported_models" not in file.parts
    ]
    assert not large


def test_the_playground_is_packaged() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert "web/*" in tool["setuptools"]["package-data"]["service"]


def test_the_command_leaves_the_metrics_unread_until_it_has_said_where_they_go() -> None:
    """prometheus_client reads PROMETHEUS_MULTIPROC_DIR once, when it is imported."""
    check = "import service.__main__, sys; sys.exit('prometheus_client' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True)
