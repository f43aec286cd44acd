"""IOB2 tags and spans are two spellings of one thing."""

from hypothesis import given
from hypothesis import strategies as st

from service.text.spans import Span, iob2_tags, spans_to_tags, tags_to_spans

LABELS = ("PER", "ORG", "TIME")
TAGS = st.lists(st.sampled_from(iob2_tags(LABELS)), max_size=20)


@st.composite
def spans_in_a_text(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans that do not overlap, and a number of words that holds them."""
    position, spans = 0, []
    for _ in range(draw(st.integers(0, 5))):
        start = position + draw(st.integers(0, 3))
        position = start + draw(st.integers(1, 4))
        spans.append(Span(draw(st.sampled_from(LABELS)), start, position))
    return spans, position + draw(st.integers(0, 3))


@given(spans_in_a_text())
def test_spans_come_back_from_their_tags(case: tuple[list[Span], int]) -> None:
    spans, length = case
    assert tags_to_spans(spans_to_tags(spans, length)) == spans


@given(spans_in_a_text())
def test_there_is_one_tag_a_word(case: tuple[list[Span], int]) -> None:
    assert len(spans_to_tags(*case)) == case[1]


@given(TAGS)
def test_tags_that_a_model_may_emit_become_well_formed_in_one_round(tags: list[str]) -> None:
    mended = spans_to_tags(tags_to_spans(tags), len(tags))
    assert tags_to_spans(mended) == tags_to_spans(tags)
    assert [tag[1:] for tag in mended] == [tag[1:] for tag in tags]


@given(TAGS)
def test_spans_cover_each_tagged_word_once_in_order(tags: list[str]) -> None:
    covered = [at for span in tags_to_spans(tags) for at in range(span.start, span.end)]
    assert covered == [at for at, tag in enumerate(tags) if tag != "O"]


def test_an_inside_tag_that_continues_nothing_begins_an_entity() -> None:
    assert tags_to_spans(["O", "I-PER", "I-ORG"]) == [Span("PER", 1, 2), Span("ORG", 2, 3)]


def test_a_beginning_right_behind_an_entity_begins_another() -> None:
    tags = ["B-PER", "I-PER", "B-PER"]
    assert tags_to_spans(tags) == [Span("PER", 0, 2), Span("PER", 2, 3)]


def test_an_inside_tag_behind_a_gap_begins_an_entity() -> None:
    assert tags_to_spans(["B-PER", "O", "I-PER"]) == [Span("PER", 0, 1), Span("PER", 2, 3)]


def test_a_label_gives_a_beginning_and_an_inside_tag() -> None:
    assert iob2_tags(["PER", "LOC"]) == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
