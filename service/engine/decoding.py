"""In-flight batching of a recurrent decoder.

The decoder runs one step at a time over all rows in flight. A row joins at any step once its
source is encoded, and leaves at the step that finishes it; nobody waits for the longest of a
batch. The idea is cellular batching (Gao et al., EuroSys 2018), known for transformers as
iteration-level scheduling (Orca, OSDI 2022). For a recurrent decoder it is simplest: a row's
whole past is its state, one vector.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.bundle import DecodingSpec
from service.engine.metrics import DecoderMetrics
from service.engine.queue import RowQueue
from service.engine.rows import DecodeRow, Deliver, Hypothesis, Job, Result, Row
from service.engine.runner import expire
from service.engine.session import Session, Tensor, pad_rows, require_rows

Floats = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Search:
    """The beam search of one source (one beam is greedy search).

    `tokens` and `totals` hold each live hypothesis and its summed log-probability; `state` has a
    row for each of them.
    """

    row: DecodeRow
    memory: Floats
    state: Floats
    tokens: list[list[int]]
    totals: list[float] = field(default_factory=lambda: [0.0])
    finished: list[Hypothesis] = field(default_factory=list)
    steps: int = 0

    @property
    def live(self) -> int:
        return len(self.tokens)

    @property
    def done(self) -> bool:
        return not self.tokens

    def advance(
        self, scores: Floats, tokens: NDArray[np.int64], state: Floats, spec: DecodingSpec
    ) -> None:
        """Extend by one step; scores and tokens are (live, k), best first, state (live, size)."""
        self.steps += 1
        totals = np.asarray(self.totals)[:, None] + scores
        ranked = np.argsort(-totals, axis=None, kind="stable")[: 2 * self.row.beams]
        parents: list[int] = []
        extended: list[list[int]] = []
        kept: list[float] = []
        for rank, flat in enumerate(ranked.tolist()):
            parent, choice = divmod(flat, scores.shape[1])
            token, total = int(tokens[parent, choice]), float(totals[parent, choice])
            if token == spec.eos_id:
                if rank < self.row.beams:
                    self._finish(self.tokens[parent], total, spec)
            elif len(parents) < self.row.beams:
                parents.append(parent)
                extended.append([*self.tokens[parent], token])
                kept.append(total)
        self.tokens, self.totals, self.state = extended, kept, state[parents]
        self._stop_when_enough(spec)

    def _stop_when_enough(self, spec: DecodingSpec) -> None:
        if self.steps >= self.row.max_steps and len(self.finished) < self.row.hypotheses:
            for ids, total in zip(self.tokens, self.totals, strict=True):
                self._finish(ids, total, spec)
        if len(self.finished) >= self.row.beams or self.steps >= self.row.max_steps:
            self.tokens, self.totals = [], []

    def _finish(self, ids: list[int], total: float, spec: DecodingSpec) -> None:
        """Length normalisation as in Wu et al. 2016 without its constant: log p / length^a."""
        scored = self.steps  # each step added one log-probability, the end token's among them
        self.finished.append(Hypothesis(ids[1:], total / scored**spec.length_penalty))

    def best(self) -> list[Hypothesis]:
        ranked = sorted(self.finished, key=lambda found: found.score, reverse=True)
        return ranked[: self.row.hypotheses]


class DecoderBatch:
    """The searches in flight, and the two graphs that move them."""

    def __init__(self, encoder: Session, decoder: Session, spec: DecodingSpec) -> None:
        self._encoder, self._decoder, self._spec = encoder, decoder, spec
        self._searches: list[Search] = []
        self._layout: list[tuple[Search, int]] = []
        self._memory: Floats = np.zeros((0, 1, spec.memory_size), np.float32)
        self._lengths: NDArray[np.int64] = np.zeros(0, np.int64)

    @property
    def rows(self) -> int:
        """Hypotheses in flight: the rows of the next step."""
        return sum(search.live for search in self._searches)

    def admit(self, rows: Sequence[DecodeRow]) -> list[Search]:
        """Encode sources as one batch and let them join at the next step."""
        feeds: dict[str, Tensor] = {
            "ids": pad_rows([row.inputs["ids"] for row in rows]),
            "lengths": np.array([row.length for row in rows], np.int32),
        }
        encoded = self._encoder.run(feeds)
        require_rows(len(rows), encoded)
        joined = [
            Search(row, memory[: row.length], state[None], [[self._spec.bos_id]])
            for row, memory, state in zip(rows, encoded["memory"], encoded["state"], strict=True)
        ]
        self._searches += joined
        return joined

    def drop(self, leaves: Callable[[Search], bool]) -> None:
        """Take searches out of flight."""
        self._searches = [search for search in self._searches if not leaves(search)]

    def step(self) -> list[Search]:
        """Move every row by one token; the searches that this finished have left the batch."""
        if not self._searches:
            return []
        self._lay_out()
        beams = max(search.row.beams for search in self._searches)
        feeds: dict[str, Tensor] = {
            "previous": np.array([ids[-1] for s in self._searches for ids in s.tokens], np.int64),
            "state": np.concatenate([search.state for search in self._searches]),
            "memory": self._memory,
            "memory_lengths": self._lengths,
            "k": np.array([1 if beams == 1 else 2 * beams], np.int64),
        }
        outputs = self._decoder.run(feeds)
        require_rows(len(feeds["previous"]), outputs)
        start = 0
        for search in self._searches:
            part = slice(start, start + search.live)
            start += search.live
            search.advance(
                outputs["scores"][part],
                outputs["tokens"][part],
                outputs["next_state"][part],
                self._spec,
            )
        finished = [search for search in self._searches if search.done]
        self._searches = [search for search in self._searches if not search.done]
        return finished

    def _lay_out(self) -> None:
        """Put the memories of all rows side by side; again only when a row has come or gone."""
        layout = [(search, search.live) for search in self._searches]
        if layout == self._layout:
            return
        memories = [search.memory for search in self._searches for _ in range(search.live)]
        self._memory = pad_rows(memories)
        self._lengths = np.array([len(memory) for memory in memories], np.int64)
        self._layout = layout


def decode_all(
    batch: DecoderBatch, rows: Sequence[DecodeRow], *, at_once: int
) -> list[list[Hypothesis]]:
    """Decode `rows` to the end, `at_once` of them in flight: for offline work."""
    answers: dict[DecodeRow, list[Hypothesis]] = {}
    waiting = list(rows)[::-1]
    running = 0
    while waiting or running:
        if waiting and running < at_once:
            joining = [waiting.pop() for _ in range(min(at_once - running, len(waiting)))]
            running += len(batch.admit(joining))
        for search in batch.step():
            answers[search.row] = search.best()
            running -= 1
    return [answers[row] for row in rows]


class DecoderLane:
    """The queue of a sequence-to-sequence model, served a decoder step a turn."""

    def __init__(
        self,
        batch: DecoderBatch,
        queue: RowQueue,
        metrics: DecoderMetrics,
        *,
        rows: int,
        admissions: int,
    ) -> None:
        self.queue, self.metrics = queue, metrics
        self._batch = batch
        self._rows, self._admissions = rows, admissions
        self._jobs: dict[Search, Job] = {}
        self._running = False

    @property
    def busy(self) -> bool:
        return self._running or bool(self._jobs) or len(self.queue) > 0

    def step(self, deliver: Deliver) -> None:
        self._running = True
        try:
            self._turn(deliver)
        finally:
            self._running = False
        self.metrics.depth(len(self.queue), self.queue.tokens)
        self.metrics.in_flight(self._batch.rows)

    def _turn(self, deliver: Deliver) -> None:
        self._leave(deliver)
        self._join(deliver)
        began = time.monotonic()
        rows = self._batch.rows
        try:
            finished = self._batch.step()
        except Exception as error:
            self._fail(error, deliver)
            return
        if rows:
            self.metrics.step(rows, time.monotonic() - began)
        settled = [
            (job, self._result(job, search))
            for search in finished
            if (job := self._jobs.pop(search, None))
        ]
        if settled:
            deliver(settled)

    def _leave(self, deliver: Deliver) -> None:
        """Rows whose client has gone or whose deadline has passed leave at this step."""
        now = time.monotonic()
        gone = {s for s, job in self._jobs.items() if job.abandoned or job.deadline <= now}
        if not gone:
            return
        self._batch.drop(lambda search: search in gone)
        late = [job for search in gone if not (job := self._jobs.pop(search)).abandoned]
        self.metrics.expired(len(late))
        deliver(expire(late))

    def _join(self, deliver: Deliver) -> None:
        """Encode a few waiting sources; few, so that the rows in flight keep their pace."""
        jobs, expired = self.queue.take(self._choose)
        if expired:
            self.metrics.expired(len(expired))
            deliver(expire(expired))
        if not jobs:
            return
        began = time.monotonic()
        self._admit(jobs, deliver)
        seconds = time.monotonic() - began
        lengths = [job.row.length for job in jobs]
        self.queue.observe(sum(lengths), seconds)
        self.metrics.batch(lengths, seconds)

    def _admit(self, jobs: list[Job], deliver: Deliver) -> None:
        """Encode all at once; if that fails, one by one, so that a bad row falls alone."""
        try:
            searches = self._batch.admit([_source(job.row) for job in jobs])
        except Exception as error:
            if len(jobs) == 1:
                deliver([(jobs[0], error)])
                return
            for job in jobs:
                self._admit([job], deliver)
            return
        self._jobs.update(zip(searches, jobs, strict=True))

    def _choose(self, waiting: list[Job]) -> list[Job]:
        free = self._rows - self._batch.rows
        chosen: list[Job] = []
        for job in waiting[: self._admissions]:
            free -= _source(job.row).beams
            if free < 0 and (chosen or self._jobs):
                break
            chosen.append(job)
        return chosen

    def _fail(self, error: Exception, deliver: Deliver) -> None:
        """A failed step leaves no state to go on from: every row in flight is told."""
        self._batch.drop(lambda search: True)
        deliver([(job, error) for job in self._jobs.values()])
        self._jobs.clear()

    def _result(self, job: Job, search: Search) -> Result:
        found = search.best()
        self.metrics.generated(sum(len(hypothesis.ids) for hypothesis in found))
        elapsed = time.monotonic() - job.started
        return Result(
            found, job.started - job.arrived, elapsed, self._batch.rows + search.row.beams
        )


def _source(row: Row) -> DecodeRow:
    if not isinstance(row, DecodeRow):
        raise TypeError(f"the decoder takes DecodeRow, not {type(row).__name__}")
    return row
