"""The names test: unseen names in plain sentences must come out as they went in."""

import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import regex

from service.bundle import find_bundles, load_bundle
from service.tasks.registry import open_predictor
from service.tasks.translation import TranslationParameters, TranslationPredictor
from service.tasks.translator import with_spellings
from service.tasks.transliteration import TransliterationParameters
from service.text.romanization import romanize
from training.errors import DataError
from training.quality import open_translation
from training.tasks.base import Measured
from training.tasks.translation import directions

Spelling = Callable[[list[str]], dict[str, str]]

_HERE = Path(__file__).parent / "data"
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_PLAIN = str.maketrans(
    {"ł": "l", "\u0131": "i", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"}
)
_SOUNDS = (
    ("sch", "sh"), ("tsch", "ch"), ("chh", "ch"), ("ph", "f"), ("th", "t"), ("dh", "d"),
    ("kh", "k"), ("gh", "g"), ("bh", "b"), ("jh", "j"), ("aa", "a"), ("ee", "i"), ("oo", "u"),
    ("y", "i"), ("w", "v"), ("q", "k"), ("ck", "k"), ("z", "j"), ("sh", "s"), ("x", "ks"),
)  # fmt: skip
_LETTERS_AN_ERROR = 4
_SHOWN = 40
"""One miss of so many is shown."""


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


def report_names(experiment: Path, bundles: Path, count: int) -> Iterator[str]:
    """Lines of the names test of a bundle: each direction's share, and a few misses."""
    settings, predictor = open_translation(experiment, bundles)
    spelling = open_spelling(bundles)
    names = read_names()[:count]
    for direction in directions(settings):
        found, misses = measure_names(
            predictor, direction.source, direction.target, names, spelling
        )
        yield f"{found.dataset}  {found.value:6.2f} % of {found.rows}"
        yield from (
            f"  {miss.name}: {miss.source} -> {miss.translation}" for miss in misses[::_SHOWN]
        )


def open_spelling(bundles: Path) -> Spelling | None:
    """Names in Devanagari by the bundle for transliteration, if there is one."""
    found = find_bundles(bundles).get("transliteration")
    if found is None:
        return None
    predictor = open_predictor(load_bundle(found), "cpu")

    def spell(names: list[str]) -> dict[str, str]:
        answers = predictor.predict(names, TransliterationParameters())
        return {
            name: answer[0].transliteration_text
            for name, answer in zip(names, answers, strict=True)
        }

    return spell


def measure_names(
    predictor: TranslationPredictor,
    source: str,
    target: str,
    names: list[Name],
    spelling: Spelling | None,
) -> tuple[Measured, list[Miss]]:
    """Share of translations that hold the name, in percent, and those that do not.

    Between Latin scripts a name must be copied letter by letter. To and from Hindi it is spelt
    anew, for which there is no one right way: a word counts that sounds alike (`sounds_alike`).
    """
    cases = [(name, text) for name in names for text in read_sentences(source)]
    sources = [text.format(name.written_for(source)) for name, text in cases]
    asked = TranslationParameters(target, source)
    answers = predictor.predict(_spelt(predictor, sources, asked, spelling), asked)
    misses = [
        Miss(name.name, asked, answer[0].translation_text)
        for (name, _), asked, answer in zip(cases, sources, answers, strict=True)
        if not holds(answer[0].translation_text, name, source, target)
    ]
    share = 100 * (1 - len(misses) / len(cases))
    return Measured(f"names {source}-{target}", "copied", share, len(cases)), misses


def _spelt(
    predictor: TranslationPredictor,
    texts: list[str],
    asked: TranslationParameters,
    spelling: Spelling | None,
) -> list[str]:
    """The texts as the service would translate them: names that Hindi spells anew are spelt."""
    unknown = [predictor.unknown_names(text, asked) for text in texts]
    distinct = sorted({name for names in unknown for name in names})
    if spelling is None or not distinct:
        return texts
    spellings = spelling(distinct)
    return [
        with_spellings(text, spellings, names) for text, names in zip(texts, unknown, strict=True)
    ]


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
