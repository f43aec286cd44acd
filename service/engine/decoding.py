"""In-flight batching of a recurrent decoder.

The decoder runs one step at a time over all rows in flight. A row joins at any step once its
source is encoded, and leaves at the step that finishes it; nobody waits for the longest of a
batch. The idea is cellular batching (Gao et al., EuroSys 2018), known for transformers as
iteration-level scheduling (Orca, OSDI 2022). For a recurrent decoder it is simplest: a row's
whole past is its state, one vector.

All bookkeeping is in arrays over the rows, so that a step costs the same few array operations for
one row and for thirty-two; Python touches a single search only when it joins or ends.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle import DecodingSpec
from service.engine.device_states import DeviceStates
from service.engine.errors import NoAlignments
from service.engine.rows import DecodeRow, Hypothesis
from service.engine.search import Floats, Hypotheses, Search, Slots, extend
from service.engine.session import Session, Tensor, pad_rows, require_rows
from service.engine.states import HostStates, States


class DecoderBatch:
    """The searches in flight, and the two graphs that move them."""

    def __init__(self, encoder: Session, decoder: Session, spec: DecodingSpec) -> None:
        self._encoder, self._decoder, self._spec = encoder, decoder, spec
        self._states: States = (
            DeviceStates(decoder)
            if decoder.device == "cuda"
            else HostStates(decoder, spec.state_size, spec.memory_size)
        )
        self._live = Hypotheses()
        self._searches: list[Search] = []

    @property
    def rows(self) -> int:
        """Hypotheses in flight: the rows of the next step."""
        return self._live.rows

    @property
    def aligns(self) -> bool:
        """True if the decoder's graph tells its attention."""
        return "weights" in self._decoder.output_names

    def admit(self, rows: Sequence[DecodeRow]) -> list[Search]:
        """Encode sources as one batch and let them join at the next step.

        NoAlignments if one asks for what the decoder's graph does not tell.
        """
        if any(row.alignments for row in rows) and not self.aligns:
            raise NoAlignments
        feeds: dict[str, Tensor] = {
            "ids": pad_rows([row.inputs["ids"] for row in rows]),
            "lengths": np.array([row.length for row in rows], np.int32),
        }
        encoded = self._encoder.run(feeds)
        require_rows(len(rows), encoded)
        beams = [row.beams for row in rows]
        memory = [part[: row.length] for row, part in zip(rows, encoded["memory"], strict=True)]
        repeated = [part for part, times in zip(memory, beams, strict=True) for _ in range(times)]
        self._states.join(repeated, np.repeat(encoded["state"], beams, axis=0))
        joined = [self._live.join(row, self._spec.bos_id) for row in rows]
        self._searches += joined
        return joined

    def drop(self, leaves: Callable[[Search], bool]) -> None:
        """Take searches out of flight."""
        gone = [search for search in self._searches if leaves(search)]
        if gone:
            self._arrange(np.arange(self.rows), gone)

    def step(self) -> list[Search]:
        """Move every row by one token; the searches that this finished have left the batch."""
        if not self._searches:
            return []
        beams = max(search.row.beams for search in self._searches)
        aligned = [search for search in self._searches if search.row.alignments]
        outputs = ["scores", "tokens", *(["weights"] if aligned else [])]
        k = 1 if beams == 1 else 2 * beams
        found = self._states.step(self._live.previous[: self.rows], k, outputs)
        for search in aligned:
            search.attend(found["weights"])
        self._live.count_step()
        finished = self._advance_greedy(found["scores"][:, 0], found["tokens"][:, 0])
        parents = np.arange(self.rows)
        for searches in self._wide().values():
            finished += self._advance_wide(searches, found["scores"], found["tokens"], parents)
        if finished or beams > 1:
            self._arrange(parents, finished)
        return finished

    def newest(self, search: Search) -> int:
        """The token that the last step gave to a greedy search in flight."""
        return int(self._live.previous[search.slots[0]])

    def _wide(self) -> dict[int, list[Search]]:
        groups: dict[int, list[Search]] = defaultdict(list)
        for search in self._searches:
            if search.row.beams > 1:
                groups[search.row.beams].append(search)
        return groups

    def _advance_greedy(self, scores: Floats, tokens: NDArray[np.int64]) -> list[Search]:
        """Extend all rows of one beam; the searches that this finished."""
        live = self._live
        (at,) = np.nonzero(live.greedy[: self.rows])
        chosen, steps = tokens[at], live.steps[at]
        live.totals[at] += scores[at]
        live.previous[at] = live.history[at, steps - 1] = chosen
        ended = (chosen == self._spec.eos_id) | (steps >= live.limits[at])
        finished = [live.owners[slot] for slot in at[ended].tolist()]
        for search in finished:
            (slot,) = search.slots.tolist()
            search.steps = int(live.steps[slot])
            kept = search.steps - int(live.previous[slot] == self._spec.eos_id)
            self._finish(search, 0, kept, float(live.totals[slot]))
        return finished

    def _advance_wide(
        self, searches: list[Search], scores: Floats, tokens: NDArray[np.int64], parents: Slots
    ) -> list[Search]:
        """Extend beam searches of equal width; notes in `parents` where each row comes from."""
        live, choices = self._live, 2 * searches[0].row.beams
        slots = np.stack([search.slots for search in searches])
        found = extend(
            live.totals[slots], scores[slots, :choices], tokens[slots, :choices], self._spec.eos_id
        )
        for search in searches:
            search.steps += 1
        for index, beam, total in found.ends:
            self._finish(searches[index], beam, searches[index].steps - 1, total)
        parents[slots] = np.take_along_axis(slots, found.parents, axis=1)
        live.history[slots] = live.history[parents[slots]]
        live.previous[slots] = live.history[slots, live.steps[slots] - 1] = found.tokens
        live.totals[slots] = found.totals
        for search, chosen in zip(searches, found.parents, strict=True):
            if search.attention is not None:
                search.attention = search.attention[chosen]
            self._stop_at_limit(search)
        return [search for search in searches if search.done]

    def _stop_at_limit(self, search: Search) -> None:
        """A search that found too little in its steps answers with what it has."""
        row = search.row
        if search.steps >= row.max_steps and len(search.finished) < row.hypotheses:
            for beam, total in enumerate(self._live.totals[search.slots].tolist()):
                self._finish(search, beam, search.steps, total)

    def _finish(self, search: Search, beam: int, kept: int, total: float) -> None:
        """Length normalisation as in Wu et al. 2016 without its constant: log p / length^a."""
        scored = search.steps  # each step added one log-probability, the end token's among them
        ids = self._live.history[search.slots[beam], :kept].tolist()
        weights = None if search.attention is None else search.attention[beam, :kept].copy()
        score = total / scored**self._spec.length_penalty
        search.finished.append(Hypothesis(ids, score, weights))

    def _arrange(self, parents: Slots, gone: list[Search]) -> None:
        if gone:
            parents = self._live.close_gaps(gone, parents)
            left = set(map(id, gone))
            self._searches = [search for search in self._searches if id(search) not in left]
        self._states.arrange(parents)


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
