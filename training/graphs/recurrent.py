"""Recurrent layers as ONNX operators, and single decoder steps as plain arithmetic."""

import torch
from torch import Tensor, nn

from training.graphs.graph import Graph
from training.models.recurrent import Recurrent, rnn_layers

# Order of the gates: torch LSTM i f g o, ONNX i o f c; torch GRU r z n, ONNX z r h.
_GATES = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2], "rnn": [0]}
_OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


def recurrent(graph: Graph, value: str, lengths: str, module: Recurrent) -> tuple[str, str]:
    """Outputs (time, batch, width) and last layer's final output (batch, width).

    `value` is (time, batch, features), `lengths` (batch,) int32: ONNX stops each row there and
    starts the backward direction there, as `Recurrent` does.
    """
    final = ""
    for layer in module.layers:
        value, final = _layer(graph, value, lengths, module.cell.kind, rnn_layers(layer))
    return value, final


def _layer(
    graph: Graph, value: str, lengths: str, kind: str, directions: list[nn.RNNBase]
) -> tuple[str, str]:
    weights = [_stacked(directions, part, kind) for part in ("weight_ih", "weight_hh", "bias")]
    names = [graph.weight(tensor, kind) for tensor in weights]
    attributes = {"linear_before_reset": 1} if kind == "gru" else {}
    outputs, final = graph.ops(
        _OPERATORS[kind],
        value,
        *names,
        lengths,
        outputs=2,
        direction="bidirectional" if len(directions) == 2 else "forward",
        hidden_size=directions[0].hidden_size,
        **attributes,
    )
    # (time, directions, batch, hidden) to (time, batch, directions * hidden)
    joined = graph.op("Transpose", outputs, perm=[0, 2, 1, 3])
    last = graph.op("Transpose", final, perm=[1, 0, 2])
    return (
        graph.op("Reshape", joined, graph.ints(0, 0, -1)),
        graph.op("Reshape", last, graph.ints(0, -1)),
    )


def _stacked(directions: list[nn.RNNBase], part: str, kind: str) -> Tensor:
    """The weights of all directions on axis 0, gates in ONNX's order."""
    names = ("bias_ih_l0", "bias_hh_l0") if part == "bias" else (f"{part}_l0",)
    rows = [
        torch.cat([_reordered(weights[name], kind) for name in names])
        for weights in (dict(direction.named_parameters()) for direction in directions)
    ]
    return torch.stack(rows)


def _reordered(weight: Tensor, kind: str) -> Tensor:
    gates = weight.chunk(len(_GATES[kind]))
    return torch.cat([gates[i] for i in _GATES[kind]])


class StepCell:
    """One step of a recurrent layer, written out.

    As MatMul and Split it runs as fast as the GRU operator for one step, and int8 applies.
    """

    def __init__(self, graph: Graph, module: nn.RNNBase, kind: str) -> None:
        self._graph, self._module, self._kind = graph, module, kind

    def step(self, value: str, hidden: str, cell: str) -> tuple[str, str]:
        """Next hidden and cell state (rows, hidden); `cell` is of no meaning but for an LSTM."""
        from_input = self._product(value, "ih_l0")
        from_hidden = self._product(hidden, "hh_l0")
        if self._kind == "lstm":
            return self._lstm(from_input, from_hidden, cell)
        if self._kind == "gru":
            return self._gru(from_input, from_hidden, hidden), ""
        return self._graph.op("Tanh", self._graph.op("Add", from_input, from_hidden)), ""

    def _product(self, value: str, name: str) -> str:
        weight = getattr(self._module, f"weight_{name}")
        bias = getattr(self._module, f"bias_{name}")
        product = self._graph.op("MatMul", value, self._graph.weight(weight.t(), name))
        return self._graph.op("Add", product, self._graph.weight(bias, f"bias_{name}"))

    def _gru(self, from_input: str, from_hidden: str, hidden: str) -> str:
        g = self._graph
        input_r, input_z, input_n = g.ops("Split", from_input, outputs=3, axis=1, num_outputs=3)
        hidden_r, hidden_z, hidden_n = g.ops("Split", from_hidden, outputs=3, axis=1, num_outputs=3)
        reset = g.op("Sigmoid", g.op("Add", input_r, hidden_r))
        update = g.op("Sigmoid", g.op("Add", input_z, hidden_z))
        new = g.op("Tanh", g.op("Add", input_n, g.op("Mul", reset, hidden_n)))
        kept = g.op("Mul", update, g.op("Sub", hidden, new))
        return g.op("Add", new, kept)

    def _lstm(self, from_input: str, from_hidden: str, cell: str) -> tuple[str, str]:
        g = self._graph
        gates = g.op("Add", from_input, from_hidden)
        enter, forget, new, leave = g.ops("Split", gates, outputs=4, axis=1, num_outputs=4)
        entered = g.op("Mul", g.op("Sigmoid", enter), g.op("Tanh", new))
        cell = g.op("Add", g.op("Mul", g.op("Sigmoid", forget), cell), entered)
        return g.op("Mul", g.op("Sigmoid", leave), g.op("Tanh", cell)), cell
