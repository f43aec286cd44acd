"""Viterbi and forward-backward of a CRF as two ONNX scans.

A node of a scan costs half a microsecond at every position, however small its tensors. So all that
does not depend on the step before is computed for all positions at once, outside; both recursions
share one scan, and the best path is followed back in another.

The boundary, a state beside the tags (the last), is what stands before the first word, after the
last one and at padding: transitions out of it are the start scores, into it the end scores. So all
steps are alike, and neither padding nor a sentence of one word needs a case of its own. A scan
never has zero steps, which onnxruntime does not survive.

Batches come last, (states, batch): a step's scores then meet all transitions without a reshape.
"""

import numpy as np
import onnx
from numpy.typing import NDArray

from training.graphs.graph import Graph
from training.models.crf import FORBIDDEN, Crf

_LEAST = -60.0
"""Log of a word's smallest potential, which stands for zero too: float32 reaches to -87, so that
nothing that is reached underflows. The shipped tagger's emissions differ by 45 at most."""
_EARLIEST = -(2**62)

Matrix = NDArray[np.float32]


def crf_outputs(graph: Graph, emissions: str, lengths: str, crf: Crf) -> tuple[str, str]:
    """Best tags (batch, time) and marginal probabilities (batch, time, tags).

    emissions (time, batch, tags), lengths (batch,) int64. Behind a row's length the tag is the
    boundary.
    """
    transitions, heat = _transitions(crf), float(crf.temperature)
    scores = _scores(graph, emissions, lengths, len(crf.tags))
    arrivals = _arrivals(graph, scores, transitions)
    potentials = _potentials(graph, scores, heat)
    final, paths, messages = _recursions(graph, arrivals, potentials, transitions / heat)
    tags = _followed(graph, final, paths, transitions[:, -1:])
    return tags, _marginals(graph, messages, potentials, len(crf.tags))


def _transitions(crf: Crf) -> Matrix:
    """(states, states): score of column after row; from boundary to boundary it is free."""
    ends = np.append(crf.ends.detach().numpy(), np.float32(0))
    return np.column_stack([crf.masked_transitions().detach().numpy(), ends])


def _only_boundary(count: int) -> Matrix:
    """(states, 1): scores where no word stands."""
    return np.append(np.full(count, FORBIDDEN, np.float32), np.float32(0))[:, None]


def _scores(graph: Graph, emissions: str, lengths: str, count: int) -> str:
    """Emissions of all states (time, states, batch).

    Less each word's best, which changes no answer: sums stay small, and so exact, on long texts.
    """
    best = graph.op("ReduceMax", emissions, graph.ints(2), keepdims=1)
    below = graph.op("Transpose", graph.op("Sub", emissions, best), perm=[0, 2, 1])
    words = graph.op("Pad", below, graph.ints(0, 0, 0, 0, 1, 0), graph.scalar(FORBIDDEN))
    zero, one = (graph.weight(np.array(value, np.int64), "range") for value in (0, 1))
    time = graph.op("Squeeze", graph.op("Shape", emissions, start=0, end=1))
    steps = graph.op("Unsqueeze", graph.op("Range", zero, time, one), graph.ints(1, 2))
    mask = graph.op("Less", steps, lengths)  # (time, 1, batch)
    return graph.op("Where", mask, words, graph.weight(_only_boundary(count), "boundary"))


def _arrivals(graph: Graph, scores: str, transitions: Matrix) -> str:
    """(time, states, states before, batch): what a step adds to each path."""
    after = graph.weight(transitions.T[:, :, None], "transitions")
    return graph.op("Add", graph.op("Unsqueeze", scores, graph.ints(2)), after)


def _potentials(graph: Graph, scores: str, heat: float) -> str:
    """(time, 1, states, batch): exponentials of the scores at the temperature."""
    softened = graph.op("Div", scores, graph.scalar(heat))
    bounded = graph.op("Max", softened, graph.scalar(_LEAST))
    return graph.op("Unsqueeze", graph.op("Exp", bounded), graph.ints(1))


def _recursions(
    graph: Graph, arrivals: str, potentials: str, softened: Matrix
) -> tuple[str, str, str]:
    """The steps of `_step` from the boundary on: final scores, paths, messages.

    Messages (time, 2, states, batch): the backward ones are in the order of their computation.
    """
    boundary = _only_boundary(len(softened) - 1)
    beliefs = np.stack([np.exp(boundary)] * 2)
    batch = graph.op("Shape", potentials, start=3, end=4)
    final, _, paths, messages = graph.ops(
        "Scan",
        graph.op("Expand", graph.weight(boundary, "scores"), batch),
        graph.op("Expand", graph.weight(beliefs, "beliefs"), batch),
        arrivals,
        graph.op("Concat", potentials, _reversed(graph, potentials), axis=1),
        outputs=4,
        num_scan_inputs=2,
        body=_step(np.exp(softened)),
    )
    return final, paths, messages


def _step(weights: Matrix) -> onnx.GraphProto:
    """One position of Viterbi, forward and backward, the latter scaled (Rabiner 1989, V.A)."""
    size = len(weights)
    body = Graph("step")
    scores = body.input("scores", "float32", (size, "batch"))
    beliefs = body.input("beliefs", "float32", (2, size, "batch"))
    arrivals = body.input("arrivals", "float32", (size, size, "batch"))
    potentials = body.input("potentials", "float32", (2, size, "batch"))
    paths = body.op("Add", arrivals, scores)
    best = body.op("ReduceMax", paths, body.ints(1), keepdims=0)
    both = body.weight(np.stack([weights.T, weights]), "weights")
    messages = body.op("MatMul", both, beliefs)
    joint = body.op("Mul", messages, potentials)
    summed = body.op("ReduceSum", joint, body.ints(1), keepdims=1)
    body.output(best, "next_scores", "float32", (size, "batch"))
    body.output(body.op("Div", joint, summed), "next_beliefs", "float32", (2, size, "batch"))
    body.output(paths, "paths", "float32", (size, size, "batch"))
    body.output(messages, "messages", "float32", (2, size, "batch"))
    return body.body()


def _followed(graph: Graph, final: str, paths: str, ends: Matrix) -> str:
    """(batch, time): the best path, from its end back."""
    pointers = graph.op("ArgMax", paths, axis=2, keepdims=0)  # (time, states, batch)
    ended = graph.op("Add", final, graph.weight(ends, "ends"))
    _, path = graph.ops(
        "Scan",
        graph.op("ArgMax", ended, axis=0, keepdims=1),
        pointers,
        outputs=2,
        num_scan_inputs=1,
        scan_input_directions=[1],
        scan_output_directions=[1],
        body=_follow_step(len(ends)),
    )
    return graph.op("Squeeze", graph.op("Transpose", path, perm=[2, 0, 1]), graph.ints(2))


def _follow_step(size: int) -> onnx.GraphProto:
    body = Graph("follow")
    tag = body.input("tag", "int64", (1, "batch"))
    pointer = body.input("pointer", "int64", (size, "batch"))
    before = body.op("GatherElements", pointer, tag, axis=0)
    body.output(before, "before", "int64", (1, "batch"))
    body.output(tag, "chosen", "int64", (1, "batch"))
    return body.body()


def _marginals(graph: Graph, messages: str, potentials: str, count: int) -> str:
    """(batch, time, tags): forward, word and backward multiplied; Rabiner 1989, eq. 27."""
    forward, backward = graph.ops("Split", messages, outputs=2, axis=1, num_outputs=2)
    around = graph.op("Mul", forward, _reversed(graph, backward))
    joint = graph.op("Squeeze", graph.op("Mul", around, potentials), graph.ints(1))
    chances = graph.op("Div", joint, graph.op("ReduceSum", joint, graph.ints(1), keepdims=1))
    real = graph.op("Slice", chances, graph.ints(0), graph.ints(count), graph.ints(1))
    return graph.op("Transpose", real, perm=[2, 0, 1])


def _reversed(graph: Graph, value: str) -> str:
    """Last position first."""
    return graph.op(
        "Slice", value, graph.ints(-1), graph.ints(_EARLIEST), graph.ints(0), graph.ints(-1)
    )
