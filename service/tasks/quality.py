"""How good a translation is likely to be, from what the search knows of it.

A logistic curve over a few features, fitted on development sentences to their chrF
(`python -m training quality`): quality estimation without references, in its simplest form
(Blatz et al., COLING 2004; Fomicheva et al., TACL 2020 for the likelihood as its best feature).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import msgspec

FEATURES = ("log_probability", "length_ratio", "source_length", "repeated", "lost")


class Evidence(NamedTuple):
    """One translated sentence: lengths in sub-words, `log_probability` a mean over them.

    `repeated` counts the sub-words that were cut as a loop, `lost` the stand-ins that the model
    left out.
    """

    log_probability: float
    source_length: int
    target_length: int
    repeated: int
    lost: int

    def features(self) -> list[float]:
        """Values of `FEATURES`."""
        ratio = math.log((self.target_length + 1) / (self.source_length + 1))
        return [
            self.log_probability,
            abs(ratio),
            math.log(self.source_length + 1),
            math.log1p(self.repeated),
            float(self.lost),
        ]


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fitted curve: expected sentence chrF, 0 to 1."""

    weights: list[float]
    bias: float

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises msgspec.ValidationError or ValueError if the file is not one of ours."""
        found = msgspec.json.decode(path.read_bytes(), type=cls)
        if len(found.weights) != len(FEATURES):
            raise ValueError(f"{len(found.weights)} weights for {len(FEATURES)} features")
        return found

    def save(self, path: Path) -> None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)) + b"\n")

    def of(self, evidence: Evidence) -> float:
        """Expected chrF of a sentence, between 0 and 1."""
        features = evidence.features()
        value = sum(w * x for w, x in zip(self.weights, features, strict=True)) + self.bias
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def mean_quality(values: Sequence[float], lengths: Sequence[int]) -> float | None:
    """Quality of a text: that of its sentences, weighted by length; None without any."""
    total = sum(lengths)
    if not total:
        return None
    return sum(value * length for value, length in zip(values, lengths, strict=True)) / total
