"""The CRF's graph against enumeration of all tag sequences and against the torch CRF."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.text.spans import iob2_tags
from training.graphs.crf import crf_outputs
from training.graphs.graph import Graph
from training.models.crf import Crf
from training.models.recurrent import length_mask

TAGS = iob2_tags(["A", "B"])
HEAT = 1.5
Floats = NDArray[np.float32]
Tagged = tuple[NDArray[np.int64], Floats]
Run = Callable[[Floats, list[int]], Tagged]
"""Emissions (batch, time, tags) and lengths to tags (batch, time) and marginals."""


@pytest.fixture(scope="module")
def crf() -> Crf:
    torch.manual_seed(7)
    crf = Crf(TAGS)
    torch.nn.init.normal_(crf.transitions)
    torch.nn.init.normal_(crf.ends)
    crf.temperature.fill_(HEAT)
    return crf


@pytest.fixture(scope="module")
def run(crf: Crf, tmp_path_factory: pytest.TempPathFactory) -> Run:
    graph = Graph("crf")
    emissions = graph.input("emissions", "float32", ("time", "batch", len(TAGS)))
    tags, marginals = crf_outputs(
        graph, emissions, graph.input("lengths", "int64", ("batch",)), crf
    )
    graph.output(tags, "tags", "int64", ("batch", "time"))
    graph.output(marginals, "marginals", "float32", ("batch", "time", len(TAGS)))
    path = tmp_path_factory.mktemp("crf") / "crf.onnx"
    graph.save(path)
    return _opened(path)


def _opened(path: Path) -> Run:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(emissions: Floats, lengths: list[int]) -> Tagged:
        feeds = {"emissions": emissions.transpose(1, 0, 2), "lengths": np.array(lengths, np.int64)}
        tags, marginals = session.run(None, feeds)
        return tags, marginals

    return run


def drawn(seed: int, *shape: int, scale: float = 3.0) -> Floats:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def enumerated(crf: Crf, emissions: Floats) -> tuple[list[int], NDArray[np.float64]]:
    """Best tags and marginals (time, tags) of one row (time, tags)."""
    steps, ends = crf.masked_transitions().detach().numpy(), crf.ends.detach().numpy()
    paths = list(product(range(len(TAGS)), repeat=len(emissions)))
    scores = np.array(
        [
            sum(float(steps[a, b]) for a, b in zip((len(TAGS), *path), path, strict=False))
            + float(emissions[range(len(path)), path].sum() + ends[path[-1]])
            for path in paths
        ]
    )
    weights = np.exp((scores - scores.max()) / HEAT)
    marginals = np.zeros(emissions.shape)
    for path, weight in zip(paths, weights / weights.sum(), strict=True):
        marginals[range(len(path)), path] += weight
    return list(paths[int(scores.argmax())]), marginals


def assert_equals_torch(crf: Crf, found: Tagged, emissions: Floats, lengths: list[int]) -> None:
    """In double precision, where a long row sums exactly enough to tell who is right."""
    exact = Crf(TAGS).double()
    exact.load_state_dict(crf.state_dict())
    exact.temperature.copy_(crf.temperature)
    mask = length_mask(torch.tensor(lengths), emissions.shape[1])
    scores = torch.from_numpy(emissions).double()
    marginals = exact.marginals(scores, mask).numpy()
    for row, path in enumerate(exact.viterbi(scores, mask)):
        assert found[0][row, : len(path)].tolist() == path
        mine = found[1][row, : len(path)]
        np.testing.assert_allclose(mine, marginals[row, : len(path)], atol=2e-6)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_tags_and_marginals_equal_enumeration(crf: Crf, run: Run, length: int) -> None:
    emissions = drawn(length, 1, length, len(TAGS), scale=1.5)
    tags, marginals = run(emissions, [length])
    path, expected = enumerated(crf, emissions[0])
    assert tags[0].tolist() == path
    np.testing.assert_allclose(marginals[0], expected, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5), seed=st.integers(0, 10_000))
def test_rows_of_any_lengths_equal_torch(crf: Crf, run: Run, lengths: list[int], seed: int) -> None:
    emissions = drawn(seed, len(lengths), max(lengths), len(TAGS))
    assert_equals_torch(crf, run(emissions, lengths), emissions, lengths)


def test_five_hundred_words_beside_one_word_equal_torch(crf: Crf, run: Run) -> None:
    lengths = [500, 1, 37]
    emissions = drawn(5, 3, 500, len(TAGS)) + 10
    assert_equals_torch(crf, run(emissions, lengths), emissions, lengths)


def test_padding_does_not_change_tags_or_marginals(run: Run) -> None:
    emissions = drawn(6, 1, 4, len(TAGS))
    tags, marginals = run(emissions, [4])
    padded = np.concatenate([emissions, drawn(8, 1, 9, len(TAGS), scale=50)], axis=1)
    more_tags, more_marginals = run(padded, [4])
    assert more_tags[0, :4].tolist() == tags[0].tolist()
    np.testing.assert_allclose(more_marginals[0, :4], marginals[0], atol=1e-6)
    assert more_marginals[0, 4:].max() < 1e-20


def test_a_row_in_a_batch_is_the_row_alone(run: Run) -> None:
    emissions, lengths = drawn(9, 3, 11, len(TAGS)), [11, 1, 6]
    tags, marginals = run(emissions, lengths)
    for row, length in enumerate(lengths):
        one_tags, one_marginals = run(emissions[row : row + 1, :length], [length])
        assert tags[row, :length].tolist() == one_tags[0].tolist()
        np.testing.assert_allclose(marginals[row, :length], one_marginals[0], atol=1e-6)


def test_certainty_of_what_is_forbidden_leaves_a_sequence_that_is_allowed(run: Run) -> None:
    emissions = np.zeros((1, 6, len(TAGS)), np.float32)
    emissions[0, :3, TAGS.index("O")] = 500
    emissions[0, 3:, TAGS.index("I-A")] = 500  # after O an I-A must begin as B-A
    tags, marginals = run(emissions, [6])
    names = [TAGS[tag] for tag in tags[0]]
    assert names in (["O", "O", "B-A", *["I-A"] * 3], ["O", "O", "O", "B-A", "I-A", "I-A"])
    np.testing.assert_allclose(marginals.sum(-1), 1, atol=1e-5)
