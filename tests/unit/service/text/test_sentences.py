"""Sentences of a text: nothing is lost, and hostile texts cost no more than others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.sentences import split_long, split_sentences
from tests.unit.service.text.texts import WITH_SURROGATES


@given(WITH_SURROGATES)
def test_the_parts_join_to_the_source(text: str) -> None:
    assert "".join(split_sentences(text)) == text


@given(WITH_SURROGATES)
def test_sentences_and_separators_take_turns(text: str) -> None:
    parts = split_sentences(text)
    assert len(parts) % 2 == 1
    assert all(not separator.strip() for separator in parts[1::2])


@given(WITH_SURROGATES)
def test_no_sentence_spans_a_line_break(text: str) -> None:
    assert all("\n" not in sentence for sentence in split_sentences(text)[::2])


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("How are you? I am fine.", ["How are you?", "I am fine."]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("It was Dr. Smith. He left.", ["It was Dr. Smith.", "He left."]),
        ("Das ist z.B. Berlin. Ja!", ["Das ist z.B. Berlin.", "Ja!"]),
        ("J. Smith came at 5 p.m. yesterday.", ["J. Smith came at 5 p.m. yesterday."]),
        ("He came at 5 p.m. Then he left.", ["He came at 5 p.m.", "Then he left."]),
        ("¿Qué tal? ¡Muy bien!", ["¿Qué tal?", "¡Muy bien!"]),
        ("मैं ठीक हूँ। तुम कैसे हो?", ["मैं ठीक हूँ।", "तुम कैसे हो?"]),
        ("Wait… What", ["Wait…", "What"]),
        ("one line\nanother", ["one line", "another"]),
        ("3.5 is a number", ["3.5 is a number"]),
        ("No. I am at home.", ["No.", "I am at home."]),
        ("See No. 5 there.", ["See No. 5 there."]),
        ("Das ist z. B. Berlin. Ja!", ["Das ist z. B. Berlin.", "Ja!"]),
        ("Am 3. Oktober kam er. Gut.", ["Am 3. Oktober kam er.", "Gut."]),
        ("EE. UU. es grande. Sí.", ["EE. UU. es grande.", "Sí."]),
        ("Das kostet ca. 5 Euro.", ["Das kostet ca. 5 Euro."]),
        ("1. Open it. 2. Close it.", ["1. Open it.", "2. Close it."]),
        ("I... I do not know. Well.", ["I... I do not know.", "Well."]),
        ('"Why?" he asked.', ['"Why?" he asked.']),
        ("hello! how are you? i am fine", ["hello!", "how are you?", "i am fine"]),
        ("i am fine. he left", ["i am fine.", "he left"]),
        ("approx. five", ["approx. five"]),
        ("„Komm!“ Er ging.", ["„Komm!“", "Er ging."]),
        ("« Oui ! » dit-elle.", ["« Oui ! » dit-elle."]),
        ('"मैं ठीक हूँ।" वह गया।', ['"मैं ठीक हूँ।"', "वह गया।", ""]),
        ("no end", ["no end"]),
        ("", [""]),
    ],
)
def test_a_text_is_cut_at_the_ends_of_its_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text)[::2] == sentences


def test_separators_keep_the_spacing_of_the_source() -> None:
    assert split_sentences("Yes.  \n\n Never. \t Maybe.") == [
        "Yes.",
        "  \n\n ",
        "Never.",
        " \t ",
        "Maybe.",
    ]


def two_a_character(text: str) -> list[tuple[int, int]]:
    """Sub-words of a text of which each character has two."""
    return [(at, at + 1) for at in range(len(text)) for _ in "ab"]


@given(WITH_SURROGATES, st.integers(4, 30))
def test_pieces_of_a_long_sentence_join_to_it_and_none_is_too_long(text: str, limit: int) -> None:
    parts = split_long(text, limit, two_a_character)
    assert "".join(parts) == text
    assert len(parts) % 2 == 1
    assert all(2 * len(piece) <= limit for piece in parts[::2])
    assert all(not separator.strip() for separator in parts[1::2])


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("short", ["short"]),
        ("he came at ten, and left at once", ["he came at ten,", "and left at once"]),
        ("one two three four five six seven", ["one two three four", "five six seven"]),
        ("a" * 45, ["a" * 20, "a" * 20, "a" * 5]),
        ("क्" * 15, ["क्" * 10, "क्" * 5]),
    ],
)
def test_a_long_sentence_is_cut_at_clauses_then_words_then_characters(
    text: str, pieces: list[str]
) -> None:
    assert split_long(text, 40, two_a_character)[::2] == pieces


MANY = 200_000


# A search that looks back over its run needs hours for these; no signal would interrupt it.
@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize(
    "text, count",
    [
        ("." * MANY, 1),
        ('"' * MANY, 1),
        (" " * MANY, 1),
        ("\t" * MANY, 1),
        ("." + '"' * MANY, 1),
        ("." + " " * MANY, 1),
        ("." + '"' * MANY + " " * MANY + '"' * MANY, 1),
        (". " + "(" * MANY, 1),
        ("." + ")" * MANY + " A", 2),
        ("." + " " * MANY + "A", 2),
        ("\n" * MANY, 2),
        (" " * MANY + "\n" + " " * MANY, 2),
        ("A. " * MANY, 1),
        ("xx. A" * MANY, MANY + 1),
        ("\u0964" * MANY, 2),
        ("\u0964 " * MANY, MANY + 1),
        ("a... " * MANY, 1),
        ("Mr. " * MANY, 1),
    ],
    ids=lambda value: repr(value[:6]) if isinstance(value, str) else str(value),
)
def test_hostile_runs_are_cut_in_one_pass(text: str, count: int) -> None:
    assert len(split_sentences(text)[::2]) == count
