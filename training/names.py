"""The names test: unseen names in plain sentences must come out as they went in."""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import regex

from service.tasks.translation import TranslationParameters, TranslationPredictor
from service.text.romanization import romanize
from training.errors import DataError
from training.tasks.base import Measured

_HERE = Path(__file__).parent / "data"
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_PLAIN = str.maketrans({"ł": "l", "\u0131": "i", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"})
_SOUNDS = (
    ("sch", "sh"), ("tsch", "ch"), ("chh", "ch"), ("ph", "f"), ("th", "t"), ("dh", "d"),
    ("kh", "k"), ("gh", "g"), ("bh", "b"), ("jh", "j"), ("aa", "a"), ("ee", "i"), ("oo", "u"),
    ("y", "i"), ("w", "v"), ("q", "k"), ("ck", "k"), ("z", "j"), ("sh", "s"), ("x", "ks"),
)  # fmt: skip
_LETTERS_AN_ERROR = 4


class Name(NamedTuple):
    """A person's name in Latin letters and in Devanagari, and where it is from."""

    name: str
    devanagari: str
    origin: str

    def written_for(self, language: str) -> str:
        return self.devanagari if language == "hi" else self.name


class Miss(NamedTuple):
    """A sentence whose translation lacks the name."""

    name: str
    source: str
    translation: str


def read_names() -> list[Name]:
    """200 names of all origins; none stands in the training data."""
    return [Name(*row) for row in _rows("names_test.tsv")[1:]]


def read_sentences(language: str) -> list[str]:
    """10 plain sentences with `{}` for a name."""
    header, *rows = _rows("names_sentences.tsv")
    if language not in header:
        raise DataError(f"names_sentences.tsv: no column {language!r}")
    return [row[header.index(language)] for row in rows]


def test_names(
    predictor: TranslationPredictor, source: str, target: str, names: list[Name]
) -> tuple[Measured, list[Miss]]:
    """Share of translations that hold the name, in percent, and those that do not.

    Between Latin scripts a name must be copied letter by letter. To and from Hindi it is spelt
    anew, for which there is no one right way: a word counts that sounds alike (`sounds_alike`).
    """
    cases = [(name, text) for name in names for text in read_sentences(source)]
    sources = [text.format(name.written_for(source)) for name, text in cases]
    answers = predictor.predict(sources, TranslationParameters(target, source))
    misses = [
        Miss(name.name, asked, answer[0].translation_text)
        for (name, _), asked, answer in zip(cases, sources, answers, strict=True)
        if not holds(answer[0].translation_text, name, source, target)
    ]
    share = 100 * (1 - len(misses) / len(cases))
    return Measured(f"names {source}-{target}", "copied", share, len(cases)), misses


def holds(translation: str, name: Name, source: str, target: str) -> bool:
    """True if the name stands in a translation from `source` to `target`."""
    if "hi" not in (source, target):
        return name.name in translation
    wanted = [name.name, name.devanagari]
    return any(sounds_alike(word, form) for word in _words(translation) for form in wanted)


def sounds_alike(word: str, name: str) -> bool:
    """True if two words differ by at most one letter in four, as they sound.

    Devanagari is romanised by rule; accents, length of vowels, aspiration and doubling are left
    aside, as are v and w, s and sh, z and j, which Hindi does not keep apart in names.
    """
    first, second = _sound(word), _sound(name)
    allowed = max(1, len(second) // _LETTERS_AN_ERROR)
    return bool(first) and _distance(first, second) <= allowed


def _sound(word: str) -> str:
    latin = romanize(word, "informal").lower().translate(_PLAIN)
    latin = "".join(
        char for char in unicodedata.normalize("NFD", latin) if unicodedata.category(char) != "Mn"
    )
    for spelt, sound in _SOUNDS:
        latin = latin.replace(spelt, sound)
    return regex.sub(r"(.)\1+", r"\1", regex.sub(r"[^a-z]", "", latin))


def _words(text: str) -> Iterator[str]:
    """Words of `text`, and each two neighbours as one: a name may be written apart."""
    words = _WORD.findall(text)
    yield from words
    yield from (first + second for first, second in pairwise(words))


def _distance(first: str, second: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(second) + 1))
    for i, char in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, other in enumerate(second, start=1):
            previous, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, previous + (char != other)),
            )
    return row[-1]


def _rows(file: str) -> list[list[str]]:
    lines = (_HERE / file).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]
