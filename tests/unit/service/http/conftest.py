"""The application over the real engine and tiny bundles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.bundle import find_bundles, load_bundle
from service.tasks.registry import open_predictor
from tests.unit.service.http.served import LANE_LIMITS, GatedModel, GatedNer, Served


@pytest.fixture(scope="session")
def served(tiny_bundles: Path) -> Iterator[Served]:
    """All tasks."""
    bundles = [load_bundle(path) for path in find_bundles(tiny_bundles).values()]
    served = Served([open_predictor(bundle, "cpu") for bundle in bundles])
    yield served
    served.close()


@pytest.fixture
def gated(tiny_bundles: Path) -> Iterator[tuple[Served, GatedModel]]:
    """Entities alone, behind a closed gate, with room for twenty tokens in the queue."""
    bundle = load_bundle(find_bundles(tiny_bundles)["ner"])
    predictor = GatedNer.open(bundle, "cpu", None, shared_pool=False)
    served = Served([predictor], LANE_LIMITS._replace(queue_tokens=20))
    yield served, predictor.model
    predictor.model.gate.set()
    served.close()
