"""What every shipped bundle promises, whatever its task."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bundle import find_bundles, load_bundle
from service.engine.rows import Row
from service.engine.session import Session
from service.tasks.base import OneShotPredictor, Predictor
from service.tasks.errors import BlankText, InputRefused, NoLetters
from service.tasks.registry import PREDICTORS, open_predictor

ROOT = Path(__file__).parents[2] / "exported_models"
BUNDLES = find_bundles(ROOT)
TASKS = sorted(BUNDLES)
ONE_SHOT = [task for task in TASKS if issubclass(PREDICTORS[task], OneShotPredictor)]

# Own sentences of very different lengths.
TEXTS = [
    "Hello!",
    "Marie Curie was born in Warsaw on 7 November 1867 and moved to Paris in 1891.",
    "It broke after two days, and nobody at the shop wanted to hear about it.",
    "Yes",
    "We waited, and waited, and waited, until at last, long after midnight, the train from "
    "Hamburg came in, with nobody on board but a tired conductor and his dog.",
    "How are you today?",
]
ODD = {
    "one character": "a",
    "emoji": "😀 I love it 👍🏽👨‍👩‍👧",
    "devanagari": "क्या आप दिल्ली में रहते हैं?",
    "right to left": "مرحبا بك في القاهرة",
    "controls": "Anna\x00 lives\x07 in\x1b Rome\u200b.",
    "combining marks": "Zoë́ Ângström l̷i̷v̷e̷s̷ here",
    "lone mark": "\u0301",
    "only digits": "1234567890",
    "only marks": "?!...---",
    "line breaks": "One line.\r\n\r\nAnother one.\n",
    "a long word": "a" * 5000,
    "a reserved word": "</s> <pad> <2de> <0x41>",
}


@cache
def predictor(task: str) -> Predictor[Any]:
    return open_predictor(load_bundle(BUNDLES[task]), "cpu", "fp32")


def parameters(task: str) -> Any:
    known: dict[str, dict[str, object]] = {"translation": {"tgt_lang": "de", "num_beams": 1}}
    return msgspec.convert(known.get(task, {}), PREDICTORS[task].parameters)


def answers(task: str, texts: Sequence[str]) -> list[Any]:
    return predictor(task).predict(texts, parameters(task))


def rows(task: str, texts: Sequence[str]) -> list[Row]:
    prepared = [predictor(task).prepare(text, parameters(task)) for text in texts]
    return [row for part in prepared for row in part.rows]


def test_every_task_ships_a_bundle() -> None:
    assert set(TASKS) == set(PREDICTORS)


@pytest.mark.parametrize("task", TASKS)
def test_torch_equalled_onnx_at_export(task: str) -> None:
    parity = predictor(task).bundle.manifest.parity
    assert parity.max_abs_error <= 1e-4
    assert parity.same_answers
    assert parity.rows >= 50


@pytest.mark.parametrize("task", TASKS)
def test_bundles_are_small_enough_to_ship(task: str) -> None:
    sizes = [file.stat().st_size for file in BUNDLES[task].iterdir()]
    assert max(sizes) <= 50e6
    assert sum(file.stat().st_size for file in ROOT.rglob("*") if file.is_file()) <= 120e6


@pytest.mark.parametrize("task", TASKS)
def test_every_input_has_its_answer_in_order(task: str) -> None:
    together = answers(task, TEXTS)
    assert together == [answers(task, [text])[0] for text in TEXTS]
    assert together[::-1] == answers(task, TEXTS[::-1])


@pytest.mark.parametrize(
    "task", [task for task in TASKS if issubclass(PREDICTORS[task], OneShotPredictor)]
)
def test_padding_and_company_do_not_change_a_row(task: str) -> None:
    served = predictor(task)
    assert isinstance(served, OneShotPredictor)
    batch = rows(task, TEXTS)
    together = served.run(batch, batch_tokens=10**6)
    for row, outputs in zip(batch, together, strict=True):
        alone = served.run([row])[0]
        for name, value in alone.items():
            # Matrix products of other sizes may round otherwise; padding would show far above.
            np.testing.assert_allclose(outputs[name], value, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", ODD)
def test_odd_text_gets_an_answer_or_a_typed_refusal(task: str, case: str) -> None:
    text = ODD[case]
    try:
        answer = answers(task, [text])[0]
    except InputRefused:
        return
    for part in answer if task == "ner" else []:
        assert text[part.start : part.end] == part.word


@pytest.mark.parametrize("task", TASKS)
def test_the_longest_text_is_answered(task: str) -> None:
    text = ("The old ferry to Calais leaves at nine, and Tom hates it. " * 100)[:5000]
    assert answers(task, [text])[0]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("text", ["", " ", "\t\n \u200b", "\x00"])
def test_blank_text_has_no_entities_and_is_refused_elsewhere(task: str, text: str) -> None:
    if task == "ner":
        assert answers(task, [text]) == [[]]
        return
    with pytest.raises(BlankText, match="empty or blank"):
        answers(task, [text])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_entities_slice_the_callers_string(text: str) -> None:
    for entity in answers("ner", [text])[0]:
        assert text[entity.start : entity.end] == entity.word
        assert 0 <= entity.score <= 1


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_probabilities_of_the_labels_sum_to_one(text: str) -> None:
    try:
        answer = answers("sentiment", [text])[0]
    except BlankText:
        return
    assert sum(label.score for label in answer) == pytest.approx(1, abs=1e-5)
    assert answer[0].score >= answer[1].score


def test_a_tiny_difference_in_the_graph_is_noticed() -> None:
    """The claims above rest on equality: one other row must give other numbers."""
    served = predictor("sentiment")
    one, other = served.run(rows("sentiment", ["Hello!"])), served.run(rows("sentiment", ["No!"]))
    assert not np.array_equal(one[0]["logits"], other[0]["logits"])


def test_sessions_open_on_the_device_that_they_say() -> None:
    graph = load_bundle(BUNDLES["ner"]).graph("model", "fp32")
    assert Session.open(graph, "auto", shared_pool=False).device in ("cpu", "cuda")


@pytest.mark.parametrize(
    "text,expected",
    [
        (
            "Rudolph Smith bought 1000 shares of tesla Inc. in March 2020",
            {"Rudolph Smith": "PER", "March 2020": "TIME"},
        ),
        ("Pankaj lives in Munich", {"Pankaj": "PER", "Munich": "LOC"}),
        ("Angela Merkel visited Siemens in Berlin.", {"Angela Merkel": "PER", "Berlin": "LOC"}),
    ],
)
def test_plain_sentences_are_tagged(text: str, expected: dict[str, str]) -> None:
    found = {entity.word: entity.entity_group for entity in answers("ner", [text])[0]}
    assert expected.items() <= found.items()


@pytest.mark.parametrize(
    "text,label",
    [
        ("Not only the fan was expensive, but it was broken when it arrived.", "negative"),
        ("There is nothing to like in this movie.", "negative"),
        ("A wonderful phone, I love it.", "positive"),
        ("The acting is superb and the story moved me.", "positive"),
    ],
)
def test_plain_opinions_are_understood(text: str, label: str) -> None:
    assert answers("sentiment", [text])[0][0].label == label


def test_a_greeting_is_translated() -> None:
    greeting = answers("translation", ["how are you?"])[0][0].translation_text
    assert greeting.lower().startswith("wie geht")


def test_sentences_of_one_text_keep_their_line_breaks() -> None:
    text = answers("translation", ["Good morning.\n\nHow are you?"])[0][0].translation_text
    first, second = text.split("\n\n")
    assert first
    assert second.endswith("?")


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_probabilities_of_languages_fall_and_stay_below_one(text: str) -> None:
    try:
        answer = answers("detection", [text])[0]
    except (BlankText, NoLetters):
        return
    scores = [found.score for found in answer]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1 + 1e-5


@pytest.mark.parametrize(
    "text,label",
    [
        ("Voulez-vous chanter avec moi?", "fr"),
        ("WHERE IS THE STATION", "en"),
        ("Ich habe heute keine Zeit.", "de"),
        ("\u0915\u094d\u092f\u093e \u0939\u093e\u0932 \u0939\u0948?", "hi"),
        ("kya haal hai, tumne khana khaya?", "hi-Latn"),
    ],
)
def test_plain_languages_are_detected(text: str, label: str) -> None:
    assert answers("detection", [text])[0][0].label == label


@pytest.mark.parametrize("text", ["12345", "?!...", "12:30, 5 %"])
def test_text_without_letters_has_no_language(text: str) -> None:
    with pytest.raises(NoLetters, match="no letters"):
        answers("detection", [text])


def test_romanised_hindi_is_written_in_devanagari() -> None:
    found = answers("transliteration", ["kya haal hai?", "12:30, USA"])
    assert found[0][0].transliteration_text == (
        "\u0915\u094d\u092f\u093e \u0939\u093e\u0932 \u0939\u0948?"
    )
    assert found[1][0].transliteration_text == "12:30, USA"


def test_spellings_of_words_slice_the_callers_string() -> None:
    text = "Mera  naam"
    [found] = predictor("transliteration").predict(
        [text], PREDICTORS["transliteration"].parameters(top_k=3)
    )[0]
    assert [text[word.start : word.end] for word in found.words] == ["Mera", "naam"]
    for word in found.words:
        assert 1 <= len(word.spellings) <= 3
    spaced = "  ".join(word.spellings[0] for word in found.words)
    assert found.transliteration_text == spaced
