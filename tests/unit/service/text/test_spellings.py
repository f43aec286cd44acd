"""Spellings and how usual they are."""

from pathlib import Path

from service.text.alphabet import Alphabet
from service.text.spellings import Scored, Spellings

ALPHABET = Alphabet([*"abc"])


def spellings(weight: float) -> Spellings:
    return Spellings(ALPHABET, {"ab": 90, "ba": 10}, weight=weight, unlisted=-9.0)


def scored(word: str, score: float) -> Scored:
    return Scored(ALPHABET.ids(word).tolist(), score)


def test_without_weight_the_model_decides() -> None:
    found = [scored("ba", -1.0), scored("ab", -1.5), scored("c", -0.5)]
    assert spellings(0.0).rank(found) == ["c", "ba", "ab"]


def test_a_usual_word_is_preferred() -> None:
    found = [scored("ba", -1.0), scored("ab", -1.5), scored("c", -0.5)]
    assert spellings(1.0).rank(found) == ["ab", "ba", "c"]


def test_each_spelling_is_named_once() -> None:
    assert spellings(1.0).rank([scored("ab", -1.0), scored("ab", -2.0)]) == ["ab"]


def test_nothing_is_no_spelling() -> None:
    assert spellings(0.0).rank([scored("", -0.1), scored("c", -3.0)]) == ["c"]


def test_the_file_holds_characters_and_counts(tmp_path: Path) -> None:
    spellings(1.0).save(tmp_path / "spellings.json")
    loaded = Spellings.load(tmp_path / "spellings.json", weight=1.0, unlisted=-9.0)
    assert loaded.alphabet.symbols == ["a", "b", "c"]
    assert loaded.counts == {"ab": 90, "ba": 10}
