"""Which words are written in Devanagari."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.transliteration import LONGEST_WORD, in_devanagari, romanised_words


def written(text: str) -> str:
    return in_devanagari(text, romanised_words(text), lambda letters: f"<{letters}>")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Kya haal hai?", "<kya> <haal> <hai>?"),
        ("main theek hoon. tum?", "<main> <theek> <hoon>\u0964 <tum>?"),
        ("mera naam Pankaj hai.", "<mera> <naam> <pankaj> <hai>\u0964"),
        ("KYA HAAL HAI", "<kya> <haal> <hai>"),
        ("12:30, USA", "12:30, USA"),
        ("USA aur BJP ka", "USA <aur> BJP <ka>"),
        ("subah 9.30 baje, 2nd din", "<subah> 9.30 <baje>, 2nd <din>"),
        (
            "dekho https://a.example/kya aur me@b.example",
            "<dekho> https://a.example/kya <aur> me@b.example",
        ),
        ("{name} ka <b>ghar</b> %s @ram", "{name} <ka> <b><ghar></b> %s @ram"),
        ("m\u0101t\u0101 a'ur", "<mata> <aur>"),
        ("\u0915\u094d\u092f\u093e haal", "\u0915\u094d\u092f\u093e <haal>"),
        ("3.5 ... ?!", "3.5 ... ?!"),
        ("e.g. v1.0.", "<e>.<g>\u0964 v1.0."),
    ],
)
def test_words_in_latin_letters_are_written_anew(text: str, expected: str) -> None:
    assert written(text) == expected


def test_what_is_longer_than_any_word_stays() -> None:
    assert written("a" * LONGEST_WORD) == f"<{'a' * LONGEST_WORD}>"
    assert written("a" * (LONGEST_WORD + 1)) == "a" * (LONGEST_WORD + 1)


@given(st.text(max_size=80))
def test_words_slice_the_callers_string(text: str) -> None:
    for token in romanised_words(text):
        assert text[token.start : token.end].isascii() or token.letters
        assert token.letters.isalpha()
        assert token.letters == token.letters.lower()


@given(st.text(st.characters(exclude_categories=["L"]), max_size=60))
def test_text_without_letters_stays_as_it_is(text: str) -> None:
    assert written(text) == text
