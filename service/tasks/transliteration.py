"""Romanised Hindi in Devanagari, word by word."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, Self

import msgspec

from service.bundle import MANIFEST, Bundle, BundleError, DecodingSpec, Precision
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch, decode_all
from service.engine.metrics import DecoderMetrics
from service.engine.rows import DecodeRow, Hypothesis, Row
from service.engine.runner import Lane
from service.engine.session import Device, Session
from service.tasks.base import LaneLimits, Parameters, Predictor, Prepared, choose_precision
from service.tasks.errors import BlankText
from service.text.alphabet import Alphabet
from service.text.characters import is_blank
from service.text.spellings import Scored, Spellings, Weights
from service.text.transliteration import Token, in_devanagari, romanised_words

VOCABULARY = "spellings.json.xz"
_OFFLINE_ROWS = 64


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
    """The text in Devanagari; `words` is null unless `top_k` asked for spellings."""

    transliteration_text: str
    words: list[TransliteratedWord] | None


class Romanised(NamedTuple):
    """A text, its words, and the distinct ones in the order of the rows."""

    text: str
    tokens: list[Token]
    distinct: list[str]
    top_k: int | None


class TransliterationPredictor(Predictor[TransliterationParameters]):
    """Romanised Hindi in Devanagari; words that are no Hindi letters stay."""

    parameters = TransliterationParameters
    answers = list[Transliteration]

    def __init__(
        self, bundle: Bundle, encoder: Session, decoder: Session, precision: Precision
    ) -> None:
        self.bundle, self.device, self.precision = bundle, decoder.device, precision
        text = bundle.manifest.text
        weights = Weights(*(float(text[name]) for name in Weights._fields))
        self._spellings = Spellings.load(bundle.file(VOCABULARY), weights)
        self._decoding = _decoding(bundle)
        self._encoder, self._decoder = encoder, decoder

    @classmethod
    def open(
        cls, bundle: Bundle, device: Device, precision: Precision | None, *, shared_pool: bool
    ) -> Self:
        chosen = choose_precision(bundle, device, precision)
        encoder, decoder = (
            Session.open(bundle.graph(role, chosen), device, shared_pool=shared_pool)
            for role in ("encoder", "decoder")
        )
        return cls(bundle, encoder, decoder, chosen)

    def prepare(self, text: str, parameters: TransliterationParameters) -> Prepared:
        """One row a distinct word; a text without any needs none and stays as it is."""
        if is_blank(text):
            raise BlankText
        tokens = romanised_words(text)
        distinct = list(dict.fromkeys(token.letters for token in tokens))
        rows: list[Row] = [
            word_row(self._spellings.alphabet, w, self._decoding.beams) for w in distinct
        ]
        return Prepared(rows, Romanised(text, tokens, distinct, parameters.top_k))

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Transliteration]:
        found: Romanised = prepared.context
        pairs = zip(found.distinct, values, strict=True)
        ranked = {word: self._ranked(word, hypotheses) for word, hypotheses in pairs}
        text = in_devanagari(found.text, found.tokens, lambda letters: ranked[letters][0])
        if found.top_k is None:
            return [Transliteration(text, None)]
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

    def run(self, rows: Sequence[Row]) -> list[list[Hypothesis]]:
        """Hypotheses of rows; long ones first, so that the batch stays full to the end."""
        sources = [row for row in rows if isinstance(row, DecodeRow)]
        ordered = sorted(sources, key=lambda row: row.length, reverse=True)
        found = decode_all(self._batch(), ordered, at_once=_OFFLINE_ROWS)
        by_row = dict(zip(ordered, found, strict=True))
        return [by_row[row] for row in sources]

    def lane(self, limits: LaneLimits) -> Lane:
        manifest = self.bundle.manifest
        return DecoderLane(
            self._batch(),
            limits.queue(),
            DecoderMetrics(manifest.task, manifest.version),
            rows=limits.batch_rows,
            admissions=limits.admissions,
        )

    def _batch(self) -> DecoderBatch:
        return DecoderBatch(self._encoder, self._decoder, self._decoding)

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


def _decoding(bundle: Bundle) -> DecodingSpec:
    if bundle.manifest.decoding is None:
        raise BundleError(bundle.path, MANIFEST, "a transliteration bundle needs `decoding`")
    return bundle.manifest.decoding
