"""Sub-word vocabulary: byte-pair encoding with byte fallback (Sennrich et al., ACL 2016).

Characters that the merges never saw are spelt in bytes, so no input gives an unknown token.
The file format is that of Hugging Face `tokenizers` (one JSON file).
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
PAD_ID, BOS_ID, EOS_ID = 0, 1, 2
# Patterns, in order, and what stands for their matches: typographic quotes and line breaks of web
# pages, then blanks that no writer puts there. Offsets still count the caller's characters.
_REJOINED = [
    ("[\u2018\u2019\u00b4`]", "'"),
    ("[\u201c\u201d]|''", '"'),
    (r"<\s*/?\s*br\s*/?\s*>", " "),
    (r"\s+(?=n't\b)", ""),
    (r"\s+(?='(s|re|ve|ll|d|m)\b)", ""),
    (r"\s+(?=[.,!?;:%)\]])", ""),
    (r"(?<=[(\[$])\s+", ""),
]
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


class Pieces(NamedTuple):
    """Sub-words of one text: vocabulary ids, and the `(start, end)` of each in the text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Subwords:
    """Text to sub-word ids and back; pure functions around one vocabulary file."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        path.write_text(self._tokenizer.to_str(pretty=False), encoding="utf-8")

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        size: int,
        *,
        symbols: Sequence[str] = (),
        whole: Sequence[str] = (),
        lowercase: bool,
        rejoin: bool = False,
    ) -> Self:
        """Learn `size` sub-words.

        `symbols` are whole tokens that no text can spell, `whole` are strings that are never cut.
        With `rejoin`, what a tokenizer of corpora split ("ca n't", "well , no") reads like what
        people write ("can't", "well, no").
        """
        reserved = [PAD, BOS, EOS, *symbols, *_BYTES, *whole]
        trainer = BpeTrainer(
            vocab_size=size, special_tokens=reserved, show_progress=False, limit_alphabet=400
        )
        tokenizer = _untrained(lowercase=lowercase, rejoin=rejoin)
        tokenizer.train_from_iterator(texts, trainer)
        return cls(_without_spelt_symbols(tokenizer, whole))

    @property
    def size(self) -> int:
        return self._tokenizer.get_vocab_size()

    def id_of(self, symbol: str) -> int:
        """The id of a reserved symbol; KeyError if the vocabulary lacks it."""
        found = self._tokenizer.token_to_id(symbol)
        if found is None:
            raise KeyError(symbol)
        return found

    def knows(self, symbol: str) -> bool:
        """True if `symbol` is in the vocabulary."""
        return self._tokenizer.token_to_id(symbol) is not None

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Pieces(e.ids, e.offsets) for e in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`; reserved symbols below the bytes are left out."""
        first_byte = self.id_of(_BYTES[0])
        return self._tokenizer.decode([i for i in ids if i >= first_byte])


def _untrained(*, lowercase: bool, rejoin: bool) -> Tokenizer:
    tokenizer = Tokenizer(BPE(byte_fallback=True))
    steps = [normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]
    if rejoin:
        steps += [normalizers.Replace(Regex(pattern), text) for pattern, text in _REJOINED]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="first"),
            pre_tokenizers.Punctuation(behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(), decoders.Fuse()]
    )
    return tokenizer


def _without_spelt_symbols(tokenizer: Tokenizer, whole: Sequence[str]) -> Tokenizer:
    """Keep reserved symbols in the vocabulary but unreachable from text, `whole` ones apart.

    An "added token" is matched literally: a caller could type `</s>` and end the sentence.
    """
    layout = json.loads(tokenizer.to_str())
    layout["added_tokens"] = [
        {**token, "special": False} for token in layout["added_tokens"] if token["content"] in whole
    ]
    return Tokenizer.from_str(json.dumps(layout, ensure_ascii=False))
