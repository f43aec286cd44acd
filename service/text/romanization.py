"""Devanagari in Latin letters, by rule: ISO 15919, or as Hindi is informally typed."""

import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

import regex

Style = Literal["iso", "informal"]

_VIRAMA, _NUKTA, _INHERENT = "्", "़", "अ"
_VISARGA = "\u0903"
_LABIALS = frozenset("पफबभम")
# A vowel sign and the letter that it stands for: all tables below are of letters.
_SIGNS = dict(zip("ािीुूृॄॢॣॅॆेैॉॊोौ", "आइईउऊऋॠऌॡऍऎएऐऑऒओऔ", strict=True))


def _table(letters: str, latin: str) -> dict[str, str]:
    """Letters one by one, with their Latin forms between blanks."""
    return dict(zip(letters, latin.split(), strict=True))


_CONSONANTS = "कखगघङचछजझञटठडढणतथदधनपफबभमयरलळवशषसहऩऱऴ"
_VOWELS = "अआइईउऊऋॠऌॡऍऎएऐऑऒओऔ"
_ASPIRABLE = frozenset([*"कगचजटडतदपब", "ड़"])

_ISO_CONSONANTS = {
    **_table(
        _CONSONANTS,
        "k kh g gh ṅ c ch j jh ñ ṭ ṭh ḍ ḍh ṇ t th d dh n p ph b bh m y r l ḷ v ś ṣ s h ṉ ṟ ḻ",
    ),
    "क़": "q",
    "ख़": "k͟h",
    "ग़": "ġ",
    "ज़": "z",
    "ड़": "ṛ",
    "ढ़": "ṛh",
    "फ़": "f",
    "य़": "ẏ",
}
_ISO_VOWELS = _table(_VOWELS, "a ā i ī u ū r̥ r̥̄ l̥ l̥̄ ê e ē ai ô o ō au")
_ISO_MARKS = {"ं": "ṁ", "ँ": "m̐", _VISARGA: "ḥ"}

_INFORMAL_CONSONANTS = {
    **_table(
        _CONSONANTS,
        "k kh g gh n ch chh j jh n t th d dh n t th d dh n p ph b bh m y r l l v sh sh s h n r l",
    ),
    "क़": "q",
    "ज़": "z",
    "फ़": "f",
}
_INFORMAL_VOWELS = _table(_VOWELS, "a aa i ee u oo ri ri l l e e e ai o o o au")
_INFORMAL_MARKS = {_VISARGA: "h"}
# Very frequent words whose usual spelling no rule gives.
_INFORMAL_WORDS = {"में": "mein", "नहीं": "nahin"}

_FIRST_DIGIT = 0x966
# Digits, the danda and its like; joiners only shape glyphs.
_MARKS_OF_TEXT = {
    **{chr(_FIRST_DIGIT + digit): str(digit) for digit in range(10)},
    "\u0964": ".",
    "\u0965": "..",
    "\u0970": ".",
    "\u200c": "",
    "\u200d": "",
}
_ISO_OTHERS = {**_MARKS_OF_TEXT, "ॐ": "ōṁ", "ऽ": "\u2019"}
_INFORMAL_OTHERS = {**_MARKS_OF_TEXT, "ॐ": "om", "ऽ": ""}

_VOWEL_SIGN = f"[{''.join(_SIGNS)}]"
_SYLLABLE = regex.compile(
    rf"(?P<consonant>[{_CONSONANTS}]{_NUKTA}?)(?P<sign>{_VOWEL_SIGN}|{_VIRAMA})?(?P<marks>[ंँः]*)"
    rf"|(?P<vowel>[{_VOWELS}]|{_VOWEL_SIGN})(?P<marks>[ंँः]*)"
)
_WORD = regex.compile(r"[\p{Devanagari}\u200c\u200d--[\u0964-\u0970\u0950]]+", regex.V1)
_SPACED_DANDA = regex.compile(r"(?<=\S)[ \t]+(?=[\u0964\u0965])")


class Syllable(NamedTuple):
    """A consonant letter (or none), its vowel letter (none after a virama), nasals and visarga."""

    consonant: str
    vowel: str
    marks: str


def romanize(text: str, style: Style) -> str:
    """`text` with its Devanagari in Latin letters; everything else stays as it is.

    `iso` is ISO 15919: a sign for each letter, inherent vowels written, so that no two spellings
    fall together. `informal` is what translation pages show ("kya tumane khaaya?"): long vowels
    doubled, but a long a at the end of a word single; the final inherent vowel dropped, medial
    ones kept; no diacritics.
    """
    text = unicodedata.normalize("NFC", text)
    if style == "iso":
        return _replaced(text, _iso_word, _ISO_OTHERS)
    return _replaced(_SPACED_DANDA.sub("", text), _informal_word, _INFORMAL_OTHERS)


def _replaced(text: str, word: Callable[[str], str], others: dict[str, str]) -> str:
    latin = _WORD.sub(lambda found: word(found.group()), text)
    return "".join(others.get(char, char) for char in latin)


def _pieces(word: str) -> list[Syllable | str]:
    """Syllables, and the characters between them that belong to none."""
    pieces: list[Syllable | str] = []
    position = 0
    for found in _SYLLABLE.finditer(word):
        pieces += [*word[position : found.start()], _syllable(found)]
        position = found.end()
    return [*pieces, *word[position:]]


def _syllable(found: "regex.Match[str]") -> Syllable:
    sign, vowel = found["sign"], found["vowel"]
    if vowel:
        return Syllable("", _SIGNS.get(vowel, vowel), found["marks"])
    vowel = "" if sign == _VIRAMA else _SIGNS.get(sign, _INHERENT)
    return Syllable(found["consonant"], vowel, found["marks"])


def _consonant(letter: str, table: dict[str, str]) -> str:
    """A nukta that has no letter of its own with this consonant is left out."""
    return table[letter] if letter in table else table[letter[:1]]


def _iso_word(word: str) -> str:
    latin: list[str] = []
    before = Syllable("", "", "")
    for piece in _pieces(word):
        if isinstance(piece, str):
            latin.append(_stray(piece, _ISO_MARKS))
            continue
        consonant = _consonant(piece.consonant, _ISO_CONSONANTS) if piece.consonant else ""
        colon = ":" if _needs_colon(before, piece) else ""
        latin += [colon, consonant, _ISO_VOWELS.get(piece.vowel, "")]
        latin += [_ISO_MARKS[mark] for mark in piece.marks]
        before = piece
    return "".join(latin)


def _needs_colon(before: Syllable, piece: Syllable) -> bool:
    """True where letters would run together: a + i is not ai, k + h is not kh (ISO 15919, 9.2)."""
    if piece.consonant == "ह":
        return not before.vowel and before.consonant in _ASPIRABLE
    in_hiatus = not piece.consonant and piece.vowel in ("इ", "उ")
    return in_hiatus and before.vowel == _INHERENT and not before.marks


def _stray(char: str, marks: dict[str, str]) -> str:
    """A character that no syllable holds: a mark without its letter, or no letter at all."""
    return marks.get(char, "" if char in (_VIRAMA, _NUKTA) else char)


def _informal_word(word: str) -> str:
    if word in _INFORMAL_WORDS:
        return _INFORMAL_WORDS[word]
    pieces = _pieces(word.replace("ज्ञ", "ग्य"))  # as Hindi speaks it
    syllables = [piece for piece in pieces if isinstance(piece, Syllable)]
    vowels = sum(bool(syllable.vowel) for syllable in syllables)
    latin: list[str] = []
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        if isinstance(piece, str):
            latin.append(_stray(piece, {**_INFORMAL_MARKS, "ं": "n", "ँ": "n"}))
        elif following is None:
            latin.append(_informal_end(piece, alone=vowels == 1))
        else:
            latin.append(_informal(piece, following))
    return "".join(latin)


def _informal(syllable: Syllable, following: Syllable | str) -> str:
    nasal = "m" if isinstance(following, Syllable) and following.consonant in _LABIALS else "n"
    marks = [_INFORMAL_MARKS.get(mark, nasal) for mark in syllable.marks]
    return _onset(syllable) + _INFORMAL_VOWELS.get(syllable.vowel, "") + "".join(marks)


def _informal_end(syllable: Syllable, *, alone: bool) -> str:
    """The last syllable of a word; `alone` if it holds the only vowel, which must be heard."""
    if syllable.vowel == _INHERENT and not syllable.marks and not alone:
        return _onset(syllable)
    if syllable.vowel == "आ" and not syllable.marks and (syllable.consonant or not alone):
        return _onset(syllable) + "a"
    return _informal(syllable, "")


def _onset(syllable: Syllable) -> str:
    return _consonant(syllable.consonant, _INFORMAL_CONSONANTS) if syllable.consonant else ""
