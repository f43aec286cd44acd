"""The names test: what counts as a name that came through."""

from pathlib import Path

import pytest

from service.bundle import load_bundle
from service.tasks.registry import open_predictor
from service.tasks.translation import TranslationPredictor
from tests.copying_bundle import write_copier
from training.names import Name, holds, measure_names, read_names, read_sentences, sounds_alike

PANKAJ = Name("Pankaj", "पंकज", "indian")


def test_there_are_two_hundred_names_of_many_origins() -> None:
    names = read_names()
    assert len(names) == len({name.name for name in names}) == 200
    assert len({name.origin for name in names}) >= 30


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "hi"])
def test_there_are_ten_sentences_with_one_place_for_a_name(language: str) -> None:
    sentences = read_sentences(language)
    assert len(sentences) == 10
    assert all(sentence.count("{}") == 1 for sentence in sentences)


@pytest.mark.parametrize(
    "translation, held",
    [("Hallo, ich bin Pankaj.", True), ("Hallo, ich bin Pankay.", False), ("pankaj", False)],
)
def test_between_latin_scripts_each_letter_counts(translation: str, held: bool) -> None:
    assert holds(translation, PANKAJ, "en", "de") is held


@pytest.mark.parametrize(
    "translation, source, target, held",
    [
        ("नमस्ते, मैं पंकज हूँ।", "en", "hi", True),
        ("नमस्ते, मैं पनकज हूँ।", "en", "hi", True),
        ("नमस्ते, मैं टॉम हूँ।", "en", "hi", False),
        ("My name is Pankaj.", "hi", "en", True),
        ("My name is Pankej.", "hi", "en", True),
        ("My name is Peter.", "hi", "en", False),
    ],
)
def test_to_and_from_hindi_a_name_must_sound_alike(
    translation: str, source: str, target: str, held: bool
) -> None:
    assert holds(translation, PANKAJ, source, target) is held


def test_names_seldom_sound_like_others() -> None:
    names = read_names()
    pairs = [(a, b) for a, b in zip(names, names[7:], strict=False)]
    assert sum(sounds_alike(a.devanagari, b.devanagari) for a, b in pairs) <= 0.02 * len(pairs)


def test_a_copying_model_copies_every_name(tmp_path: Path) -> None:
    predictor = open_predictor(load_bundle(write_copier(tmp_path)), "cpu")
    assert isinstance(predictor, TranslationPredictor)
    found, misses = measure_names(predictor, "en", "de", read_names()[:5], None)
    assert (found.dataset, found.value, found.rows) == ("names en-de", 100.0, 50)
    assert not misses


def test_names_are_spelt_for_hindi_before_they_are_copied(tmp_path: Path) -> None:
    predictor = open_predictor(load_bundle(write_copier(tmp_path)), "cpu")
    assert isinstance(predictor, TranslationPredictor)

    def spell(names: list[str]) -> dict[str, str]:
        return dict.fromkeys(names, PANKAJ.devanagari)

    found, _ = measure_names(predictor, "en", "hi", [PANKAJ], spell)
    assert found.value == 100.0
