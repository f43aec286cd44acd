"""Stand-ins: what a model should copy is replaced by marks that it was trained to copy.

A URL, a price or a placeholder is spelt from many sub-words, any of which may go wrong; a mark
is one. Training and serving mask with the same function, so that the model meets no other marks.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import regex

from service.text.lexicon import Lexicon, Span

MOST_MARKS = 10
"""As many different spans of a text are masked; what comes after them stays as it is."""

MARKS = [f"\u27e8{number}\u27e9" for number in range(MOST_MARKS)]

_LATIN_DIGITS = {0x966 + digit: str(digit) for digit in range(10)}
_MARK = regex.compile(r"\u27e8(\d)\u27e9", regex.ASCII)
_SURPLUS_MARK = regex.compile(r"[ ]?\u27e8(\d)\u27e9", regex.ASCII)
_END_MARKS = regex.compile(r"[\s.!?\u2026\u0964\"'\u201c\u201d\u00bb)]*+$")

# Marks are no part of any other span: otherwise a text that spells one could not come back.
_COPIED = regex.compile(
    r"""
      \u27e8\d\u27e9                                                # a mark that was typed
    | <(?:/?[A-Za-z][^<>\n\u27e8\u27e9]{0,300}+|!--[^<>\n\u27e8\u27e9]{0,300}+)>  # HTML tags
    | &(?:[A-Za-z]{2,10}|\#\d{1,6}|\#x[0-9A-Fa-f]{1,6});            # HTML entities
    | `[^`\n\u27e8\u27e9]{1,100}+`                                  # code in back-ticks
    | (?<![\p{L}\p{N}])(?i:[a-z][a-z0-9+.-]{1,10}://|www\.)
      [^\s<>"`\u27e8\u27e9]{0,500}(?<=[^\s<>"`.,;:!?'\)\]\u0964\u2026])  # URL, no end mark
    | (?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}
      @(?:[\p{L}\p{N}-]{1,63}\.){1,4}\p{L}{2,24}                    # e-mail address
    | (?<![\p{L}\p{N}.@-])(?:[A-Za-z0-9-]{1,63}\.){1,4}             # host, with path
      (?:com|org|net|edu|gov|info|io|eu|de|fr|es|in|uk|at|ch|app|dev)
      (?![\p{L}\p{N}-])(?:/[^\s<>"`\u27e8\u27e9]{0,300}(?<=[^\s<>"`.,;:!?'\)\]\u0964\u2026]))?
    | \$?\{\{?[^{}\n\u27e8\u27e9]{0,60}\}\}?                       # {name}, {{name}}, ${name}
    | %\([A-Za-z_]\w{0,40}\)[\#0+-]?\d*(?:\.\d+)?[a-zA-Z]          # %(name)s
    | (?<!\d)%(?:\d+\$)?[0+-]?\d*(?:\.\d+)?l{0,2}[sdifuxXeEgGcr@](?![\p{L}\p{M}\p{N}])  # %s
    | (?<![\p{L}\p{N}$])\$[A-Za-z_]\w{0,60}+                       # $VAR
    | (?<![\p{L}\p{N}_@/.])@[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]{0,60}(?<=[\p{L}\p{M}\p{N}_])
    | (?<![\p{L}\p{N}_\#&/])\#[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]{0,60}+
    | (?<![\p{L}\p{N}/~:.])(?:~|[A-Z]:|\.{1,2})?
      (?:[/\\][\p{L}\p{N}_.-]{1,80}){2,20}(?<=[\p{L}\p{N}_-])       # path of a file
    | (?<![\p{L}\p{N}])\+\d[\d\ ()/-]{5,20}\d                      # telephone number
    | (?<![\p{L}\p{M}\p{N}_])\p{Lu}{1,4}\d[\p{Lu}\d]{0,10}(?![\p{L}\p{M}\p{N}_])  # A320, B2B
    | (?<!\p{N})(?:
        [$\u20ac\u00a3\u20b9\u00a5]\d+(?:[.,:/'\u2019-]\d+){0,8}     # $5
      | \d{1,3}(?:[\ \u00a0\u202f]\d{3}(?!\d))+(?:[.,]\d+)?        # 10 000
      | \d+(?:[.,:/'\u2019-]\d+){1,8}                              # 3.5, 1,000, 12:30, 2020-03-15
      | \d{2,}
      | \d(?=(?&unit))
      )(?&unit)?
    | (?:[\U0001F1E6-\U0001F1FF]{2}|[0-9\#*]\uFE0F?\u20E3            # emoji
        |\p{Extended_Pictographic}[\uFE0E\uFE0F\U0001F3FB-\U0001F3FF]?
         (?:\u200D\p{Extended_Pictographic}[\uFE0E\uFE0F\U0001F3FB-\U0001F3FF]?)*)+
    | (?<!\S)[:;=]['-]?[()DPp|*/](?![^\s.,!?])                      # :-)
    | (?&foreign)(?:(?&foreign)|\p{M}|[\ \u200c\u200d'\u2019-](?=(?&foreign))){0,2000}+
    | [\p{L}\p{M}\p{N}_]{80,}+                                      # no word of any language
    (?(DEFINE)(?<foreign>                                           # other scripts than ours
        (?![\p{Latin}\p{Devanagari}\p{Common}])\p{L}
    ))
    (?(DEFINE)(?<unit>
        \ ?[%\u2030](?![\p{L}\p{N}]) | [\u20ac\u00a3\u20b9$] | \u00b0[CF]?
        | (?:km/h|mph|[kcm]?m|[km]?g|[mc]?l|[GMKT]B|[kMG]?Hz|kWh|[kM]?W)(?![\p{L}\p{M}\p{N}/])
    ))
    """,
    regex.VERBOSE,
)


_PLAIN = regex.compile(
    r"""
    (?: (?:(?=[\p{L}\p{M}])[\p{Latin}\p{Devanagari}\p{Inherited}]){1,79}+(?![\p{L}\p{M}])
      | [\u200c\u200d\s.,!?'\u2019"\u2026\u0964\u00a1\u00bf-]
    )*+
    """,
    regex.VERBOSE,
)
"""Most sentences hold nothing else: the costly search is for the others."""

_DEVANAGARI = regex.compile(
    r"\p{Devanagari}(?:[\p{Devanagari}\p{M}\u200c\u200d]|[ -](?=\p{Devanagari}))*+"
)


class Masked(NamedTuple):
    """A text with marks; mark `i` stands for `values[i]`."""

    text: str
    values: list[str]

    def resolved(self) -> str:
        """The text with its spans put back; marks that stand for nothing are left out."""
        text = without_surplus(self.text, len(self.values))
        return _MARK.sub(lambda found: self.values[int(found[1])], text)


def mask(text: str, lexicon: Lexicon | None = None, language: str = "") -> Masked:
    """Replace what is to be copied: the first different span by mark 0, the next by mark 1 ….

    Spans are URLs, e-mail addresses, placeholders, tags, handles, codes, numbers (but single
    digits, which a model may have to write as words), emoji, scripts other than Latin and
    Devanagari, and strings too long for a word; with the lexicon of the model also names that it
    does not know, and Devanagari in a `language` of Latin letters. Equal spans have the same mark.
    """
    values: list[str] = []
    typed = {found.group() for found in _MARK.finditer(text)}

    def replace(value: str) -> str:
        if value not in values:
            if len(values) + len(typed - {value}) >= MOST_MARKS:
                return value
            values.append(value)
            typed.discard(value)
        return MARKS[values.index(value)]

    masked, end = [], 0
    for start, stop in _copied_spans(text, lexicon, language):
        masked += [text[end:start], replace(text[start:stop])]
        end = stop
    return Masked("".join([*masked, text[end:]]), values)


def _copied_spans(text: str, lexicon: Lexicon | None, language: str) -> list[Span]:
    """In their order, none over another."""
    plain = _PLAIN.fullmatch(text)
    spans = [] if plain else [found.span() for found in _COPIED.finditer(text)]
    if lexicon is None:
        return spans
    covered = {place for start, stop in spans for place in range(start, stop)}
    names = lexicon.unknown_names(text, language)
    if language not in ("", "hi"):
        names += [found.span() for found in _DEVANAGARI.finditer(text)]
    return sorted(spans + [name for name in names if covered.isdisjoint(range(*name))])


def mask_pair(source: str, target: str) -> tuple[str, str]:
    """A translation pair for training: masked is what stands on both sides, by equal marks.

    Devanagari digits equal Latin ones.
    """
    if _PLAIN.fullmatch(source) or _PLAIN.fullmatch(target):
        return source, target
    shared = {_key(value) for value in mask(target).values}
    keys: list[str] = []

    def replace(value: str) -> str:
        key = _key(value)
        if key in shared and key not in keys and len(keys) < MOST_MARKS:
            keys.append(key)
        return MARKS[keys.index(key)] if key in keys else value

    return (
        _COPIED.sub(lambda found: replace(found.group()), source),
        _COPIED.sub(lambda found: _marked(found.group(), keys), target),
    )


def unmask(output: str, values: Sequence[str], places: Mapping[int, int] | None = None) -> str:
    """Put the spans back: none is lost, and a mark that stands for nothing is left out."""
    return Masked(restore(output, len(values), places), list(values)).resolved()


def restore(output: str, count: int, places: Mapping[int, int] | None = None) -> str:
    """`output` with marks 0 to `count` - 1, and no others.

    A mark that the model lost is set in before character `places[mark]` of `output`, or at the
    end, before the marks that close the sentence.
    """
    lost = [number for number in range(count) if MARKS[number] not in output]
    known = places or {}
    end = _END_MARKS.search(output)
    last = end.start() if end else len(output)
    for number in sorted(lost, key=lambda number: (known.get(number, last), number), reverse=True):
        output = _insert(output, MARKS[number], known.get(number, last))
    return without_surplus(output, count)


def without_surplus(output: str, count: int) -> str:
    """`output` without the marks that stand for nothing: those from `count` on."""
    return _SURPLUS_MARK.sub(lambda found: found.group() if int(found[1]) < count else "", output)


def unmasked_offset(masked: Masked, offset: int) -> int:
    """The character of the source where character `offset` of the masked text stands.

    Inside a mark it is the start of the span; so an end must be asked for as an end.
    """
    shift = 0
    for found in _MARK.finditer(masked.text):
        if found.end() > offset:
            return min(offset, found.start()) + shift
        shift += len(masked.values[int(found[1])]) - len(found.group())
    return offset + shift


def _marked(value: str, keys: Sequence[str]) -> str:
    key = _key(value)
    return MARKS[keys.index(key)] if key in keys else value


def _key(value: str) -> str:
    return value.translate(_LATIN_DIGITS)


def _insert(output: str, mark: str, place: int) -> str:
    """`mark` between blanks, where there are neighbours to be kept apart from."""
    before, after = output[:place], output[place:]
    left = " " if before and not before[-1].isspace() else ""
    right = " " if after and (after[0].isalnum() or _MARK.match(after)) else ""
    return f"{before}{left}{mark}{right}{after}"
