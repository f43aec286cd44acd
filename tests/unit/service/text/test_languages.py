"""The languages, and the symbols that name them to the model."""

import pytest

from service.text.languages import LANGUAGE_TOKENS, LANGUAGES, language_token


def test_the_five_languages_of_the_issue_are_spoken() -> None:
    assert set(LANGUAGES) == {"en", "de", "fr", "es", "hi"}


def test_each_language_has_a_symbol_of_its_own() -> None:
    assert len(set(LANGUAGE_TOKENS)) == len(LANGUAGES)


def test_symbols_stand_in_the_order_of_the_languages() -> None:
    assert [language_token(code) for code in LANGUAGES] == LANGUAGE_TOKENS


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_symbol_says_its_code(code: str) -> None:
    assert language_token(code) == f"<2{code}>"
