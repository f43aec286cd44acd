"""Translation between the languages of a multilingual encoder-decoder."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from service.bundle import Bundle, BundleError, Precision
from service.engine.rows import DecodeRow, Row
from service.engine.session import Session
from service.tasks.base import Parameters, Prepared
from service.tasks.decoded import DecodedPredictor
from service.tasks.errors import (
    AlignmentsUnknown,
    BlankText,
    ForeignScript,
    LanguageMissing,
    NotStreamed,
    SameLanguage,
    TooManySequences,
    UnknownLanguage,
    UnservedDirection,
)
from service.tasks.quality import Quality, mean_quality
from service.tasks.sentence import Rendered, Sentence, SentenceCodec
from service.text.characters import is_blank, without_controls
from service.text.languages import LANGUAGES, language_of
from service.text.lexicon import LEXICON, Lexicon
from service.text.romanization import romanize
from service.text.segments import Segment, foreign_script, segment
from service.text.subwords import Subwords
from service.text.translation import longest_output

VOCABULARY = "subwords.json"
QUALITY = "quality.json"
_DANDAS = "\u0964\u0965"


class TranslationParameters(Parameters, frozen=True, forbid_unknown_fields=True):
    """Languages by their two-letter codes; `src_lang` may be left out.

    `num_return_sequences` asks for more than the best translation, `alignments` for the words of
    the source that each word comes from, `romanize` for Hindi in Latin letters beside it.
    """

    tgt_lang: str | None = None
    src_lang: str | None = None
    num_beams: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    num_return_sequences: Annotated[int, msgspec.Meta(ge=1, le=8)] | None = None
    alignments: bool = False
    romanize: bool = False


class WordAlignment(msgspec.Struct, frozen=True):
    """A word of the source and the word of the translation that it became, by their characters."""

    source_start: int
    source_end: int
    target_start: int
    target_end: int
    score: float


class Translation(msgspec.Struct, frozen=True):
    """`src_lang` is null where the caller did not say it and nothing detects it.

    `quality` is the chrF to be expected (0 to 1), if the bundle was calibrated; `score` the mean
    log-probability of a sub-word, where several translations were asked for. `detected` is true
    where `src_lang` was found from the text, `via` names the language between, and `source_text` is
    the text as it was read, if that is not the caller's: romanised Hindi in Devanagari, or names
    as Hindi spells them. Alignments lead there.
    """

    translation_text: str
    src_lang: str | None
    tgt_lang: str
    detected: bool | UnsetType = UNSET
    via: str | UnsetType = UNSET
    source_text: str | UnsetType = UNSET
    score: float | UnsetType = UNSET
    quality: float | UnsetType | None = UNSET
    romanization: str | UnsetType = UNSET
    alignments: list[WordAlignment] | UnsetType = UNSET


class Split(NamedTuple):
    """A text in segments, and its translated ones as sentences, in order."""

    segments: list[Segment]
    sentences: list[Sentence]
    parameters: TranslationParameters
    target: str


class TranslationPredictor(DecodedPredictor[TranslationParameters]):
    parameters = TranslationParameters
    answers = list[Translation]

    def __init__(
        self, bundle: Bundle, encoder: Session, decoder: Session, precision: Precision
    ) -> None:
        super().__init__(bundle, encoder, decoder, precision)
        self._codec = SentenceCodec(Subwords.load(bundle.file(VOCABULARY)), _lexicon(bundle))
        self._quality = _quality(bundle)
        self._directions = set(bundle.manifest.languages)
        self._sources = {source for source, _ in self._directions}
        self._targets = {target for _, target in self._directions}
        self._served = [f"{source} to {target}" for source, target in self._directions]
        self._limit = bundle.manifest.limits.longest_input

    def prepare(self, text: str, parameters: TranslationParameters) -> Prepared:
        """One row a sentence: the model was trained on sentences."""
        target = self.check(parameters)
        source = parameters.src_lang
        if source is not None and not self.serves(source, target):
            raise UnservedDirection(source, target, self._served)
        if is_blank(text):
            raise BlankText
        segments = segment(text, self._limit, self._codec.offsets)
        if target != "hi":
            segments = _spaced(segments)
        texts = [without_controls(part.text) for part in segments if part.translated]
        script = foreign_script(text)
        if not texts and script is not None:
            raise ForeignScript(script, [LANGUAGES.get(code, code) for code in self._sources])
        sentences = self._codec.read(texts, source, target)
        rows: list[Row] = [self._row(sentence, parameters) for sentence in sentences]
        return Prepared(rows, Split(segments, sentences, parameters, target))

    def answer(self, prepared: Prepared, values: Sequence[Any]) -> list[Translation]:
        """The sentences put together again with the spacing and line breaks of the source.

        Of several translations the second is made of the second best of each sentence, and so on.
        """
        split: Split = prepared.context
        written = self.written(prepared, values)
        wanted = split.parameters.num_return_sequences or 1
        count = min(wanted, max((len(found) for found in written), default=1))
        chosen = ([found[min(i, len(found) - 1)] for found in written] for i in range(count))
        return [self._join(split, sentences) for sentences in chosen]

    def unknown_names(self, text: str, parameters: TranslationParameters) -> list[str]:
        """Names in Latin letters that would be copied into a text in Devanagari."""
        source, target = parameters.src_lang, parameters.tgt_lang
        if source is None or target != "hi":
            return []
        return [text[slice(*span)] for span in self._codec.unknown_names(text, source)]

    def written(self, prepared: Prepared, values: Sequence[Any]) -> list[list[Rendered]]:
        """Different translations of each sentence, best first."""
        split: Split = prepared.context
        found = [
            [self._codec.write(sentence, each, split.target) for each in hypotheses]
            for sentence, hypotheses in zip(split.sentences, values, strict=True)
        ]
        return [_ranked(each) for each in found]

    def attention(
        self, prepared: Prepared, values: Sequence[Any]
    ) -> tuple[list[str], list[str], NDArray[np.float32]]:
        """Words read and written in the first sentence, and the attention (written, read)."""
        split: Split = prepared.context
        return self._codec.attention(split.sentences[0], values[0][0])

    def streamed(self, parameters: TranslationParameters) -> TranslationParameters:
        """Greedy search alone has a text that only grows."""
        if parameters.num_beams not in (None, 1):
            raise NotStreamed(parameters.num_beams)
        return msgspec.structs.replace(parameters, num_beams=1)

    def spacing(self, prepared: Prepared) -> list[str]:
        """What is carried through before, between and behind the sentences."""
        split: Split = prepared.context
        found = [""]
        for part in split.segments:
            if part.translated:
                found.append("")
            else:
                found[-1] += part.text
        return found

    def text_of(self, prepared: Prepared, row: int, ids: Sequence[int], *, whole: bool) -> str:
        split: Split = prepared.context
        return self._codec.write_part(split.sentences[row], ids, split.target, whole=whole)

    def check(self, parameters: TranslationParameters) -> str:
        """The target language of a request that can be served, be it in two passes."""
        source, target = parameters.src_lang, parameters.tgt_lang
        if target is None:
            raise LanguageMissing(self._targets)
        if target not in self._targets:
            raise UnknownLanguage("tgt_lang", target, self._targets)
        language = language_of(source)
        if source is not None and language not in self._sources:
            raise UnknownLanguage("src_lang", source, self._sources)
        if language == target:
            raise SameLanguage(target)
        if language is not None and language not in self.reaching(target):
            raise UnservedDirection(language, target, self._served)
        beams, wanted = parameters.num_beams, parameters.num_return_sequences
        if beams is not None and wanted is not None and wanted > beams:
            raise TooManySequences(wanted, beams)
        two_passes = language is not None and not self.serves(language, target)
        if parameters.alignments and (two_passes or not self.aligns):
            raise AlignmentsUnknown
        return target

    def serves(self, source: str, target: str) -> bool:
        """True for a direction that the model was trained in."""
        return (source, target) in self._directions

    def between(self, source: str, target: str) -> str | None:
        """The language through which `source` reaches `target` in two passes."""
        middles = sorted(self._sources & self._targets, key=lambda code: (code != "en", code))
        reaching = (m for m in middles if self.serves(source, m) and self.serves(m, target))
        return next(reaching, None)

    def reaching(self, target: str) -> list[str]:
        """The languages that are translated to `target`, in one pass or two."""
        others = sorted(self._sources - {target})
        return [s for s in others if self.serves(s, target) or self.between(s, target)]

    def _row(self, sentence: Sentence, parameters: TranslationParameters) -> DecodeRow:
        ids = np.array(sentence.ids, np.int64)
        beams = parameters.num_beams or max(
            self.decoding.beams, parameters.num_return_sequences or 1
        )
        aligned = parameters.alignments or (self.aligns and bool(sentence.masked.values))
        return DecodeRow(
            {"ids": ids},
            len(ids),
            beams=beams,
            hypotheses=beams,
            max_steps=longest_output(len(ids)),
            alignments=aligned,
        )

    @property
    def aligns(self) -> bool:
        """True if the decoder tells its attention."""
        return "weights" in {
            output.name for output in self.bundle.manifest.graphs["decoder"].outputs
        }

    def _join(self, split: Split, sentences: Sequence[Rendered]) -> Translation:
        remaining = iter(sentences)
        text = ""
        links: list[WordAlignment] = []
        for part in split.segments:
            if not part.translated:
                text += part.text
                continue
            written = next(remaining)
            links += _alignments(written, part.start, len(text))
            text += written.text
        parameters = split.parameters
        return Translation(
            text,
            parameters.src_lang,
            split.target,
            romanization=_romanized(text, split),
            score=_mean_score(sentences) if parameters.num_return_sequences else UNSET,
            quality=self._expected(sentences),
            alignments=links if parameters.alignments else UNSET,
        )

    def _expected(self, sentences: Sequence[Rendered]) -> float | UnsetType | None:
        """Quality of the whole text; null if nothing was to be translated."""
        if self._quality is None:
            return UNSET
        found = [self._quality.of(written.evidence) for written in sentences]
        mean = mean_quality(found, [written.evidence.source_length for written in sentences])
        return None if mean is None else round(mean, 4)


def _ranked(written: Sequence[Rendered]) -> list[Rendered]:
    """In their order, but any without a loop before those with one; each text once."""
    ordered = sorted(written, key=lambda each: each.evidence.repeated)
    first = {each.text: each for each in reversed(ordered)}
    return [each for each in ordered if first[each.text] is each]


def _spaced(segments: Sequence[Segment]) -> list[Segment]:
    """Blanks behind sentences that end in a danda, which needs none: other end marks do."""
    found: list[Segment] = []
    for part in segments:
        if found and found[-1].translated and part.translated and found[-1].text[-1] in _DANDAS:
            found.append(Segment(" ", part.start, translated=False))
        found.append(part)
    return found


def _alignments(written: Rendered, source: int, target: int) -> list[WordAlignment]:
    """Links of a sentence that begins at `source` of the text and at `target` of the answer."""
    return [
        WordAlignment(
            source + link.source[0],
            source + link.source[1],
            target + link.target[0],
            target + link.target[1],
            round(min(1.0, link.weight), 4),
        )
        for link in written.links
    ]


def _romanized(text: str, split: Split) -> str | UnsetType:
    wanted = split.parameters.romanize and split.target == "hi"
    return romanize(text, "informal") if wanted else UNSET


def _mean_score(sentences: Sequence[Rendered]) -> float:
    """Mean log-probability over sentences, weighted by length."""
    lengths = [written.evidence.target_length + 1 for written in sentences]
    total = sum(w.evidence.log_probability * n for w, n in zip(sentences, lengths, strict=True))
    return round(total / max(1, sum(lengths)), 6)


def _lexicon(bundle: Bundle) -> Lexicon | None:
    """The known words of a bundle whose model copies names that are not among them."""
    return Lexicon.load(bundle.file(LEXICON)) if LEXICON in bundle.manifest.files else None


def _quality(bundle: Bundle) -> Quality | None:
    """The calibration of a bundle that has one."""
    if QUALITY not in bundle.manifest.files:
        return None
    try:
        return Quality.load(bundle.file(QUALITY))
    except ValueError as error:
        raise BundleError(bundle.path, QUALITY, str(error)) from error
