"""IOB2 tags and the spans that they mark."""

from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Words `start` up to but not including `end` are one entity of type `label`."""

    label: str
    start: int
    end: int


def iob2_tags(labels: Sequence[str]) -> list[str]:
    """The tag set of entity types: O, then B- and I- of each."""
    return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


def tags_to_spans(tags: Sequence[str]) -> list[Span]:
    """Entities of a sequence; like conlleval, an I- that continues nothing begins an entity."""
    spans: list[Span] = []
    for position, tag in enumerate(tags):
        if tag == "O":
            continue
        prefix, label = tag[0], tag[2:]
        open_span = spans[-1] if spans and spans[-1].end == position else None
        if prefix == "I" and open_span is not None and open_span.label == label:
            spans[-1] = open_span._replace(end=position + 1)
        else:
            spans.append(Span(label, position, position + 1))
    return spans


def spans_to_tags(spans: Sequence[Span], length: int) -> list[str]:
    """IOB2 tags of `length` words."""
    tags = ["O"] * length
    for label, start, end in spans:
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags
