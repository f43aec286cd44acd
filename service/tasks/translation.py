"""Translation between the languages of a multilingual encoder-decoder."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, Self

import msgspec
import numpy as np

from service.bundle import MANIFEST, Bundle, BundleError, DecodingSpec, Precision
from service.engine.decoder_lane import DecoderLane
from service.engine.decoding import DecoderBatch, decode_all
from service.engine.metrics import DecoderMetrics
from service.engine.queue import RowQueue
from service.engine.rows import DecodeRow, Hypothesis, Row
from service.engine.runner import Lane
from service.engine.session import Device, Session
from service.tasks.base import LaneLimits, Parameters, Predictor, Prepared, choose_precision
from service.tasks.errors import (
    BlankText,
    InputTooLong,
    LanguageMissing,
    NotStreamed,
    SameLanguage,
    UnknownLanguage,
    UnservedDirection,
)
from service.text.characters import is_blank, without_controls
from service.text.sentences import split_sentences
from service.text.subwords import Subwords
from service.text.translation import longest_output, source_ids

VOCABULARY = "subwords.json"
_OFFLINE_ROWS = 64


class TranslationParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """Languages by their two-letter codes; `src_lang` may be left out."""

    tgt_lang: str | None = None
    src_lang: str | None = None
    num_beams: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None


class Translation(msgspec.Struct, frozen=True):
    """`src_lang` is null where the caller did not say it."""

    translation_text: str
    src_lang: str | None
    tgt_lang: str


class Split(NamedTuple):
    """A text cut into sentences (even places) and what stands between them (odd places)."""

    parts: list[str]
    translated: list[int]
    source_language: str | None
    target_language: str


class TranslationPredictor(Predictor[TranslationParameters]):
    parameters = TranslationParameters
    answers = list[Translation]

    def __init__(
        self, bundle: Bundle, encoder: Session, decoder: Session, precision: Precision
    ) -> None:
        self.bundle, self.device, self.precision = bundle, decoder.device, precision
        self._subwords = Subwords.load(bundle.file(VOCABULARY))
        self._decoding = _decoding(bundle)
        self._encoder, self._decoder = encoder, decoder
        self._directions = set(bundle.manifest.languages)
        self._sources = {source for source, _ in self._directions}
        self._targets = {target for _, target in self._directions}
        self._limit = bundle.manifest.limits.longest_input

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

    def prepare(self, text: str, parameters: TranslationParameters) -> Prepared:
        """One row a sentence: the model was trained on sentences."""
        target = self._target(parameters)
        if is_blank(text):
            raise BlankText
        parts = split_sentences(text)
        places = [i for i in range(0, len(parts), 2) if not is_blank(parts[i])]
        pieces = self._subwords.encode([without_controls(parts[i]).strip() for i in places])
        beams = parameters.num_beams or self._decoding.beams
        rows: list[Row] = [self._row(found.ids, target, beams) for found in pieces]
        return Prepared(rows, Split(parts, places, parameters.src_lang, target))

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Translation]:
        """The sentences put together again with the spacing and line breaks of the source."""
        split: Split = prepared.context
        parts = list(split.parts)
        for place, hypotheses in zip(split.translated, values, strict=True):
            parts[place] = self._subwords.decode(hypotheses[0].ids)
        text = "".join(parts).strip()
        return [Translation(text, split.source_language, split.target_language)]

    def streamed(self, parameters: TranslationParameters) -> TranslationParameters:
        """Greedy search alone has a text that only grows."""
        if parameters.num_beams not in (None, 1):
            raise NotStreamed(parameters.num_beams)
        return msgspec.structs.replace(parameters, num_beams=1)

    def spacing(self, prepared: Prepared) -> list[str]:
        """The source's own spacing and line breaks, around the sentences that are translated."""
        split: Split = prepared.context
        bounds = [-1, *split.translated, len(split.parts)]
        between = ["".join(split.parts[a + 1 : b]) for a, b in pairwise(bounds)]
        return [between[0].lstrip(), *between[1:-1], between[-1].rstrip()]

    def text_of(self, ids: Sequence[int]) -> str:
        return self._subwords.decode(ids)

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
            RowQueue(limits.queue_tokens),
            DecoderMetrics(manifest.task, manifest.version),
            rows=limits.batch_rows,
            admissions=limits.admissions,
        )

    def _batch(self) -> DecoderBatch:
        return DecoderBatch(self._encoder, self._decoder, self._decoding)

    def _row(self, pieces: list[int], target: str, beams: int) -> DecodeRow:
        if len(pieces) > self._limit:
            raise InputTooLong(len(pieces), self._limit, "sub-words in one sentence")
        ids = np.array(source_ids(self._subwords, pieces, target), np.int64)
        steps = longest_output(len(ids))
        return DecodeRow({"ids": ids}, len(ids), beams=beams, hypotheses=1, max_steps=steps)

    def _target(self, parameters: TranslationParameters) -> str:
        """The target language of a request that can be served."""
        source, target = parameters.src_lang, parameters.tgt_lang
        if target is None:
            raise LanguageMissing(self._targets)
        if target not in self._targets:
            raise UnknownLanguage("tgt_lang", target, self._targets)
        if source is None:
            return target
        if source not in self._sources:
            raise UnknownLanguage("src_lang", source, self._sources)
        if source == target:
            raise SameLanguage(target)
        if (source, target) not in self._directions:
            known = [f"{a} to {b}" for a, b in self._directions]
            raise UnservedDirection(source, target, known)
        return target


def _decoding(bundle: Bundle) -> DecodingSpec:
    if bundle.manifest.decoding is None:
        raise BundleError(bundle.path, MANIFEST, "a translation bundle needs `decoding`")
    return bundle.manifest.decoding
