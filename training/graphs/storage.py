"""How a bundle stores its weights: in half precision, each once, in one file beside the graphs.

A graph's large weights become fp16 constants behind a Cast, which ONNX Runtime folds away when it
opens the graph: it computes in full precision. Graphs of one model share weights (the embedding of
encoder, decoder and, transposed, softmax; a recurrent layer in fp32 and int8), so they lie in one
file of external data (ONNX, "External Data"). Nothing changes in what the graphs answer if the
weights were rounded first.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

WEIGHTS = "weights.bin"
_FEWEST_VALUES = 1024
_ALIGNMENT = 4096
_QUANTIZED = {"MatMulNBits", "DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLSTM"}
"""Operators whose scales stay as they are."""

Half = NDArray[np.float16]


def round_weights(model: torch.nn.Module) -> None:
    """Round every weight to a number that half precision holds. In place."""
    for weight in model.parameters():
        weight.data = weight.data.half().float()


def store_weights(graphs: Sequence[Path]) -> None:
    """Move the large fp32 weights of graphs of one folder to `WEIGHTS` in that folder."""
    pool = _Pool()
    for path in graphs:
        model = onnx.load(path)
        _move(model.graph, pool)
        onnx.save(model, path)
    graphs[0].with_name(WEIGHTS).write_bytes(pool.content)
    for path in graphs:
        onnx.checker.check_model(str(path), full_check=True)


class _Pool:
    """The bytes of all weights, and where each of them lies."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._places: dict[tuple[bytes, tuple[int, ...]], int] = {}

    def place(self, values: Half) -> int | None:
        return self._places.get((values.tobytes(), values.shape))

    def add(self, values: Half) -> int:
        """Offset of `values`, which are written if they are new."""
        known = self.place(values)
        if known is not None:
            return known
        self.content.extend(bytes(-len(self.content) % _ALIGNMENT))
        offset = len(self.content)
        self.content.extend(values.tobytes())
        self._places[values.tobytes(), values.shape] = offset
        return offset


def _move(graph: onnx.GraphProto, pool: _Pool) -> None:
    """Replace large weights by nodes that read them from the pool."""
    scales = {name for node in graph.node if node.op_type in _QUANTIZED for name in node.input}
    nodes: list[NodeProto] = []
    for tensor in graph.initializer:
        large = math.prod(tensor.dims) >= _FEWEST_VALUES
        if large and tensor.data_type == TensorProto.FLOAT and tensor.name not in scales:
            nodes += _moved(tensor, pool)
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def _moved(tensor: TensorProto, pool: _Pool) -> list[NodeProto]:
    """Make `tensor` a half-precision one of the pool; nodes that give it back its name."""
    name, half, cast = tensor.name, f"{tensor.name}_half", f"{tensor.name}_cast"
    values = numpy_helper.to_array(tensor).astype(np.float16)
    turned = values.ndim == 2 and pool.place(np.ascontiguousarray(values.T)) is not None
    if turned:
        values = np.ascontiguousarray(values.T)
    tensor.CopyFrom(numpy_helper.from_array(values, half))
    set_external_data(tensor, WEIGHTS, offset=pool.add(values), length=values.nbytes)
    tensor.ClearField("raw_data")
    if not turned:
        return [helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT)]
    return [
        helper.make_node("Cast", [half], [cast], to=TensorProto.FLOAT),
        helper.make_node("Transpose", [cast], [name], perm=[1, 0]),
    ]
