"""The bag of words: it learns words, and order is beyond it."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from training.baseline import baseline_parts, train_baseline
from training.config import SentimentExperiment, SentimentSource
from training.data.reviews import Review
from training.judgements import Judgements
from training.reports.parts import Table

EXPERIMENT = SentimentExperiment(
    task="sentiment",
    name="tiny",
    sources=(SentimentSource(name="mr"),),
    dev_sets=("mr",),
    test_sets=("mr",),
)
GOOD, BAD = "1\ta good film", "0\ta bad film"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_DATA", str(tmp_path))
    return tmp_path / "sentiment/mr"


def write(folder: Path, split: str, rows: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["label\ttext", *rows]) + "\n"
    (folder / f"{split}.tsv.gz").write_bytes(gzip.compress(text.encode()))


def test_words_are_learned(data: Path, tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(data, split, [GOOD, BAD] * 20)
    assert train_baseline(EXPERIMENT, tmp_path / "run") == {"mr": 100.0}


def test_order_is_beyond_a_bag_of_words(data: Path, tmp_path: Path) -> None:
    turned = ["1\tnot bad but good", "0\tnot good but bad"]
    for split in ("train", "dev", "test"):
        write(data, split, turned * 20)
    assert train_baseline(EXPERIMENT, tmp_path / "run") == {"mr": 50.0}


def test_the_report_shows_both(data: Path, tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(data, split, [GOOD, BAD] * 20)
    train_baseline(EXPERIMENT, tmp_path)
    judged = Judgements("mr", [Review("a", 1), Review("b", 0)], np.array([0.9, 0.8]))
    [table] = baseline_parts([judged], tmp_path)
    assert isinstance(table, Table)
    assert table.rows == [("mr", "50.0", "100.0")]


def test_without_a_baseline_there_is_no_such_table(tmp_path: Path) -> None:
    assert baseline_parts([], tmp_path) == []
