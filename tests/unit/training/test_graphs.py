"""ONNX graphs against the torch models they were built from: every cell, one and two layers."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray

from service.text.spans import iob2_tags
from training.config import Cell, NerModel, SentimentModel, TranslationModel
from training.graphs.classifier import classifier_graph
from training.graphs.graph import Graph
from training.graphs.seq2seq import decoder_graph, encoder_graph
from training.graphs.tagger import tagger_graph
from training.models.classifier import Classifier
from training.models.recurrent import length_mask
from training.models.seq2seq import Seq2Seq
from training.models.tagger import Tagger

LENGTHS = torch.tensor([7, 1, 3])
CELLS = [(kind, layers) for kind in ("rnn", "gru", "lstm") for layers in (1, 2)]
Arrays = dict[str, NDArray[Any]]


def run(graph: Graph, folder: Path, **inputs: torch.Tensor) -> Arrays:
    graph.save(folder / "graph.onnx")
    session = ort.InferenceSession(folder / "graph.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    feeds = {name: value.numpy() for name, value in inputs.items()}
    return dict(zip(names, session.run(None, feeds), strict=True))


def cell(kind: str, layers: int, *, bidirectional: bool = True) -> Cell:
    return Cell.model_validate(
        {"kind": kind, "hidden": 12, "layers": layers, "bidirectional": bidirectional}
    )


def assert_rows_close(found: NDArray[Any], expected: torch.Tensor) -> None:
    """Real parts of rows agree; what stands behind a row's length is nobody's business."""
    for row, length in enumerate(LENGTHS.tolist()):
        mine = expected[row, :length].detach().numpy()
        np.testing.assert_allclose(found[row, :length], mine, atol=1e-4)


@pytest.mark.parametrize("conventions", [1, 3])
@pytest.mark.parametrize("kind,layers", CELLS)
def test_tagger_graph_equals_torch(
    kind: str, layers: int, conventions: int, tmp_path: Path
) -> None:
    torch.manual_seed(4)
    config = NerModel(cell=cell(kind, layers), word_size=8, char_filters=6)
    model = Tagger(config, 50, 30, iob2_tags(["A", "B"]), conventions).eval()
    torch.nn.init.normal_(model.crf.transitions)
    torch.nn.init.normal_(model.project.weight, std=2)
    torch.nn.init.normal_(model.conventions.weight)
    model.crf.temperature.fill_(1.5)
    words, spelt = torch.randint(1, 50, (3, 7)), torch.randint(0, 30, (21, 20))
    forms, asked = torch.arange(21).view(3, 7), torch.tensor([2, 0, 1]) % conventions
    graph = tagger_graph(model)
    inputs = {"words": words, "chars": spelt[forms], "convention": asked[:, None]}
    outputs = run(graph, tmp_path, **inputs, lengths=LENGTHS.int())
    emissions = model(words, spelt, forms, LENGTHS, asked)
    mask = length_mask(LENGTHS, 7)
    assert_rows_close(outputs["emissions"], emissions)
    assert_rows_close(outputs["marginals"], model.crf.marginals(emissions, mask))
    for row, path in enumerate(model.crf.viterbi(emissions, mask)):
        assert outputs["tags"][row, : len(path)].tolist() == path


@pytest.mark.parametrize("kind,layers", CELLS)
def test_classifier_graph_equals_torch(kind: str, layers: int, tmp_path: Path) -> None:
    torch.manual_seed(5)
    config = SentimentModel(
        cell=cell(kind, layers),
        embedding_size=8,
        attention_size=5,
        poolings=("attention", "max", "mean"),
    )
    model = Classifier(config, 50, 2).eval()
    torch.nn.init.constant_(model.temperature, 1.7)
    ids = torch.randint(1, 50, (3, 7))
    outputs = run(classifier_graph(model), tmp_path, ids=ids, lengths=LENGTHS.int())
    logits = model(ids, LENGTHS).detach()
    np.testing.assert_allclose(outputs["logits"], logits.numpy(), atol=1e-4)
    expected = torch.softmax(logits, dim=-1).numpy()
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-4)


@pytest.mark.parametrize("attention", ["general", "additive"])
@pytest.mark.parametrize("kind,layers", CELLS)
def test_decoder_step_equals_torch(
    kind: str, layers: int, attention: Literal["general", "additive"], tmp_path: Path
) -> None:
    torch.manual_seed(6)
    decoder = cell(kind, layers, bidirectional=False)
    config = TranslationModel(
        embedding_size=10, attention=attention, encoder=cell(kind, layers), decoder=decoder
    )
    model = Seq2Seq(config, 50).eval()
    torch.nn.init.normal_(model.embedding.weight)
    ids, mask = torch.randint(1, 50, (3, 7)), length_mask(LENGTHS, 7)
    encoded = run(encoder_graph(model), tmp_path, ids=ids, lengths=LENGTHS.int())
    memory, state = model.encode(ids, LENGTHS)
    assert_rows_close(encoded["memory"], memory)
    np.testing.assert_allclose(encoded["state"], state.detach().numpy(), atol=1e-4)
    previous = torch.tensor([1, 4, 9])
    step = run(
        decoder_graph(model),
        tmp_path,
        previous=previous,
        state=torch.from_numpy(encoded["state"]),
        memory=torch.from_numpy(encoded["memory"]),
        memory_lengths=LENGTHS,
        k=torch.tensor([5]),
    )
    outputs, next_state, weights = model.decode(previous[:, None], state, memory, mask)
    best = torch.log_softmax(model.logits(outputs[:, 0]), -1).topk(5)
    np.testing.assert_allclose(step["next_state"], next_state.detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(step["scores"], best.values.detach().numpy(), atol=1e-4)
    np.testing.assert_allclose(step["weights"], weights[:, 0].detach().numpy(), atol=1e-5)
    assert step["tokens"].tolist() == best.indices.tolist()


def test_values_are_given_out_under_each_name_that_is_asked_for(tmp_path: Path) -> None:
    graph = Graph("outputs")
    value = graph.input("value", "float32", ("rows",))
    doubled = graph.op("Add", value, value)
    graph.output(doubled, "doubled", "float32", ("rows",))
    graph.output(doubled, "again", "float32", ("rows",))
    graph.output(value, "same", "float32", ("rows",))
    graph.output(graph.op("Add", doubled, value), "tripled", "float32", ("rows",))
    outputs = run(graph, tmp_path, value=torch.tensor([1.0, 2.0]))
    expected = {"doubled": [2, 4], "again": [2, 4], "same": [1, 2], "tripled": [3, 6]}
    assert {name: found.tolist() for name, found in outputs.items()} == expected
