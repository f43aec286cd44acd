"""Alignments: words are linked to the words that were attended to."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.text.alignment import Pieces, align_words, attend_words, piece_spans, word_spans
from tests.unit.service.text.texts import TEXTS


def test_words_are_linked_across_their_pieces() -> None:
    weights = np.array(
        [[0.1, 0.8, 0.0, 0.1], [0.6, 0.1, 0.2, 0.1], [0.4, 0.1, 0.4, 0.1]], np.float32
    )
    source = Pieces("good bye", [(0, 2), (4, 8), (2, 4), (8, 8)])
    target = Pieces("tschüss gut", [(0, 7), (7, 9), (9, 11)])
    links = align_words(attend_words(weights, source, target))
    assert [link[:2] for link in links] == [((5, 8), (0, 7)), ((0, 4), (8, 11))]
    assert np.isclose(links[1].weight, (0.8 + 0.8) / 2)


def test_a_word_without_attention_is_not_linked() -> None:
    weights = np.array([[0.1, 0.9]], np.float32)
    attention = attend_words(weights, Pieces("a", [(0, 1), (1, 1)]), Pieces("b", [(0, 1)]))
    assert align_words(attention) == []


def test_no_words_give_no_links() -> None:
    nothing = attend_words(np.zeros((0, 1), np.float32), Pieces("", [(0, 0)]), Pieces("", []))
    assert align_words(nothing) == []


@given(TEXTS)
def test_words_are_in_order_and_hold_all_that_is_visible(text: str) -> None:
    spans = word_spans(text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    covered = {at for start, end in spans for at in range(start, end)}
    assert all(char.isspace() for at, char in enumerate(text) if at not in covered)


@given(st.lists(st.sampled_from(["a", " b", "", "cd"]), max_size=8))
def test_the_spans_of_pieces_slice_their_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    spans = piece_spans(range(len(pieces)), lambda ids: "".join(pieces[i] for i in ids))
    assert [text[start:end] for start, end in spans] == pieces
