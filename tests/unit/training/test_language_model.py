"""Pretraining: what each direction may see, and what a classifier takes over."""

from pathlib import Path

import pytest
import torch

from service.tasks.sentiment import VOCABULARY
from training.config import Cell, LanguageModelSettings, SentimentModel
from training.errors import ConfigurationError, OutputError
from training.models.classifier import Classifier
from training.models.language_model import LanguageModel
from training.pretraining import start_from, take_over

CELL = Cell(hidden=6)
SETTINGS = LanguageModelSettings(embedding_size=5, sampled_softmax=3, dropout=0, cell=CELL)


def model() -> LanguageModel:
    torch.manual_seed(3)
    return LanguageModel(SETTINGS, 40)


def trained(folder: Path) -> Path:
    """A run folder of a language model that has a best checkpoint."""
    folder.mkdir()
    state = {f"model.{name}": weight for name, weight in model().state_dict().items()}
    torch.save({"state_dict": state}, folder / "best.ckpt")
    (folder / VOCABULARY).write_text("{}")
    return folder


def test_a_state_does_not_see_the_word_that_it_is_to_tell() -> None:
    found = model().eval()
    ids = torch.randint(1, 40, (2, 7))
    changed = ids.clone()
    changed[:, 4] = 1 + ids[:, 4] % 39
    lengths = torch.full((2,), 7)
    before, after = (found.encoder(found.embedding(x), lengths)[0] for x in (ids, changed))
    forward, backward = (before == after).all(-1).all(0)[:4], (before == after).all(-1).all(0)[5:]
    halves = [(before[..., half] == after[..., half]).all(-1) for half in (slice(6), slice(6, 12))]
    assert halves[0][:, :4].all()
    assert halves[1][:, 5:].all()
    assert not forward.any()
    assert not backward.any()


def test_the_loss_outside_training_is_that_of_the_whole_softmax() -> None:
    found = model().eval()
    ids = torch.randint(1, 40, (2, 7))
    states, _ = found.encoder(found.embedding(ids), torch.full((2,), 7))
    forward, backward = states.chunk(2, dim=-1)
    losses = [
        torch.nn.functional.cross_entropy(
            (layer(part) @ found.embedding.weight.t() + found.bias).flatten(0, 1), gold.flatten()
        )
        for layer, part, gold in (
            (found.outputs[0], forward[:, :-1], ids[:, 1:]),
            (found.outputs[1], backward[:, 1:], ids[:, :-1]),
        )
    ]
    torch.testing.assert_close(found.loss(ids), sum(losses) / 2)


def test_training_on_one_window_lowers_its_loss() -> None:
    found = model()
    ids = torch.randint(1, 40, (4, 12))
    optimizer = torch.optim.Adam(found.parameters(), 0.02)
    first = found.eval().loss(ids).item()
    found.train()
    for _ in range(80):
        optimizer.zero_grad()
        found.loss(ids).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert found.eval().loss(ids).item() < 0.7 * first


def test_a_classifier_starts_from_the_language_model(tmp_path: Path) -> None:
    take_over(trained(tmp_path / "lm"), tmp_path)
    classifier = Classifier(SentimentModel(embedding_size=5, cell=CELL), 40, 2)
    start_from(tmp_path, classifier)
    torch.testing.assert_close(classifier.embedding.weight, model().embedding.weight)
    for mine, other in zip(
        classifier.encoder.parameters(), model().encoder.parameters(), strict=True
    ):
        torch.testing.assert_close(mine, other)


def test_a_missing_language_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="train lm first"):
        take_over(tmp_path / "lm", tmp_path)


@pytest.mark.parametrize("cell", [Cell(hidden=7), Cell(hidden=6, layers=2)])
def test_a_language_model_of_another_shape_is_refused(cell: Cell, tmp_path: Path) -> None:
    take_over(trained(tmp_path / "lm"), tmp_path)
    classifier = Classifier(SentimentModel(embedding_size=5, cell=cell), 40, 2)
    with pytest.raises(ConfigurationError, match=r"initial\.pt"):
        start_from(tmp_path, classifier)
