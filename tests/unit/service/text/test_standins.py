"""Stand-ins: what is to be copied comes back letter by letter, whatever the model does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.standins import MARKS, MOST_MARKS, mask, mask_pair, unmask, unmasked_offset
from tests.unit.service.text.texts import TEXTS, WITH_SURROGATES

COPIED = (
    "https://example.org/a?b=1", "www.example.com/x_(y", "a.b+c@mail.example.org", "{name}", "{0}",
    "%s", "%(name)s", "$HOME", "<b>", "</b>", "<br/>", "&nbsp;", "@anna", "#win", "12", "3.5",
    "1,000", "12:30", "50%", "$20", "5km", "20\u20ac", "10 000", "+49 89 123456", "A320", "`f(x)`",
    "\U0001f642", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", ":-)", *MARKS,
)  # fmt: skip
MIXED = st.lists(
    st.sampled_from(COPIED) | st.sampled_from([" ", ", ", ". ", "and", "\u27e8"]), max_size=30
).map("".join)


@given(WITH_SURROGATES | MIXED)
def test_a_masked_text_comes_back(text: str) -> None:
    assert unmask(*mask(text)) == text


@given(WITH_SURROGATES | MIXED)
def test_marks_are_numbered_in_the_order_of_their_spans(text: str) -> None:
    masked = mask(text)
    places = [masked.text.find(MARKS[number]) for number in range(len(masked.values))]
    assert places == sorted(places)
    assert -1 not in places
    assert len(set(masked.values)) == len(masked.values) <= MOST_MARKS


@given(MIXED, st.text(max_size=40) | MIXED)
def test_nothing_is_lost_whatever_the_model_says(text: str, output: str) -> None:
    values = mask(text).values
    restored = unmask(output, values)
    assert all(value in restored for value in values)


@pytest.mark.parametrize("value", COPIED)
def test_a_span_in_a_sentence_is_one_mark(value: str) -> None:
    assert mask(f"This is {value} here.") == ("This is \u27e80\u27e9 here.", [value])


@pytest.mark.parametrize(
    "text, masked",
    [
        ("I have 3 apples and 12 pears.", "I have 3 apples and ⟨0⟩ pears."),
        ("See https://example.org.", "See ⟨0⟩."),
        ("(see www.example.org/a)", "(see ⟨0⟩)"),
        ("Ist es 3.5 oder 3.5?", "Ist es ⟨0⟩ oder ⟨0⟩?"),
        ("In 2020, not 2021.", "In ⟨0⟩, not ⟨1⟩."),
        ("On the 21st it was 5th.", "On the ⟨0⟩st it was 5th."),
        ("<b>Hello</b> {name}!", "⟨0⟩Hello⟨1⟩ ⟨2⟩!"),
        ("a < b and c > d & e", "a < b and c > d & e"),
        ("he/she/it, and/or", "he/she/it, and/or"),
        ("It is e.g. that. No. Why?", "It is e.g. that. No. Why?"),
        ("100% sure", "⟨0⟩ sure"),
        ("Say مرحبا بكم to Москва.", "Say ⟨0⟩ to ⟨1⟩."),
        ("Der Café heißt \u00c6ther, naïve e\u0301.", "Der Café heißt \u00c6ther, naïve e\u0301."),
        ("a" * 5000 + " ok", "⟨0⟩ ok"),
        ("उसके पास १२ आम हैं।", "उसके पास ⟨0⟩ आम हैं।"),
    ],
)
def test_spans_are_found_by_rule(text: str, masked: str) -> None:
    assert mask(text).text == masked


def test_beyond_the_last_mark_spans_stay() -> None:
    text = " ".join(str(number) for number in range(10, 25))
    assert mask(text).text.endswith("⟨9⟩ 20 21 22 23 24")


def test_typed_marks_keep_their_room() -> None:
    text = " ".join([*(str(number) for number in range(10, 25)), "⟨3⟩"])
    masked = mask(text)
    assert masked.values[-1] == "⟨3⟩"
    assert masked.text.endswith(" ⟨9⟩")


@pytest.mark.parametrize(
    "output, restored",
    [
        ("Hallo!", "Hallo Anna 12!"),
        ("Hallo ⟨0⟩.", "Hallo Anna 12."),
        ("⟨1⟩ und ⟨0⟩", "12 und Anna"),
        ("⟨0⟩ ⟨0⟩ ⟨1⟩ ⟨7⟩.", "Anna Anna 12."),
        ("", "Anna 12"),
    ],
)
def test_a_lost_mark_is_set_in_and_a_surplus_one_left_out(output: str, restored: str) -> None:
    assert unmask(output, ["Anna", "12"]) == restored


def test_a_lost_mark_is_set_in_at_its_place() -> None:
    assert unmask("Hallo wie geht es?", ["{name}"], {0: 5}) == "Hallo {name} wie geht es?"


def test_a_value_that_looks_like_a_mark_is_not_replaced_again() -> None:
    assert unmask("⟨0⟩ ⟨1⟩", ["⟨1⟩", "12"]) == "⟨1⟩ 12"


@pytest.mark.parametrize(
    "source, target, expected",
    [
        ("In 2020 or 2021", "2021 nicht", ("In 2020 or ⟨0⟩", "⟨0⟩ nicht")),
        ("12 of 45", "45 von 12", ("⟨0⟩ of ⟨1⟩", "⟨1⟩ von ⟨0⟩")),
        ("I paid $20.", "Ich habe 20 $ bezahlt.", ("I paid $20.", "Ich habe 20 $ bezahlt.")),
        ("12 mangoes", "१२ आम", ("⟨0⟩ mangoes", "⟨0⟩ आम")),
    ],
)
def test_a_pair_is_masked_where_both_sides_agree(
    source: str, target: str, expected: tuple[str, str]
) -> None:
    assert mask_pair(source, target) == expected


@given(TEXTS | MIXED)
def test_offsets_of_a_masked_text_lead_to_the_source(text: str) -> None:
    masked = mask(text)
    position = 0
    for offset, char in enumerate(masked.text):
        found = unmasked_offset(masked, offset)
        assert position <= found <= len(text)
        position = found
        if not any(char in mark for mark in MARKS):
            assert text[found] == char
    assert unmasked_offset(masked, len(masked.text)) == len(text)


MANY = 20_000


@pytest.mark.timeout(60, method="thread")
@pytest.mark.parametrize(
    "text",
    [char * MANY for char in ("a", "1", "<", "<a", "{", "`", "@", "a@", "a.", "/", "/a", "#", "+1",
                              "%", "1.", "1 ", "http://", "\U0001f642", "\u27e8", "\u27e80", ":-",
                              "\U0001f1e6", "-", "$a", "&a", "A1", "1-", "123 ", "\u200d")],
    ids=lambda text: repr(text[:3]),
)  # fmt: skip
def test_hostile_runs_are_masked_in_one_pass(text: str) -> None:
    assert unmask(*mask(text)) == text
