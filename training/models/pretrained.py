"""A tagger's start: words, characters and first layer of a word language model."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from service.text.words import WordVocabulary
from training.errors import ConfigurationError, DataError
from training.models.tagger import Tagger

_FIRST_LAYER = "encoder.layers.0."
_MARKS = 2
"""Ids before the first word: padding and unknown."""


def copy_words(
    checkpoint: Path, known: WordVocabulary, model: Tagger, vocabulary: WordVocabulary
) -> None:
    """Copy into `model` what the checkpoint knows of its words, matched by their spelling.

    Raises DataError without a checkpoint, ConfigurationError if the two differ in a size.
    """
    if not checkpoint.exists():
        raise DataError(f"{checkpoint}: missing; train the word language model first")
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    weights = {name.removeprefix("model."): value for name, value in stored.items()}
    own = model.state_dict()
    started = {
        name: value
        for name, value in weights.items()
        if name.startswith((_FIRST_LAYER, "features.chars.convolution."))
    }
    for name, mine, theirs in (
        ("features.words.weight", vocabulary.words, known.words),
        ("features.chars.embedding.weight", vocabulary.chars, known.chars),
    ):
        started[name] = _matched(own[name], mine, weights[name], theirs)
    for name, value in started.items():
        if value.shape != own[name].shape:
            raise ConfigurationError(
                f"{name} has shape {tuple(value.shape)} in {checkpoint}, here "
                f"{tuple(own[name].shape)}; give both experiments the same sizes"
            )
    model.load_state_dict(own | started)


def _matched(own: Tensor, mine: Sequence[str], weight: Tensor, theirs: Sequence[str]) -> Tensor:
    """(mine + 2, size): rows of `weight` where the spelling is known, else as they were."""
    if own.shape[1] != weight.shape[1]:
        return weight
    rows = {spelling: i for i, spelling in enumerate(theirs, start=_MARKS)}
    matched = own.clone()
    matched[:_MARKS] = weight[:_MARKS]
    for i, spelling in enumerate(mine, start=_MARKS):
        if spelling in rows:
            matched[i] = weight[rows[spelling]]
    return matched
