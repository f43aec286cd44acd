"""Clients that know nothing of this service, unmodified: every door gives the same answers."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from huggingface_hub import InferenceClient
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from tests.e2e.processes import Server

TEXTS = ["Agnes Smith", "nobody here", "\U0001f600 Smith's शहर"]


@pytest.fixture(scope="module")
def client(tiny_server: Server) -> Any:
    client = triton.InferenceServerClient(tiny_server.url.removeprefix("http://"))
    yield client
    client.close()


def tensor(texts: list[str], shape: tuple[int, ...], *, binary: bool = True) -> Any:
    told = triton.InferInput("text", list(shape), "BYTES")
    told.set_data_from_numpy(np.array(texts, dtype=object).reshape(shape), binary_data=binary)
    return told


def test_triton_finds_the_server_and_its_models(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny-ner")
    assert client.is_model_ready("tiny-ner", "1.0.0")
    assert client.get_server_metadata()["name"] == "sluice"
    metadata = client.get_model_metadata("tiny-ner")
    assert metadata["versions"] == ["1.0.0"]
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3)])
def test_triton_gets_the_answers_of_the_endpoint(
    client: Any, tiny_server: Server, shape: tuple[int, ...], binary_in: bool, binary_out: bool
) -> None:
    output = triton.InferRequestedOutput("answer", binary_data=binary_out)
    told = tensor(TEXTS, shape, binary=binary_in)
    result = client.infer("tiny-ner", [told], outputs=[output], request_id="seven")
    assert result.get_response()["id"] == "seven"
    found = result.as_numpy("answer")
    assert found.shape == shape
    answers = [json.loads(answer) for answer in found.reshape(-1)]
    assert answers == tiny_server.post("/ner", {"inputs": TEXTS}).json()


def test_triton_passes_the_parameters_of_the_task(client: Any, tiny_server: Server) -> None:
    parameters = {"src_lang": "en", "tgt_lang": "de"}
    told = tensor(["how are you"], (1,))
    result = client.infer("tiny-translation", [told], parameters=parameters)
    body = {"inputs": ["how are you"], "parameters": parameters}
    assert [json.loads(answer) for answer in result.as_numpy("answer")] == tiny_server.post(
        "/translate", body
    ).json()


@pytest.mark.parametrize(
    "model, text, parameters, status, told",
    [
        ("nobody", "a", {}, "404", "no model 'nobody'"),
        ("tiny-translation", "a", {"tgt_lang": "xx"}, "404", "tgt_lang"),
        ("tiny-translation", "a", {"target": "de"}, "422", "unknown field `target`"),
        ("tiny-ner", "a" * 5_001, {}, "422", "the limit is 5000"),
    ],
)
def test_triton_hears_what_was_wrong(
    client: Any, model: str, text: str, parameters: dict[str, str], status: str, told: str
) -> None:
    with pytest.raises(InferenceServerException) as error:
        client.infer(model, [tensor([text], (1,))], parameters=parameters)
    assert error.value.status() == status
    assert told in error.value.message()


def infer(server: Server, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{server.url}/v2/models/tiny-ner/infer", content=content, headers=headers)


def text_input(**changes: Any) -> dict[str, Any]:
    told = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["Smith"], **changes}
    return {"inputs": [told]}


def test_plain_json_is_enough(tiny_server: Server) -> None:
    response = infer(tiny_server, text_input())
    [output] = response.json()["outputs"]
    assert json.loads(output["data"][0])[0]["word"] == "Smith"
    assert response.headers["server-timing"].startswith("queue;dur=")


BAD: dict[str, tuple[Any, dict[str, str], int]] = {
    "not JSON": (b"{", {}, 400),
    "no inputs": ({}, {}, 422),
    "wrong name": (text_input(name="texts"), {}, 422),
    "wrong type": (text_input(datatype="FP32"), {}, 422),
    "wrong shape": (text_input(shape=[2]), {}, 422),
    "negative shape": (text_input(shape=[-1, -1]), {}, 422),
    "a number": (text_input(data=[5]), {}, 422),
    "no data": (text_input(data=None), {}, 422),
    "no texts": (text_input(shape=[0], data=[]), {}, 422),
    "65 texts": (text_input(shape=[65], data=["a"] * 65), {}, 422),
    "length beyond the body": (text_input(), {"Inference-Header-Content-Length": "9999"}, 422),
    "length that is none": (text_input(), {"Inference-Header-Content-Length": "²"}, 422),
    "another media type": (text_input(), {"Content-Type": "text/plain"}, 415),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_calls_of_the_protocol_have_their_status(tiny_server: Server, name: str) -> None:
    body, headers, status = BAD[name]
    content = json.dumps(body).encode() if not isinstance(body, bytes) else body
    raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
    response = httpx.post(
        f"{tiny_server.url}/v2/models/tiny-ner/infer", content=content, headers=raw
    )
    assert response.status_code == status
    assert response.json()["error"] == response.json()["detail"]


@pytest.mark.parametrize("tail", [b"\x09\x00\x00\x00Smith", b"\x05\x00", b"\x01\x00\x00\x00\xff"])
def test_binary_data_that_do_not_fit_are_refused(tiny_server: Server, tail: bytes) -> None:
    told = text_input(data=None, parameters={"binary_data_size": len(tail)})
    head = json.dumps(told).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    assert infer(tiny_server, head + tail, **length).status_code == 422


def test_paths_and_methods_of_the_protocol_are_told_apart(tiny_server: Server) -> None:
    assert tiny_server.get("/v2/models/tiny-ner/versions/2.0.0").status_code == 404
    assert tiny_server.get("/v2/nothing").status_code == 404
    response = tiny_server.get("/v2/models/tiny-ner/infer")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_kserves_client_works_unchanged(tiny_server: Server) -> None:
    kserve = pytest.importorskip("kserve", reason="kserve has an environment of its own")
    import asyncio

    async def ask() -> Any:
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        assert await client.is_server_ready(tiny_server.url)
        assert await client.is_model_ready(tiny_server.url, "tiny-ner")
        told = kserve.InferInput("text", [3], "BYTES", data=TEXTS)
        request = kserve.InferRequest("tiny-ner", infer_inputs=[told])
        return await client.infer(tiny_server.url, request, model_name="tiny-ner")

    [output] = asyncio.run(ask()).outputs
    answers = [json.loads(answer) for answer in output.data]
    assert answers == tiny_server.post("/ner", {"inputs": TEXTS}).json()


def test_hugging_faces_client_gets_the_same_entities(tiny_server: Server) -> None:
    client = InferenceClient(model=f"{tiny_server.url}/ner", token="none")
    for text in TEXTS:
        found = client.token_classification(text)
        told = tiny_server.post("/ner", {"inputs": text}).json()
        assert [(one.word, one.score, one.start) for one in found] == [
            (one["word"], one["score"], one["start"]) for one in told
        ]
