"""Names in training pairs: what both sides share may become a mark."""

import numpy as np
import pytest
import regex

from service.text.lexicon import Lexicon
from service.text.standins import MARKS
from training.data.names import NameMasker
from training.data.parallel import SentencePair

LEXICON = Lexicon(
    {
        "en": ["Tom", "is", "here", "in", "was", "the"],
        "de": ["Tom", "ist", "hier", "in", "was"],
        "hi": ["टॉम", "यहाँ", "है"],
    }
)


def masked(source: str, target: str, languages: tuple[str, str], *, rate: float) -> SentencePair:
    masker = NameMasker(LEXICON, languages, rate)
    return masker.mask(SentencePair(source, target), np.random.default_rng(3))


def test_a_shared_name_becomes_the_same_mark_on_both_sides() -> None:
    pair = masked("Tom is here", "Tom ist hier", ("en", "de"), rate=1.0)
    mark = pair.source.split()[0]
    assert mark in MARKS
    assert pair == SentencePair(f"{mark} is here", f"{mark} ist hier")


def test_known_names_stay_where_the_rate_is_zero() -> None:
    pair = masked("Tom is here", "Tom ist hier", ("en", "de"), rate=0.0)
    assert pair == SentencePair("Tom is here", "Tom ist hier")


def test_most_unknown_names_are_masked_whatever_the_rate() -> None:
    masker = NameMasker(LEXICON, ("en", "de"), 0.0)
    rng = np.random.default_rng(3)
    pair = SentencePair("Zorro is here", "Zorro ist hier")
    kept = sum("Zorro" in masker.mask(pair, rng).source for _ in range(400))
    assert 10 < kept < 90


@pytest.mark.parametrize(
    "latin,devanagari", [("Tom", "टॉम"), ("Mary", "मैरी"), ("Kumar", "कुमार"), ("Philip", "फ़िलिप")]
)
def test_a_name_is_found_in_the_other_script(latin: str, devanagari: str) -> None:
    pair = masked(f"{latin} is here", f"{devanagari} यहाँ है", ("en", "hi"), rate=1.0)
    mark = pair.source.split()[0]
    assert mark in MARKS
    assert pair.target == f"{mark} यहाँ है"
    back = masked(f"{devanagari} यहाँ है", f"{latin} is here", ("hi", "en"), rate=1.0)
    assert back.source.split()[0] == back.target.split()[0] in MARKS


def test_words_that_are_also_written_small_are_no_names() -> None:
    pair = masked("Was the film good?", "Was ist das?", ("en", "de"), rate=1.0)
    assert pair == SentencePair("Was the film good?", "Was ist das?")


def test_shared_numbers_are_masked_and_marks_drawn_from_all() -> None:
    masker = NameMasker(LEXICON, ("en", "de"), 0.0)
    rng = np.random.default_rng(5)
    seen = {masker.mask(SentencePair("in 1987", "in 1987"), rng).source for _ in range(200)}
    assert seen == {f"in {mark}" for mark in MARKS}
    assert all(regex.fullmatch(r"in \u27e8\d\u27e9", text) for text in seen)
