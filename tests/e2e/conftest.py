"""A running service of the shipped bundles, and one of tiny ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Server, running_service


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
