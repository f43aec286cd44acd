"""Fixtures of the staged tests."""

from pathlib import Path

import pytest

from service.bundle import find_bundles
from service.settings import ROOT
from tests.tiny_bundles import write_tiny_bundles


@pytest.fixture(scope="session")
def bundles_dir() -> Path:
    """What the repository ships."""
    folder = ROOT / "exported_models"
    if not find_bundles(folder):
        pytest.skip("no bundle has been exported yet")
    return folder


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of a few kilobytes, for what does not depend on the models."""
    return write_tiny_bundles(tmp_path_factory.mktemp("bundles"))
