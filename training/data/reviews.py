"""Texts with a sentiment: one reader for all sets below `sentiment/`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.data.files import data_root, packed_or_plain, read_columns, read_lines
from training.errors import DataError

LABELS = ("negative", "positive")
OWN_SENTENCES = "order_sensitive"
_OWN = Path(__file__).with_name("order_sensitive.tsv")


class Review(NamedTuple):
    """`label` is 1 for positive, 0 for negative."""

    text: str
    label: int


def read_reviews(name: str, split: str) -> list[Review]:
    """Reviews of `sentiment/<name>/<split>`; neutral ratings (no label) are left out.

    The training part of `sst` is all its labelled phrases, sentences included; that of
    `clothing_reviews`, seven eighths of them positive, is balanced. `imdb` has no dev part: every
    tenth review of its training part is one. `order_sensitive` are sentences of our own.
    """
    root = data_root() / "sentiment"
    if name == "sst":
        file = "train_phrases" if split == "train" else split
        return list(_rows(root / "sst" / "sst2" / f"{file}.tsv.gz"))
    if name == OWN_SENTENCES:
        return own_sentences(split)
    if name == "imdb" and split in ("train", "dev"):
        reviews = list(_rows(root / "imdb/train.tsv.gz"))
        return [review for i, review in enumerate(reviews) if (i % 10 == 0) == (split == "dev")]
    reviews = list(_rows(root / name / f"{split}.tsv.gz"))
    if name == "clothing_reviews" and split == "train":
        return balanced(reviews)
    return reviews


def read_texts(name: str) -> list[str]:
    """Training texts of a set without their labels, neutral ones too: for language models.

    Of `sst`, the sentences alone: its phrases would say the same again, thirteen times.
    """
    root = data_root() / "sentiment"
    path = root / "sst/sst5/train.tsv.gz" if name == "sst" else root / name / "train.tsv.gz"
    return [text for text, _ in _labelled(path)]


def balanced(reviews: list[Review]) -> list[Review]:
    """As many of each label: those of the larger class are drawn once, with a fixed seed."""
    by_label = [[review for review in reviews if review.label == label] for label in (0, 1)]
    count = min(map(len, by_label))
    rng = np.random.default_rng(0)
    kept = [[group[i] for i in sorted(rng.permutation(len(group))[:count])] for group in by_label]
    return kept[0] + kept[1]


def _rows(path: Path) -> Iterator[Review]:
    for text, label in _labelled(path):
        if label:
            yield Review(text, int(label))


def _labelled(path: Path) -> Iterator[tuple[str, str]]:
    """Text and label of each row; the label may be empty."""
    path = packed_or_plain(path)
    header = next(iter(read_lines(path)), "").split("\t")
    if not {"label", "text"} <= set(header):
        raise DataError(f"{path}: has no columns `label` and `text`")
    label, text = header.index("label"), header.index("text")
    title = header.index("title") if "title" in header else None
    for number, row in enumerate(read_columns(path, count=len(header))):
        if number:
            heading = row[title] if title is not None else ""
            yield _joined(heading, row[text]), row[label]


def _joined(title: str, text: str) -> str:
    if not title:
        return text
    return f"{title} {text}" if title[-1] in ".!?" else f"{title}. {text}"


def own_sentences(split: str) -> list[Review]:
    """Sentences of our own whose label hangs on word order; they are never trained on."""
    return [Review(row.text, row.label) for row in order_sensitive(split)]


class OrderSensitive(NamedTuple):
    """`phenomenon` says what turns the words' polarity, such as "negation" or "contrast"."""

    text: str
    label: int
    phenomenon: str


def order_sensitive(split: str) -> list[OrderSensitive]:
    """The rows of `order_sensitive.tsv`: columns label, phenomenon, split, text."""
    lines = _OWN.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return [
        OrderSensitive(text, int(label), kind) for label, kind, part, text in rows if part == split
    ]
