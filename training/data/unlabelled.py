"""Plain English text of every set that shipped weights may be trained on: one reader for all."""

import json
from collections.abc import Iterator
from itertools import chain

import regex

from service.text.sentences import split_sentences
from training.data.conll import SOURCES, read_sentences
from training.data.files import data_root, read_columns, read_lines
from training.data.parallel import read_pairs
from training.data.reviews import read_reviews
from training.errors import DataError

_BREAK = regex.compile(r"<br\s*/?>")
_TATOEBA_LANGUAGES = {"tatoeba_en-de": "de", "tatoeba_en-fr": "fr", "tatoeba_en-es": "es"}
_HINDI_SETS = {"massive": "train", "tico19": "dev", "indian_parallel_hi-en": "dev"}


def read_unlabelled(name: str) -> Iterator[str]:
    """Sentences of the training part of a set, without what it says of them.

    Raises DataError if the set's file is missing or damaged.
    """
    if name in SOURCES:
        return (sentence.text for sentence in read_sentences(name, "train"))
    if name == "masc":
        rows = read_columns(data_root() / "language_modeling" / "masc" / "masc.tsv.xz", count=4)
        return (row[2] for row in rows if row[0] != "category")
    if name == "schema_guided_dialogue":
        return _dialogue_turns()
    if name in _TATOEBA_LANGUAGES:
        return _english_sides(name, "train", _TATOEBA_LANGUAGES[name])
    if name in _HINDI_SETS:
        return _english_sides(name, _HINDI_SETS[name], "hi")
    texts = (review.text for review in read_reviews(name, "train"))
    return chain.from_iterable(map(_sentences, texts))


def _sentences(text: str) -> list[str]:
    """Sentences of a review; film reviews hold HTML's line breaks."""
    return [part for part in split_sentences(_BREAK.sub("\n", text))[::2] if part]


def _english_sides(corpus: str, split: str, other: str) -> Iterator[str]:
    """Each English sentence once, though it has many translations."""
    return iter(dict.fromkeys(pair.source for pair in read_pairs(corpus, split, ("en", other))))


def _dialogue_turns() -> Iterator[str]:
    path = data_root() / "other" / "schema_guided_dialogue" / "train.jsonl.xz"
    for number, line in enumerate(read_lines(path), start=1):
        try:
            turns = [text for _, text in json.loads(line)["turns"]]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: line {number} is no dialogue ({error})") from error
        yield from chain.from_iterable(map(_sentences, turns))
