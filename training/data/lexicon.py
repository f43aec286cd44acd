"""Hindi words with their attested Latin spellings: one reader per file below `transliteration/`."""

import unicodedata
from pathlib import Path
from typing import Literal, NamedTuple

from training.data.files import data_root, read_columns, read_lines
from training.errors import DataError

Lexicon = Literal["dakshina_hi", "aksharantar_hi"]


class Spelling(NamedTuple):
    """A Hindi word, a Latin spelling of it, and how many people wrote it so."""

    hindi: str
    latin: str
    people: int


def read_spellings(lexicon: Lexicon, split: str) -> list[Spelling]:
    """All spellings of a lexicon: train, dev, test; aksharantar has no test."""
    folder = data_root() / "transliteration" / lexicon
    if lexicon == "dakshina_hi":
        path = folder / f"hi.translit.sampled.{split}.tsv.xz"
        rows = read_columns(path, count=3)
        return [_spelling(hindi, latin, int(count)) for hindi, latin, count in rows]
    name = {"train": "train", "dev": "valid"}[split]
    return _comma_separated(folder / f"hin_{name}.csv.xz")


def _comma_separated(path: Path) -> list[Spelling]:
    spellings = []
    for number, line in enumerate(read_lines(path), start=1):
        latin, comma, hindi = line.partition(",")
        if not comma:
            raise DataError(f"{path}: line {number} has no comma")
        spellings.append(_spelling(hindi, latin, 1))
    return spellings


def _spelling(hindi: str, latin: str, count: int) -> Spelling:
    return Spelling(unicodedata.normalize("NFC", hindi.strip()), latin.strip().lower(), count)
