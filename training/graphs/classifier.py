"""The classifier's graph: sub-word ids to probabilities."""

from training.graphs.attention import masked_softmax, position_mask, weighted_sum
from training.graphs.graph import Graph
from training.graphs.recurrent import recurrent
from training.models.classifier import MASKED, Classifier


def classifier_graph(model: Classifier) -> Graph:
    graph = Graph("sentiment")
    ids = graph.input("ids", "int64", ("batch", "time"))
    lengths = graph.input("lengths", "int32", ("batch",))
    embedded = graph.op("Gather", graph.weight(model.embedding.weight, "embedding"), ids)
    steps = graph.op("Transpose", embedded, perm=[1, 0, 2])
    outputs, _ = recurrent(graph, steps, lengths, model.encoder)
    states = graph.op("Transpose", outputs, perm=[1, 0, 2])
    mask = position_mask(graph, ids, graph.op("Cast", lengths, to=7), axis=1)
    pooled = _pooled(graph, model, states, mask)
    scores = graph.linear(pooled, model.project, "project")
    logits = graph.op("Div", scores, graph.scalar(float(model.temperature)))
    labels = model.project.out_features
    graph.output(logits, "logits", "float32", ("batch", labels))
    probabilities = graph.op("Softmax", logits, axis=1)
    graph.output(probabilities, "probabilities", "float32", ("batch", labels))
    return graph


def _pooled(graph: Graph, model: Classifier, states: str, mask: str) -> str:
    """Summaries of the states (batch, time, width), side by side (batch, poolings * width)."""
    parts = {"attention": _attention, "max": _maximum, "mean": _mean}
    return graph.op(
        "Concat",
        *(parts[name](graph, model, states, mask) for name in model.config.poolings),
        axis=1,
    )


def _attention(graph: Graph, model: Classifier, states: str, mask: str) -> str:
    hidden = graph.op("Tanh", graph.linear(states, model.pooling.hidden, "pooling"))
    scores = graph.op("Squeeze", graph.linear(hidden, model.pooling.score, "score"), graph.ints(2))
    return weighted_sum(graph, masked_softmax(graph, scores, mask), states)


def _maximum(graph: Graph, model: Classifier, states: str, mask: str) -> str:
    wide = graph.op("Unsqueeze", mask, graph.ints(2))
    real = graph.op("Where", wide, states, graph.scalar(MASKED))
    return graph.op("ReduceMax", real, graph.ints(1), keepdims=0)


def _mean(graph: Graph, model: Classifier, states: str, mask: str) -> str:
    real = graph.op("Cast", mask, to=1)
    steps = graph.op("ReduceSum", real, graph.ints(1), keepdims=1)
    return weighted_sum(graph, graph.op("Div", real, steps), states)
