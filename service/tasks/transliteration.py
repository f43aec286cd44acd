"""Romanised Hindi in Devanagari, word by word."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from service.bundle import Bundle, Precision
from service.engine.rows import DecodeRow, Hypothesis, Row
from service.engine.session import Session
from service.tasks.base import Parameters, Prepared
from service.tasks.decoded import DecodedPredictor
from service.tasks.errors import BlankText
from service.text.alphabet import Alphabet
from service.text.characters import is_blank
from service.text.spellings import Scored, Spellings, Weights
from service.text.transliteration import Token, in_devanagari, romanised_words

VOCABULARY = "spellings.json.xz"


class TransliterationParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """`top_k` asks for that many spellings of each word beside the text."""

    top_k: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None


class TransliteratedWord(msgspec.Struct, frozen=True):
    """`word` is `text[start:end]` of the caller's string; the likeliest spelling comes first."""

    word: str
    start: int
    end: int
    spellings: list[str]


class Transliteration(msgspec.Struct, frozen=True):
    """The text in Devanagari; `words` are there if `top_k` asked for spellings."""

    transliteration_text: str
    words: list[TransliteratedWord] | UnsetType = UNSET


class Romanised(NamedTuple):
    """A text, its words, and the distinct ones in the order of the rows."""

    text: str
    tokens: list[Token]
    distinct: list[str]
    top_k: int | None


class TransliterationPredictor(DecodedPredictor[TransliterationParameters]):
    """Romanised Hindi in Devanagari; words that are no Hindi letters stay."""

    parameters = TransliterationParameters
    answers = list[Transliteration]

    def __init__(
        self, bundle: Bundle, encoder: Session, decoder: Session, precision: Precision
    ) -> None:
        super().__init__(bundle, encoder, decoder, precision)
        text = bundle.manifest.text
        weights = Weights(*(float(text[name]) for name in Weights._fields))
        self._spellings = Spellings.load(bundle.file(VOCABULARY), weights)

    def prepare(self, text: str, parameters: TransliterationParameters) -> Prepared:
        """One row a distinct word; a text without any needs none and stays as it is."""
        if is_blank(text):
            raise BlankText
        tokens = romanised_words(text)
        distinct = list(dict.fromkeys(token.letters for token in tokens))
        rows: list[Row] = [
            word_row(self._spellings.alphabet, w, self.decoding.beams) for w in distinct
        ]
        return Prepared(rows, Romanised(text, tokens, distinct, parameters.top_k))

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Transliteration]:
        found: Romanised = prepared.context
        pairs = zip(found.distinct, values, strict=True)
        ranked = {word: self._ranked(word, hypotheses) for word, hypotheses in pairs}
        text = in_devanagari(found.text, found.tokens, lambda letters: ranked[letters][0])
        if found.top_k is None:
            return [Transliteration(text)]
        words = [
            TransliteratedWord(
                found.text[token.start : token.end],
                token.start,
                token.end,
                ranked[token.letters][: found.top_k],
            )
            for token in found.tokens
        ]
        return [Transliteration(text, words)]

    def _ranked(self, word: str, hypotheses: Sequence[Hypothesis]) -> list[str]:
        """Spellings of one word, likeliest first; a word that the model leaves out stays."""
        ranked = self._spellings.rank(Scored(found.ids, found.score) for found in hypotheses)
        return ranked or [word]


def word_row(alphabet: Alphabet, letters: str, beams: int) -> DecodeRow:
    """The model's input of one word: ids of its letters."""
    ids = alphabet.ids(letters)
    return DecodeRow(
        {"ids": ids}, len(ids), beams=beams, hypotheses=beams, max_steps=longest_spelling(len(ids))
    )


def longest_spelling(length: int) -> int:
    """Most characters of a Hindi word that is written with `length` Latin letters."""
    return 2 * length + 4
