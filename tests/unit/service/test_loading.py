"""Loading: what a worker measured is not measured again by the next."""

from pathlib import Path
from typing import Any

import pytest

from service.bundle import load_bundle
from service.http.metrics import SHARED_DIR
from service.loading import Budgets
from service.settings import Settings
from service.tasks.base import Predictor
from service.tasks.registry import open_predictor
from tests.tiny_bundles import write_tiny_bundles


@pytest.fixture
def predictor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predictor[Any]:
    opened = open_predictor(load_bundle(write_tiny_bundles(tmp_path) / "ner/1.0.0"), "cpu")
    found = iter((100, 200))
    monkeypatch.setattr(opened, "measured_budget", lambda: next(found))
    return opened


def test_the_next_worker_takes_what_the_first_one_measured(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path))
    assert [Budgets(Settings()).of(predictor) for _ in range(2)] == [100, 100]


@pytest.mark.parametrize("kept", ["", "no number"])
def test_a_damaged_note_is_measured_again(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path))
    (tmp_path / "budget-ner-1.0.0").write_text(kept)
    assert Budgets(Settings()).of(predictor) == 100


def test_a_folder_that_cannot_be_written_costs_only_time(
    predictor: Predictor[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_DIR, str(tmp_path / "nowhere"))
    assert [Budgets(Settings()).of(predictor) for _ in range(2)] == [100, 200]


def test_a_budget_that_is_set_is_not_measured(predictor: Predictor[Any]) -> None:
    assert Budgets(Settings(batch_tokens=7)).of(predictor) == 7
