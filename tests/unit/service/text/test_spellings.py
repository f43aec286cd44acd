"""Spellings, and which of them is a word."""

from pathlib import Path

from service.text.alphabet import Alphabet
from service.text.ngrams import CharacterNgrams
from service.text.spellings import Scored, Spellings, Weights

ALPHABET = Alphabet([*"abc"])
NGRAMS = CharacterNgrams.count(["ab", "abab"], order=3, least=1)
COUNTS = {"ba": 90, "cb": 10}
FOUND = [("ba", -1.0), ("ab", -1.5), ("c", -0.5)]


def ranked(*found: tuple[str, float], **weights: float) -> list[str]:
    nothing = {"frequency": 0.0, "listed": 0.0, "ngrams": 0.0, "length": 0.0}
    spellings = Spellings(ALPHABET, COUNTS, NGRAMS, Weights(**{**nothing, **weights}))
    return spellings.rank(Scored(ALPHABET.ids(word).tolist(), score) for word, score in found)


def test_without_weights_the_model_decides() -> None:
    assert ranked(*FOUND) == ["c", "ba", "ab"]


def test_a_listed_word_is_preferred() -> None:
    assert ranked(*FOUND, listed=1.0) == ["ba", "c", "ab"]


def test_a_frequent_word_is_preferred_to_a_rare_one() -> None:
    assert ranked(("cb", -1.0), ("ba", -1.5)) == ["cb", "ba"]
    assert ranked(("cb", -1.0), ("ba", -1.5), frequency=1.0) == ["ba", "cb"]


def test_a_spelling_that_looks_like_a_word_is_preferred() -> None:
    assert ranked(("c", -0.5), ("ab", -1.5), ngrams=1.0) == ["ab", "c"]


def test_long_words_may_be_favoured() -> None:
    assert ranked(*FOUND, length=1.0)[-1] == "c"


def test_each_spelling_is_named_once_and_nothing_is_none() -> None:
    assert ranked(("ab", -1.0), ("ab", -2.0), ("", -0.1)) == ["ab"]


def test_the_file_holds_all_that_ranks(tmp_path: Path) -> None:
    weights = Weights(1.0, 1.0, 1.0, 0.5)
    spellings = Spellings(ALPHABET, COUNTS, NGRAMS, weights)
    spellings.save(tmp_path / "spellings.json.xz")
    loaded = Spellings.load(tmp_path / "spellings.json.xz", weights)
    found = [Scored(ALPHABET.ids(word).tolist(), score) for word, score in FOUND]
    assert loaded.rank(found) == spellings.rank(found)
    assert loaded.words == COUNTS
