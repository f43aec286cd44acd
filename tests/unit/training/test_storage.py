"""Weights in half precision: half the file, the same answers."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from training.graphs.graph import Graph
from training.graphs.storage import WEIGHTS, round_weights, store_weights


def test_a_graph_of_rounded_weights_answers_the_same_from_half_the_bytes(tmp_path: Path) -> None:
    layer = torch.nn.Linear(64, 64)
    round_weights(layer)
    graph = Graph("linear")
    rows = graph.input("rows", "float32", ("rows", 64))
    graph.output(graph.linear(rows, layer, "linear"), "out", "float32", ("rows", 64))
    path = tmp_path / "linear.onnx"
    graph.save(path)
    asked = {"rows": np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)}
    before, size = ort.InferenceSession(path).run(None, asked)[0], path.stat().st_size
    store_weights([path])
    assert path.stat().st_size + (tmp_path / WEIGHTS).stat().st_size < 0.6 * size
    np.testing.assert_array_equal(ort.InferenceSession(path).run(None, asked)[0], before)


def test_small_constants_stay_as_they_are(tmp_path: Path) -> None:
    graph = Graph("scaled")
    rows = graph.input("rows", "float32", ("rows",))
    graph.output(graph.op("Mul", rows, graph.scalar(1.1)), "out", "float32", ("rows",))
    path = tmp_path / "scaled.onnx"
    graph.save(path)
    store_weights([path])
    types = {tensor.data_type for tensor in onnx.load(path).graph.initializer}
    assert types == {onnx.TensorProto.FLOAT}


def test_graphs_share_a_weight_even_if_one_has_it_turned(tmp_path: Path) -> None:
    weight = torch.randn(64, 48).half().float()
    paths = [tmp_path / "first.onnx", tmp_path / "second.onnx"]
    asked = {"rows": np.ones((2, 64), np.float32)}, {"rows": np.ones((2, 48), np.float32)}
    for path, found in zip(paths, (weight, weight.t()), strict=True):
        graph = Graph("product")
        rows = graph.input("rows", "float32", ("rows", len(found)))
        product = graph.op("MatMul", rows, graph.weight(found, "weight"))
        graph.output(product, "out", "float32", ("rows", found.shape[1]))
        graph.save(path)
    before = [ort.InferenceSession(p).run(None, a)[0] for p, a in zip(paths, asked, strict=True)]
    store_weights(paths)
    assert (tmp_path / WEIGHTS).stat().st_size == weight.numel() * 2
    after = [ort.InferenceSession(p).run(None, a)[0] for p, a in zip(paths, asked, strict=True)]
    for mine, its in zip(before, after, strict=True):
        np.testing.assert_array_equal(mine, its)
