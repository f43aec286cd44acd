"""The OpenAPI document against both paths of the service: three seeds, all phases."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import running_service
from tests.ops.record import record

pytestmark = pytest.mark.ops

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance"
)
_CONFIGURATION = """
[checks.not_a_server_error]
# 504 answers a deadline that the caller chose: 5e-324 seconds are a number above 0.
expected-statuses = ["2xx", "3xx", "4xx", 504]
"""
_PHASES = "examples,coverage,fuzzing,stateful"
_OPTIONS = ("--checks", _CHECKS, "--phases", _PHASES, "--max-examples", "50")


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("lean", ["false", "true"])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_document_is_true(tiny_bundles: Path, tmp_path: Path, seed: str, lean: str) -> None:
    st = shutil.which("st")
    if st is None:
        pytest.skip("schemathesis is not installed; tests/ops/run.sh installs it")
    (tmp_path / "schemathesis.toml").write_text(_CONFIGURATION)
    with running_service(tiny_bundles, SLUICE_LEAN_PATH=lean) as server:
        done = subprocess.run(
            [st, "run", f"{server.url}/openapi.json", "--seed", seed, *_OPTIONS],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        alive = server.post("/ner", {"inputs": "John Smith"}).status_code
    record("schemathesis", seed=seed, lean=lean, status=done.returncode, tail=done.stdout[-600:])
    assert done.returncode == 0, done.stdout[-8_000:]
    assert alive == 200
