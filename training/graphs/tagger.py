"""The tagger's graph: word and character ids to tags, marginals and emissions."""

from typing import cast

import numpy as np
import torch

from service.text.words import LONGEST_WORD
from training.graphs.crf import crf_outputs
from training.graphs.graph import Graph
from training.graphs.recurrent import recurrent
from training.models.tagger import Tagger
from training.models.words import CharacterFeatures


def tagger_graph(model: Tagger) -> Graph:
    graph = Graph("ner")
    words = graph.input("words", "int64", ("batch", "time"))
    chars = graph.input("chars", "int64", ("batch", "time", LONGEST_WORD))
    conventions = graph.input("convention", "int64", ("batch", 1))
    lengths = graph.input("lengths", "int32", ("batch",))
    spelled = _characters(graph, chars, words, model.features.chars)
    embedded = graph.op("Gather", graph.weight(model.features.words.weight, "words"), words)
    features = graph.op("Concat", embedded, spelled, axis=2)
    vectors = graph.op("Gather", graph.weight(model.conventions.weight, "vectors"), conventions)
    told = graph.op("Add", features, vectors)  # (batch, 1, features) to every word
    steps = graph.op("Transpose", told, perm=[1, 0, 2])  # (time, batch, features)
    states, _ = recurrent(graph, steps, lengths, model.encoder)
    emissions = _emissions(graph, states, conventions, model)
    tags, marginals = crf_outputs(graph, emissions, graph.op("Cast", lengths, to=7), model.crf)
    count = len(model.crf.tags)
    graph.output(tags, "tags", "int64", ("batch", "time"))
    graph.output(marginals, "marginals", "float32", ("batch", "time", count))
    by_row = graph.op("Transpose", emissions, perm=[1, 0, 2])
    graph.output(by_row, "emissions", "float32", ("batch", "time", count))
    return graph


def _emissions(graph: Graph, states: str, conventions: str, model: Tagger) -> str:
    """(time, batch, tags): of all conventions' scores those of each row's own."""
    tags, count = len(model.crf.tags), model.conventions.num_embeddings
    scores = graph.linear(states, model.project, "project")
    if count == 1:
        return scores
    by_convention = graph.op("Reshape", scores, graph.ints(0, 0, count, tags))
    chosen = graph.weight(np.eye(count, dtype=np.float32), "chosen")
    by_row = graph.op("Transpose", graph.op("Gather", chosen, conventions), perm=[1, 0, 2])
    weights = graph.op("Unsqueeze", by_row, graph.ints(3))  # (1, batch, conventions, 1)
    return graph.op("ReduceSum", graph.op("Mul", by_convention, weights), graph.ints(2), keepdims=0)


def _characters(graph: Graph, chars: str, words: str, module: CharacterFeatures) -> str:
    """(batch, time, filters)"""
    size = module.embedding.embedding_dim
    embedded = graph.op("Gather", graph.weight(module.embedding.weight, "chars"), chars)
    flat = graph.op("Reshape", embedded, graph.ints(-1, LONGEST_WORD, size))
    convolution = module.convolution
    bias = cast(torch.Tensor, convolution.bias)
    filtered = graph.op(
        "Conv",
        graph.op("Transpose", flat, perm=[0, 2, 1]),
        graph.weight(convolution.weight, "filters"),
        graph.weight(bias, "filters_bias"),
        kernel_shape=list(convolution.kernel_size),
        pads=[int(convolution.padding[0])] * 2,
    )
    highest = graph.op("ReduceMax", filtered, graph.ints(2), keepdims=0)
    shape = graph.op(
        "Concat", graph.op("Shape", words), graph.ints(convolution.out_channels), axis=0
    )
    return graph.op("Reshape", highest, shape)
