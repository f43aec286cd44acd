"""Settings and bundles of all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: a busy machine is no failure. The same examples each run: what passed passes again.
settings.register_profile("sluice", deadline=None, derandomize=True)
settings.load_profile("sluice")


@pytest.fixture(scope="session")
def bundles_dir() -> Path:
    """What the repository ships."""
    from service.bundle import find_bundles
    from service.settings import ROOT

    folder = ROOT / "exported_models"
    if not find_bundles(folder):
        pytest.skip("no bundle has been exported yet")
    return folder


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles of a few kilobytes, for what does not depend on the models."""
    from tests.tiny_bundles import write_tiny_bundles

    return write_tiny_bundles(tmp_path_factory.mktemp("bundles"))
