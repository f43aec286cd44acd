"""Masked attention weights, shared by pooling and by the decoder."""

import numpy as np

from training.graphs.graph import Graph

_MASKED = -1e9


def position_mask(graph: Graph, like: str, lengths: str, *, axis: int) -> str:
    """True at real positions (rows, time); `like` has the time axis, lengths (rows,) is int64."""
    time = graph.op("Shape", like, start=axis, end=axis + 1)
    scalar = graph.op("Squeeze", time)
    zero, one = (graph.weight(np.array(value, np.int64), "range") for value in (0, 1))
    steps = graph.op("Range", zero, scalar, one)
    return graph.op("Less", steps, graph.op("Unsqueeze", lengths, graph.ints(1)))


def masked_softmax(graph: Graph, scores: str, mask: str) -> str:
    """Weights (rows, time) that sum to one over real positions."""
    masked = graph.op("Where", mask, scores, graph.scalar(_MASKED))
    return graph.op("Softmax", masked, axis=1)


def weighted_sum(graph: Graph, weights: str, states: str) -> str:
    """(rows, time) and (rows, time, size) to (rows, size)."""
    row = graph.op("Unsqueeze", weights, graph.ints(1))
    return graph.op("Squeeze", graph.op("MatMul", row, states), graph.ints(1))
