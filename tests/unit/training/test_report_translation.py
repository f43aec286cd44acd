"""The translation part of the report: figures, plots and errors of a copying model."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle import load_bundle
from service.tasks.registry import open_predictor
from service.tasks.translation import TranslationPredictor
from tests.copying_bundle import write_copier
from training.data.parallel import References
from training.reports.parts import Figure, Part, Table
from training.reports.translation import attention_plot, ter, translation_parts
from training.tasks.translation import Direction

ROWS = [
    References("how are you today my friend and you?", ("wie geht es dir heute mein Freund?",)),
    References("hello | you", ("hello | you", "hallo du")),
    References("my name is Pankaj.", ("my name is Pankaj.",)),
]


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    predictor = open_predictor(load_bundle(write_copier(tmp_path)), "cpu")
    assert isinstance(predictor, TranslationPredictor)
    monkeypatch.setattr(Direction, "references", lambda self, split: ROWS)
    both = [Direction("tatoeba_en-de", "en", "de"), Direction("tatoeba_en-de", "de", "en")]
    return {part.title: part for part in translation_parts(predictor, both, 500)}


def test_each_direction_has_scores_of_all_rows_and_by_length(parts: dict[str, Part]) -> None:
    assert "Scores de-en" in parts
    table = parts["Scores en-de"]
    assert isinstance(table, Table)
    assert [row[:2] for row in table.rows] == [("all", "3"), ("1 to 5", "2"), ("6 to 10", "1")]
    assert table.rows[1][2:] == ("100.0", "100.0", "0.0")


def test_the_worst_translation_comes_first(parts: dict[str, Part]) -> None:
    table = parts["Worst errors en-de"]
    assert isinstance(table, Table)
    assert table.rows[0][1] == ROWS[0].source


def test_attention_is_plotted(parts: dict[str, Part]) -> None:
    figure = parts["Attention en-de"]
    assert isinstance(figure, Figure)
    assert figure.svg.count(">how</text>") == 2
    assert figure.svg.count('fill-opacity="1.00"') == 9


def test_words_in_a_plot_are_escaped() -> None:
    plot = attention_plot(["<b>"], ["&"], np.ones((1, 1), np.float32))
    assert "&lt;b&gt;</text>" in plot
    assert "&amp;</text>" in plot


def test_ter_counts_edits_against_the_nearest_reference() -> None:
    assert ter(["a b c d"], [("a b c d", "x")]) == 0
    assert ter(["a b c x"], [("a b c d",)]) == 25
