"""Sentences of a text with what stands between them, so that it can be put together again."""

from collections.abc import Callable, Sequence

import regex

Offsets = Sequence[tuple[int, int]]

_ABBREVIATIONS = (
    # titles and names
    "[Mm]rs?|[Mm]s|[Dd]r|[Pp]rof|[Ss]te?|[Jj]r|[Ss]r|[Ss]ra|[Ss]rta|[Ss]rs|Hr|Fr|Frl|Mme|Mlle|"
    "Ing|Dipl|Gen|Col|Capt|Lt|Sgt|Gov|Sen|Rep|Rev|Hon|Ud|Uds|Vd|Vds|D|"
    # common to several languages
    "vs|etc|e\\.?g|i\\.?e|[Cc]f|[Vv]ol|[Ff]ig|[Cc]ap|[Aa]pprox|[Cc]a|Inc|Ltd|Co|Corp|Bros|"
    "[Dd]ept|[Ee]st|[Tt]el|[Nn]r|[Mm]ax|[Mm]in|[Ee]d|[Pp]p?|[Aa]v|[Bb]d|[Aa]rt|"
    # German
    "[Bb]zw|[Uu]sw|[Uu]svw|[Gg]gf|[Ee]vtl|[Ii]nkl|[Ee]xkl|[Bb]zgl|[Ss]og|[Mm]ind|[Ss]tr|[Aa]bs|"
    "[Vv]gl|[Tt]ägl|[Ss]t[Dd]|"
    # French and Spanish
    "c\\.-à-d|[Ee]j|[Pp]ág|[Nn]úm|[Aa]dm|[Ee]nv|[Ee]x|[Tt]él|[Aa]prox|EE|UU"
)
"""Words before whose full stop no sentence ends."""

_ORDINAL_NOUNS = (
    "Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jahrtausend|Weltkrieg|Klasse|"
    "Stock|Etage|Geburtstag|Platz|Mal|Tag|Woche|Monat|Jahr|Kapitel|Teil|Band|Lebensjahr|Runde"
)
"""Beginnings of nouns before which a German number with a full stop is an ordinal."""

_GAP = regex.compile(
    r"""
    (?<!\s)(?=\s)                        # once a run of blanks: linear on hostile input
    (?<=[.!?\u2026]["'\u2019\u201d\u201c\u00bb\u203a)\]]*)\s++   # end mark, closing marks behind it
    | (?<=[\u0964\u0965]["'\u2019\u201d)]?)(?!["'\u2019\u201d)\u0964\u0965])\s*   # a danda
    | (?<!\s)\s*[\r\n\v\f\x85\u2028\u2029]\s*   # a line break
    """,
    regex.VERBOSE,
)
_BREAK = regex.compile(r"[\r\n\v\f\x85\u2028\u2029\u0964\u0965]")
_STARTS = regex.compile(
    r"""["'\u201c\u201e\u00ab\u2039\u00a1\u00bf(\[\u27e8]*+[\p{Lu}\p{Lo}\p{N}]"""
)
_GOES_ON = regex.compile(
    rf"""
    \b(?:(?!(?<=[ap]\.)m)\p{{L}}|{_ABBREVIATIONS})\.$
    | (?:^|[\n\r.!?]\s)\s*\d{{1,2}}\.$   # 1. Open the door
    """,
    regex.VERBOSE,
)
_SMALL_END = regex.compile(r"(?:[!?]|\p{Ll}{4}\.)$")
_ORDINAL = regex.compile(rf"\b\d{{1,2}}\. (?:{_ORDINAL_NOUNS})|\b[Nn]o\. \p{{N}}")
_HESITATION = regex.compile(r"\b(\p{L}++)(?:\.{3}|\u2026)$")
_SEEN_BEFORE, _SEEN_BEHIND = 40, 20

_CLAUSE_ENDS = (
    regex.compile(r"(?<=[.!?;:\u2026\u0964]['\u2019\"\u201d)]?)\s+"),
    regex.compile(r"(?<=[,)\]])\s+|\s+(?=[(\[\u2013\u2014-])"),
    regex.compile(r"\s+"),
)
"""Where a sentence may be cut, best first."""


def split_sentences(text: str) -> list[str]:
    """Sentences and separators in turn: even positions are sentences (some may be empty)."""
    parts: list[str] = []
    position = 0
    for gap in _GAP.finditer(text):
        if _is_end(text, *gap.span()):
            parts += [text[position : gap.start()], gap.group()]
            position = gap.end()
    return [*parts, text[position:]]


def split_long(text: str, limit: int, offsets_of: Callable[[str], Offsets]) -> list[str]:
    """`text` in pieces of at most `limit` sub-words, and separators, in turn.

    It is cut where a clause ends, else between words, else inside a word between characters.
    """
    parts: list[str] = []
    rest, offsets = text, offsets_of(text)
    while len(offsets) > limit:
        end, start = _cut(rest, offsets[limit][0])
        piece = rest[:end]
        if len(offsets_of(piece)) > limit:  # its sub-words are others without what follows
            parts += [*split_long(piece, limit // 2, offsets_of), rest[end:start]]
        else:
            parts += [piece, rest[end:start]]
        rest, offsets = rest[start:], offsets_of(rest[start:])
    return [*parts, rest]


def _is_end(text: str, start: int, end: int) -> bool:
    """True if a sentence ends at the gap from `start` to `end`, by what stands around it."""
    before, after = text[max(0, start - _SEEN_BEFORE) : start], text[end : end + _SEEN_BEHIND]
    if start == end or _BREAK.search(text, start, end) or _BREAK.match(before[-1:]):
        return True
    if _GOES_ON.search(before):
        return False
    if _ORDINAL.search(f"{before[-4:]} {after}"):
        return False
    hesitation = _HESITATION.search(before)
    if hesitation and regex.match(rf"{hesitation[1]}\b", after):  # I... I do not know
        return False
    if _STARTS.match(after):
        return True
    return after[:1].islower() and _SMALL_END.search(before) is not None


def _cut(text: str, latest: int) -> tuple[int, int]:
    """End of the first piece of `text` and start of the next, the end at most `latest`."""
    for pattern in _CLAUSE_ENDS:
        gaps = [gap.span() for gap in pattern.finditer(text, latest // 2, latest + 1)]
        gaps = [(start, end) for start, end in gaps if 0 < start <= latest]
        if gaps:
            return gaps[-1]
    return (_character_start(text, latest),) * 2


def _character_start(text: str, position: int) -> int:
    """The last start of a whole character (with its marks) up to `position`; at least 1."""
    starts = [found.start() for found in _CHARACTER.finditer(text, 0, position + 8)]
    return max((start for start in starts if 0 < start <= position), default=max(position, 1))


_CHARACTER = regex.compile(r"\X")
