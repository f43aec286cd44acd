"""Sentences seen otherwise than the corpora wrote them: shorter, and with less of a name."""

from collections.abc import Mapping, Sequence

import numpy as np

from service.text.spans import tags_to_spans
from service.text.words import split_words
from training.config import NerModel
from training.data.companies import company_name
from training.data.conll import WordSentence

_FEWEST_WORDS = 3
_TITLES = frozenset(
    [
        "mrs",
        "miss",
        "sir",
        "lady",
        "lord",
        "president",
        "minister",
        "prime",
        "secretary",
        "general",
        "senator",
        "governor",
        "mayor",
        "king",
        "queen",
        "prince",
        "princess",
        "pope",
        "bishop",
        "colonel",
        "captain",
        "chancellor",
        "judge",
        "justice",
        "professor",
        "doctor",
        "the",
        "and",
    ]
)


class Augmentation:
    """Sentences as people type them: other names, short, in one case, without the final stop."""

    def __init__(
        self,
        settings: NerModel,
        people: Sequence[str],
        known: Mapping[str, Sequence[tuple[str, ...]]],
    ) -> None:
        self._settings, self._people, self._known = settings, people, known

    def __call__(self, sentence: WordSentence, rng: np.random.Generator) -> WordSentence:
        rates = self._settings
        sentence = rename_people(sentence, rates.rename_rate, self._people, rng)
        sentence = swap_names(sentence, rates.swap_rate, self._known, self._people, rng)
        if rng.random() < rates.late_start_rate:
            sentence = start_late(sentence, rng)
        case = rng.random()
        if case < rates.lowercase_rate:
            sentence = sentence.lowered()
        elif case < rates.lowercase_rate + rates.uppercase_rate:
            sentence = sentence.capitalised()
        return sentence.without_stop() if rng.random() < rates.open_end_rate else sentence


def names_of_people(sentences: Sequence[WordSentence]) -> list[str]:
    """Each word that stands in a person's name and looks like one, once."""
    found: set[str] = set()
    for sentence in sentences:
        for label, start, end in tags_to_spans(sentence.tags):
            if label == "PER":
                found.update(filter(_looks_like_a_name, sentence.words[start:end]))
    return sorted(found)


def rename_people(
    sentence: WordSentence, rate: float, names: Sequence[str], rng: np.random.Generator
) -> WordSentence:
    """People get one or two other names, each person with probability `rate`.

    News and encyclopaedias write names in full, with titles, and of the famous; callers write
    "Pankaj lives in Munich". Names are drawn by type, so most are rare and must be read from
    their characters and from what stands around them.
    """
    words, tags = list(sentence.words), list(sentence.tags)
    for label, start, end in reversed(tags_to_spans(sentence.tags)):
        if label == "PER" and names and rng.random() < rate:
            drawn = rng.integers(len(names), size=1 + int(rng.random() < 0.5))
            words[start:end] = [names[i] for i in drawn]
            tags[start:end] = ["B-PER", "I-PER"][: len(drawn)]
    return WordSentence(tuple(words), tuple(tags))


def swap_names(
    sentence: WordSentence,
    rate: float,
    known: Mapping[str, Sequence[tuple[str, ...]]],
    people: Sequence[str],
    rng: np.random.Generator,
) -> WordSentence:
    """Organizations and places get other names of their kind, each with probability `rate`.

    Half of the organizations become companies with a legal form, made by rule.
    """
    words, tags = list(sentence.words), list(sentence.tags)
    for label, start, end in reversed(tags_to_spans(sentence.tags)):
        if label not in ("ORG", "LOC") or not known.get(label) or rng.random() >= rate:
            continue
        name: Sequence[str] = known[label][int(rng.integers(len(known[label])))]
        if label == "ORG" and people and rng.random() < 0.5:
            name = [word.text for word in split_words(company_name(people, rng))]
        words[start:end] = name
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (len(name) - 1)
    return WordSentence(tuple(words), tuple(tags))


def start_late(sentence: WordSentence, rng: np.random.Generator) -> WordSentence:
    """The sentence from one of its people on, or of its other entities, if enough remains."""
    last = len(sentence.words) - _FEWEST_WORDS
    spans = [span for span in tags_to_spans(sentence.tags) if span.start <= last]
    people = [span for span in spans if span.label == "PER"]
    chosen = people or spans
    if not chosen:
        return sentence
    start = chosen[int(rng.integers(len(chosen)))].start
    return WordSentence(sentence.words[start:], sentence.tags[start:])


def _looks_like_a_name(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word.istitle() and word.lower() not in _TITLES
