"""The shipped bundles, tiny ones, and a running service for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.bundle import find_bundles
from tests.e2e.processes import ROOT, Server, running_service
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


@pytest.fixture(scope="session")
def server(bundles_dir: Path) -> Iterator[Server]:
    """The service with the shipped bundles."""
    with running_service(bundles_dir) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_server(tiny_bundles: Path) -> Iterator[Server]:
    """The service with the tiny bundles."""
    with running_service(tiny_bundles) as server:
        yield server
