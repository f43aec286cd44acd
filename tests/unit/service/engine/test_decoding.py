"""Decoding in flight: who joins or leaves, and when, changes no other row's answer."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engine.decoding import DecoderBatch, decode_all
from service.engine.errors import BatchMismatch, NoAlignments
from service.engine.rows import DecodeRow, Hypothesis
from service.engine.search import Search
from tests.unit.service.engine.fakes import (
    SPEC,
    SYMBOLS,
    FakeSession,
    Floats,
    TinyTranslator,
    source,
)

MODEL = TinyTranslator()
SOURCES = st.lists(st.integers(3, SYMBOLS - 1), min_size=1, max_size=6)
BEAMS = st.integers(1, 4)


def batch_of(model: TinyTranslator = MODEL) -> DecoderBatch:
    return DecoderBatch(model.encoder, model.decoder, SPEC)


def alone(row: DecodeRow, model: TinyTranslator = MODEL) -> list[Hypothesis]:
    return decode_all(batch_of(model), [row], at_once=1)[0]


class Live(NamedTuple):
    """A hypothesis of the reference search."""

    total: float
    ids: list[int]
    state: Floats


def reference(row: DecodeRow, model: TinyTranslator = MODEL) -> list[Hypothesis]:
    """Beam search as in the textbook: all continuations of all hypotheses, in plain lists."""
    memory, state = model.encode_one(row.inputs["ids"])
    live, finished = [Live(0.0, [], state)], list[Hypothesis]()
    for step in range(1, row.max_steps + 1):
        ranked = sorted(continuations(live, memory, model), key=lambda found: -found.total)
        for found in ranked[: row.beams]:
            if found.ids[-1] == SPEC.eos_id:
                finished.append(normalised(found.ids[:-1], found.total, step))
        live = [found for found in ranked if found.ids[-1] != SPEC.eos_id][: row.beams]
        if len(finished) >= row.beams:
            break
    if len(finished) < row.hypotheses:
        finished += [normalised(found.ids, found.total, row.max_steps) for found in live]
    return sorted(finished, key=lambda found: -found.score)[: row.hypotheses]


def continuations(live: list[Live], memory: Floats, model: TinyTranslator) -> list[Live]:
    found = []
    for total, ids, state in live:
        scores, following = model.step_one(ids[-1] if ids else SPEC.bos_id, state, memory)
        found += [Live(total + float(s), [*ids, i], following) for i, s in enumerate(scores)]
    return found


def normalised(ids: list[int], total: float, scored: int) -> Hypothesis:
    return Hypothesis(ids, total / scored**SPEC.length_penalty)


def greedy(row: DecodeRow, model: TinyTranslator = MODEL) -> list[int]:
    """The best symbol, again and again."""
    memory, state = model.encode_one(row.inputs["ids"])
    ids = [SPEC.bos_id]
    while len(ids) <= row.max_steps:
        scores, state = model.step_one(ids[-1], state, memory)
        ids.append(int(scores.argmax()))
        if ids[-1] == SPEC.eos_id:
            return ids[1:-1]
    return ids[1:]


class Visit(NamedTuple):
    """A source that joins `wait` steps behind the one before, and may leave early."""

    row: DecodeRow
    wait: int
    stay: int | None


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    beams = draw(BEAMS)
    row = source(
        draw(SOURCES),
        beams=beams,
        hypotheses=draw(st.integers(1, beams)),
        max_steps=draw(st.integers(1, 14)),
    )
    return Visit(row, draw(st.integers(0, 4)), draw(st.none() | st.integers(0, 5)))


def play(plan: list[Visit]) -> dict[DecodeRow, list[Hypothesis]]:
    """What is found by those that stay to their ends, joining and leaving as planned."""
    batch, found = batch_of(), dict[DecodeRow, list[Hypothesis]]()
    leaving: dict[Search, int] = {}
    waiting, step, joins = plan[::-1], 0, plan[0].wait
    while waiting or batch.rows:
        joining = []
        while waiting and step >= joins:
            joining.append(waiting.pop())
            joins += waiting[-1].wait if waiting else 0
        if joining:
            for visit, search in zip(joining, batch.admit([v.row for v in joining]), strict=True):
                leaving[search] = step + (visit.stay if visit.stay is not None else 10**6)
        batch.drop(lambda search: leaving[search] <= step)  # noqa: B023 (called at once)
        found |= {search.row: search.best() for search in batch.step()}
        step += 1
    return found


@settings(max_examples=200)
@given(st.lists(visits(), min_size=1, max_size=7))
def test_rows_that_join_and_leave_at_any_step_decode_as_alone(plan: list[Visit]) -> None:
    found = play(plan)
    stayed = {visit.row for visit in plan if visit.stay is None}
    assert stayed <= found.keys()
    for row, hypotheses in found.items():
        assert hypotheses == alone(row)


def test_thousands_of_rows_through_one_batch_decode_as_alone() -> None:
    """One long life: whatever joined, left or was dropped before, and wherever a row lies."""
    random = np.random.default_rng(11)
    batch, flying, checked = batch_of(), dict[Search, DecodeRow](), 0
    expected: dict[tuple[int, ...], list[Hypothesis]] = {}
    while checked < 2_000:
        joining = [random_row(random) for _ in range(random.integers(0, 5)) if batch.rows < 40]
        if joining:
            flying |= dict(zip(batch.admit(joining), joining, strict=True))
        leaving = {search for search in flying if random.random() < 0.02}
        batch.drop(leaving.__contains__)
        flying = {search: row for search, row in flying.items() if search not in leaving}
        for search in batch.step():
            row = flying.pop(search)
            kind = (*row.inputs["ids"].tolist(), -row.beams, -row.hypotheses, -row.max_steps)
            if kind not in expected:
                expected[kind] = alone(row)
            assert search.best() == expected[kind]
            checked += 1


def random_row(random: np.random.Generator) -> DecodeRow:
    """One of some hundred rows, each of which comes again among others."""
    beams = int(random.choice([1, 1, 1, 2, 4]))
    ids = [int(random.integers(3, 6)) for _ in range(random.integers(1, 5))]
    steps = int(random.choice([1, 7, 12]))
    return source(ids, beams=beams, hypotheses=beams, max_steps=steps)


@settings(max_examples=200)
@given(SOURCES, BEAMS, st.data())
def test_beam_search_finds_what_the_plain_search_finds(
    ids: list[int], beams: int, data: st.DataObject
) -> None:
    hypotheses = data.draw(st.integers(1, beams))
    row = source(ids, beams=beams, hypotheses=hypotheses, max_steps=data.draw(st.integers(1, 14)))
    found, expected = alone(row), reference(row)
    assert [each.ids for each in found] == [each.ids for each in expected]
    assert [each.score for each in found] == pytest.approx([each.score for each in expected])


@settings(max_examples=200)
@given(SOURCES, st.integers(1, 20))
def test_one_beam_is_greedy_search(ids: list[int], max_steps: int) -> None:
    row = source(ids, max_steps=max_steps)
    assert [found.ids for found in alone(row)] == [greedy(row)]


@given(st.lists(SOURCES, min_size=1, max_size=6), BEAMS)
def test_alignments_are_the_attention_of_each_hypothesis_steps(
    sources: list[list[int]], beams: int
) -> None:
    model = TinyTranslator()
    model.tells_weights = True
    rows = [source(ids, beams=beams, hypotheses=beams, alignments=True) for ids in sources]
    for row, hypotheses in zip(rows, decode_all(batch_of(model), rows, at_once=3), strict=True):
        memory, start = MODEL.encode_one(row.inputs["ids"])
        for found in hypotheses:
            state, expected = start, []
            for previous, _ in zip([SPEC.bos_id, *found.ids], found.ids, strict=False):
                expected.append(MODEL.attention(state, memory))
                _, state = MODEL.step_one(previous, state, memory)
            assert found.weights is not None
            assert found.weights.shape == (len(found.ids), row.length)
            np.testing.assert_array_equal(found.weights, np.array(expected).reshape(-1, row.length))


def test_alignments_of_a_decoder_that_tells_none_are_refused() -> None:
    model = TinyTranslator()
    model.decoder.output_names = []
    with pytest.raises(NoAlignments):
        batch_of(model).admit([source([3], alignments=True)])


@given(st.lists(SOURCES, min_size=1, max_size=9), st.integers(1, 9), BEAMS)
def test_decode_all_answers_in_order_for_any_number_at_once(
    sources: list[list[int]], at_once: int, beams: int
) -> None:
    rows = [source(ids, beams=beams) for ids in sources]
    found = decode_all(batch_of(), rows, at_once=at_once)
    assert found == [alone(row) for row in rows]


def test_a_wider_beam_finds_likelier_hypotheses_on_average() -> None:
    """Likelier as a whole: divided by length the first found may lose to a longer one."""
    by_sum = SPEC.model_copy(update={"length_penalty": 0.0})
    random = np.random.default_rng(3)
    sources = [random.integers(3, SYMBOLS, random.integers(1, 9)).tolist() for _ in range(150)]
    means = []
    for beams in (1, 2, 4):
        rows = [source(ids, beams=beams, max_steps=20) for ids in sources]
        batch = DecoderBatch(MODEL.encoder, MODEL.decoder, by_sum)
        found = decode_all(batch, rows, at_once=32)
        means.append(np.mean([hypotheses[0].score for hypotheses in found]))
    assert means[0] < means[1] < means[2]


@given(SOURCES, BEAMS)
def test_more_hypotheses_come_best_first_and_all_different(ids: list[int], beams: int) -> None:
    found = alone(source(ids, beams=beams, hypotheses=beams))
    assert len(found) == beams
    assert found == sorted(found, key=lambda each: each.score, reverse=True)
    assert len({tuple(each.ids) for each in found}) == beams


@given(SOURCES, BEAMS, st.integers(1, 15))
def test_a_model_that_never_ends_is_stopped(ids: list[int], beams: int, max_steps: int) -> None:
    endless = TinyTranslator(end=-60.0)
    (found,) = alone(source(ids, beams=beams, max_steps=max_steps), endless)
    assert len(found.ids) == max_steps
    assert len(endless.steps) == max_steps


def test_a_model_that_ends_at_once_gives_no_tokens() -> None:
    assert [found.ids for found in alone(source([5, 6]), TinyTranslator(end=60.0))] == [[]]


def test_a_hypothesis_never_holds_the_begin_or_the_end_token() -> None:
    found = decode_all(batch_of(), [source([i, 4], beams=3) for i in range(3, 20)], at_once=8)
    for (best,) in found:
        assert {SPEC.bos_id, SPEC.eos_id}.isdisjoint(best.ids)


def test_dropped_rows_leave_the_batch() -> None:
    batch = batch_of(TinyTranslator(end=-60.0))
    first, second = batch.admit([source([3, 4], beams=2), source([5], beams=3)])
    batch.step()
    assert batch.rows == 5
    batch.drop(lambda search: search is first)
    assert batch.rows == 3
    batch.step()
    assert (first.steps, second.steps) == (1, 2)


def test_a_finished_row_is_no_row_of_the_next_step() -> None:
    model = TinyTranslator(end=-60.0)
    batch = batch_of(model)
    batch.admit([source([3], max_steps=1), source([4], max_steps=3)])
    while batch.rows:
        batch.step()
    assert model.steps == [2, 1, 1]


def test_a_batch_without_rows_takes_no_step() -> None:
    model = TinyTranslator()
    assert batch_of(model).step() == []
    assert model.steps == []


def lose_the_last_row(session: FakeSession) -> None:
    complete = session.graph
    session.graph = lambda feeds: {name: array[:-1] for name, array in complete(feeds).items()}


@pytest.mark.parametrize("beams", [1, 3])
def test_a_decoder_that_loses_a_row_is_a_batch_mismatch(beams: int) -> None:
    model = TinyTranslator()
    batch = batch_of(model)
    batch.admit([source([3], beams=beams), source([4], beams=beams)])
    lose_the_last_row(model.decoder)
    told = f"{2 * beams} rows went into the session and {2 * beams - 1} came out"
    with pytest.raises(BatchMismatch, match=told):
        batch.step()


def test_an_encoder_that_loses_a_row_is_a_batch_mismatch_and_none_joins() -> None:
    model = TinyTranslator()
    batch = batch_of(model)
    lose_the_last_row(model.encoder)
    with pytest.raises(BatchMismatch):
        batch.admit([source([3]), source([4])])
    assert batch.rows == 0
