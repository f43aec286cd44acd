"""What a translation is asked to read: the language of each text, and its proper script.

A composition of two other tasks, each through its own lane of the engine: detection where the
caller does not say the language, transliteration where Hindi comes in Latin letters.
"""

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

import regex

from service.tasks.detection import DetectionParameters, LanguageScore
from service.tasks.endpoint import TaskEndpoint, TextRefused
from service.tasks.errors import SourceLanguageMissing, TransliterationMissing
from service.tasks.transliteration import TransliterationParameters

HINDI, ROMANISED_HINDI = "hi", "hi-Latn"

_SURE = 0.7
"""A language that cannot be translated is believed from this probability on."""
_DEVANAGARI = regex.compile(r"\p{Devanagari}")
_LATIN = regex.compile(r"\p{Latin}")


class SourceText(NamedTuple):
    """A text to translate.

    `text` is the caller's own, or romanised Hindi written in Devanagari. `language` is `hi` for
    romanised Hindi; a detected one may be none that is translated. `detected` is what the
    detector found, None where the caller said the language.
    """

    text: str
    language: str
    detected: LanguageScore | None


class SourceReader:
    """Finds the languages of texts; either endpoint may be missing, as its bundle may be."""

    def __init__(
        self, detection: TaskEndpoint | None, transliteration: TaskEndpoint | None
    ) -> None:
        self._detection, self._transliteration = detection, transliteration

    @property
    def detects(self) -> bool:
        """True if a language can be found from a text."""
        return self._detection is not None

    async def read(
        self, texts: Sequence[str], src_lang: str | None, served: Collection[str], timeout_s: float
    ) -> list[SourceText]:
        """The texts with their languages, in their order.

        `src_lang` None asks the detector; `hi-Latn`, or `hi` with Latin letters only, is romanised
        Hindi. `served` are the languages that can be translated: an unsure detector is taken to
        mean one of them, and nothing else is checked against them. Raises SourceLanguageMissing
        without a detector, TextRefused with TransliterationMissing or with what the detector
        refuses as its cause, else what `TaskEndpoint.answer` raises.
        """
        began = time.monotonic()
        if src_lang is None:
            found = await self._detect(texts, served, timeout_s)
        else:
            found = [SourceText(text, src_lang, None) for text in texts]
        return await self._in_devanagari(found, timeout_s - (time.monotonic() - began))

    async def spellings(self, names: Collection[str], timeout_s: float) -> dict[str, str]:
        """Names in Devanagari; none without a bundle for transliteration."""
        if self._transliteration is None or not names:
            return {}
        asked = sorted(names)
        answered = await self._transliteration.answer(asked, TransliterationParameters(), timeout_s)
        return {
            name: answer.transliteration_text
            for name, [answer] in zip(asked, answered.answers, strict=True)
        }

    async def _detect(
        self, texts: Sequence[str], served: Collection[str], timeout_s: float
    ) -> list[SourceText]:
        if self._detection is None:
            raise SourceLanguageMissing(served)
        answered = await self._detection.answer(texts, DetectionParameters(), timeout_s)
        return [
            likeliest(text, scores, served)
            for text, scores in zip(texts, answered.answers, strict=True)
        ]

    async def _in_devanagari(self, sources: list[SourceText], timeout_s: float) -> list[SourceText]:
        places = [i for i, source in enumerate(sources) if is_romanised(source)]
        if not places:
            return sources
        if self._transliteration is None:
            raise TextRefused(places[0], TransliterationMissing())
        texts = [sources[i].text for i in places]
        answered = await self._transliteration.answer(texts, TransliterationParameters(), timeout_s)
        read = list(sources)
        for place, [answer] in zip(places, answered.answers, strict=True):
            text = answer.transliteration_text
            read[place] = SourceText(text, HINDI, sources[place].detected)
        return read


def is_romanised(source: SourceText) -> bool:
    """True for Hindi that came in Latin letters."""
    if source.language == ROMANISED_HINDI:
        return True
    is_latin = _LATIN.search(source.text) and not _DEVANAGARI.search(source.text)
    return source.language == HINDI and bool(is_latin)


def likeliest(text: str, scores: Sequence[LanguageScore], served: Collection[str]) -> SourceText:
    """The likeliest language; one that is not translated only if the detector is sure of it.

    One or two words often belong to several languages: then the caller means one that is served.
    """
    for found in scores:
        language = HINDI if found.label == ROMANISED_HINDI else found.label
        if language in served:
            return SourceText(text, found.label, found)
        if found.score >= _SURE:
            break
    return SourceText(text, scores[0].label, scores[0])
