"""8-bit graphs: close to the exact ones, and by rows no answer depends on its neighbours."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from training.config import Cell, TranslationModel
from training.graphs.seq2seq import decoder_graph
from training.models.seq2seq import Seq2Seq
from training.quantization import Quantization, quantize

ROWS, TIME = 9, 5


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(2)
    config = TranslationModel(
        embedding_size=64,
        encoder=Cell(kind="gru", hidden=32),
        decoder=Cell(kind="lstm", hidden=64, layers=2, bidirectional=False),
    )
    path = tmp_path_factory.mktemp("graphs") / "decoder.onnx"
    decoder_graph(Seq2Seq(config, 200).eval()).save(path)
    return path


def step(path: Path, rows: slice) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(4)
    feeds = {
        "previous": rng.integers(3, 200, ROWS)[rows],
        "state": rng.normal(size=(ROWS, 256)).astype(np.float32)[rows],
        "memory": rng.normal(size=(ROWS, TIME, 64)).astype(np.float32)[rows],
        "memory_lengths": np.full(ROWS, TIME)[rows],
        "k": np.array([3]),
    }
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feeds), strict=True))


@pytest.mark.parametrize("how", ["dynamic", "rows"])
def test_quantized_steps_are_close_and_small(how: Quantization, exact: Path) -> None:
    target = exact.with_name(f"{how}.onnx")
    quantize(exact, target, how)
    found, expected = step(target, slice(None)), step(exact, slice(None))
    np.testing.assert_allclose(found["next_state"], expected["next_state"], atol=0.1)
    assert target.stat().st_size < 0.5 * exact.stat().st_size


def test_by_rows_a_row_in_a_batch_is_the_row_alone(exact: Path) -> None:
    target = exact.with_name("alone.onnx")
    quantize(exact, target, "rows")
    together = step(target, slice(None))
    for row in range(ROWS):
        alone = step(target, slice(row, row + 1))
        assert alone["tokens"][0].tolist() == together["tokens"][row].tolist()
        np.testing.assert_allclose(alone["next_state"][0], together["next_state"][row], atol=1e-6)
