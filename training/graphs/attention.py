"""Masked attention weights, shared by pooling and by the decoder."""

import numpy as np

from training.graphs.graph import Graph
from training.models.attention import AdditiveAttention, Attention, GeneralAttention

_MASKED = -1e9


def attention_scores(graph: Graph, module: Attention, query: str, memory: str) -> str:
    """Scores (rows, time) of queries (rows, query) over memory (rows, time, memory)."""
    if isinstance(module, GeneralAttention):
        asked = graph.op("Unsqueeze", graph.linear(query, module.project, "query"), graph.ints(2))
        return graph.op("Squeeze", graph.op("MatMul", memory, asked), graph.ints(2))
    if not isinstance(module, AdditiveAttention):
        raise TypeError(f"no graph for {type(module).__name__}")
    asked = graph.op("Unsqueeze", graph.linear(query, module.project, "query"), graph.ints(1))
    hidden = graph.op("Tanh", graph.op("Add", asked, graph.linear(memory, module.keys, "keys")))
    return graph.op("Squeeze", graph.linear(hidden, module.score, "score"), graph.ints(2))


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
