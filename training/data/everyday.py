"""Everyday sentences about people, places, organizations and times.

News and encyclopaedias, which the corpora are, hardly ever say "Olga works for Nokia" or "Hi Tom,
see you in Rome on Friday". Patterns of such sentences are filled with mentions of the training
data, so that short, plain text is not foreign to the tagger. The development patterns are others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from service.text.spans import tags_to_spans
from service.text.words import split_words
from training.data.augmentation import names_of_people
from training.data.conll import LABELS, WordSentence

TRAIN_PATTERNS = (
    "PER works for ORG .",
    "PER works in LOC",
    "PER is from LOC",
    "PER moved from LOC to LOC TIME .",
    "PER and PER got married in LOC .",
    "PER called me TIME",
    "I met PER in LOC TIME .",
    "My name is PER and I live in LOC .",
    "Hi PER , are you free TIME ?",
    "Hello , this is PER from ORG .",
    "Dear PER , thank you for your order .",
    "Thanks , PER",
    "Can you book a flight to LOC for PER ?",
    "We fly to LOC TIME .",
    "ORG hired PER TIME",
    "ORG opened an office in LOC .",
    "PER bought shares of ORG in TIME .",
    "PER left ORG TIME and joined ORG .",
    "Does PER still live in LOC ?",
    "PER likes pizza , PER does not .",
    "The meeting with ORG is TIME .",
    "PER has two cats and a dog .",
    "Where does PER live ?",
    "PER teaches history in LOC .",
    "PER studied at ORG until TIME .",
    "Our plumber , PER , lives near LOC .",
    "PER sent the invoice to ORG TIME",
    "I love LOC !",
    "He was born in LOC TIME",
    "PER , PER and PER came to dinner .",
    "You can reach PER at the ORG office in LOC .",
    "How are you today ?",
    "Good morning , what a lovely day .",
    "The parcel arrived broken and nobody answers the phone .",
    "Please send me 200 of them .",
)
DEV_PATTERNS = (
    "PER visits LOC TIME .",
    "PER plays chess with PER",
    "I am PER , nice to meet you",
    "ORG was founded by PER in LOC .",
    "PER paid ORG TIME .",
    "Yesterday 300 people saw PER sing in LOC .",
    "Ask PER , she knows .",
    "The train leaves at the usual place .",
)
_LONGEST_MENTION = 3


class Mentions(NamedTuple):
    """What may fill a pattern: single names of people, and word tuples by label."""

    names: list[str]
    by_label: dict[str, list[tuple[str, ...]]]


def collect_mentions(sentences: Sequence[WordSentence]) -> Mentions:
    """Every short mention of a corpus once, so that the rare ones are heard too."""
    found: dict[str, set[tuple[str, ...]]] = {label: set() for label in LABELS}
    for sentence in sentences:
        for label, start, end in tags_to_spans(sentence.tags):
            if end - start <= _LONGEST_MENTION:
                found[label].add(sentence.words[start:end])
    by_label = {label: sorted(mentions) for label, mentions in found.items()}
    return Mentions(names_of_people(sentences), by_label)


def everyday_sentences(
    patterns: Sequence[str], count: int, mentions: Mentions, rng: np.random.Generator
) -> list[WordSentence]:
    """`count` patterns, filled; no sentence where a pattern's label has no mention."""
    drawn = (patterns[i] for i in rng.integers(len(patterns), size=count))
    filled = (_fill(pattern, mentions, rng) for pattern in drawn)
    return [sentence for sentence in filled if sentence is not None]


def _fill(pattern: str, mentions: Mentions, rng: np.random.Generator) -> WordSentence | None:
    words: list[str] = []
    tags: list[str] = []
    for part in pattern.split():
        if part not in LABELS:
            plain = [word.text for word in split_words(part)]
            words, tags = words + plain, tags + ["O"] * len(plain)
            continue
        mention = _mention(part, mentions, rng)
        if not mention:
            return None
        words += mention
        tags += [f"B-{part}"] + [f"I-{part}"] * (len(mention) - 1)
    return WordSentence(tuple(words), tuple(tags))


def _mention(label: str, mentions: Mentions, rng: np.random.Generator) -> Sequence[str]:
    """A mention of `label`; people mostly by their first name alone, as friends are."""
    if label == "PER" and mentions.names:
        count = 1 if rng.random() < 0.7 else 2
        return [mentions.names[i] for i in rng.integers(len(mentions.names), size=count)]
    known = mentions.by_label[label]
    return known[int(rng.integers(len(known)))] if known else ()
