"""The classifier's graph: sub-word ids to probabilities."""

from training.graphs.attention import masked_softmax, position_mask, weighted_sum
from training.graphs.graph import Graph
from training.graphs.recurrent import recurrent
from training.models.classifier import Classifier


def classifier_graph(model: Classifier) -> Graph:
    graph = Graph("sentiment")
    ids = graph.input("ids", "int64", ("batch", "time"))
    lengths = graph.input("lengths", "int32", ("batch",))
    embedded = graph.op("Gather", graph.weight(model.embedding.weight, "embedding"), ids)
    steps = graph.op("Transpose", embedded, perm=[1, 0, 2])
    outputs, _ = recurrent(graph, steps, lengths, model.encoder)
    states = graph.op("Transpose", outputs, perm=[1, 0, 2])
    hidden = graph.op("Tanh", graph.linear(states, model.pooling.hidden, "pooling"))
    scores = graph.op("Squeeze", graph.linear(hidden, model.pooling.score, "score"), graph.ints(2))
    mask = position_mask(graph, ids, graph.op("Cast", lengths, to=7), axis=1)
    pooled = weighted_sum(graph, masked_softmax(graph, scores, mask), states)
    logits = graph.linear(pooled, model.project, "project")
    labels = model.project.out_features
    graph.output(logits, "logits", "float32", ("batch", labels))
    probabilities = graph.op("Softmax", logits, axis=1)
    graph.output(probabilities, "probabilities", "float32", ("batch", labels))
    return graph
