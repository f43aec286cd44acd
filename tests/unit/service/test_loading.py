"""What a worker that replaces another need not measure again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from service.bundle import find_bundles, load_bundle
from service.engine.scheduler import OneShotLane
from service.http.metrics import SHARED_DIR
from service.loading import open_lane
from service.tasks import base
from service.tasks.base import LaneLimits
from service.tasks.registry import open_predictor

LIMITS = LaneLimits(queue_tokens=1_000, batch_tokens=0, batch_rows=64, admissions=4)


def budget(bundles: Path) -> int:
    """Of the entity lane that a worker opens."""
    predictor = open_predictor(load_bundle(find_bundles(bundles)["ner"]), "cpu")
    lane = open_lane(predictor, LIMITS)
    assert isinstance(lane, OneShotLane)
    return lane.budget


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has all measurements find this budget."""
    return lambda found: monkeypatch.setattr(base, "token_budget", lambda run, row: found)


def test_a_successor_takes_the_budget_that_was_measured(
    tiny_bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measures: Callable[[int], None],
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path))
    measures(640)
    assert budget(tiny_bundles) == 640
    measures(1_280)
    assert budget(tiny_bundles) == 640


def test_without_a_shared_folder_each_worker_measures(
    tiny_bundles: Path, monkeypatch: pytest.MonkeyPatch, measures: Callable[[int], None]
) -> None:
    monkeypatch.delenv(SHARED_DIR, raising=False)
    for found in (640, 1_280):
        measures(found)
        assert budget(tiny_bundles) == found
