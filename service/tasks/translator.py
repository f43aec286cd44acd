"""Translation of any text: its language found, its script read, a language between if need be.

A composition of endpoints, so that each pass is batched with what other callers sent.
"""

import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import msgspec
import regex
from msgspec import UNSET, UnsetType

from service.engine.runner import Lane, Runner
from service.tasks.base import Parameters
from service.tasks.endpoint import Answered, TaskEndpoint, TextRefused, Work
from service.tasks.errors import UntranslatableLanguage
from service.tasks.sources import HINDI, ROMANISED_HINDI, SourceReader, SourceText
from service.tasks.translation import Translation, TranslationParameters, TranslationPredictor
from service.text.segments import has_words


class Route(NamedTuple):
    """How one text is translated: in one pass, in two (`between`), or not at all (`as_is`).

    `text` is in the script of its `language`; `detected` is the language that was found, where
    the caller did not say it.
    """

    text: str
    language: str | None
    detected: str | None
    parameters: TranslationParameters
    between: str | None = None
    as_is: bool = False

    @property
    def first_pass(self) -> TranslationParameters:
        """Into the language between: the best translation alone."""
        return TranslationParameters(self.between, self.language, self.parameters.num_beams)

    @property
    def last_pass(self) -> TranslationParameters:
        source = self.between or self.language
        return msgspec.structs.replace(self.parameters, src_lang=source)


class TranslationEndpoint(TaskEndpoint):
    """Texts in, translations out; `reader` finds languages and reads romanised Hindi."""

    predictor: TranslationPredictor

    def __init__(
        self, predictor: TranslationPredictor, lane: Lane, runner: Runner, reader: SourceReader
    ) -> None:
        super().__init__(predictor, lane, runner)
        self._reader = reader

    async def answer(
        self, texts: Sequence[str], parameters: Parameters, timeout_s: float
    ) -> Answered:
        """Translate all texts or none. Raises what detection and `TaskEndpoint.answer` raise."""
        ends = time.monotonic() + timeout_s
        routes = await self._routes(texts, _translation(parameters), timeout_s)
        first = await self._pass_between(routes, ends)
        last = [place for place, route in enumerate(routes) if not route.as_is]
        asked = [routes[place].last_pass for place in last]
        last_texts = await self._spelt(
            [_last_text(routes[place], first.answers[place]) for place in last], asked, ends
        )
        answered = await self.answer_each(last_texts, asked, ends - time.monotonic())
        found = dict(zip(last, answered.answers, strict=True))
        read = dict(zip(last, last_texts, strict=True))
        return _together(
            [
                _told(text, read.get(place, text), routes[place], between, found.get(place))
                for place, (text, between) in enumerate(zip(texts, first.answers, strict=True))
            ],
            [first, answered],
        )

    def begin(self, text: str, parameters: Parameters, timeout_s: float) -> Work | None:
        """None: a translation may need several passes, each through the engine."""
        return None

    async def stream(
        self, text: str, parameters: Parameters, timeout_s: float
    ) -> AsyncGenerator[str | Answered, None]:
        """Pieces of the translation as they are found; of two passes the second is streamed."""
        ends = time.monotonic() + timeout_s
        [route] = await self._routes([text], _translation(parameters), timeout_s)
        first = await self._pass_between([route], ends)
        [between] = first.answers
        if route.as_is:
            yield text
            yield _together([_told(text, text, route, None, None)], [])
            return
        [last_text] = await self._spelt([_last_text(route, between)], [route.last_pass], ends)
        stream = super().stream(last_text, route.last_pass, ends - time.monotonic())
        async with aclosing(stream):  # a caller who leaves takes the rows along at once
            async for piece in stream:
                if isinstance(piece, str):
                    yield piece
                else:
                    told = _told(text, last_text, route, between, piece.answers[0])
                    yield _together([told], [first, piece])

    async def _routes(
        self, texts: Sequence[str], parameters: TranslationParameters, timeout_s: float
    ) -> list[Route]:
        """How each text is to be translated; what cannot be is refused here."""
        self.predictor.check(parameters)
        read = [place for place, text in enumerate(texts) if self._is_read(text, parameters)]
        found = {}
        if read:
            sources = await self._reader.read(
                [texts[place] for place in read],
                parameters.src_lang,
                self.predictor.reaching(parameters.tgt_lang or ""),
                timeout_s,
            )
            found = dict(zip(read, sources, strict=True))
        return [
            self._route(place, text, found.get(place), parameters)
            for place, text in enumerate(texts)
        ]

    def _is_read(self, text: str, parameters: TranslationParameters) -> bool:
        """True where a language or a script is to be found, and there are words to find it by."""
        if parameters.src_lang is None:
            return self._reader.detects and has_words(text)
        return parameters.src_lang in (HINDI, ROMANISED_HINDI)

    def _route(
        self,
        index: int,
        text: str,
        source: SourceText | None,
        parameters: TranslationParameters,
    ) -> Route:
        target = parameters.tgt_lang or ""
        if source is None:
            route = Route(text, parameters.src_lang, None, parameters)
        else:
            detected = source.detected.label if source.detected else None
            route = Route(source.text, source.language, detected, parameters)
        language = route.language
        if language is None or self.predictor.serves(language, target):
            return route
        if route.detected and language == target:
            return route._replace(as_is=True)
        between = self.predictor.between(language, target)
        if between is None:
            known = self.predictor.reaching(target)
            cause = UntranslatableLanguage(route.detected or language, target, known)
            raise TextRefused(index, cause)
        return route._replace(between=between)

    async def _spelt(
        self, texts: Sequence[str], asked: Sequence[TranslationParameters], ends: float
    ) -> list[str]:
        """The texts with the names that will be copied to Hindi in its own script."""
        pairs = list(zip(texts, asked, strict=True))
        names = {name for pair in pairs for name in self.predictor.unknown_names(*pair)}
        spellings = await self._reader.spellings(names, ends - time.monotonic())
        return [
            with_spellings(text, spellings, self.predictor.unknown_names(text, each))
            for text, each in pairs
        ]

    async def _pass_between(self, routes: Sequence[Route], ends: float) -> Answered:
        """A translation to the language between for each text that needs one, None for others."""
        places = [place for place, route in enumerate(routes) if route.between]
        translations: list[Translation | None] = [None] * len(routes)
        if not places:
            return _together(translations, [])
        answered = await self.answer_each(
            [routes[place].text for place in places],
            [routes[place].first_pass for place in places],
            ends - time.monotonic(),
        )
        for place, [translation] in zip(places, answered.answers, strict=True):
            translations[place] = translation
        return answered._replace(answers=translations)


def _translation(parameters: Parameters) -> TranslationParameters:
    if not isinstance(parameters, TranslationParameters):
        raise TypeError(f"translation takes no {type(parameters).__name__}")
    return parameters


def with_spellings(text: str, spellings: Mapping[str, str], names: Collection[str]) -> str:
    """`text` with whole words that are one of `names` as `spellings` has them."""
    known = sorted(set(names) & spellings.keys(), key=len, reverse=True)
    if not known:
        return text
    words = "|".join(map(regex.escape, known))
    return regex.sub(
        rf"(?<![\p{{L}}\p{{M}}])(?:{words})(?![\p{{L}}\p{{M}}])",
        lambda found: spellings[found.group()],
        text,
    )


def _last_text(route: Route, between: Translation | None) -> str:
    return route.text if between is None else between.translation_text


def _told(
    text: str,
    read: str,
    route: Route,
    between: Translation | None,
    translations: list[Translation] | None,
) -> list[Translation]:
    """The answer to `text`, which the last pass had as `read`, with what was found of it.

    `translations` are None for a text that is in the target language already.
    """
    target = route.parameters.tgt_lang or ""
    found = translations or [Translation(text, route.language, target)]
    return [
        msgspec.structs.replace(
            translation,
            src_lang=route.detected or route.parameters.src_lang,
            detected=True if route.detected else UNSET,
            via=route.between or UNSET,
            source_text=read if read != text and between is None else UNSET,
            quality=_weaker(between, translation),
        )
        for translation in found
    ]


def _weaker(first: Translation | None, second: Translation) -> float | UnsetType | None:
    """Two passes are no better than the worse of them."""
    if first is None or not isinstance(first.quality, float):
        return second.quality
    return min(first.quality, second.quality) if isinstance(second.quality, float) else None


def _together(answers: list[Any], passes: Sequence[Answered]) -> Answered:
    """Answers with the cost of passes that came one after the other."""
    return Answered(
        answers,
        queue_s=sum(each.queue_s for each in passes),
        tokenize_s=sum(each.tokenize_s for each in passes),
        infer_s=sum(each.infer_s for each in passes),
        batch_rows=max((each.batch_rows for each in passes), default=0),
    )
