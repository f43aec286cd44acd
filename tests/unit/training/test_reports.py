"""Report pages: complete in one file, true to what they are given, deaf to markup in texts."""

import numpy as np
import pytest

from service.text.spans import Span
from training.data.conll import TaggedSentence
from training.entities import Answered
from training.reports.entities import entity_parts
from training.reports.figures import confusion, curves, expected_calibration_error, reliability
from training.reports.page import page
from training.reports.parts import ErrorCase, Figure, HardestErrors, Table


def test_a_page_needs_no_other_file() -> None:
    parts = [Figure("Curve", curves({"loss": [(0, 2.0), (1, 1.0)]}, y_label="loss"))]
    html = page("ner 1.0.0", "A tagger.", parts)
    assert "<svg" in html
    for reference in ("<script", "<img", "<link", " src=", "@import"):
        assert reference not in html


def test_texts_are_escaped() -> None:
    case = ErrorCase("<script>alert(1)</script>", "a & b", "none", 0.9)
    html = page("t", "l", [HardestErrors("Errors", [case])])
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "a &amp; b" in html


def test_numbers_stand_to_the_right_and_words_do_not() -> None:
    html = page("t", "l", [Table("T", ("set", "F1"), [("gmb", "83.9")])])
    assert '<td class="number">83.9</td>' in html
    assert "<td>gmb</td>" in html


def test_perfect_confidence_has_no_calibration_error() -> None:
    right = np.array([True, True, False])
    assert expected_calibration_error(right.astype(float), right) == 0


def test_calibration_error_weighs_bins_by_their_answers() -> None:
    confidences = np.array([0.95, 0.95, 0.95, 0.15])
    right = np.array([True, True, False, False])
    expected = (3 * (0.95 - 2 / 3) + 0.15) / 4
    assert expected_calibration_error(confidences, right) == pytest.approx(expected)


def test_figures_are_the_same_each_time() -> None:
    counts = np.array([[3, 1], [0, 2]])
    assert confusion(["a", "b"], counts) == confusion(["a", "b"], counts)
    scores, right = np.array([0.2, 0.9]), np.array([False, True])
    assert reliability(scores, right) == reliability(scores, right)


def test_the_surest_error_comes_first_with_what_was_expected() -> None:
    sentence = TaggedSentence(("Paris", "met", "Rome"), ("B-PER", "O", "B-LOC"))
    found = {Span("LOC", 0, 1): 0.7, Span("ORG", 2, 3): 0.9}
    parts = entity_parts({"own": [Answered(sentence, found)]}, ["PER", "ORG", "LOC"])
    (errors,) = [part for part in parts if isinstance(part, HardestErrors)]
    assert [(case.expected, case.found) for case in errors.cases] == [
        ("Rome (LOC)", "Rome (ORG)"),
        ("Paris (PER)", "Paris (LOC)"),
    ]
