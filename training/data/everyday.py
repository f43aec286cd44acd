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
from training.data.companies import company_name
from training.data.conll import LABELS, WordSentence
from training.data.times import time_expression

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
    "ORG reported record profits for TIME .",
    "Shares of ORG fell 3 % TIME after PER resigned .",
    "ORG will acquire ORG for $ 2.5 billion in TIME , PER said .",
    "ORG , based in LOC , was founded in TIME",
    "PER , chief executive of ORG , lives in LOC",
    "The contract between ORG and ORG ends TIME .",
    "Please find attached the invoice of ORG dated TIME .",
    "Could we move the call with PER to TIME ?",
    "The deadline is TIME , please confirm by TIME",
    "Best regards , PER , ORG",
    "Kind regards PER ORG LOC",
    "Hi PER , the parcel for ORG left LOC TIME",
    "From : PER To : PER Date : TIME",
    "Our office in LOC is closed from TIME to TIME .",
    "I will be on holiday until TIME , please write to PER .",
    "Sales at ORG rose in TIME compared with TIME .",
    "The shop opens TIME and closes TIME",
    "It was built in TIME and burned down in TIME .",
    "@ PER are you in LOC TIME ? ? # travel",
    "RT @ PER : so excited for LOC TIME ! ! !",
    "omg PER just left ORG lol",
    "flying LOC to LOC TIME with PER http : / / t . co / x",
    "watching PER on ORG TIME :)",
    "PER is a nurse from LOC who works nights .",
    "My boss at ORG , PER , gave me TIME off .",
    "Is PER still with ORG ?",
    "Tickets for TIME are sold out , try TIME .",
    "We offer 24 support and 30 per cent off .",
    "The battery lasts long and the screen is bright .",
    "Turn left at the second light and go on .",
    "Version 2.0 costs 1999 dollars and weighs 3 kg .",
    "I may go , but I will not march .",
    "PER bought NUMBER shares of ORG TIME",
    "PER sold NUMBER shares of ORG in TIME .",
    "PER holds NUMBER shares of ORG .",
    "ORG cut NUMBER jobs in LOC TIME .",
    "ORG paid NUMBER million dollars for ORG .",
    "ORG owns NUMBER % of ORG",
    "Nearly NUMBER people live in LOC .",
    "More than NUMBER fans came to LOC TIME",
    "We sold NUMBER units TIME .",
    "PER scored NUMBER points against PER .",
    "PER lent PER NUMBER pounds TIME",
    "Send NUMBER copies to PER , please .",
    "It weighs NUMBER grams and holds NUMBER litres .",
    "NUMBER of NUMBER seats are taken .",
    "Room NUMBER is ready for PER .",
    "See page NUMBER and chapter NUMBER .",
    "He walked NUMBER miles to LOC",
    "The flat in LOC costs NUMBER a month .",
    "PER , from ORG , called NUMBER times .",
    "I spoke with PER of ORG TIME .",
    "heading to LOC with PER TIME",
    "Mr. PER and Ms. PER joined ORG TIME .",
    "Dr. PER works at ORG .",
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
    "ORG signed a deal with ORG in LOC TIME",
    "Dear PER , the goods from ORG will arrive TIME .",
    "anyone in LOC TIME ? PER is playing",
    "Between TIME and TIME it rained in LOC .",
    "The model sells for 1500 euros .",
)
_LONGEST_MENTION = 3
_NUMBER = "NUMBER"
_LARGEST_NUMBERS = (20, 100, 1_000, 10_000, 1_000_000)


def _words(text: str) -> list[str]:
    return [word.text for word in split_words(text)]


class Mentions(NamedTuple):
    """What may fill a pattern: single names of people, and word tuples by label."""

    names: list[str]
    by_label: dict[str, list[tuple[str, ...]]]


def collect_mentions(sentences: Sequence[WordSentence]) -> Mentions:
    """Every short mention of a corpus once, so that the rare ones are heard too."""
    found: dict[str, set[tuple[str, ...]]] = {label: set() for label in LABELS}
    for sentence in sentences:
        for label, start, end in tags_to_spans(sentence.tags):
            mention = sentence.words[start:end]
            if label in found and len(mention) <= _LONGEST_MENTION and _names_something(mention):
                found[label].add(mention)
    by_label = {label: sorted(mentions) for label, mentions in found.items()}
    return Mentions(names_of_people(sentences), by_label)


def _names_something(mention: Sequence[str]) -> bool:
    """GMB calls a few stray words times or places: "the", ","."""
    return any(word[0].isupper() or word[0].isdigit() for word in mention)


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
            plain = _words(_number(rng) if part == _NUMBER else part)
            words, tags = words + plain, tags + ["O"] * len(plain)
            continue
        mention = _mention(part, mentions, rng)
        if not mention:
            return None
        words += mention
        tags += [f"B-{part}"] + [f"I-{part}"] * (len(mention) - 1)
    return WordSentence(tuple(words), tuple(tags))


def _number(rng: np.random.Generator) -> str:
    """A number that is no time, as people write it."""
    number = int(rng.integers(2, _LARGEST_NUMBERS[rng.integers(len(_LARGEST_NUMBERS))]))
    form = rng.random()
    if form < 0.5:
        return str(number)
    return f"{number:,}" if form < 0.85 else f"{number / 10:.1f}"


def _mention(label: str, mentions: Mentions, rng: np.random.Generator) -> Sequence[str]:
    """A mention of `label`; people mostly by their first name alone, as friends are.

    Half of the times and of the organizations are made by rule, in forms that the corpora lack.
    """
    if label == "TIME" and rng.random() < 0.5:
        return _words(time_expression(rng))
    if label == "ORG" and mentions.names and rng.random() < 0.5:
        return _words(company_name(mentions.names, rng))
    if label == "PER" and mentions.names:
        count = 1 if rng.random() < 0.7 else 2
        return [mentions.names[i] for i in rng.integers(len(mentions.names), size=count)]
    known = mentions.by_label[label]
    return known[int(rng.integers(len(known)))] if known else ()
