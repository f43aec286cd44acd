"""Good calls: the answers, their nesting, and what the Hugging Face client sends."""

import re

import pytest

from service.http.metrics import exposition
from tests.unit.service.http.served import Served

SMITH = {"entity_group": "PER", "word": "Smith", "start": 5, "end": 10}
EN_DE = {"src_lang": "en", "tgt_lang": "de"}


def without_scores(entities: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in found.items() if key != "score"} for found in entities]


def test_a_string_gives_its_entities(served: Served) -> None:
    response = served.post("/ner", {"inputs": "John Smith left"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert without_scores(response.json()) == [SMITH]


def test_a_list_gives_a_list_of_answers_in_its_order(served: Served) -> None:
    response = served.post("/ner", {"inputs": ["nobody", "John Smith left", ""], "parameters": {}})
    assert [without_scores(answer) for answer in response.json()] == [[], [SMITH], []]


@pytest.mark.parametrize("text", ["", " \t\n", "\u200b\u00a0"])
def test_blank_text_gives_no_entities(served: Served, text: str) -> None:
    assert served.post("/ner", {"inputs": text}).json() == []


def test_offsets_slice_the_callers_string(served: Served) -> None:
    text = "\U0001f600 \x00e\u0301 John\u202e Smith \u0928\u092e\u0938\u094d\u0924\u0947"
    [found] = served.post("/ner", {"inputs": text}).json()
    assert text[found["start"] : found["end"]] == found["word"] == "Smith"


def test_sentiment_of_a_string_is_nested_as_the_client_reads_it(served: Served) -> None:
    [scores] = served.post("/sentiment", {"inputs": "nothing to like"}).json()
    assert sorted(found["label"] for found in scores) == ["negative", "positive"]
    assert scores[0]["score"] >= scores[1]["score"]


def test_sentiment_of_a_list_has_one_row_a_text(served: Served) -> None:
    answers = served.post("/sentiment", {"inputs": ["nothing", "to like"]}).json()
    assert [len(answer) for answer in answers] == [2, 2]


def test_an_explanation_weighs_each_word_of_the_first_label(served: Served) -> None:
    text = "Nothing \U0001f600 to like, really!"
    body = {"inputs": text, "parameters": {"explain": True}}
    [[first, second]] = served.post("/sentiment", body).json()
    assert [text[word["start"] : word["end"]] for word in first["words"]] == text[:-1].replace(
        ",", ""
    ).split()
    assert all(word["word"] == text[word["start"] : word["end"]] for word in first["words"])
    assert "words" not in second


def test_an_explanation_leaves_the_scores_as_they_are(served: Served) -> None:
    plain = served.post("/sentiment", {"inputs": "nothing to like"}).json()
    body = {"inputs": "nothing to like", "parameters": {"explain": True}}
    [[first, second]] = served.post("/sentiment", body).json()
    del first["words"]
    assert [[first, second]] == plain


def test_five_explanations_in_a_call_are_refused(served: Served) -> None:
    body = {"inputs": ["fine"] * 5, "parameters": {"explain": True}}
    response = served.post("/sentiment", body)
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/too-many-inputs"


def test_a_string_is_translated(served: Served) -> None:
    answer = served.post("/translate", {"inputs": "how are you", "parameters": EN_DE}).json()
    assert answer == [{"translation_text": "how are you", **EN_DE}]


def test_a_list_is_translated_text_by_text(served: Served) -> None:
    body = {"inputs": ["how are you", "nothing"], "parameters": {"tgt_lang": "de"}}
    assert [len(answer) for answer in served.post("/translate", body).json()] == [1, 1]


def test_languages_of_a_string_are_nested_as_the_client_reads_them(served: Served) -> None:
    [scores] = served.post("/detect", {"inputs": "perch\u00e8"}).json()
    assert scores[0]["label"] == "it"
    assert [found["score"] for found in scores] == sorted(
        (found["score"] for found in scores), reverse=True
    )


def test_as_many_languages_are_named_as_asked_for(served: Served) -> None:
    body = {"inputs": ["how are you", "gru\u00df"], "parameters": {"top_k": 2}}
    answers = served.post("/detect", body).json()
    assert [answer[0]["label"] for answer in answers] == ["en", "de"]
    assert [len(answer) for answer in answers] == [2, 2]


def test_a_string_is_transliterated_word_by_word(served: Served) -> None:
    word = "\u0915\u0948\u0938\u0947"
    answer = served.post("/transliterate", {"inputs": "Kaise 12 ho."}).json()
    assert answer == [{"transliteration_text": f"{word} 12 {word}\u0964"}]


def test_spellings_come_with_offsets_where_they_are_asked_for(served: Served) -> None:
    body = {"inputs": "ab  kaise", "parameters": {"top_k": 1}}
    [answer] = served.post("/transliterate", body).json()
    assert [(w["word"], w["start"], w["end"]) for w in answer["words"]] == [
        ("ab", 0, 2),
        ("kaise", 4, 9),
    ]


def test_text_without_latin_words_stays_as_it_is(served: Served) -> None:
    answer = served.post("/transliterate", {"inputs": "12:30 \u0915\u0948\u0938\u0947?"}).json()
    assert answer[0]["transliteration_text"] == "12:30 \u0915\u0948\u0938\u0947?"


@pytest.mark.parametrize(
    "path, parameters",
    [
        ("/ner", {"aggregation_strategy": "simple", "ignore_labels": None, "stride": None}),
        ("/sentiment", {"function_to_apply": None, "top_k": None}),
        ("/translate", {**EN_DE, "truncation": None, "generate_parameters": None}),
        ("/detect", {"function_to_apply": "softmax", "top_k": None}),
        ("/ner", None),
    ],
)
def test_null_parameters_of_the_client_are_taken(
    served: Served, path: str, parameters: dict[str, object] | None
) -> None:
    assert served.post(path, {"inputs": "how", "parameters": parameters}).status_code == 200


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON; charset="UTF-8"',
        "application/ld+json",
    ],
)
def test_any_json_media_type_is_taken(served: Served, media_type: str) -> None:
    assert served.post("/ner", {"inputs": "a"}, **{"Content-Type": media_type}).status_code == 200


def test_server_timing_tells_the_parts_in_milliseconds(served: Served) -> None:
    told = served.post("/ner", {"inputs": "John Smith"}).headers["server-timing"]
    parts = dict(re.findall(r"(\w+);dur=([\d.]+)", told))
    assert list(parts) == ["queue", "tokenize", "infer", "total"]
    assert float(parts["total"]) >= float(parts["infer"]) > 0


def test_much_text_is_answered_off_the_event_loop(served: Served) -> None:
    answers = served.post("/ner", {"inputs": ["Smith " * 800] * 8}).json()
    assert [len(answer) for answer in answers] == [800] * 8


def test_requests_are_counted_by_task_and_status(served: Served) -> None:
    served.post("/ner", {"inputs": "a"})
    served.post("/ner", {"input": "a"})
    told = exposition().decode()
    assert 'sluice_requests_total{model_version="1.0.0",status="200",task="ner"}' in told
    assert 'sluice_refusals_total{model_version="1.0.0",reason="wrong-shape",task="ner"}' in told
    assert 'sluice_requests_in_progress{model_version="1.0.0",task="ner"} 0.0' in told
    assert 'sluice_provider_info{device="cpu",model_version="1.0.0",task="ner"} 1.0' in told
