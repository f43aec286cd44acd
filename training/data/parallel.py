"""Sentence pairs: one reader per layout below `translation/`."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from training.data.files import data_root, read_columns, read_lines
from training.errors import DataError


@dataclass(frozen=True, slots=True)
class SentencePair:
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class References:
    """One source sentence with all its reference translations."""

    source: str
    targets: tuple[str, ...]


def read_pairs(corpus: str, split: str, languages: tuple[str, str]) -> list[SentencePair]:
    """Pairs of `corpus` in the order of `languages` (source, target)."""
    folder = data_root() / "translation" / corpus
    if corpus.startswith("tatoeba_en-"):
        return _two_columns(folder / f"{split}.tsv.xz", corpus[-5:].split("-"), languages)
    if corpus.startswith("indian_parallel"):
        return _four_references(folder / f"{split}.tsv.xz", languages)
    if corpus == "multi30k":
        return _aligned_files(folder, split, languages)
    if corpus == "hindi_visual_genome":
        return _captions(folder / f"{split}.tsv.xz", languages)
    return _headed(folder / f"{split}.tsv.xz", languages)


def group_references(pairs: list[SentencePair]) -> list[References]:
    """Pairs with the same source become one source with several references."""
    targets: defaultdict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        targets[pair.source].append(pair.target)
    return [References(source, tuple(found)) for source, found in targets.items()]


def _two_columns(path: Path, order: list[str], wanted: tuple[str, str]) -> list[SentencePair]:
    first, second = _positions(path, order, wanted)
    return [SentencePair(row[first], row[second]) for row in read_columns(path, count=2)]


def _headed(path: Path, wanted: tuple[str, str]) -> list[SentencePair]:
    header = next(iter(read_lines(path)), "").split("\t")
    first, second = _positions(path, header, wanted)
    rows = islice(read_columns(path, count=len(header)), 1, None)
    return [SentencePair(row[first], row[second]) for row in rows]


def _captions(path: Path, wanted: tuple[str, str]) -> list[SentencePair]:
    """Hindi Visual Genome: image, place in it (four columns), English, Hindi."""
    first, second = _positions(path, ["en", "hi"], wanted)
    rows = [row[5:] for row in read_columns(path, count=7)]
    return [SentencePair(row[first], row[second]) for row in rows]


def _aligned_files(folder: Path, split: str, wanted: tuple[str, str]) -> list[SentencePair]:
    """Multi30k: one file a language, line by line; its own names for the splits."""
    name = {"dev": "val", "test": "test_2016_flickr"}.get(split, split)
    source, target = (read_lines(folder / f"{name}.{code}.xz") for code in wanted)
    return [SentencePair(*texts) for texts in zip(source, target, strict=True)]


def _four_references(path: Path, wanted: tuple[str, str]) -> list[SentencePair]:
    pairs = []
    for row in islice(read_columns(path, count=6), 1, None):
        texts = {"hi": [row[1]] * 4, "en": row[2:]}
        if not set(wanted) <= set(texts):
            raise DataError(f"{path}: has no {wanted[0]}-{wanted[1]} columns")
        rows = zip(texts[wanted[0]], texts[wanted[1]], strict=True)
        pairs += [SentencePair(source, target) for source, target in rows if source and target]
    return pairs


def _positions(path: Path, order: list[str], wanted: tuple[str, str]) -> tuple[int, int]:
    try:
        return order.index(wanted[0]), order.index(wanted[1])
    except ValueError:
        raise DataError(f"{path}: has no {wanted[0]}-{wanted[1]} columns") from None
