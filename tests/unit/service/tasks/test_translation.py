"""Translation around its model, read off a model that copies."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from service.bundle import BundleError, load_bundle
from service.tasks.errors import (
    AlignmentsUnknown,
    BlankText,
    ForeignScript,
    InputRefused,
    TooManySequences,
    UnservedDirection,
)
from service.tasks.registry import open_predictor
from service.tasks.translation import Translation, TranslationParameters, TranslationPredictor
from tests.copying_bundle import write_copier
from tests.tiny_bundles import write_translation
from tests.unit.service.text.texts import TEXTS, WITH_SURROGATES

PARAGRAPH = (
    "Hello, my name is Pankaj.  I pay $20 at https://example.org/a?b=1!\r\n\r\n"
    "- how are you?\n2. I am fine {name} \U0001f642.\tDas ist gut… e.g. hello%s <b>you</b>\n"
)


def open_translation(path: Path) -> TranslationPredictor:
    found = open_predictor(load_bundle(path), "cpu")
    assert isinstance(found, TranslationPredictor)
    return found


@cache
def shared_copier() -> TranslationPredictor:
    with TemporaryDirectory() as folder:
        return open_translation(write_copier(Path(folder)))


@pytest.fixture
def copier() -> TranslationPredictor:
    return shared_copier()


def translate(
    predictor: TranslationPredictor, text: str, source: str | None = "en", **asked: object
) -> list[Translation]:
    parameters = TranslationParameters("de", source, **asked)  # type: ignore[arg-type]
    found: list[Translation] = predictor.predict([text], parameters)[0]
    return found


def test_a_text_keeps_its_spacing_line_breaks_and_list_marks(copier: TranslationPredictor) -> None:
    assert translate(copier, PARAGRAPH)[0].translation_text == PARAGRAPH


def test_five_thousand_characters_are_answered_in_pieces(copier: TranslationPredictor) -> None:
    text = (PARAGRAPH * 40)[:5000]
    assert translate(copier, text)[0].translation_text == text


def test_a_sentence_longer_than_the_model_reads_is_cut_and_joined(
    copier: TranslationPredictor,
) -> None:
    text = "hello you, " * 100
    prepared = copier.prepare(text, TranslationParameters("de", "en"))
    assert len(prepared.rows) == 5
    assert all(row.length <= 64 for row in prepared.rows)
    assert translate(copier, text)[0].translation_text == text


@pytest.mark.parametrize(
    "text",
    ["12:30", "?!... ---", "\U0001f642 \U0001f44d", "https://example.org", "x" * 5000, "{a} %s"],
)
def test_a_text_without_words_is_carried_through(text: str, copier: TranslationPredictor) -> None:
    prepared = copier.prepare(text, TranslationParameters("de", "en"))
    assert not prepared.rows
    assert translate(copier, text, num_return_sequences=3)[0].translation_text == text


def test_devanagari_digits_become_latin_ones_but_in_hindi(copier: TranslationPredictor) -> None:
    def translated(target: str) -> str:
        asked = TranslationParameters(target)
        return str(copier.predict(["hello १२३ you"], asked)[0][0].translation_text)

    assert translated("de") == "hello 123 you"
    assert translated("hi") == "hello १२३ you"


@given(text=TEXTS)
@settings(deadline=None, max_examples=60)
def test_alignments_slice_the_callers_text_and_the_translation(text: str) -> None:
    copier = shared_copier()
    try:
        [found] = translate(copier, text, alignments=True)
    except InputRefused:
        return
    assert isinstance(found.alignments, list)
    for link in found.alignments:
        assert 0 <= link.source_start < link.source_end <= len(text)
        assert 0 <= link.target_start < link.target_end <= len(found.translation_text)


def test_a_copied_word_is_aligned_with_itself(copier: TranslationPredictor) -> None:
    [found] = translate(copier, PARAGRAPH, alignments=True)
    assert isinstance(found.alignments, list)
    spans = [(link.source_start, link.source_end) for link in found.alignments]
    assert [PARAGRAPH[start:end] for start, end in spans[:8]] == [
        "Hello", ",", "my", "name", "is", "Pankaj", ".", "I",
    ]  # fmt: skip
    assert all(
        (link.target_start, link.target_end) == (link.source_start, link.source_end)
        for link in found.alignments
    )


def test_several_translations_come_best_first(copier: TranslationPredictor) -> None:
    found = translate(copier, "how are you? I am fine.", num_return_sequences=3)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)  # type: ignore[type-var]
    assert found[0].translation_text == "how are you? I am fine."
    texts = [each.translation_text for each in found]
    assert 1 < len(texts) == len(set(texts)) <= 3


def test_more_translations_than_beams_are_refused(copier: TranslationPredictor) -> None:
    with pytest.raises(TooManySequences, match="num_return_sequences 4 is more than num_beams 2"):
        translate(copier, "hello", num_beams=2, num_return_sequences=4)


def test_quality_is_told_by_a_calibrated_bundle_only(
    copier: TranslationPredictor, tmp_path: Path
) -> None:
    plain = open_translation(write_copier(tmp_path, calibrated=False))
    quality = translate(copier, "hello you")[0].quality
    assert isinstance(quality, float)
    assert 0 <= quality <= 1
    assert not isinstance(translate(plain, "hello you")[0].quality, float)


def test_a_damaged_calibration_is_refused_at_the_start(tmp_path: Path) -> None:
    path = write_copier(tmp_path)
    bundle = load_bundle(path)
    (path / "quality.json").write_text('{"weights": [1.0], "bias": 0.0}')
    with pytest.raises(BundleError, match=r"quality\.json: 1 weights"):
        open_predictor(bundle, "cpu")


def test_hindi_is_romanised_on_request(copier: TranslationPredictor) -> None:
    asked = TranslationParameters("hi", romanize=True)
    [found] = copier.predict(["तुमने खाया?"], asked)[0]
    assert found.romanization == "tumane khaaya?"
    [plain] = copier.predict(["hello"], TranslationParameters("de", romanize=True))[0]
    assert not isinstance(plain.romanization, str)


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_a_blank_text_is_refused(text: str, copier: TranslationPredictor) -> None:
    with pytest.raises(BlankText):
        translate(copier, text)


def test_a_text_of_another_script_is_refused_by_its_name(copier: TranslationPredictor) -> None:
    with pytest.raises(ForeignScript, match="Arabic letters"):
        translate(copier, "مرحبا بك في القاهرة")
    assert translate(copier, "hello مرحبا you")[0].translation_text == "hello مرحبا you"


def test_a_direction_in_two_passes_is_none_of_the_predictors_own(tmp_path: Path) -> None:
    directions = [("en", "de"), ("fr", "en")]
    predictor = open_translation(write_copier(tmp_path, directions))
    assert predictor.between("fr", "de") == "en"
    assert predictor.reaching("de") == ["en", "fr"]
    with pytest.raises(UnservedDirection):
        translate(predictor, "bonjour", "fr")


def test_alignments_are_refused_where_the_decoder_tells_none(tmp_path: Path) -> None:
    predictor = open_translation(write_translation(tmp_path))
    with pytest.raises(AlignmentsUnknown):
        translate(predictor, "hello", alignments=True)


@given(text=WITH_SURROGATES)
@settings(deadline=None, max_examples=100)
def test_any_text_has_an_answer_or_a_typed_refusal(text: str) -> None:
    try:
        [found] = translate(shared_copier(), text, None)
    except InputRefused:
        return
    assert found.translation_text.strip()


def test_what_is_carried_through_does_not_depend_on_the_batch(copier: TranslationPredictor) -> None:
    texts = [PARAGRAPH, "hello", "12", "how are you? I am fine."]
    asked = TranslationParameters("de", "en", num_beams=2, alignments=True)
    together = copier.predict(texts, asked)
    assert together == [copier.predict([text], asked)[0] for text in texts]
