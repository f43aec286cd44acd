"""The shipped bundles on CUDA; skipped, with the reason, where no session comes up on it."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle import find_bundles, load_bundle
from service.engine.errors import ProviderUnavailable
from service.tasks.base import OneShotPredictor
from service.tasks.registry import PREDICTORS, open_predictor

BUNDLES = find_bundles(Path(__file__).parents[2] / "exported_models")
TEXTS = ["Marie Curie moved to Paris in 1891.", "Good.", "It broke after two long days, alas."]


@pytest.mark.parametrize("task", [task for task in BUNDLES if task != "translation"])
def test_cuda_answers_like_the_cpu(task: str) -> None:
    bundle = load_bundle(BUNDLES[task])
    try:
        on_cuda = open_predictor(bundle, "cuda")
    except ProviderUnavailable as error:
        pytest.skip(str(error))
    on_cpu = open_predictor(bundle, "cpu", "fp32")
    assert on_cuda.device == "cuda"
    assert isinstance(on_cpu, OneShotPredictor)
    parameters = PREDICTORS[task].parameters()
    rows = [row for text in TEXTS for row in on_cpu.prepare(text, parameters).rows]
    for mine, its in zip(on_cpu.run(rows), on_cuda.run(rows), strict=True):
        for name in mine:
            np.testing.assert_allclose(mine[name], its[name], atol=1e-3)
