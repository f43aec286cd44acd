"""Loading: what a worker measured is not measured again by the next."""

from pathlib import Path
from typing import Any

import pytest

from service.bundle import load_bundle
from service.engine.calibration import BatchCost
from service.http.metrics import SHARED_DIR
from service.loading import Costs
from service.settings import Settings
from service.tasks.base import Predictor
from service.tasks.registry import open_predictor
from tests.tiny_bundles import write_tiny_bundles

FIRST = BatchCost(100, 2.5)


@pytest.fixture
def predictor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predictor[Any]:
    opened = open_predictor(load_bundle(write_tiny_bundles(tmp_path) / "ner/1.0.0"), "cpu")
    found = iter((FIRST, BatchCost(200, 3.0)))
    monkeypatch.setattr(opened, "measured_cost", lambda: next(found))
    return opened


def test_the_next_worker_takes_what_the_first_one_measured(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path))
    assert [Costs(Settings()).of(predictor) for _ in range(2)] == [FIRST, FIRST]


@pytest.mark.parametrize("kept", ["", "no number", "[1]"])
def test_a_damaged_note_is_measured_again(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path))
    (tmp_path / "cost-ner-1.0.0").write_text(kept)
    assert Costs(Settings()).of(predictor) == FIRST


def test_a_folder_that_cannot_be_written_costs_only_time(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path / "nowhere"))
    assert [Costs(Settings()).of(predictor) for _ in range(2)] == [FIRST, (200, 3.0)]


def test_a_budget_that_is_set_counts_in_place_of_the_measured(
    predictor: Predictor[Any],
) -> None:
    assert Costs(Settings(batch_tokens=7)).of(predictor) == (7, 2.5)
