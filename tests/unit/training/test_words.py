"""Word features, their pretraining, and the pieces of both."""

from pathlib import Path

import numpy as np
import pytest
import torch

from service.text.spans import iob2_tags
from service.text.words import WordVocabulary
from training.config import Cell, NerModel, WordLanguageModelSettings
from training.data.spellings import Spellings
from training.errors import ConfigurationError, DataError
from training.models.cross_entropy import PiecewiseCrossEntropy
from training.models.pretrained import copy_words
from training.models.tagger import Tagger
from training.models.word_language_model import WordLanguageModel

KNOWN = WordVocabulary(["the", "rome"], list("ehmort"))
OWN = WordVocabulary(["rome", "oslo"], list("omrsl"))
CELL = Cell(hidden=6)


def language_model() -> WordLanguageModel:
    torch.manual_seed(1)
    settings = WordLanguageModelSettings(word_size=8, char_filters=4, cell=CELL, negatives=3)
    return WordLanguageModel(settings, KNOWN.word_count, KNOWN.char_count)


def tagger(hidden: int = 6) -> Tagger:
    torch.manual_seed(2)
    settings = NerModel(word_size=8, char_filters=4, cell=Cell(hidden=hidden, layers=2))
    return Tagger(settings, OWN.word_count, OWN.char_count, iob2_tags(["A"]), 2)


def stored(folder: Path, model: WordLanguageModel) -> Path:
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    torch.save({"state_dict": weights}, folder / "best.ckpt")
    return folder / "best.ckpt"


def test_a_tagger_starts_with_what_was_learnt_of_its_words(tmp_path: Path) -> None:
    source, target = language_model(), tagger()
    untouched = target.features.words.weight[3].clone()
    copy_words(stored(tmp_path, source), KNOWN, target, OWN)
    torch.testing.assert_close(target.features.words.weight[2], source.features.words.weight[3])
    torch.testing.assert_close(target.features.words.weight[3], untouched)
    first = target.encoder.layers[0].state_dict()
    for name, value in source.encoder.layers[0].state_dict().items():
        torch.testing.assert_close(first[name], value)


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"encoder\.layers\.0.*same sizes"):
        copy_words(stored(tmp_path, language_model()), KNOWN, tagger(hidden=5), OWN)


def test_a_missing_start_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"best\.ckpt: missing"):
        copy_words(tmp_path / "best.ckpt", KNOWN, tagger(), OWN)


def test_piecewise_cross_entropy_equals_torch() -> None:
    torch.manual_seed(3)
    leaves = [torch.randn(600, 5), torch.randn(40, 5), torch.randn(40)]
    targets = torch.randint(40, (600,))
    mine, theirs = ([leaf.clone().requires_grad_() for leaf in leaves] for _ in range(2))
    loss = PiecewiseCrossEntropy.apply(*mine, targets)  # type: ignore[no-untyped-call]
    guesses, weight, bias = theirs
    expected = torch.nn.functional.cross_entropy(guesses @ weight.t() + bias, targets)
    torch.testing.assert_close(loss, expected)
    (3 * loss).backward()
    (3 * expected).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_language_model_learns_its_sentence() -> None:
    model = language_model()
    spellings = Spellings(KNOWN)
    batch = spellings.batch([spellings.forms(["the", "Rome", "the"])] * 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    before = float(model.eval().loss(*batch).detach())
    model.train()
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(*batch).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert float(model.eval().loss(*batch).detach()) < before / 4


def test_a_batch_spells_each_word_once_and_keeps_every_place() -> None:
    spellings = Spellings(KNOWN)
    rows = [["the", "Rome"], ["ROME", "the", "the"]]
    batch = spellings.batch([spellings.forms(words) for words in rows])
    assert len(batch.chars) == 3
    for row, words in enumerate(rows):
        found = batch.chars[batch.forms[row, : len(words)]].numpy()
        np.testing.assert_array_equal(found, KNOWN.char_ids(words))
        assert batch.words[row, : len(words)].tolist() == KNOWN.word_ids(words).tolist()
    assert batch.words[0, 2] == 0
