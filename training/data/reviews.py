"""Texts with a sentiment: one reader for all sets below `sentiment/`."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.data.files import data_root, read_columns, read_lines
from training.errors import DataError

LABELS = ("negative", "positive")


class Review(NamedTuple):
    """`label` is 1 for positive, 0 for negative."""

    text: str
    label: int


def read_reviews(name: str, split: str) -> list[Review]:
    """Reviews of `sentiment/<name>/<split>`; neutral ratings (no label) are left out.

    The training part of `sst` is all its labelled phrases, sentences included; that of
    `clothing_reviews`, seven eighths of them positive, is balanced.
    """
    root = data_root() / "sentiment"
    if name == "sst":
        file = "train_phrases" if split == "train" else split
        return list(_rows(root / "sst" / "sst2" / f"{file}.tsv.gz"))
    reviews = list(_rows(root / name / f"{split}.tsv.gz"))
    if name == "clothing_reviews" and split == "train":
        return balanced(reviews)
    return reviews


def balanced(reviews: list[Review]) -> list[Review]:
    """As many of each label: those of the larger class are drawn once, with a fixed seed."""
    by_label = [[review for review in reviews if review.label == label] for label in (0, 1)]
    count = min(map(len, by_label))
    rng = np.random.default_rng(0)
    kept = [[group[i] for i in sorted(rng.permutation(len(group))[:count])] for group in by_label]
    return kept[0] + kept[1]


def _rows(path: Path) -> Iterator[Review]:
    header = next(iter(read_lines(path)), "").split("\t")
    if not {"label", "text"} <= set(header):
        raise DataError(f"{path}: has no columns `label` and `text`")
    label, text = header.index("label"), header.index("text")
    title = header.index("title") if "title" in header else None
    for number, row in enumerate(read_columns(path, count=len(header))):
        if number and row[label]:
            heading = row[title] if title is not None else ""
            yield Review(_joined(heading, row[text]), int(row[label]))


def _joined(title: str, text: str) -> str:
    if not title:
        return text
    return f"{title} {text}" if title[-1] in ".!?" else f"{title}. {text}"
