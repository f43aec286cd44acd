"""The queue of a sequence-to-sequence model, served a decoder step a turn."""

import itertools
import time

from service.engine.decoding import DecoderBatch
from service.engine.metrics import DecoderMetrics
from service.engine.queue import RowQueue
from service.engine.rows import DecodeRow, Deliver, Job, Result, Row, Settlement, Token
from service.engine.runner import expire
from service.engine.search import Search

_ROOM = 8
"""The part of the rows that is left free until a group of sources joins: an eighth."""


class DecoderLane:
    """Lets rows in, moves them a step a turn, and tells those who wait."""

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
        settled: list[Settlement] = [
            (job, self._result(job, search))
            for search in finished
            if (job := self._jobs.pop(search, None))
        ]
        settled += [
            (job, Token(self._batch.newest(search)))
            for search, job in self._jobs.items()
            if job.on_news is not None
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
        if late:
            deliver(expire(late))

    def _join(self, deliver: Deliver) -> None:
        """Encode a few waiting sources; few, so that the rows in flight keep their pace."""
        jobs, expired = self.queue.take(self._choose)
        if expired:
            deliver(expire(expired))
        if not jobs:
            return
        began = time.monotonic()
        self._admit(jobs, deliver)
        seconds = time.monotonic() - began
        lengths = [job.row.length for job in jobs]
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
        """The oldest row and its neighbours in length, once there is room for some of them.

        Sources encoded one by one, as rows leave one by one, cost twice what they cost together,
        and a source beside a longer one is padded. A decoder step of a few rows less is as good.
        """
        length = waiting[0].row.length
        near = sorted(waiting, key=lambda job: abs(job.row.length - length))
        group = [waiting[0], *(job for job in near if job is not waiting[0])][: self._admissions]
        beams = [_source(job.row).beams for job in group]
        free = self._rows - self._batch.rows
        if self._jobs and free < min(sum(beams), max(beams[0], self._rows // _ROOM)):
            return []
        fitting = sum(taken <= free for taken in itertools.accumulate(beams))
        return group[: fitting or (0 if self._jobs else 1)]

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
