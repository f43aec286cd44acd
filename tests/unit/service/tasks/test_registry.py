"""The table of predictors."""

from pathlib import Path

import pytest

from service.bundle import Bundle, BundleError, load_bundle
from service.tasks.registry import PREDICTORS, predictor_type
from tests.tiny_bundles import write_tiny_bundles


def test_a_task_that_nobody_serves_is_refused_by_name(tmp_path: Path) -> None:
    bundle = load_bundle(next(write_tiny_bundles(tmp_path).glob("ner/*")))
    assert predictor_type(bundle) is PREDICTORS["ner"]
    other = Bundle(bundle.path, bundle.manifest.model_copy(update={"task": "chess"}))
    with pytest.raises(BundleError, match="task 'chess' is not one of ner"):
        predictor_type(other)
