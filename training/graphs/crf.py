"""Viterbi and forward-backward of a CRF as ONNX scans.

A begin tag (the last) makes every step alike, so a sentence of one word needs no case of its own
and no scan ever has zero steps, which onnxruntime does not survive.
"""

import numpy as np
import onnx
from numpy.typing import NDArray

from training.graphs.graph import Graph
from training.models.crf import FORBIDDEN, Crf


def crf_outputs(graph: Graph, emissions: str, mask: str, crf: Crf) -> tuple[str, str]:
    """Best tags (batch, time) and marginal probabilities (batch, time, tags).

    emissions (time, batch, tags), mask (time, batch, 1).
    """
    count = len(crf.tags)
    transitions = _square(crf.masked_transitions().detach().numpy())
    ends = np.append(crf.ends.detach().numpy(), np.float32(FORBIDDEN))
    padded = graph.op("Pad", emissions, graph.ints(0, 0, 0, 0, 0, 1), graph.scalar(FORBIDDEN))
    begin, end = _first_state(graph, padded, count), graph.weight(ends, "ends")
    tags = _viterbi(graph, padded, mask, begin, end, transitions)
    heat = float(crf.temperature)
    softened = graph.op("Div", padded, graph.scalar(heat))
    soft_end = graph.weight((ends / heat).astype(np.float32), "soft_ends")
    marginals = _marginals(
        graph, softened, mask, begin, soft_end, (transitions / heat).astype(np.float32)
    )
    real = graph.op("Slice", marginals, graph.ints(0), graph.ints(count), graph.ints(2))
    return tags, graph.op("Transpose", real, perm=[1, 0, 2])


def _square(transitions: NDArray[np.float32]) -> NDArray[np.float32]:
    """(tags + begin, tags) with a column that forbids going back to begin."""
    return np.pad(transitions, [(0, 0), (0, 1)], constant_values=FORBIDDEN).astype(np.float32)


def _first_state(graph: Graph, emissions: str, count: int) -> str:
    """(batch, tags + begin): all weight on begin."""
    start = np.full(count + 1, FORBIDDEN, np.float32)
    start[count] = 0
    batch = graph.op("Shape", emissions, start=1, end=2)
    shape = graph.op("Concat", batch, graph.ints(count + 1), axis=0)
    return graph.op("Expand", graph.weight(start, "begin"), shape)


def _viterbi(
    graph: Graph, emissions: str, mask: str, begin: str, end: str, transitions: NDArray[np.float32]
) -> str:
    scores, pointers = graph.ops(
        "Scan",
        begin,
        emissions,
        mask,
        outputs=2,
        num_scan_inputs=2,
        body=_best_step(transitions),
    )
    last = graph.op("ArgMax", graph.op("Add", scores, end), axis=1, keepdims=1)
    _, path = graph.ops(
        "Scan",
        last,
        pointers,
        outputs=2,
        num_scan_inputs=1,
        scan_input_directions=[1],
        scan_output_directions=[1],
        body=_follow_step(len(transitions)),
    )
    return graph.op("Transpose", graph.op("Squeeze", path, graph.ints(2)), perm=[1, 0])


def _marginals(
    graph: Graph, emissions: str, mask: str, begin: str, end: str, transitions: NDArray[np.float32]
) -> str:
    """softmax(alpha + beta), (time, batch, tags + begin); Rabiner 1989, eq. 27."""
    _, alphas = graph.ops(
        "Scan",
        begin,
        emissions,
        mask,
        outputs=2,
        num_scan_inputs=2,
        body=_forward_step(transitions),
    )
    _, betas = graph.ops(
        "Scan",
        graph.op("Expand", end, graph.op("Shape", begin)),
        emissions,
        mask,
        outputs=2,
        num_scan_inputs=2,
        scan_input_directions=[1, 1],
        scan_output_directions=[1],
        body=_backward_step(transitions),
    )
    return graph.op("Softmax", graph.op("Add", alphas, betas), axis=2)


def _step(name: str, size: int) -> tuple[Graph, str, str, str]:
    """A scan body over one position: state and emission (batch, size), mask (batch, 1)."""
    body = Graph(name)
    state = body.input("state", "float32", ("batch", size))
    emission = body.input("emission", "float32", ("batch", size))
    return body, state, emission, body.input("mask", "bool", ("batch", 1))


def _best_step(transitions: NDArray[np.float32]) -> onnx.GraphProto:
    size = len(transitions)
    body, state, emission, mask = _step("best", size)
    paths = body.op("Add", body.op("Unsqueeze", state, body.ints(2)), body.weight(transitions, "t"))
    best = body.op("ReduceMax", paths, body.ints(1), keepdims=0)
    pointer = body.op("ArgMax", paths, axis=1, keepdims=0)
    stay = body.weight(np.arange(size, dtype=np.int64)[None], "stay")
    moved = body.op("Where", mask, body.op("Add", best, emission), state)
    body.output(moved, "next_state", "float32", ("batch", size))
    body.output(body.op("Where", mask, pointer, stay), "pointer", "int64", ("batch", size))
    return body.body()


def _follow_step(size: int) -> onnx.GraphProto:
    body = Graph("follow")
    tag = body.input("tag", "int64", ("batch", 1))
    pointer = body.input("pointer", "int64", ("batch", size))
    before = body.op("GatherElements", pointer, tag, axis=1)
    body.output(before, "before", "int64", ("batch", 1))
    body.output(tag, "chosen", "int64", ("batch", 1))
    return body.body()


def _forward_step(transitions: NDArray[np.float32]) -> onnx.GraphProto:
    size = len(transitions)
    body, state, emission, mask = _step("forward", size)
    paths = body.op("Add", body.op("Unsqueeze", state, body.ints(2)), body.weight(transitions, "t"))
    reached = body.op("ReduceLogSumExp", paths, body.ints(1), keepdims=0)
    moved = body.op("Where", mask, body.op("Add", reached, emission), state)
    body.output(moved, "next_state", "float32", ("batch", size))
    body.output(moved, "alpha", "float32", ("batch", size))
    return body.body()


def _backward_step(transitions: NDArray[np.float32]) -> onnx.GraphProto:
    size = len(transitions)
    body, state, emission, mask = _step("backward", size)
    ahead = body.op("Unsqueeze", body.op("Add", state, emission), body.ints(1))
    paths = body.op("Add", ahead, body.weight(transitions, "t"))
    reached = body.op("ReduceLogSumExp", paths, body.ints(2), keepdims=0)
    body.output(body.op("Where", mask, reached, state), "next_state", "float32", ("batch", size))
    body.output(state, "beta", "float32", ("batch", size))
    return body.body()
