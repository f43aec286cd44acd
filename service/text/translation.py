"""What the translation model reads, and how long its answer may be."""

from collections.abc import Sequence

from service.text.languages import language_token
from service.text.subwords import EOS_ID, Subwords


def source_ids(subwords: Subwords, pieces: Sequence[int], target_language: str) -> list[int]:
    """Encoder input: the token of the target language, the text's sub-words, the end."""
    return [subwords.id_of(language_token(target_language)), *pieces, EOS_ID]


def longest_output(source_length: int) -> int:
    """Most decoder steps for a source of `source_length` ids: no input can loop without end."""
    return 2 * source_length + 10
