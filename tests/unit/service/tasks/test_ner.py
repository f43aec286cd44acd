"""Conventions of the tagger: asked for by name, refused by name, silent where a graph has none."""

from pathlib import Path

import msgspec
import pytest

from service.bundle import load_bundle
from service.tasks.errors import InputRefused, UnknownConvention
from service.tasks.ner import NerParameters, NerPredictor, ner_row
from service.text.words import WordVocabulary
from tests.tiny_bundles import write_ner


def test_an_unknown_convention_is_refused_before_any_row(tmp_path: Path) -> None:
    predictor = NerPredictor.open(load_bundle(write_ner(tmp_path)), "cpu", None, shared_pool=False)
    with pytest.raises(UnknownConvention, match=r"'gmb' is not known; choose .* general"):
        predictor.prepare("Smith", NerParameters(convention="gmb"))
    assert issubclass(UnknownConvention, InputRefused)


def test_a_graph_without_conventions_is_sent_none(tmp_path: Path) -> None:
    predictor = NerPredictor.open(load_bundle(write_ner(tmp_path)), "cpu", None, shared_pool=False)
    (row,) = predictor.prepare("Smith", NerParameters()).rows
    assert "convention" not in row.inputs
    assert predictor.predict(["Smith"], NerParameters())[0][0].entity_group == "PER"


def test_a_row_carries_the_convention_it_was_asked_for() -> None:
    row = ner_row(WordVocabulary([], []), ["Anna", "left"], 2)
    assert row.inputs["convention"].tolist() == [2]
    assert row.length == 2


def test_the_general_convention_needs_no_naming() -> None:
    assert msgspec.convert({}, NerParameters) == NerParameters(convention="general")
