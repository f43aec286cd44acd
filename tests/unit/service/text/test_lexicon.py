"""Known words, and the names among the unknown ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.lexicon import Lexicon
from service.text.standins import mask, unmask

LEXICON = Lexicon(
    {
        "en": ["my", "name", "is", "Tom", "friend", "hello"],
        "hi": ["मैं", "हूँ", "किताब", "लड़का", "नमस्ते"],
        "de": ["mein", "Wochen", "Ende", "Haus", "Arbeit", "Platz", "ist"],
    }
)


def unknown(text: str, language: str = "en") -> list[str]:
    return [text[slice(*span)] for span in LEXICON.unknown_names(text, language)]


@pytest.mark.parametrize(
    "text,names",
    [
        ("My name is Pankaj.", ["Pankaj"]),
        ("Tom is my friend.", []),
        ("HELLO MY FRIEND", []),
        ("Ngozi's friend is O'Neill-Smith", ["Ngozi", "O'Neill-Smith"]),
        ("my name is pankaj", []),
    ],
)
def test_capitalised_words_that_were_never_seen_are_names(text: str, names: list[str]) -> None:
    assert unknown(text) == names


def test_hindi_words_that_were_never_seen_in_any_form_are_names() -> None:
    assert unknown("नमस्ते, मैं पंकज हूँ।", "hi") == ["पंकज"]
    assert unknown("लड़के किताबें", "hi") == []


def test_a_german_compound_of_known_words_is_known() -> None:
    assert unknown("Mein Arbeitsplatz ist Wochenende Xaver", "de") == ["Xaver"]


def test_a_language_without_words_has_no_names() -> None:
    assert unknown("Pankaj", "fr") == []


def test_words_are_learnt_by_their_number() -> None:
    learnt = Lexicon.learn({"en": ["red red blue", "red blue green"]}, 2)
    assert [learnt.knows(word, "en") for word in ("red", "Blue", "green")] == [True, True, False]


def test_a_saved_lexicon_is_the_same(tmp_path: Path) -> None:
    LEXICON.save(tmp_path / "lexicon.json")
    loaded = Lexicon.load(tmp_path / "lexicon.json")
    assert loaded.unknown_names("My name is Pankaj", "en") == [(11, 17)]
    assert loaded.knows("Arbeitsplatz", "de")


@given(st.text(st.sampled_from("abPZ \u27e80\u27e91279@.\u0964'"), max_size=40))
def test_masked_names_come_back(text: str) -> None:
    masked = mask(text, LEXICON, "en")
    assert unmask(*masked) == text
