"""The pages: what serves, the OpenAPI document, the documentation, the metrics."""

import re
from typing import Any

import pytest

from service.http.metrics import forget_dead_workers
from service.tasks.registry import PREDICTORS
from tests.unit.service.http.served import Served


def test_models_are_listed_with_labels_directions_and_device(served: Served) -> None:
    models = {model["task"]: model for model in served.request("GET", "/models").json()["models"]}
    assert sorted(models) == sorted(PREDICTORS)
    assert models["ner"]["labels"] == ["PER", "ORG", "LOC", "TIME"]
    assert models["ner"]["endpoint"] == "/ner"
    assert (models["sentiment"]["device"], models["sentiment"]["precision"]) == ("cpu", "fp32")
    assert {"src_lang": "en", "tgt_lang": "de"} in models["translation"]["directions"]


@pytest.mark.parametrize("path", ["/", "/live", "/models", "/docs", "/openapi.json", "/metrics"])
def test_head_gives_the_headers_of_get(served: Served, path: str) -> None:
    head, get = served.request("HEAD", path), served.request("GET", path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/live", "/web/page.js", "/web/style.css"])
def test_files_of_the_playground_are_packed_and_kept(served: Served, path: str) -> None:
    whole = served.request("GET", path, headers={"Accept-Encoding": "identity"})
    packed = served.request("GET", path, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(whole.headers["content-length"])
    assert packed.text == whole.text
    again = served.request("GET", path, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_playground_lets_in_nothing_but_its_own_files(served: Served) -> None:
    page = served.request("GET", "/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for asset in re.findall(r'(?:src|href)="(web/[^"]+)"', page.text):
        assert served.request("GET", f"/{asset}").status_code == 200


def test_only_files_of_the_playground_are_served(served: Served) -> None:
    assert served.request("GET", "/web/../http/web.py").status_code == 404
    assert served.request("GET", "/web/").status_code == 404


def test_limits_are_told_beside_the_models(served: Served) -> None:
    told = served.request("GET", "/models").json()["limits"]
    assert told == {"max_chars": 5_000, "max_inputs": 64, "max_body_bytes": 1 << 20}


def test_the_documentation_loads_nothing_from_elsewhere(served: Served) -> None:
    page = served.request("GET", "/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "//" not in page.text
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        found = served.request("GET", f"/{asset}")
        assert found.status_code == 200
        assert re.match(r"text/(css|javascript)", found.headers["content-type"])


def refs(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [ref for inner in value.values() for ref in refs(inner)]
    return [ref for inner in value for ref in refs(inner)] if isinstance(value, list) else []


def test_the_openapi_document_refers_only_to_what_it_has(served: Served) -> None:
    document = served.request("GET", "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    assert refs(document)
    for ref in refs(document):
        assert ref.removeprefix("#/components/schemas/") in schemas


def test_the_openapi_document_tells_the_limits(served: Served) -> None:
    document = served.request("GET", "/openapi.json").json()
    request = document["components"]["schemas"]["NerRequest"]
    assert request["additionalProperties"] is False
    text, texts = request["properties"]["inputs"]["anyOf"]
    assert text["maxLength"] == texts["items"]["maxLength"] == 5_000
    assert (texts["minItems"], texts["maxItems"]) == (1, 64)


def test_the_openapi_document_tells_what_a_task_refuses(served: Served) -> None:
    schemas = served.request("GET", "/openapi.json").json()["components"]["schemas"]
    assert schemas["TranslationRequest"]["required"] == ["inputs", "parameters"]
    parameters = schemas["TranslationParameters"]
    assert parameters["required"] == ["tgt_lang"]
    assert parameters["properties"]["tgt_lang"] == {"type": "string"}
    assert schemas["SentimentRequest"]["properties"]["inputs"]["anyOf"][0]["pattern"] == r"\S"
    assert "pattern" not in schemas["NerRequest"]["properties"]["inputs"]["anyOf"][0]


def test_every_documented_example_is_answered(served: Served) -> None:
    document = served.request("GET", "/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {})
            if not body:
                continue
            [name, *_] = [
                value
                for parameter in operation["parameters"]
                for value in parameter["schema"].get("enum", [])
            ] or [""]
            address = path.replace("{name}", name)
            response = served.request(method, address, json=body["application/json"]["example"])
            assert response.status_code == 200, response.text
            assert {"200", "400", "413", "415", "422", "429", "503", "504"} <= set(
                operation["responses"]
            )


def test_metrics_are_prometheus_text(served: Served) -> None:
    response = served.request("GET", "/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "# TYPE sluice_requests_total counter" in response.text


def test_gauges_of_dead_workers_are_forgotten(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, living = tmp_path / "gauge_livesum_999999999.db", tmp_path / "gauge_livesum_1.db"
    for file in (dead, living):
        file.touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    forget_dead_workers()
    assert (dead.exists(), living.exists()) == (False, True)


def test_the_processes_are_measured(served: Served) -> None:
    told = served.request("GET", "/metrics").text
    values = dict(re.findall(r"^(sluice_[a-z_]+) (\S+)$", told, re.MULTILINE))
    assert float(values["sluice_workers"]) >= 1
    assert float(values["sluice_resident_memory_bytes"]) > 1e7
    assert float(values["sluice_cpu_seconds_total"]) > 0
    assert float(values["sluice_worker_start_time_seconds"]) > 1.7e9
