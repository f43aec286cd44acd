"""The language and the script of what is to be translated."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.bundle import load_bundle
from service.engine.calibration import BatchCost
from service.engine.errors import DeadlineExceeded
from service.engine.runner import Runner
from service.tasks.base import LaneLimits
from service.tasks.detection import LanguageScore
from service.tasks.endpoint import TaskEndpoint, TextRefused
from service.tasks.errors import NoLetters, SourceLanguageMissing, TransliterationMissing
from service.tasks.registry import open_predictor
from service.tasks.sources import SourceReader, SourceText, likeliest
from tests.tiny_bundles import write_detection, write_transliteration

LIMITS = LaneLimits(queue_tokens=5_000, cost=BatchCost(2_048, 2.0), batch_rows=64, admissions=4)
SERVED = {"en", "de", "hi"}
WORD = "\u0915\u0948\u0938\u0947"


@pytest_asyncio.fixture
async def endpoints(tmp_path: Path) -> AsyncIterator[list[TaskEndpoint]]:
    """Detection and transliteration, each with a lane of its own."""
    writers = (write_detection, write_transliteration)
    predictors = [open_predictor(load_bundle(write(tmp_path)), "cpu") for write in writers]
    lanes = [predictor.lane(LIMITS) for predictor in predictors]
    runner = Runner(lanes)
    runner.start()
    yield [TaskEndpoint(p, lane, runner) for p, lane in zip(predictors, lanes, strict=True)]
    await runner.drain(1)


@pytest.fixture
def reader(endpoints: list[TaskEndpoint]) -> SourceReader:
    return SourceReader(*endpoints)


async def test_languages_are_detected_text_by_text(reader: SourceReader) -> None:
    found = await reader.read(["hello", "gru\u00df", "\u0915"], None, SERVED, 5)
    assert [source.language for source in found] == ["en", "de", "hi"]
    assert [source.text for source in found] == ["hello", "gru\u00df", "\u0915"]
    assert all(source.detected and source.detected.score > 0.9 for source in found)


async def test_a_said_language_is_not_detected(reader: SourceReader) -> None:
    found = await reader.read(["gru\u00df"], "en", SERVED, 5)
    assert found == [SourceText("gru\u00df", "en", None)]


async def test_romanised_hindi_is_read_in_devanagari(reader: SourceReader) -> None:
    one, other = await reader.read(["hello", "xaise"], None, SERVED, 5)
    assert (one.text, one.language) == ("hello", "en")
    assert (other.text, other.language) == (WORD, "hi")
    assert other.detected is not None
    assert other.detected.label == "hi-Latn"


@pytest.mark.parametrize("code", ["hi", "hi-Latn"])
async def test_hindi_in_latin_letters_may_be_said(reader: SourceReader, code: str) -> None:
    assert await reader.read(["kaise"], code, SERVED, 5) == [SourceText(WORD, "hi", None)]


async def test_hindi_in_devanagari_stays_with_its_latin_words(reader: SourceReader) -> None:
    text = f"{WORD} Tesla"
    assert await reader.read([text], "hi", SERVED, 5) == [SourceText(text, "hi", None)]


async def test_a_language_that_is_not_served_is_named(reader: SourceReader) -> None:
    [found] = await reader.read(["perch\u00e8"], None, SERVED, 5)
    assert found.language == "it"


async def test_a_text_without_letters_is_refused_by_its_place(reader: SourceReader) -> None:
    with pytest.raises(TextRefused, match=r"inputs\[1\]: the text has no letters") as caught:
        await reader.read(["hello", "123"], None, SERVED, 5)
    assert isinstance(caught.value.cause, NoLetters)


async def test_without_a_detector_the_language_must_be_said() -> None:
    reader = SourceReader(None, None)
    with pytest.raises(SourceLanguageMissing, match=r"src_lang is missing.*de, en, hi"):
        await reader.read(["hello"], None, SERVED, 5)
    assert await reader.read(["hello"], "en", SERVED, 5) == [SourceText("hello", "en", None)]


async def test_without_a_transliterator_romanised_hindi_is_refused(
    endpoints: list[TaskEndpoint],
) -> None:
    reader = SourceReader(endpoints[0], None)
    with pytest.raises(TextRefused, match=r"inputs\[1\]: the text is Hindi in Latin") as caught:
        await reader.read(["hello", "xaise"], None, SERVED, 5)
    assert isinstance(caught.value.cause, TransliterationMissing)


async def test_detection_spends_the_callers_time(reader: SourceReader) -> None:
    with pytest.raises(DeadlineExceeded):
        await reader.read(["hello"], None, SERVED, 1e-9)


def test_an_unsure_detector_means_a_language_that_is_served() -> None:
    unsure = [LanguageScore("pt", 0.5), LanguageScore("it", 0.2), LanguageScore("de", 0.1)]
    assert likeliest("a", unsure, SERVED).language == "de"
    sure = [LanguageScore("pt", 0.9), LanguageScore("de", 0.1)]
    assert likeliest("a", sure, SERVED).language == "pt"
    foreign = [LanguageScore("pt", 0.5), LanguageScore("it", 0.4)]
    assert likeliest("a", foreign, SERVED).language == "pt"
