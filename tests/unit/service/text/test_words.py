"""Words, their offsets and their ids."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.characters import without_controls
from service.text.words import LONGEST_WORD, WordVocabulary, split_words, word_form
from tests.unit.service.text.texts import TEXTS, WITH_SURROGATES

VOCABULARY = WordVocabulary(["the", "1990", "münchen"], list("abcdefghijklmnopqrstuvwxyz0"))


def words_of(text: str) -> list[str]:
    return [word.text for word in split_words(text)]


@given(WITH_SURROGATES)
def test_offsets_slice_the_callers_string(text: str) -> None:
    for word in split_words(text):
        assert word.text == text[word.start : word.end]


@given(WITH_SURROGATES)
def test_words_stand_in_order_and_do_not_overlap(text: str) -> None:
    words = split_words(text)
    assert all(word.start < word.end for word in words)
    assert all(a.end <= b.start for a, b in pairwise(words))


@given(WITH_SURROGATES)
def test_words_hold_all_but_the_white_space(text: str) -> None:
    cleaned = without_controls(text)
    assert "".join(words_of(cleaned)) == "".join(cleaned.split())


@given(WITH_SURROGATES)
def test_cleaned_text_has_its_words_in_the_callers_places(text: str) -> None:
    for word in split_words(without_controls(text)):
        assert text[word.start : word.end] == word.text


@given(TEXTS)
def test_every_word_has_known_ids(text: str) -> None:
    words = words_of(text)
    word_ids, char_ids = VOCABULARY.word_ids(words), VOCABULARY.char_ids(words)
    assert word_ids.shape == (len(words),)
    assert char_ids.shape == (len(words), LONGEST_WORD)
    assert ((word_ids >= 1) & (word_ids < VOCABULARY.word_count)).all()
    assert ((char_ids >= 0) & (char_ids < VOCABULARY.char_count)).all()


@given(TEXTS)
def test_characters_fill_a_row_from_the_left(text: str) -> None:
    words = words_of(text)
    for word, row in zip(words, VOCABULARY.char_ids(words), strict=True):
        filled = min(len(word), LONGEST_WORD)
        assert (row[:filled] > 0).all()
        assert (row[filled:] == 0).all()


@given(st.lists(st.text(min_size=1), max_size=5), st.text(min_size=1))
def test_ids_of_a_word_do_not_depend_on_its_neighbours(words: list[str], word: str) -> None:
    assert VOCABULARY.word_ids([*words, word])[-1] == VOCABULARY.word_ids([word])[0]
    assert (VOCABULARY.char_ids([*words, word])[-1] == VOCABULARY.char_ids([word])[0]).all()


@pytest.mark.parametrize(
    "text, words",
    [
        ("Tesla Inc. in March 2020", ["Tesla", "Inc", ".", "in", "March", "2020"]),
        ("the U.S. Army", ["the", "U.S.", "Army"]),
        ("don't", ["don", "'", "t"]),
        ("1,000%", ["1", ",", "000", "%"]),
        ("A4", ["A", "4"]),
        ("", []),
        (" \t\n", []),
        ("👍🏽", ["👍", "🏽"]),
    ],
)
def test_a_text_is_cut_into_letters_digits_and_marks(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize("word", ["हिन्दी", "क्षेत्र", "दिल्ली", "कर्नाटक", "नई"])
def test_devanagari_matras_stay_in_their_word(word: str) -> None:
    assert words_of(f"{word} {word}।") == [word, word, "।"]


@pytest.mark.parametrize(
    "word", ["e\u0301te\u0301", "n\u0303", "שָׁלוֹם", "مَرْحَبًا", "ก็", "Zu\u0308rich"]
)
def test_combining_marks_stay_in_their_word(word: str) -> None:
    assert words_of(f"({word})") == ["(", word, ")"]


def test_right_to_left_words_keep_their_logical_offsets() -> None:
    text = "ירושלים היא עיר"
    assert [(w.text, w.start) for w in split_words(text)] == [
        ("ירושלים", 0),
        ("היא", 8),
        ("עיר", 12),
    ]


@pytest.mark.parametrize(
    "word, form",
    [("München", "münchen"), ("B52", "b52"), ("1990", "1990"), ("हिन्दी", "हिन्दी"), ("...", "...")],
)
def test_a_word_is_looked_up_in_lower_case(word: str, form: str) -> None:
    assert word_form(word) == form


def test_known_words_share_an_id_with_their_forms() -> None:
    ids = VOCABULARY.word_ids(["the", "THE", "1990", "1991", "MÜNCHEN"])
    assert ids.tolist() == [2, 2, 3, 1, 4]


def test_a_long_word_keeps_its_start_and_its_end() -> None:
    word = "abcdefghijkl" + "z" * 4988 + "mnopqrst"
    shortened = "abcdefghijkl" + "mnopqrst"
    assert (VOCABULARY.char_ids([word]) == VOCABULARY.char_ids([shortened])).all()


@pytest.mark.parametrize(
    "text, count",
    [
        ("x" * 5000, 1),
        ("9" * 5000, 1),
        ("." * 5000, 5000),
        ("a." * 2500, 1),
        ("\u0301" * 5000, 1),
        ("a " * 2500, 2500),
        (" " * 5000, 0),
        ("🙂" * 5000, 5000),
    ],
)
def test_the_longest_texts_are_cut_into_all_their_words(text: str, count: int) -> None:
    assert len(split_words(text)) == count


def test_a_saved_vocabulary_gives_the_same_ids(tmp_path: Path) -> None:
    VOCABULARY.save(tmp_path / "words.json")
    loaded = WordVocabulary.load(tmp_path / "words.json")
    words = ["The", "münchen", "x2", "नई"]
    assert (loaded.word_count, loaded.char_count) == (VOCABULARY.word_count, VOCABULARY.char_count)
    assert (loaded.word_ids(words) == VOCABULARY.word_ids(words)).all()
    assert (loaded.char_ids(words) == VOCABULARY.char_ids(words)).all()
