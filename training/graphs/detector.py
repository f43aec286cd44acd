"""The detector's graph: character and n-gram ids to probabilities of languages."""

from service.text.detection import GRAM_ORDERS
from training.graphs.attention import masked_softmax, position_mask, weighted_sum
from training.graphs.graph import Graph
from training.graphs.recurrent import recurrent
from training.models.detector import Detector


def detector_graph(model: Detector) -> Graph:
    graph = Graph("detection")
    characters = graph.input("characters", "int64", ("batch", "time"))
    grams = graph.input("grams", "int64", ("batch", "time", len(GRAM_ORDERS)))
    lengths = graph.input("lengths", "int32", ("batch",))
    embedded = _embedded(graph, characters, grams, model)
    outputs, _ = recurrent(graph, embedded, lengths, model.encoder)
    states = graph.op("Transpose", outputs, perm=[1, 0, 2])
    hidden = graph.op("Tanh", graph.linear(states, model.pooling.hidden, "pooling"))
    scores = graph.op("Squeeze", graph.linear(hidden, model.pooling.score, "score"), graph.ints(2))
    mask = position_mask(graph, characters, graph.op("Cast", lengths, to=7), axis=1)
    pooled = weighted_sum(graph, masked_softmax(graph, scores, mask), states)
    logits = graph.linear(pooled, model.project, "project")
    languages = model.project.out_features
    graph.output(logits, "logits", "float32", ("batch", languages))
    probabilities = graph.op("Softmax", logits, axis=1)
    graph.output(probabilities, "probabilities", "float32", ("batch", languages))
    return graph


def _embedded(graph: Graph, characters: str, grams: str, model: Detector) -> str:
    """(time, batch, features)"""
    tables = (
        graph.weight(model.characters.weight, "characters"),
        graph.weight(model.grams.weight, "grams"),
    )
    by_character = graph.op("Gather", tables[0], characters)
    by_order = graph.op("Gather", tables[1], grams)
    flat = graph.op("Reshape", by_order, graph.ints(0, 0, -1))
    return graph.op("Transpose", graph.op("Concat", by_character, flat, axis=2), perm=[1, 0, 2])
