"""Sentences with entities, as the service would see them: text and character spans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.text.spans import Span, spans_to_tags, tags_to_spans
from service.text.words import split_words
from training.data.files import data_root, packed_or_plain, read_lines
from training.errors import DataError

LABELS = ("PER", "ORG", "LOC", "TIME")

_MAPPING = {
    "gmb": {"per": "PER", "org": "ORG", "geo": "LOC", "gpe": "LOC", "tim": "TIME"},
    "redocred": {"PER": "PER", "ORG": "ORG", "LOC": "LOC", "TIME": "TIME"},
    "uner_ewt": {"PER": "PER", "ORG": "ORG", "LOC": "LOC"},
    "wnut17": {"person": "PER", "corporation": "ORG", "group": "ORG", "location": "LOC"},
    "conll2003": {"PER": "PER", "ORG": "ORG", "LOC": "LOC", "MISC": "MISC"},
    "conll": {label: label for label in LABELS},
}
SOURCES = frozenset(_MAPPING)
_FILES = {"conll2003": {"train": "eng.train", "dev": "eng.testa", "test": "eng.testb"}}
_DOCUMENT_MARKS = ("-DOCSTART-", "# newdoc id =")
_UNITS = frozenset(
    unit + plural
    for unit in ("year", "month", "week", "day", "hour", "minute")
    for plural in ("", "s")
)


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """Corpus tokens with IOB2 tags of the product's four types."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.tokens)

    def token_offsets(self) -> list[tuple[int, int]]:
        """`(start, end)` of each token in `text`."""
        offsets, start = [], 0
        for token in self.tokens:
            offsets.append((start, start + len(token)))
            start += len(token) + 1
        return offsets


@dataclass(frozen=True, slots=True)
class WordSentence:
    """A sentence in the service's words, with a tag each: what the tagger is trained on."""

    words: tuple[str, ...]
    tags: tuple[str, ...]

    def lowered(self) -> "WordSentence":
        return WordSentence(tuple(word.lower() for word in self.words), self.tags)

    def capitalised(self) -> "WordSentence":
        """IN CAPITALS, word for word: ß becomes SS, which is still one word."""
        return WordSentence(tuple(word.upper() for word in self.words), self.tags)

    def without_stop(self) -> "WordSentence":
        """Without its end mark, if it has one and anything before it."""
        if len(self.words) < 2 or self.words[-1] not in ".!?":
            return self
        return WordSentence(self.words[:-1], self.tags[:-1])


def _types(source: str, labels: Sequence[str]) -> dict[str, str]:
    """The source's names of entity types, and ours; a set of the user's own has our names."""
    return _MAPPING.get(source, {label: label for label in labels})


def unannotated(source: str, labels: Sequence[str]) -> frozenset[str]:
    """Those of `labels` that the source does not mark: its O says nothing about them."""
    return frozenset(labels) - frozenset(_types(source, labels).values())


def read_sentences(
    source: str, split: str, labels: Sequence[str] = LABELS, *, repaired: bool = True
) -> list[TaggedSentence]:
    """Sentences of `ner/<source>/<split>`, types mapped to `labels`, others dropped.

    GMB's clipped durations are repaired unless `repaired` is False.
    """
    file = _FILES.get(source, {}).get(split, f"{split}.conll")
    path = packed_or_plain(data_root() / "ner" / source / f"{file}.gz")
    mapping = {theirs: ours for theirs, ours in _types(source, labels).items() if ours in labels}
    mapped = [_map_types(block, mapping) for block in _blocks(path)]
    clipped = source == "gmb" and repaired
    return [repair_durations(sentence) for sentence in mapped] if clipped else mapped


def repair_durations(sentence: TaggedSentence) -> TaggedSentence:
    """Continue a time over the unit behind it: GMB tags "two/B-tim weeks/O ago"."""
    tags = list(sentence.tags)
    for i in range(1, len(tags)):
        unit = sentence.tokens[i].lower() in _UNITS
        if unit and tags[i] == "O" and tags[i - 1].endswith("-TIME"):
            tags[i] = "I-TIME"
    return TaggedSentence(sentence.tokens, tuple(tags))


def to_words(sentence: TaggedSentence) -> WordSentence:
    """Tags of the service's words: a word takes the tag of the token it lies in.

    The service splits finer than the corpora do (10-year is three words), never coarser across a
    blank, so each entity keeps its characters; no train/serve skew.
    """
    words = split_words(sentence.text)
    offsets = sentence.token_offsets()
    spans = []
    for label, first, last in tags_to_spans(sentence.tags):
        start, end = offsets[first][0], offsets[last - 1][1]
        inside = [i for i, word in enumerate(words) if start <= word.start and word.end <= end]
        if inside:
            spans.append(Span(label, inside[0], inside[-1] + 1))
    tags = spans_to_tags(spans, len(words))
    return WordSentence(tuple(word.text for word in words), tuple(tags))


def to_spans(sentence: TaggedSentence, found: Iterable[tuple[str, int, int]]) -> list[Span | None]:
    """Spans of corpus tokens that character spans `(label, start, end)` of `text` touch."""
    offsets = sentence.token_offsets()
    spans: list[Span | None] = []
    for label, start, end in found:
        touched = [i for i, (first, last) in enumerate(offsets) if first < end and start < last]
        spans.append(Span(label, touched[0], touched[-1] + 1) if touched else None)
    return spans


def _blocks(path: Path) -> Iterator[list[tuple[str, str]]]:
    """Lines of each sentence as (token, tag)."""
    block: list[tuple[str, str]] = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            if block:
                yield block
            block = []
        elif not line.startswith(_DOCUMENT_MARKS):
            columns = line.split("\t") if "\t" in line else line.split(" ")
            if len(columns) < 2 or not _is_tag(columns[-1]):
                raise DataError(f"{path}: line {number} has no tag: {line!r:.60}")
            block.append((columns[0], columns[-1]))
    if block:
        yield block


def _is_tag(column: str) -> bool:
    return column == "O" or column.startswith(("B-", "I-"))


def _map_types(block: list[tuple[str, str]], mapping: dict[str, str]) -> TaggedSentence:
    tags = tuple(_map_tag(tag, mapping) for _, tag in block)
    return TaggedSentence(tuple(token for token, _ in block), tags)


def _map_tag(tag: str, mapping: dict[str, str]) -> str:
    label = mapping.get(tag[2:])
    return f"{tag[:2]}{label}" if label else "O"
