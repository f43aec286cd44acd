"""Sentences with their language."""

from itertools import islice
from typing import NamedTuple

from training.data.files import data_root, read_columns


class Labelled(NamedTuple):
    text: str
    language: str


def read_labelled(split: str) -> list[Labelled]:
    """Sentences of `other/language_identification/<split>`."""
    path = data_root() / "other" / "language_identification" / f"{split}.tsv.xz"
    rows = islice(read_columns(path, count=2), 1, None)
    return [Labelled(text, language) for language, text in rows]
