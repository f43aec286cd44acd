"""A small builder of ONNX graphs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from service.bundle import LATEST_IR, LATEST_OPSET, GraphSpec, TensorSpec

_ELEMENTS = {
    "float32": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "bool": TensorProto.BOOL,
}


class Graph:
    """Collects nodes and weights; every method returns the name of the value that it makes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[TensorSpec] = []
        self._outputs: list[TensorSpec] = []
        self._given: dict[str, str] = {}
        self._count = 0

    def input(self, name: str, dtype: str, axes: Sequence[str | int]) -> str:
        self._inputs.append(TensorSpec.model_validate(_spec(name, dtype, axes)))
        return name

    def output(self, value: str, name: str, dtype: str, axes: Sequence[str | int]) -> None:
        """Give `value` out under `name`.

        A node's result takes the name itself: a copy at each step of a scan costs as much as a sum.
        """
        made = any(value in node.output for node in self._nodes)
        if made and value not in self._given:
            self._given[value] = name
        else:
            self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(TensorSpec.model_validate(_spec(name, dtype, axes)))

    def weight(self, array: NDArray[Any] | torch.Tensor, name: str) -> str:
        """A constant; `name` is made unique."""
        values = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else array
        unique = self._unique(name)
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), unique))
        return unique

    def ints(self, *values: int) -> str:
        return self.weight(np.array(values, np.int64), "ints")

    def scalar(self, value: float) -> str:
        return self.weight(np.array(value, np.float32), "scalar")

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node with one output."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """One node with several outputs."""
        names = [self._unique(kind.lower()) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def linear(self, value: str, layer: torch.nn.Linear, name: str) -> str:
        """`value` (…, in) to (…, out)."""
        product = self.op("MatMul", value, self.weight(layer.weight.t(), f"{name}_weight"))
        if layer.bias is None:
            return product
        return self.op("Add", product, self.weight(layer.bias, f"{name}_bias"))

    def body(self) -> onnx.GraphProto:
        return helper.make_graph(
            [self._named(node) for node in self._nodes],
            self._name,
            [_value(spec) for spec in self._inputs],
            [_value(spec) for spec in self._outputs],
            self._weights,
        )

    def save(self, path: Path) -> None:
        """Write the graph after ONNX's own full check."""
        opset = helper.make_opsetid("", LATEST_OPSET)
        model = helper.make_model(self.body(), opset_imports=[opset], producer_name="sluice")
        model.ir_version = LATEST_IR
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def spec(self, files: dict[Any, str]) -> GraphSpec:
        return GraphSpec(inputs=tuple(self._inputs), outputs=tuple(self._outputs), files=files)

    def _named(self, node: onnx.NodeProto) -> onnx.NodeProto:
        """A copy that calls values by the names that they are given out under."""
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [self._given.get(name, name) for name in node.input]
        copy.output[:] = [self._given.get(name, name) for name in node.output]
        return copy

    def _unique(self, name: str) -> str:
        self._count += 1
        return f"{self._name}_{name}_{self._count}"


def _spec(name: str, dtype: str, axes: Sequence[str | int]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "axes": tuple(axes)}


def _value(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, _ELEMENTS[spec.dtype], list(spec.axes))
