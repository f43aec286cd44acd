"""The endpoint of a task: all texts or none, refused before anything is queued."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from service.bundle import load_bundle
from service.engine.calibration import BatchCost
from service.engine.errors import DeadlineExceeded
from service.engine.rows import Result, Row, Token
from service.engine.runner import Lane, Runner
from service.tasks.base import LaneLimits, Predictor
from service.tasks.endpoint import Answered, TaskEndpoint, TextRefused
from service.tasks.errors import BlankText, TooManyExplained
from service.tasks.ner import NerParameters, NerPredictor
from service.tasks.sentiment import SentimentParameters, SentimentPredictor
from service.tasks.translation import TranslationParameters, TranslationPredictor
from tests.tiny_bundles import write_ner, write_sentiment, write_translation

LIMITS = LaneLimits(queue_tokens=5_000, cost=BatchCost(2_048, 2.0), batch_rows=64, admissions=4)


class CountingRunner(Runner):
    """Counts the rows that were submitted."""

    submitted = 0

    async def submit(
        self,
        lane: Lane,
        rows: Sequence[Row],
        timeout_s: float,
        on_news: Callable[[int, Token | Result], None] | None = None,
    ) -> list[Result]:
        self.submitted += len(rows)
        return await super().submit(lane, rows, timeout_s, on_news)


def endpoint_of(kind: type[Predictor[Any]], bundle: Path) -> tuple[TaskEndpoint, CountingRunner]:
    """With a runner that is still to be started."""
    predictor = kind.open(load_bundle(bundle), "cpu", None, shared_pool=False)
    lane = predictor.lane(LIMITS)
    runner = CountingRunner([lane])
    return TaskEndpoint(predictor, lane, runner), runner


@pytest_asyncio.fixture
async def ner(tmp_path: Path) -> AsyncIterator[tuple[TaskEndpoint, CountingRunner]]:
    endpoint, runner = endpoint_of(NerPredictor, write_ner(tmp_path))
    runner.start()
    yield endpoint, runner
    await runner.drain(1)


async def test_answers_come_in_the_order_of_the_texts(
    ner: tuple[TaskEndpoint, CountingRunner],
) -> None:
    endpoint, _ = ner
    texts = ["nobody", "Smith", "a Smith and another Smith " * 9]
    answered = await endpoint.answer(texts, NerParameters(), 5)
    assert [len(answer) for answer in answered.answers] == [0, 1, 18]
    assert answered.answers == endpoint.predictor.predict(texts, NerParameters())
    assert answered.batch_rows >= 1
    assert min(answered.queue_s, answered.tokenize_s, answered.infer_s) > 0


async def test_a_text_without_rows_is_answered_without_the_engine(
    ner: tuple[TaskEndpoint, CountingRunner],
) -> None:
    endpoint, runner = ner
    answered = await endpoint.answer([" ", ""], NerParameters(), 5)
    assert answered.answers == [[], []]
    assert (answered.queue_s, answered.infer_s, answered.batch_rows) == (0, 0, 0)
    assert runner.submitted == 0


async def test_blank_texts_keep_their_places_among_others(
    ner: tuple[TaskEndpoint, CountingRunner],
) -> None:
    endpoint, runner = ner
    answered = await endpoint.answer(["", "Smith", " "], NerParameters(), 5)
    assert [len(answer) for answer in answered.answers] == [0, 1, 0]
    assert runner.submitted == 1


async def test_much_text_gives_the_same_answers(
    ner: tuple[TaskEndpoint, CountingRunner],
) -> None:
    endpoint, _ = ner
    text = "Smith said so. " * 100
    answered = await endpoint.answer([text] * 20, NerParameters(), 30)
    assert answered.answers == endpoint.predictor.predict([text] * 20, NerParameters())


async def test_a_deadline_that_passed_while_preparing_queues_nothing(
    ner: tuple[TaskEndpoint, CountingRunner],
) -> None:
    endpoint, runner = ner
    with pytest.raises(DeadlineExceeded, match="1e-09 s"):
        await endpoint.answer(["Smith"], NerParameters(), 1e-9)
    assert runner.submitted == 0


async def test_one_refused_text_refuses_all_and_is_named(tmp_path: Path) -> None:
    endpoint, runner = endpoint_of(SentimentPredictor, write_sentiment(tmp_path))
    with pytest.raises(TextRefused, match=r"inputs\[1\]: the text is empty") as caught:
        await endpoint.answer(["fine", ""], SentimentParameters(), 5)
    assert caught.value.index == 1
    assert isinstance(caught.value.cause, BlankText)
    assert runner.submitted == 0


async def test_a_stream_tells_the_text_of_the_whole_answer_in_pieces(tmp_path: Path) -> None:
    endpoint, runner = endpoint_of(TranslationPredictor, write_translation(tmp_path))
    runner.start()
    parameters = TranslationParameters(tgt_lang="de", num_beams=1)
    text = "how are you?\nfine, thanks.  and you?"
    told = [piece async for piece in endpoint.stream(text, parameters, 5)]
    *pieces, answered = told
    assert isinstance(answered, Answered)
    assert all(pieces)
    assert "".join(map(str, pieces)) == answered.answers[0][0].translation_text
    assert answered.answers == (await endpoint.answer([text], parameters, 5)).answers
    await runner.drain(1)


async def test_too_many_explanations_are_refused_before_the_engine(tmp_path: Path) -> None:
    endpoint, runner = endpoint_of(SentimentPredictor, write_sentiment(tmp_path))
    with pytest.raises(TooManyExplained, match="5 texts, the limit with `explain` is 4"):
        await endpoint.answer(["fine"] * 5, SentimentParameters(explain=True), 5)
    assert runner.submitted == 0
