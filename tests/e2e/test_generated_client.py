"""A client that a public generator makes from the OpenAPI document works against the service."""

import importlib
import json
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.processes import Server


@pytest.fixture(scope="module")
def generated(tiny_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The package that openapi-python-client writes; it warns of nothing."""
    pytest.importorskip("openapi_python_client", reason="openapi-python-client is not installed")
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(tiny_server.get("/openapi.json").text, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", str(document), "--output-path", str(folder / "sluice_client")),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("sluice_client")
    sys.path.remove(str(folder))


def body_of(name: str, **told: Any) -> Any:
    models = importlib.import_module("sluice_client.models")
    return getattr(models, name).from_dict(told)


@pytest.mark.parametrize(
    "call, request_type, told",
    [
        ("ner", "NerRequest", {"inputs": "Agnes Smith"}),
        ("sentiment", "SentimentRequest", {"inputs": ["nothing to like", "how are you"]}),
        (
            "translation",
            "TranslationRequest",
            {"inputs": "how are you", "parameters": {"src_lang": "en", "tgt_lang": "de"}},
        ),
    ],
)
def test_generated_calls_get_the_answers_of_the_endpoint(
    generated: Any, tiny_server: Server, call: str, request_type: str, told: dict[str, Any]
) -> None:
    api = importlib.import_module(f"sluice_client.api.tasks.{call}")
    with generated.Client(base_url=tiny_server.url) as client:
        response = api.sync_detailed(client=client, body=body_of(request_type, **told))
    assert response.status_code == 200
    path = {"translation": "/translate"}.get(call, f"/{call}")
    assert json.loads(response.content) == tiny_server.post(path, told).json()
    assert response.parsed is not None


def test_a_generated_call_reads_a_problem(generated: Any, tiny_server: Server) -> None:
    api = importlib.import_module("sluice_client.api.tasks.ner")
    body = body_of("NerRequest", inputs="a" * 5_001)
    with generated.Client(base_url=tiny_server.url) as client:
        response = api.sync_detailed(client=client, body=body)
    assert response.status_code == 422
    assert "the limit is 5000" in response.parsed.detail
