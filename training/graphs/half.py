"""Weights stored in half precision: a bundle of half the size that computes in full precision.

A graph's large weights become fp16 constants behind a Cast, which ONNX Runtime folds away when it
opens the graph. Nothing changes in what the graph answers if the weights were rounded first.
"""

import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

_FEWEST_VALUES = 1024
_QUANTIZED = {"MatMulNBits", "DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLSTM"}
"""Operators whose scales stay as they are."""


def round_weights(model: torch.nn.Module) -> None:
    """Round every weight to a number that half precision holds. In place."""
    for weight in model.parameters():
        weight.data = weight.data.half().float()


def store_half(path: Path) -> None:
    """Rewrite the graph at `path` with its large fp32 weights in half precision."""
    model = onnx.load(path)
    graph = model.graph
    scales = {name for node in graph.node if node.op_type in _QUANTIZED for name in node.input}
    casts = []
    for tensor in graph.initializer:
        large = math.prod(tensor.dims) >= _FEWEST_VALUES
        if tensor.data_type != TensorProto.FLOAT or tensor.name in scales or not large:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
