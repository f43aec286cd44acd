"""The translation part of the report: figures, plots and errors of a copying model."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle import load_bundle
from service.tasks.registry import open_predictor
from service.tasks.translation import TranslationPredictor
from tests.copying_bundle import write_copier
from training.config import TranslationExperiment
from training.data.parallel import References
from training.tasks.translation import Direction
from training.translation_report import attention_plot, ter, translation_report

ROWS = [
    References("how are you today my friend and you?", ("wie geht es dir heute mein Freund?",)),
    References("hello | you", ("hello | you", "hallo du")),
    References("my name is Pankaj.", ("my name is Pankaj.",)),
]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    predictor = open_predictor(load_bundle(write_copier(tmp_path)), "cpu")
    assert isinstance(predictor, TranslationPredictor)
    monkeypatch.setattr(Direction, "references", lambda self, split: ROWS)
    pair = {"languages": ["en", "de"], "corpora": [{"name": "tatoeba_en-de"}]}
    experiment = TranslationExperiment.model_validate(
        {"task": "translation", "name": "t", "version": "1.0.0", "pairs": [pair]}
    )
    return translation_report(predictor, experiment, tmp_path)


def test_each_direction_has_scores_of_all_rows_and_by_length(page: str) -> None:
    assert "### en-de (tatoeba_en-de)" in page
    assert "### de-en (tatoeba_en-de)" in page
    assert "| all | 3 |" in page
    assert "| 6 to 10 | 1 |" in page
    assert "| 1 to 5 | 2 | 100.0 | 100.0 | 0.0 |" in page


def test_the_worst_translation_comes_first_in_a_table_that_holds_it(page: str) -> None:
    worst = page.split("| chrF | source |")[1].splitlines()[2]
    assert "how are you today" in worst
    assert "hello \\| you" in page


def test_attention_is_plotted_and_linked(page: str, tmp_path: Path) -> None:
    assert "![attention of one sentence](attention-en-de.svg)" in page
    plot = (tmp_path / "attention-en-de.svg").read_text()
    assert plot.count(">how</text>") == 2
    assert plot.count('fill-opacity="1.00"') == 9


def test_words_in_a_plot_are_escaped() -> None:
    plot = attention_plot(["<b>"], ["&"], np.ones((1, 1), np.float32))
    assert "&lt;b&gt;</text>" in plot
    assert "&amp;</text>" in plot


def test_ter_counts_edits_against_the_nearest_reference() -> None:
    assert ter(["a b c d"], [("a b c d", "x")]) == 0
    assert ter(["a b c x"], [("a b c d",)]) == 25
