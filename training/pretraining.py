"""From a trained language model to the first weights of a classifier."""

import shutil
from pathlib import Path

import torch

from service.tasks.sentiment import VOCABULARY
from training.errors import ConfigurationError, OutputError
from training.models.classifier import Classifier

_WEIGHTS = "initial.pt"
_SHARED = ("embedding.", "encoder.")


def take_over(language_model: Path, run: Path) -> None:
    """Copy sub-words and shared weights of a language model's run into a classifier's.

    OutputError if the language model has not been trained.
    """
    best = language_model / "best.ckpt"
    if not best.exists():
        raise OutputError(f"{best}: no checkpoint; train {language_model.name} first (`initial`)")
    shutil.copy(language_model / VOCABULARY, run / VOCABULARY)
    state = torch.load(best, map_location="cpu", weights_only=True)["state_dict"]
    weights = {name.removeprefix("model."): weight for name, weight in state.items()}
    shared = {name: weight for name, weight in weights.items() if name.startswith(_SHARED)}
    torch.save(shared, run / _WEIGHTS)


def start_from(run: Path, model: Classifier) -> None:
    """Set the classifier's shared weights to those that `take_over` brought into the run.

    ConfigurationError if they have other shapes than the experiment says.
    """
    shared = torch.load(run / _WEIGHTS, map_location="cpu", weights_only=True)
    try:
        missing, _ = model.load_state_dict(shared, strict=False)
    except RuntimeError as error:
        raise ConfigurationError(f"{run / _WEIGHTS}: not of this model's shape ({error})") from None
    alien = [name for name in missing if name.startswith(_SHARED)]
    if alien:
        raise ConfigurationError(f"{run / _WEIGHTS}: lacks {', '.join(alien)}")
