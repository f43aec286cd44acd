"""The translator's graphs: an encoder of a batch of sources, and one step of the decoder."""

from training.graphs.attention import (
    attention_scores,
    masked_softmax,
    position_mask,
    weighted_sum,
)
from training.graphs.graph import Graph
from training.graphs.recurrent import StepCell, recurrent
from training.models.recurrent import rnn_layers
from training.models.seq2seq import Seq2Seq


def encoder_graph(model: Seq2Seq) -> Graph:
    """ids (batch, time), lengths (batch,) to memory (batch, time, width), state (batch, state)."""
    graph = Graph("encoder")
    ids = graph.input("ids", "int64", ("batch", "time"))
    lengths = graph.input("lengths", "int32", ("batch",))
    steps = graph.op("Transpose", _embedded(graph, ids, model), perm=[1, 0, 2])
    outputs, final = recurrent(graph, steps, lengths, model.encoder)
    memory = graph.op("Transpose", outputs, perm=[1, 0, 2])
    state = graph.op("Tanh", graph.linear(final, model.bridge, "bridge"))
    graph.output(memory, "memory", "float32", ("batch", "time", model.encoder.cell.width))
    graph.output(state, "state", "float32", ("batch", model.bridge.out_features))
    return graph


def decoder_graph(model: Seq2Seq) -> Graph:
    """One step of all rows in flight: the k likeliest next tokens of each, and its next state.

    `weights` (rows, time) is where the step looked at.
    """
    graph = Graph("decoder")
    width, size = model.encoder.cell.width, model.bridge.out_features
    previous = graph.input("previous", "int64", ("rows",))
    state = graph.input("state", "float32", ("rows", size))
    memory = graph.input("memory", "float32", ("rows", "time", width))
    lengths = graph.input("memory_lengths", "int64", ("rows",))
    k = graph.input("k", "int64", (1,))
    embedded = _embedded(graph, previous, model)
    output, next_state, weights = _step(graph, model, embedded, state, memory, lengths)
    logits = graph.op("MatMul", output, graph.weight(model.embedding.weight.t(), "softmax"))
    biased = graph.op("Add", logits, graph.weight(model.bias, "softmax_bias"))
    scores, tokens = graph.ops("TopK", graph.op("LogSoftmax", biased, axis=1), k, outputs=2)
    graph.output(scores, "scores", "float32", ("rows", "k"))
    graph.output(tokens, "tokens", "int64", ("rows", "k"))
    graph.output(next_state, "next_state", "float32", ("rows", size))
    graph.output(weights, "weights", "float32", ("rows", "time"))
    return graph


def _step(
    graph: Graph, model: Seq2Seq, embedded: str, state: str, memory: str, lengths: str
) -> tuple[str, str, str]:
    """Attentional output, next state and attention weights; as `Seq2Seq.decode` of one step.

    The state (rows, parts * layers * hidden) holds h of every layer, then c of every layer.
    """
    kind, layers = model.config.decoder.kind, len(model.decoder)
    parts = model.states * layers
    split = graph.ops("Split", state, outputs=parts, axis=1, num_outputs=parts)
    hidden, cells = split[:layers], split[layers:] or [""] * layers
    steps = [StepCell(graph, layer, kind) for layer in rnn_layers(model.decoder)]
    hidden[0], cells[0] = steps[0].step(embedded, hidden[0], cells[0])
    scores = attention_scores(graph, model.attention, hidden[0], memory)
    mask = position_mask(graph, memory, lengths, axis=1)
    weights = masked_softmax(graph, scores, mask)
    context = weighted_sum(graph, weights, memory)
    for depth in range(1, layers):
        joined = graph.op("Concat", hidden[depth - 1], context, axis=1)
        hidden[depth], cells[depth] = steps[depth].step(joined, hidden[depth], cells[depth])
    joined = graph.op("Concat", hidden[-1], context, axis=1)
    output = graph.op("Tanh", graph.linear(joined, model.combine, "combine"))
    states = [*hidden, *cells] if model.states == 2 else hidden
    return output, graph.op("Concat", *states, axis=1), weights


def _embedded(graph: Graph, ids: str, model: Seq2Seq) -> str:
    rows = graph.op("Gather", graph.weight(model.embedding.weight, "embedding"), ids)
    return graph.op("Mul", rows, graph.scalar(model.config.embedding_size**0.5))
