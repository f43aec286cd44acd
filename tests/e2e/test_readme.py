"""The README tells the truth: its calls are made, and its outputs compared."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.bundle import find_bundles, load_bundle
from service.settings import Settings
from tests.e2e.processes import Server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CALLS = re.findall(r"```console\n\$ (curl .*)\n(.*)\n```", README)


def rounded(value: Any) -> Any:
    """Scores to two digits: other processors add in another order."""
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, list):
        return [rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return value


@pytest.mark.parametrize("command,output", CALLS, ids=lambda part: part[:30])
def test_calls_give_the_output_that_the_readme_shows(
    command: str, output: str, server: Server
) -> None:
    call = [part.replace("http://localhost:3000", server.url) for part in shlex.split(command)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert rounded(json.loads(done.stdout)) == rounded(json.loads(output))


def test_there_is_a_call_for_every_task() -> None:
    assert len(CALLS) >= len(find_bundles(ROOT / "exported_models"))


def test_the_model_table_shows_the_manifests_scores() -> None:
    for path in find_bundles(ROOT / "exported_models").values():
        manifest = load_bundle(path).manifest
        served = manifest.precision.cpu
        for score in manifest.scores:
            if score.precision == served and score.metric != "chrf":
                assert f"{score.dataset} {score.value:.1f}" in README


def test_every_setting_is_documented() -> None:
    documented = README + (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"`SLUICE_{name.upper()}`" in documented
