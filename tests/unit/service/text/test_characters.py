"""Cleaning of characters: nothing moves, nothing invisible passes."""

import unicodedata

import pytest
from hypothesis import example, given

from service.text.characters import is_blank, without_controls
from tests.unit.service.text.texts import WITH_SURROGATES


@given(WITH_SURROGATES)
@example("\x00\t\x1b[0m\ud800\u2028")
def test_cleaning_keeps_the_length(text: str) -> None:
    assert len(without_controls(text)) == len(text)


@given(WITH_SURROGATES)
def test_cleaning_changes_only_controls_surrogates_and_breaks(text: str) -> None:
    for before, after in zip(text, without_controls(text), strict=True):
        if before != after:
            assert after == " "
            assert unicodedata.category(before) in ("Cc", "Cs", "Zl", "Zp")


@given(WITH_SURROGATES)
def test_cleaned_text_has_no_control_character_and_can_be_encoded(text: str) -> None:
    cleaned = without_controls(text)
    assert all(unicodedata.category(char) != "Cc" for char in cleaned)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned


@given(WITH_SURROGATES)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = without_controls(text)
    assert without_controls(once) == once


@given(WITH_SURROGATES)
def test_blank_before_cleaning_is_blank_after_it(text: str) -> None:
    if is_blank(text):
        assert is_blank(without_controls(text))


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\r\n", "\x00\x07", "\u3000\xa0", "\u200b\u200d\ufeff", "\u2028\u2029", "\xad"],
)
def test_a_text_without_visible_characters_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " . ", "\x00ा", "🙂", "\u0301", "\u200b7"])
def test_a_text_with_a_visible_character_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_breaks_controls_and_lone_surrogates_become_blanks() -> None:
    assert without_controls("a\r\nb\x00c\u2028d\ud83de") == "a  b c d e"


def test_printable_text_is_returned_as_it_is() -> None:
    text = "Zoë lebt in München; पंकज दिल्ली में रहता है। 🙂"
    assert without_controls(text) == text
