"""Bad calls: each has its status, its type and a detail, and the next good call works."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.service.http.served import Served

PATHS = ("/ner", "/sentiment", "/translate", "/detect", "/transliterate")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def assert_problem(response: Any, status: int, slug: str, *words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert list(problem) == ["type", "title", "status", "detail", "instance"]
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
    for word in words:
        assert word in problem["detail"]


def post_raw(served: Served, body: bytes, path: str = "/ner", **headers: str) -> Any:
    told = {"Content-Type": "application/json", **headers}
    return served.request("POST", path, content=body, headers=told)


@pytest.mark.parametrize(
    "parameters, reason",
    [
        (b'{"tgt_lang": "de", "num_beams": 99}', "<= 8, not 99 - at `$.parameters.num_beams`"),
        (b'{"num_beams": 99}, "parameters": null', "<= 8 - at `$.parameters.num_beams`"),
    ],
)
def test_a_number_beyond_its_bound_is_told_where_it_can_be_found(
    served: Served, parameters: bytes, reason: str
) -> None:
    body = b'{"inputs": "a", "parameters": ' + parameters + b"}"
    assert_problem(post_raw(served, body, "/translate"), 422, "wrong-shape", reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"hello",
        b'{"inputs": "a"',
        b'{"inputs": "a"} x',
        b'{"inputs": NaN}',
        b'{"inputs": "a\x00b"}',
        b'{"unknown": 1',
        b"\xef\xbb\xbf{}",
        b'{"inputs": "\xff"}',
        b'{"inputs": "\xed\xa0\x80"}',
        '{"inputs": "a"}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_400(served: Served, body: bytes) -> None:
    assert_problem(post_raw(served, body), 400, "not-json", "not JSON")


@pytest.mark.parametrize(
    "body, words",
    [
        ([], ["`object`", "`array`", "$"]),
        ("text", ["`object`", "$"]),
        ({}, ["inputs"]),
        ({"input": "a"}, ["`input`"]),
        ({"inputs": "a", "extra": 1}, ["`extra`"]),
        ({"inputs": 5}, ["$.inputs"]),
        ({"inputs": None}, ["$.inputs"]),
        ({"inputs": ["a", 1]}, ["$.inputs[1]"]),
        ({"inputs": [["a"]]}, ["$.inputs[0]"]),
        ({"inputs": "a", "parameters": []}, ["$.parameters"]),
        ({"inputs": "a", "parameters": {"top": 1}}, ["`top`", "$.parameters"]),
        ({"inputs": "a", "parameters": {"stride": 2}}, ["$.parameters.stride"]),
        ({"inputs": "a", "parameters": {"aggregation_strategy": "none"}}, ["none"]),
    ],
)
def test_the_wrong_shape_is_422_and_tells_the_path(
    served: Served, body: Any, words: list[str]
) -> None:
    assert_problem(served.post("/ner", body), 422, "wrong-shape", *words)


def test_deep_nesting_is_422(served: Served) -> None:
    body = b'{"inputs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert_problem(post_raw(served, body), 422, "wrong-shape")


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc00", r"\ud83d\ud83d", r"\ud800 \udc00"])
def test_half_a_character_is_422(served: Served, escape: str) -> None:
    body = b'{"inputs": "a' + escape.encode() + b'"}'
    assert_problem(post_raw(served, body), 422, "lone-surrogate", "unpaired surrogate")


@pytest.mark.parametrize("path", ["/sentiment", "/translate", "/detect", "/transliterate"])
@pytest.mark.parametrize("text", ["", " \n\t", "\x00\u200b"])
def test_blank_text_is_422(served: Served, path: str, text: str) -> None:
    parameters = {"tgt_lang": "de"} if path == "/translate" else {}
    response = served.post(path, {"inputs": text, "parameters": parameters})
    assert_problem(response, 422, "blank-text", "empty or blank")
    assert "inputs[" not in response.json()["detail"]


@pytest.mark.parametrize("text", ["12345", "?! ...", "\U0001f600"])
def test_text_without_letters_has_no_language(served: Served, text: str) -> None:
    response = served.post("/detect", {"inputs": ["fine", text]})
    assert_problem(response, 422, "no-letters", "inputs[1]: the text has no letters")


@pytest.mark.parametrize("top_k", [0, -1, "two", 1.5])
def test_a_number_of_languages_that_is_none_is_422(served: Served, top_k: object) -> None:
    response = served.post("/detect", {"inputs": "how", "parameters": {"top_k": top_k}})
    assert_problem(response, 422, "wrong-shape", "top_k")


def test_the_blank_text_of_a_list_is_named(served: Served) -> None:
    response = served.post("/sentiment", {"inputs": ["fine", " "]})
    assert_problem(response, 422, "blank-text", "inputs[1]: ")


def test_the_5001st_character_is_422(served: Served) -> None:
    assert served.post("/ner", {"inputs": "\U0001f600 " * 900}).status_code == 200
    assert served.post("/ner", {"inputs": "a" * 5_000}).status_code == 200
    response = served.post("/ner", {"inputs": "a" * 5_001})
    assert_problem(response, 422, "text-too-long", "5001", "5000")
    response = served.post("/ner", {"inputs": ["a", "a" * 5_001]})
    assert_problem(response, 422, "text-too-long", "inputs[1]")


def test_more_words_than_the_model_takes_are_422(served: Served) -> None:
    response = served.post("/ner", {"inputs": "a " * 2_001})
    assert_problem(response, 422, "text-too-long", "2001 words", "2000")


def test_the_65th_input_is_422(served: Served) -> None:
    assert len(served.post("/ner", {"inputs": ["a"] * 64}).json()) == 64
    assert_problem(served.post("/ner", {"inputs": ["a"] * 65}), 422, "too-many-inputs", "65", "64")
    assert_problem(served.post("/ner", {"inputs": []}), 422, "no-inputs")


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


def test_a_body_of_two_mebibytes_is_413_however_it_is_announced(served: Served) -> None:
    body = json.dumps({"inputs": "a" * (2 << 20)}).encode()
    assert_problem(post_raw(served, body), 413, "body-too-large", "1048576")
    told = {"Content-Type": "application/json"}
    response = served.request("POST", "/ner", content=in_pieces(body), headers=told)
    assert_problem(response, 413, "body-too-large", "1048576")
    told["Content-Length"] = "10"
    response = served.request("POST", "/ner", content=in_pieces(body), headers=told)
    assert_problem(response, 413, "body-too-large", "1048576")


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/vnd.bentoml+pickle",
        "application/json; charset=latin-1",
        "multipart/form-data",
        "text/json+json",
    ],
)
def test_another_media_type_is_415(served: Served, media_type: str) -> None:
    response = post_raw(served, b'{"inputs": "a"}', **{"Content-Type": media_type})
    assert_problem(response, 415, "wrong-media-type", "application/json")


def test_a_compressed_body_is_415(served: Served) -> None:
    response = post_raw(served, b'{"inputs": "a"}', **{"Content-Encoding": "gzip"})
    assert_problem(response, 415, "wrong-media-type", "gzip")


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "61", "soon", "", "1e400", "9" * 500])
def test_a_wrong_timeout_is_422(served: Served, value: str) -> None:
    response = served.post("/ner", {"inputs": "a"}, **{"X-Request-Timeout": value})
    assert_problem(response, 422, "wrong-timeout", "up to 60")
    assert len(response.json()["detail"]) < 300


@pytest.mark.parametrize(
    "parameters, status, slug",
    [
        ({}, 422, "language-missing"),
        ({"tgt_lang": "xx"}, 404, "unknown-language"),
        ({"tgt_lang": "de", "src_lang": "xx"}, 404, "unknown-language"),
        ({"tgt_lang": "de", "src_lang": "de"}, 422, "same-language"),
        ({"tgt_lang": "de", "num_beams": 0}, 422, "wrong-shape"),
        ({"tgt_lang": "de", "num_beams": 9}, 422, "wrong-shape"),
        ({"tgt_lang": 1}, 422, "wrong-shape"),
    ],
)
def test_a_wrong_language_has_its_status(
    served: Served, parameters: dict[str, Any], status: int, slug: str
) -> None:
    response = served.post("/translate", {"inputs": ["how"], "parameters": parameters})
    assert_problem(response, status, slug)


@pytest.mark.parametrize("path", ["/", "/models", "/docs", "/metrics", "/openapi.json", "/livez"])
def test_reading_paths_refuse_other_methods(served: Served, path: str) -> None:
    response = served.request("POST", path)
    assert_problem(response, 405, "wrong-method", "GET")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_tasks_take_post_alone(served: Served, path: str, method: str) -> None:
    response = served.request(method, path)
    assert_problem(response, 405, "wrong-method", method)
    assert response.headers["allow"] == "POST"


def test_an_unknown_path_is_404_and_makes_no_series(served: Served) -> None:
    served.request("GET", "/nowhere")
    before = served.request("GET", "/metrics").text.count("\n")
    for number in range(20):
        response = served.request("GET", f"/nowhere/{number}")
        assert_problem(response, 404, "unknown-path", f"/nowhere/{number}")
    assert served.request("GET", "/metrics").text.count("\n") == before


def test_the_instance_is_a_uri_reference(served: Served) -> None:
    response = served.request("GET", "/a%20b%0A%C3%A9" + "x" * 300)
    assert response.json()["instance"].startswith("/a%20b%0A%C3%A9")


@given(body=st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_make_a_server_error(served: Served, body: bytes) -> None:
    assert post_raw(served, body).status_code in (200, 400, 422)


@given(path=st.sampled_from(PATHS), body=JSON_VALUES)
@settings(max_examples=200)
def test_no_json_value_makes_a_server_error(served: Served, path: str, body: Any) -> None:
    raw = json.dumps(body).encode()
    assert post_raw(served, raw, path).status_code in (400, 422)


@given(
    path=st.sampled_from(PATHS),
    inputs=st.text(st.characters(codec="utf-8"), max_size=60) | st.lists(st.text(), max_size=3),
    parameters=st.none() | st.fixed_dictionaries({}, optional={"tgt_lang": JSON_VALUES}),
)
@settings(max_examples=200)
def test_no_text_makes_a_server_error(
    served: Served, path: str, inputs: Any, parameters: Any
) -> None:
    raw = json.dumps({"inputs": inputs, "parameters": parameters}).encode()
    assert post_raw(served, raw, path).status_code in (200, 400, 404, 422)


def test_the_next_good_call_works(served: Served) -> None:
    for body in (b"", b"[]", b'{"inputs": 5}'):
        post_raw(served, body)
    assert served.post("/ner", {"inputs": "John Smith"}).status_code == 200
