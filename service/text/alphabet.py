"""Characters as ids: what the character models read and write."""

import json
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

PAD_ID, BOS_ID, EOS_ID, UNKNOWN_ID = 0, 1, 2, 3
_FIRST_ID = 4


class Alphabet:
    """Ids of characters; one that was too rare to learn is known by its script, if that is.

    A symbol of several letters is a script, named as Unicode names its characters (`CJK`).
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = list(symbols)
        self._ids = {symbol: i for i, symbol in enumerate(self.symbols, start=_FIRST_ID)}

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.symbols, ensure_ascii=False), encoding="utf-8")

    @property
    def size(self) -> int:
        return len(self.symbols) + _FIRST_ID

    def ids(self, text: str) -> NDArray[np.int64]:
        """(characters,)"""
        return np.array([self._id(char) for char in text], np.int64)

    def text(self, ids: Sequence[int]) -> str:
        """Characters of `ids`; reserved ids have none."""
        return "".join(self.symbols[i - _FIRST_ID] for i in ids if i >= _FIRST_ID)

    def _id(self, char: str) -> int:
        found = self._ids.get(char)
        return found if found is not None else self._ids.get(script_of(char), UNKNOWN_ID)


@lru_cache(maxsize=20_000)
def script_of(char: str) -> str:
    """First word of the character's Unicode name: `LATIN`, `CJK`, `HIRAGANA`."""
    return unicodedata.name(char, "NONE").partition(" ")[0].partition("-")[0]
