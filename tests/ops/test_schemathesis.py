"""The OpenAPI document against the service, by schemathesis: three seeds, all phases."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import running_service
from tests.ops.record import record

pytestmark = pytest.mark.ops

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance"
)
_PHASES = "examples,coverage,fuzzing,stateful"
_OPTIONS = ("--checks", _CHECKS, "--phases", _PHASES, "--max-examples", "50")


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_document_is_true(tiny_bundles: Path, tmp_path: Path, seed: str) -> None:
    st = shutil.which("st", path=str(Path(sys.executable).parent))
    if st is None:
        pytest.skip("schemathesis is not installed; tests/ops/run.sh installs it")
    with running_service(tiny_bundles) as server:
        done = subprocess.run(
            [st, "run", f"{server.url}/openapi.json", "--seed", seed, *_OPTIONS],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        alive = server.post("/ner", {"inputs": "John Smith"}).status_code
    record("schemathesis", seed=seed, status=done.returncode, tail=done.stdout[-600:])
    assert done.returncode == 0, done.stdout[-8_000:]
    assert alive == 200
