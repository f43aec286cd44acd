"""Translation over HTTP: languages found, scripts read, two passes, streams; by a copying model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.bundle import load_bundle
from service.tasks.endpoint import Answered
from service.tasks.registry import open_predictor
from service.tasks.translation import TranslationParameters
from service.tasks.translator import TranslationEndpoint
from tests.copying_bundle import write_copier
from tests.tiny_bundles import write_detection, write_transliteration
from tests.unit.service.http.served import Served

KAISE = "कैसे"
"""What the tiny transliterator writes for any word."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Translation with detection and transliteration beside it."""
    root = tmp_path_factory.mktemp("bundles")
    served = serve(root, write_copier, write_detection, write_transliteration)
    yield served
    served.close()


def serve(root: Path, *writers: Any) -> Served:
    bundles = [load_bundle(write(root)) for write in writers]
    return Served([open_predictor(bundle, "cpu") for bundle in bundles])


def translate(served: Served, inputs: str | list[str], **parameters: Any) -> Any:
    response = served.post("/translate", {"inputs": inputs, "parameters": parameters})
    return response.json()


def refusal(served: Served, text: str, **parameters: Any) -> tuple[int, str]:
    response = served.post("/translate", {"inputs": text, "parameters": parameters})
    return response.status_code, response.json()["detail"]


def test_a_language_that_was_not_said_is_found(served: Served) -> None:
    [found] = translate(served, "das ist groß", tgt_lang="en")
    assert found["translation_text"] == "das ist groß"
    assert (found["src_lang"], found["detected"]) == ("de", True)


def test_a_language_that_was_said_is_believed(served: Served) -> None:
    [found] = translate(served, "das ist groß", tgt_lang="de", src_lang="en")
    assert found["src_lang"] == "en"
    assert "detected" not in found


def test_each_text_of_a_list_has_its_own_language_and_way(served: Served) -> None:
    texts = ["how are you?", "das ist groß.", "12:30", KAISE]
    answers = translate(served, texts, tgt_lang="hi")
    assert [answer[0]["translation_text"] for answer in answers] == texts
    assert [answer[0]["src_lang"] for answer in answers] == ["en", "de", None, "hi"]
    assert [answer[0].get("via") for answer in answers] == [None, "en", None, None]


def test_a_text_in_the_target_language_comes_back_as_it_is(served: Served) -> None:
    [found] = translate(served, "Das ist  groß!", tgt_lang="de", num_return_sequences=2)
    assert found["translation_text"] == "Das ist  groß!"
    assert (found["src_lang"], found["tgt_lang"]) == ("de", "de")


def test_a_language_that_is_not_translated_is_named_with_those_that_are(served: Served) -> None:
    status, detail = refusal(served, "perchè", tgt_lang="de")
    assert status == 422
    assert "'it'" in detail
    assert "en, hi" in detail


def test_a_pair_without_english_goes_through_it(served: Served) -> None:
    [found] = translate(served, "das ist gut.", tgt_lang="hi", src_lang="de")
    assert (found["translation_text"], found["via"]) == ("das ist gut.", "en")


def test_alignments_of_two_passes_are_refused(served: Served) -> None:
    status, detail = refusal(served, "das", tgt_lang="hi", src_lang="de", alignments=True)
    assert (status, "two passes" in detail) == (422, True)


@pytest.mark.parametrize("source", [None, "hi", "hi-Latn"])
def test_romanised_hindi_is_read_in_devanagari(served: Served, source: str | None) -> None:
    [found] = translate(served, "x ho", tgt_lang="en", src_lang=source)
    assert found["translation_text"] == found["source_text"] == f"{KAISE} {KAISE}"
    assert found["src_lang"] == (source or "hi-Latn")


def test_names_that_the_model_does_not_know_are_spelt_in_hindi(served: Served) -> None:
    [found] = translate(served, "my name is Pankaj.", tgt_lang="hi", src_lang="en")
    assert found["translation_text"] == found["source_text"] == f"my name is {KAISE}."
    [plain] = translate(served, "my name is Pankaj.", tgt_lang="de", src_lang="en")
    assert plain["translation_text"] == "my name is Pankaj."


def test_hindi_comes_with_latin_letters_on_request(served: Served) -> None:
    [found] = translate(served, KAISE, tgt_lang="hi", src_lang="en", romanize=True)
    assert found["romanization"] == "kaise"


def test_alignments_have_offsets(served: Served) -> None:
    [found] = translate(served, "how  are", tgt_lang="de", src_lang="en", alignments=True)
    link = found["alignments"][1]
    spans = link["source_start"], link["source_end"], link["target_start"], link["target_end"]
    assert spans == (5, 8, 5, 8)


def test_more_translations_come_with_scores(served: Served) -> None:
    found = translate(served, "how are you", tgt_lang="de", src_lang="en", num_return_sequences=2)
    assert [type(each["score"]) for each in found] == [float, float]
    status, detail = refusal(served, "how", tgt_lang="de", num_beams=1, num_return_sequences=2)
    assert (status, "num_beams 1" in detail) == (422, True)


@pytest.mark.parametrize(
    "text",
    ["!!!", "\U0001f642\U0001f642", "123 456", "https://example.org/x", "{name}", "a" * 5000],
)
def test_what_has_no_words_comes_back_unchanged(served: Served, text: str) -> None:
    assert translate(served, text, tgt_lang="de")[0]["translation_text"] == text


@pytest.mark.parametrize(
    "text",
    [
        "<html><body><p>hello</p></body></html>",
        "def f(x):\n    return x + 1  # hello",
        "hello मेरा नाम שלום 你好 hello",
        "how are you? wie geht es? groß",
        "\u202ehello\u202c \u200f(you)\u200e",
        "hello " * 833,
        "a, " * 1600,
        "?" * 5000,
    ],
)
def test_strange_text_keeps_what_the_model_copies(served: Served, text: str) -> None:
    assert translate(served, text, tgt_lang="de", src_lang="en")[0]["translation_text"] == text


def test_text_in_letters_that_nobody_reads_is_refused(served: Served) -> None:
    status, detail = refusal(served, "مرحبا بك", tgt_lang="de", src_lang="en")
    assert (status, "Arabic letters" in detail) == (422, True)


def test_without_a_detector_a_source_language_is_not_needed(tmp_path: Path) -> None:
    served = serve(tmp_path, write_copier)
    try:
        [found] = translate(served, "how are you", tgt_lang="de")
        assert (found["translation_text"], found["src_lang"]) == ("how are you", None)
    finally:
        served.close()


@pytest.mark.parametrize(
    "text, parameters",
    [
        ("how are you?  I pay $20.\n- ok {name}", {"src_lang": "en", "tgt_lang": "de"}),
        ("das ist gut. Ja!", {"src_lang": "de", "tgt_lang": "hi"}),
        ("x ho", {"tgt_lang": "en"}),
        ("das ist groß", {"tgt_lang": "de"}),
        ("12:30 \U0001f642", {"tgt_lang": "de"}),
    ],
)
def test_a_stream_tells_the_answer_in_pieces(
    served: Served, text: str, parameters: dict[str, Any]
) -> None:
    endpoint = next(
        handler.endpoint
        for handler in served.application.handlers
        if isinstance(handler.endpoint, TranslationEndpoint)
    )

    async def stream() -> list[str | Answered]:
        return [piece async for piece in endpoint.stream(text, asked, timeout_s=10)]

    asked = TranslationParameters(**parameters)
    *pieces, answered = served.run(stream())
    assert isinstance(answered, Answered)
    whole = msgspec.json.decode(msgspec.json.encode(answered.answers[0]))
    assert whole == translate(served, text, **parameters)
    assert "".join(map(str, pieces)) == whole[0]["translation_text"]
