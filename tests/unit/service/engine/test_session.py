"""A session runs where it says it runs, and rows are padded behind their ends."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from service.engine.errors import BatchMismatch, ProviderUnavailable
from service.engine.session import Session, pad_rows, require_rows

CPU = "CPUExecutionProvider"


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """x -> (x + x, x * x)"""
    nodes = [
        helper.make_node("Add", ["x", "x"], ["sum"]),
        helper.make_node("Mul", ["x", "x"], ["square"]),
    ]
    x, total, square = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows"])
        for name in ("x", "sum", "square")
    )
    model = helper.make_model(
        helper.make_graph(nodes, "tiny", [x], [total, square]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    onnx.save(model, tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU])


@pytest.fixture
def with_broken_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CUDA build of ONNX Runtime on a machine without a GPU: it falls back in silence."""
    real = ort.InferenceSession

    def open_on_cpu(path: Path, options: Any, providers: list[str]) -> Any:
        return real(path, options, providers=[CPU])

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    monkeypatch.setattr(ort, "InferenceSession", open_on_cpu)


def test_a_session_gives_all_outputs_by_name(graph: Path) -> None:
    session = Session.open(graph, "cpu", shared_pool=False)
    outputs = session.run({"x": np.array([1, 3], np.float32)})
    assert {name: array.tolist() for name, array in outputs.items()} == {
        "sum": [2, 6],
        "square": [1, 9],
    }
    assert session.device == "cpu"


@pytest.mark.usefixtures("without_cuda")
def test_cuda_where_none_is_built_in_is_refused_with_what_was_found(graph: Path) -> None:
    with pytest.raises(ProviderUnavailable, match=rf"'cuda' asked for.*{CPU}.*SLUICE_DEVICE=cpu"):
        Session.open(graph, "cuda", shared_pool=False)


@pytest.mark.usefixtures("with_broken_cuda")
def test_cuda_that_falls_back_in_silence_is_refused(graph: Path) -> None:
    with pytest.raises(ProviderUnavailable, match=f"runs on {CPU}"):
        Session.open(graph, "cuda", shared_pool=False)


@pytest.mark.usefixtures("without_cuda")
def test_auto_takes_the_cpu_where_cuda_is_not_built_in(graph: Path) -> None:
    assert Session.open(graph, "auto", shared_pool=False).device == "cpu"


@pytest.mark.usefixtures("with_broken_cuda")
def test_auto_takes_the_cpu_where_cuda_does_not_come_up(graph: Path) -> None:
    assert Session.open(graph, "auto", shared_pool=False).device == "cpu"


@pytest.mark.usefixtures("with_broken_cuda")
def test_cpu_never_tries_cuda(graph: Path) -> None:
    assert Session.open(graph, "cpu", shared_pool=False).device == "cpu"


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=7), min_size=1, max_size=5))
def test_padding_keeps_each_row_and_writes_zeros_behind_it(rows: list[list[int]]) -> None:
    padded = pad_rows([np.array(row, np.int32) for row in rows])
    longest = max(map(len, rows))
    assert padded.dtype == np.int32
    assert padded.tolist() == [row + [0] * (longest - len(row)) for row in rows]


def test_padding_keeps_the_inner_axes() -> None:
    padded = pad_rows([np.ones((1, 4), np.float32), np.ones((3, 4), np.float32)])
    assert padded.shape == (2, 3, 4)
    assert padded.sum(axis=(1, 2)).tolist() == [4, 12]


def test_rows_can_be_padded_to_a_given_length() -> None:
    assert pad_rows([np.array([5])], to=3).tolist() == [[5, 0, 0]]


def test_outputs_with_a_row_too_few_or_too_many_are_refused() -> None:
    require_rows(2, {"a": np.zeros((2, 3)), "b": np.zeros(2)})
    with pytest.raises(BatchMismatch, match="2 rows went into the session and 1 came out"):
        require_rows(2, {"a": np.zeros((2, 3)), "b": np.zeros(1)})
    with pytest.raises(BatchMismatch, match="2 rows went into the session and 3 came out"):
        require_rows(2, {"a": np.zeros(3)})
