"""Devanagari in Latin letters."""

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from service.text.romanization import Style, romanize

DEVANAGARI = regex.compile(r"[\p{Devanagari}\u0964\u0965]")
STYLES: list[Style] = ["iso", "informal"]
VIRAMA = "\u094d"
CONSONANTS = "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह"
SYLLABLES = st.builds(
    "{}{}".format,
    st.sampled_from([*CONSONANTS, "ज़", "फ़", "ड़", "ढ़", "क़"]),
    st.sampled_from(["", *"ािीुूृेैोौ", VIRAMA]),
)
VOWELS = st.sampled_from([*"अआइईउऊऋएऐओऔ", "अं", "आँ"])
WORDS = st.lists(SYLLABLES | VOWELS, min_size=1, max_size=6).map("".join)


@pytest.mark.parametrize(
    "hindi, latin",
    [
        ("क्या हाल है?", "kya haal hai?"),
        ("क्या तुमने खाया?", "kya tumane khaaya?"),
        ("मैं ठीक हूँ।", "main theek hoon."),
        ("वे घर में नहीं हैं ।", "ve ghar mein nahin hain."),
        ("हुआ, आओ, भाई", "hua, aao, bhaaee"),
        ("आ न", "aa na"),
    ],
)
def test_sentences_are_written_as_translation_pages_do(hindi: str, latin: str) -> None:
    assert romanize(hindi, "informal") == latin


@pytest.mark.parametrize(
    "hindi, latin",
    [
        ("चाँद", "chaand"),
        ("हिंदी", "hindee"),
        ("संबंध", "sambandh"),
        ("अंक", "ank"),
        ("दुःख", "duhkh"),
        ("ज़मीन", "zameen"),
        ("लड़की", "ladakee"),
        ("पढ़ाई", "padhaaee"),
        ("मित्र", "mitr"),
        ("क्षमा", "kshama"),
        ("ज्ञान", "gyaan"),
        ("ऋषि", "rishi"),
        ("डॉक्टर", "doktar"),
        ("२०२६", "2026"),
        ("\u0950", "om"),
    ],
)
def test_nasals_nuktas_conjuncts_and_digits_have_their_letters(hindi: str, latin: str) -> None:
    assert romanize(hindi, "informal") == latin


@pytest.mark.parametrize(
    "hindi, latin",
    [
        ("हिन्दी", "hindī"),
        ("संस्कृत", "saṁskr̥ta"),
        ("चाँद", "cām̐da"),
        ("ख़बर", "k͟habara"),
        ("लड़का", "laṛakā"),
        ("कृष्ण", "kr̥ṣṇa"),
        ("दुःख", "duḥkha"),
        ("ॐ", "ōṁ"),
    ],
)
def test_iso_15919_writes_every_letter(hindi: str, latin: str) -> None:
    assert romanize(hindi, "iso") == latin


def test_iso_keeps_apart_what_would_run_together() -> None:
    assert romanize("क्हा", "iso") == "k:hā"
    assert romanize("खा", "iso") == "khā"
    assert romanize("गइ", "iso") == "ga:i"
    assert romanize("गै", "iso") == "gai"


@given(WORDS, WORDS)
def test_iso_tells_any_two_spellings_apart(one: str, other: str) -> None:
    if one != other:
        assert romanize(one, "iso") != romanize(other, "iso")


@given(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), st.sampled_from(STYLES))
def test_no_devanagari_is_left_and_words_stay_words(text: str, style: Style) -> None:
    latin = romanize(text, style)
    assert not DEVANAGARI.search(latin)
    assert latin == " ".join(romanize(word, style) for word in text.split(" "))


@given(WORDS)
def test_informal_letters_are_plain(word: str) -> None:
    assert regex.fullmatch("[a-z]+", romanize(word, "informal"))


@given(st.text(st.characters(max_codepoint=0x8FF), max_size=40))
def test_other_scripts_stay_as_they_are(text: str) -> None:
    assert romanize(text, "informal") == unicodedata.normalize("NFC", text)


@given(st.text(st.characters(min_codepoint=0x900, max_codepoint=0x97F), max_size=20))
def test_any_run_of_the_block_is_answered(text: str) -> None:
    romanize(text, "informal")
    romanize(text, "iso")
