"""Hand-written sentences with their entities, `[TYPE words]` each: for choosing, not training."""

from pathlib import Path

import regex

from service.text.spans import Span, spans_to_tags
from training.data.conll import TaggedSentence
from training.errors import DataError

_FILE = Path(__file__).with_name("own_sentences.txt")
_PART = regex.compile(r"\[(?P<label>\p{Lu}+) (?P<words>[^\]]+)\]|(?P<word>[^\s\[\]]+)")


def read_own_sentences(path: Path = _FILE) -> list[TaggedSentence]:
    """Sentences of a file; empty lines and those that begin with # are skipped.

    Raises DataError for a bracket that is left open.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        _parse(line, f"{path}: line {number}")
        for number, line in enumerate(lines, start=1)
        if line and not line.startswith("#")
    ]


def _parse(line: str, place: str) -> TaggedSentence:
    tokens: list[str] = []
    spans: list[Span] = []
    for part in _PART.finditer(line):
        words = (part["words"] or part["word"]).split()
        if part["label"]:
            spans.append(Span(part["label"], len(tokens), len(tokens) + len(words)))
        tokens += words
    if line.count("[") != len(spans) or line.count("]") != len(spans):
        raise DataError(f"{place}: has a bracket that marks no entity")
    return TaggedSentence(tuple(tokens), tuple(spans_to_tags(spans, len(tokens))))
