"""Segments: nothing is lost between them, and only words are translated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.segments import foreign_script, segment
from tests.unit.service.text.texts import WITH_SURROGATES


def characters(text: str) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in range(len(text))]


@given(WITH_SURROGATES, st.integers(4, 40))
def test_segments_join_to_the_text_at_their_places(text: str, limit: int) -> None:
    segments = segment(text, limit, characters)
    assert "".join(part.text for part in segments) == text
    assert all(text[part.start :].startswith(part.text) for part in segments)


@pytest.mark.parametrize(
    "text, translated",
    [
        ("How are you?  I am fine.\n", ["How are you?", "I am fine."]),
        ("- Hello.\n2. Open it.\n\n> Yes.", ["Hello.", "Open it.", "Yes."]),
        ("12:30 😀 https://example.org", []),
        ("😀 Hi", ["😀 Hi"]),
        ("مرحبا بكم", []),
        ("a" * 5000, []),
        ("{name}: %s", []),
        ("...", []),
        ("१२।", []),
        ("हाँ।नहीं।", ["हाँ।", "नहीं।"]),
    ],
)
def test_sentences_with_words_are_translated(text: str, translated: list[str]) -> None:
    assert [part.text for part in segment(text, 100, characters) if part.translated] == translated


def test_a_long_sentence_is_not_cut_inside_of_what_is_carried_through() -> None:
    address = "https://example.org/" + "a" * 60
    parts = segment(f"one two {address} three, four five", 20, characters)
    assert [part.text for part in parts if part.translated] == [
        f"one two {address} three,",
        "four five",
    ]


@pytest.mark.parametrize(
    "text, script",
    [
        ("مرحبا بكم 12", "Arabic"),
        ("Привет", "Cyrillic"),
        ("你好", "Cjk"),
        ("مرحبا hello", None),
        ("नमस्ते", None),
        ("12 😀 !", None),
        ("", None),
    ],
)
def test_a_text_without_our_letters_has_a_foreign_script(text: str, script: str | None) -> None:
    assert foreign_script(text) == script
