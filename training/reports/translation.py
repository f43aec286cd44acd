"""The report of a translation bundle: scores by pair and length, attention, worst errors."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import sacrebleu
from numpy.typing import NDArray

from service.tasks.translation import TranslationParameters, TranslationPredictor
from training.data.parallel import References
from training.reports.parts import Figure, Part, Table
from training.tasks.translation import Direction, bleu, chrf, reference_streams

_LENGTHS = ((1, 5), (6, 10), (11, 20), (21, None))
"""Words of the source, by which scores are told."""
_WORST = 8
_PLOTTED_LENGTHS = range(6, 13)
_CELL, _MARGIN = 26, 130
"""Pixels of a plot: a word's side, and the room for words."""


class Row(NamedTuple):
    """A translated source with its references; `chrf` is that of the sentence."""

    source: str
    text: str
    references: tuple[str, ...]
    chrf: float


def translation_parts(
    predictor: TranslationPredictor, directions: Sequence[Direction], most: int
) -> Iterator[Part]:
    """Of each direction: scores by length, attention, worst errors; on `most` dev sentences."""
    for direction in directions:
        name = f"{direction.source}-{direction.target}"
        rows = _translated(predictor, direction, direction.references("dev")[:most])
        header = ("words of the source", "rows", "BLEU", "chrF", "TER")
        yield Table(f"Scores {name}", header, list(_scores(rows)), note=f"{direction.corpus}, dev.")
        if predictor.aligns:
            title = f"Attention {name}"
            note = "Rows are what was written, columns what was read; darker is more."
            yield Figure(title, _attention(predictor, direction, rows), note)
        yield _worst(name, rows)


def ter(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus TER, sacrebleu's default: edits a word of the references, in percent."""
    return float(sacrebleu.corpus_ter(hypotheses, reference_streams(references)).score)


def attention_plot(
    read: Sequence[str], written: Sequence[str], weights: NDArray[np.float32]
) -> str:
    """An SVG with a row a written word and a column a word read, darker for more attention.

    `weights` is (written, read). The browser's fonts draw the words, whatever their script.
    """
    width, height = _MARGIN + _CELL * len(read), _MARGIN + _CELL * len(written)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">'
    ]
    for column, word in enumerate(read):
        x = _MARGIN + _CELL * column + _CELL // 2
        turned = f'transform="translate({x},{_MARGIN - 6}) rotate(-60)"'
        parts.append(f"<text {turned}>{escape(word)}</text>")
    for row, word in enumerate(written):
        y = _MARGIN + _CELL * row
        place = f'x="{_MARGIN - 6}" y="{y + 18}" text-anchor="end"'
        parts.append(f"<text {place}>{escape(word)}</text>")
        for column, weight in enumerate(weights[row].tolist()):
            x = _MARGIN + _CELL * column
            parts.append(
                f'<rect x="{x}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" '
                f'fill="#1f4e79" fill-opacity="{min(1.0, weight):.2f}"/>'
            )
    return "\n".join([*parts, "</svg>", ""])


def _translated(
    predictor: TranslationPredictor, direction: Direction, references: Sequence[References]
) -> list[Row]:
    asked = TranslationParameters(direction.target, direction.source)
    answers = predictor.predict([row.source for row in references], asked)
    rows = []
    for row, [answer, *_] in zip(references, answers, strict=True):
        text = answer.translation_text
        score = sacrebleu.sentence_chrf(text, row.targets).score
        rows.append(Row(row.source, text, row.targets, float(score)))
    return rows


def _scores(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Scores of all rows, and of those whose sources are of like length."""
    yield _score("all", rows)
    for least, most in _LENGTHS:
        part = [row for row in rows if least <= len(row.source.split()) <= (most or math.inf)]
        if part:
            yield _score(f"{least} to {most}" if most else f"{least} and more", part)


def _score(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    texts, references = [row.text for row in rows], [row.references for row in rows]
    figures = (score(texts, references) for score in (bleu, chrf, ter))
    return (name, str(len(rows)), *(f"{each:.1f}" for each in figures))


def _attention(predictor: TranslationPredictor, direction: Direction, rows: Sequence[Row]) -> str:
    """The plot of the first sentence of middle length."""
    asked = TranslationParameters(direction.target, direction.source, alignments=True)
    fitting = (row.source for row in rows if len(row.source.split()) in _PLOTTED_LENGTHS)
    prepared = predictor.prepare(next(fitting, rows[0].source), asked)
    return attention_plot(*predictor.attention(prepared, predictor.run(prepared.rows)))


def _worst(name: str, rows: Sequence[Row]) -> Table:
    """The translations of the lowest sentence chrF."""
    worst = sorted(rows, key=lambda row: row.chrf)[:_WORST]
    cells = [(f"{row.chrf:.0f}", row.source, row.text, row.references[0]) for row in worst]
    return Table(f"Worst errors {name}", ("chrF", "source", "translation", "a reference"), cells)
