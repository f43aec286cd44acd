"""Calibration of translation quality: it orders sentences as their chrF does."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle import load_bundle
from service.tasks.quality import Evidence, Quality, mean_quality
from tests.copying_bundle import write_copier
from training.errors import ConfigurationError, DataError
from training.quality import (
    Judged,
    correlations,
    fit,
    open_translation,
    quarters,
    write_quality,
)

CONFIGS = Path(__file__).parents[3] / "training/configs"


def judged(count: int = 400) -> list[Judged]:
    """Sentences whose chrF is a noisy curve of their log-probability."""
    rng = np.random.default_rng(3)
    found = []
    for row in range(count):
        likely = float(rng.uniform(-3, 0))
        chrf = float(np.clip(1 / (1 + np.exp(-2 * likely - 2)) + rng.normal(0, 0.05), 0, 1))
        evidence = Evidence(likely, 9, int(rng.integers(6, 14)), 0, 0)
        text = "a very good translation indeed" if chrf > 0.5 else "a bad one"
        direction = "en_de" if row % 2 else "de_en"
        found.append(Judged(direction, text, ("a very good translation indeed",), evidence, chrf))
    return found


def test_the_fit_finds_the_curve() -> None:
    quality = fit(judged())
    for likely in (-2.5, -1.0, -0.2):
        expected = 1 / (1 + np.exp(-2 * likely - 2))
        assert quality.of(Evidence(likely, 9, 9, 0, 0)) == pytest.approx(expected, abs=0.05)


def test_correlations_are_told_for_each_direction_and_all() -> None:
    rows = judged()
    found = {each.direction: each for each in correlations(fit(rows), rows)}
    assert list(found) == ["de_en", "en_de", "all"]
    assert found["all"].rows == found["en_de"].rows + found["de_en"].rows == len(rows)
    assert all(each.pearson > 0.9 and each.spearman > 0.9 for each in found.values())


def test_quarters_of_higher_quality_have_higher_scores() -> None:
    rows = judged()
    found = quarters(fit(rows), rows)
    assert sum(each.rows for each in found) == len(rows)
    assert found[0].chrf < found[-1].chrf
    assert found[0].bleu < found[-1].bleu


def test_quality_falls_with_likelihood_and_stays_between_0_and_1() -> None:
    quality = Quality([1.0, -1.0, 0.0, -1.0, -1.0], 0.0)
    values = [quality.of(Evidence(score, 5, 5, 0, 0)) for score in (-1e6, -2.0, -1.0, 0.0, 1e6)]
    assert values == sorted(values)
    assert all(0 <= value <= 1 for value in values)


def test_the_quality_of_a_text_is_weighted_by_length() -> None:
    assert mean_quality([0.5, 1.0], [3, 1]) == pytest.approx(0.625)
    assert mean_quality([], []) is None


def test_a_calibrated_bundle_loads(tmp_path: Path) -> None:
    bundle = load_bundle(write_copier(tmp_path, calibrated=False))
    write_quality(bundle, fit(judged()))
    again = load_bundle(bundle.path)
    assert "quality.json" in again.manifest.files
    assert Quality.load(again.file("quality.json")) == fit(judged())


def test_another_task_or_a_missing_bundle_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'ner', not 'translation'"):
        open_translation(CONFIGS / "ner.yaml", tmp_path)
    with pytest.raises(DataError, match="translation"):
        open_translation(CONFIGS / "translation.yaml", tmp_path)
