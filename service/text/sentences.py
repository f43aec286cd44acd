"""Sentences of a text with what stands between them, so that it can be put together again."""

import regex

_SENTENCE_END = regex.compile(
    r"""
    (?<!\s)(?=\s)                        # once a run of blanks: linear on hostile input
    (?<=[.!?\u2026]["'\u201d\u00bb)]*)   # an end mark, quotation marks or brackets behind it
    (?<!\b(?:\p{Lu}|[Mm]rs?|[Dd]r|[Pp]rof|[Ss]t|vs|etc|e\.g|i\.e|z\.B|bzw|ca|Nr|Sr|Sra)\.)
    (?!(?<=\b[Nn]o\.)\s+\p{N})           # No. 5 goes on, "No. I am" does not
    \s++(?=["'\u201c\u00ab\u00a1\u00bf(]*+[\p{Lu}\p{Lo}\p{N}])   # the next begins with a capital
    | (?<=\u0964)\s*                     # the danda ends a Hindi sentence
    | (?<!\s)\s*[\r\n\v\f\x85\u2028\u2029]\s*   # so does a line break
    """,
    regex.VERBOSE,
)


def split_sentences(text: str) -> list[str]:
    """Sentences and separators in turn: even positions are sentences (some may be empty)."""
    parts: list[str] = []
    position = 0
    for gap in _SENTENCE_END.finditer(text):
        parts += [text[position : gap.start()], gap.group()]
        position = gap.end()
    return [*parts, text[position:]]
