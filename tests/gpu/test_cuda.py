"""The shipped bundles on CUDA; skipped, with the reason, where no session comes up on it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.bundle import Bundle, find_bundles, load_bundle
from service.engine.errors import ProviderUnavailable
from service.tasks.base import OneShotPredictor, Predictor
from service.tasks.registry import PREDICTORS, open_predictor
from service.tasks.translation import TranslationParameters
from service.tasks.transliteration import TransliterationParameters

BUNDLES = find_bundles(Path(__file__).parents[2] / "exported_models")
TEXTS = ["Marie Curie moved to Paris in 1891.", "Good.", "It broke after two long days, alas."]
DECODED: dict[str, tuple[list[str], Any]] = {
    "translation": (TEXTS, TranslationParameters(tgt_lang="de", src_lang="en")),
    "transliteration": (["kya tumne khana khaya", "namaste"], TransliterationParameters()),
}
_FIELDS = {"translation": "translation_text", "transliteration": "transliteration_text"}


def opened(bundle: Bundle) -> Predictor[Any]:
    try:
        return open_predictor(bundle, "cuda")
    except ProviderUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("task", [task for task in BUNDLES if task not in DECODED])
def test_cuda_scores_like_the_cpu(task: str) -> None:
    bundle = load_bundle(BUNDLES[task])
    on_cuda, on_cpu = opened(bundle), open_predictor(bundle, "cpu", "fp32")
    assert on_cuda.device == "cuda"
    assert isinstance(on_cpu, OneShotPredictor)
    assert isinstance(on_cuda, OneShotPredictor)
    parameters = PREDICTORS[task].parameters()
    rows = [row for text in TEXTS for row in on_cpu.prepare(text, parameters).rows]
    for mine, its in zip(on_cpu.run(rows), on_cuda.run(rows), strict=True):
        for name in mine:
            np.testing.assert_allclose(mine[name], its[name], atol=1e-3)


@pytest.mark.parametrize("task", [task for task in BUNDLES if task in DECODED])
def test_cuda_decodes_like_the_cpu(task: str) -> None:
    bundle = load_bundle(BUNDLES[task])
    texts, parameters = DECODED[task]
    on_cuda, on_cpu = opened(bundle), open_predictor(bundle, "cpu", "fp32")
    assert on_cuda.device == "cuda"
    said = [
        [getattr(found[0], _FIELDS[task]) for found in predictor.predict(texts, parameters)]
        for predictor in (on_cpu, on_cuda)
    ]
    assert said[0] == said[1]
