"""Sub-words: any text has ids, gives itself back, and spells no reserved symbol."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.characters import without_controls
from service.text.languages import LANGUAGE_TOKENS
from service.text.subwords import BOS, BOS_ID, EOS, EOS_ID, PAD, PAD_ID, Subwords
from tests.unit.service.text.texts import TEXTS, WITH_SURROGATES

CORPUS = [
    "the cat sat on the mat.",
    "Der Hund schläft im Haus, aber die Katze <s>schläft</s> nicht.",
    "यह हिन्दी का वाक्य है।",
    "Un café, s'il vous plaît <2de> <0x41> <pad> 1000",
] * 10
WORD_MARK = "\u2581"


def trained(*, lowercase: bool) -> Subwords:
    return Subwords.train(CORPUS, 700, symbols=LANGUAGE_TOKENS, lowercase=lowercase)


CASED, LOWERCASED = trained(lowercase=False), trained(lowercase=True)


def ids_of(text: str) -> list[int]:
    return CASED.encode([text])[0].ids


@given(TEXTS)
def test_a_text_comes_back_in_composed_form(text: str) -> None:
    """What is lost: one leading blank, and the mark that stands for a blank."""
    plain = text.replace(WORD_MARK, " ")
    assert CASED.decode(ids_of(text)) == unicodedata.normalize("NFC", plain).removeprefix(" ")


@given(TEXTS)
def test_a_lowercasing_vocabulary_gives_back_lower_case(text: str) -> None:
    decoded = LOWERCASED.decode(LOWERCASED.encode([text])[0].ids)
    assert not any("A" <= char <= "Z" for char in decoded)
    assert LOWERCASED.encode([decoded])[0].ids == LOWERCASED.encode([text.removeprefix(" ")])[0].ids


@given(TEXTS)
def test_every_text_has_known_ids(text: str) -> None:
    assert all(CASED.id_of("<0x00>") <= i < CASED.size for i in ids_of(text))


@given(TEXTS)
def test_no_text_spells_a_reserved_symbol(text: str) -> None:
    reserved = {CASED.id_of(symbol) for symbol in (PAD, BOS, EOS, *LANGUAGE_TOKENS)}
    assert reserved.isdisjoint(ids_of(text))


@pytest.mark.parametrize("typed", [PAD, BOS, EOS, *LANGUAGE_TOKENS, "<0x41>", "<0x00>", "<0xFF>"])
@pytest.mark.parametrize("around", ["{}", "a{}b", " {} ", "{0}{0}", "\n{}"])
def test_a_typed_symbol_is_only_its_characters(typed: str, around: str) -> None:
    text = around.format(typed)
    ids = ids_of(text)
    assert CASED.id_of(typed) not in ids
    assert len(ids) > 3
    assert CASED.decode(ids) == text.removeprefix(" ")


@given(TEXTS)
def test_offsets_slice_the_callers_string_in_order(text: str) -> None:
    pieces = CASED.encode([text])[0]
    assert len(pieces.ids) == len(pieces.offsets)
    assert all(0 <= start <= end <= len(text) for start, end in pieces.offsets)
    starts = [start for start, _ in pieces.offsets]
    assert starts == sorted(starts)


@given(TEXTS)
def test_offsets_cover_a_text_that_is_already_composed(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    covered = {at for start, end in CASED.encode([composed])[0].offsets for at in range(start, end)}
    assert covered == set(range(len(composed)))


@given(st.lists(TEXTS, max_size=4))
def test_a_text_in_a_batch_has_the_ids_it_has_alone(texts: list[str]) -> None:
    assert [pieces.ids for pieces in CASED.encode(texts)] == [ids_of(text) for text in texts]


@given(WITH_SURROGATES)
def test_every_cleaned_text_can_be_encoded(text: str) -> None:
    cleaned = without_controls(text)
    assert bool(ids_of(cleaned)) == bool(cleaned)


@given(st.lists(st.integers(0, CASED.size - 1), max_size=40))
def test_any_ids_that_a_model_may_emit_decode_to_text(ids: list[int]) -> None:
    assert CASED.decode(ids).encode("utf-8").decode("utf-8") == CASED.decode(ids)


@given(TEXTS, st.integers(0, 10))
def test_reserved_symbols_leave_no_trace_in_the_text(text: str, place: int) -> None:
    ids = ids_of(text)
    with_symbols = [BOS_ID, *ids[:place], CASED.id_of("<2de>"), *ids[place:], EOS_ID, PAD_ID]
    assert CASED.decode(with_symbols) == CASED.decode(ids)


def test_merges_that_were_learned_are_used() -> None:
    assert len(ids_of("the cat sat")) == 3


@pytest.mark.parametrize(
    "text", ["हिन्दी", "日本語", "שלום עולם", "🙂👍🏽", "👩\u200d💻", "\x00\x07"]
)
def test_scripts_that_were_never_seen_come_back(text: str) -> None:
    assert CASED.decode(ids_of(text)) == text


@pytest.mark.parametrize(
    "text, pieces",
    [("日" * 5000, 15_001), ("9" * 5000, 5_001), (" " * 5000, 5_000), ("ज" * 5000, 15_001)],
)
def test_the_longest_texts_have_ids_in_proportion(text: str, pieces: int) -> None:
    assert len(ids_of(text)) <= pieces


def test_a_long_word_comes_back_whole() -> None:
    word = "thecat" * 833
    assert CASED.decode(ids_of(word)) == word


def test_reserved_symbols_have_fixed_ids() -> None:
    assert [CASED.id_of(symbol) for symbol in (PAD, BOS, EOS)] == [PAD_ID, BOS_ID, EOS_ID]


def test_an_unknown_symbol_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="<2xx>"):
        CASED.id_of("<2xx>")


def test_a_saved_vocabulary_gives_the_same_ids(tmp_path: Path) -> None:
    CASED.save(tmp_path / "subwords.json")
    loaded = Subwords.load(tmp_path / "subwords.json")
    text = "the Hund </s> <2de> 日 हिन्दी"
    assert loaded.size == CASED.size
    assert loaded.encode([text]) == CASED.encode([text])
    assert loaded.decode(ids_of(text)) == text


@pytest.mark.parametrize(
    "split,written",
    [
        ("it ca n't be", "it can't be"),
        ("well , it 's fine !", "well, it's fine!"),
        ("( so ) it is", "(so) it is"),
        ("`` so ''", '" so "'),
        ("it isn\u2019t", "it isn't"),
    ],
)
def test_what_corpora_split_reads_like_what_people_write(split: str, written: str) -> None:
    subwords = Subwords.train([written] * 3, 400, lowercase=True, rejoin=True)
    assert subwords.encode([split])[0].ids == subwords.encode([written])[0].ids


def test_offsets_of_rejoined_text_count_the_callers_characters() -> None:
    text = "we ca n't \u201csee\u201d it , no ."
    subwords = Subwords.train([text], 400, lowercase=True, rejoin=True)
    offsets = subwords.encode([text])[0].offsets
    assert all(0 <= start <= end <= len(text) for start, end in offsets)
    assert text[offsets[0][0] : offsets[0][1]].strip() == "we"
    assert text[offsets[-1][0] : offsets[-1][1]].strip() == "."
