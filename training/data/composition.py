"""Sentences composed so that their label follows from their structure, not from their words.

Bags of words cannot tell "This phone is no good" from "No, this phone is good". Each template
keeps or flips the polarity of what is put into it, so that the same opinion words occur equally
often under both labels; clauses nest, and the effects multiply (as polarity reversal does in
Moilanen & Pulman, RANLP 2007). Templates and words are our own, in `composition.yaml`; those of
the split `dev` are never trained on.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from training.data.reviews import Review

_FILE = Path(__file__).with_name("composition.yaml")
_SLOT = re.compile(r"\{(-?)([a-z]+)\}")
_DEEPEST = 2
_SHARES = (0.6, 0.22, 0.18)
"""Of sentences that keep a polarity, flip it, or have one of their own: with these an opinion word
stands about as often under either label."""

Split = Literal["train", "dev"]
Effect = Literal["keep", "flip", "positive", "negative"]
Words = Annotated[
    list[str], BeforeValidator(lambda text: [word.strip() for word in text.split(",")])
]
Lines = Annotated[list[str], BeforeValidator(str.splitlines)]


class Template(NamedTuple):
    """`effect` says how the label follows from the polarity of the slots."""

    effect: Effect
    text: str


class _Layout(BaseModel):
    """The YAML file: words by slot (a pair of lists where they have a polarity), templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domains: dict[str, dict[str, Words]]
    words: dict[str, Words]
    opinions: dict[str, tuple[Words, Words]]
    """By slot: negative words, then positive ones."""
    clauses: dict[Split, dict[Effect, Lines]]
    sentences: dict[Split, dict[Effect, Lines]]


class Composer:
    """Draws sentences of one split from a generator of random numbers.

    `{name}` in a template takes a word of that slot; an opinion slot, or `{clause}`, takes the
    template's polarity, `{-name}` the opposite one.
    """

    def __init__(self, split: Split, rng: np.random.Generator) -> None:
        layout = _layout()
        self._rng = rng
        self._layout, self._split = layout, split
        self._clauses = _templates(layout.clauses[split])
        self._sentences = _templates(layout.sentences[split])

    def review(self) -> Review:
        """One sentence with its label, as a caller might write it."""
        label = int(self._rng.integers(2))
        words = self._domain()
        text = self._filled(self._template(self._sentences, label), label, words, 0)
        text = text.strip()
        return Review(text[0].upper() + text[1:], label)

    def _domain(self) -> dict[str, list[str]]:
        names = list(self._layout.domains)
        return self._layout.domains[names[self._rng.integers(len(names))]]

    def _template(self, templates: list[Template], label: int) -> Template:
        """One that can have the label, of an effect that is drawn first."""
        wanted: tuple[Effect, ...] = ("keep", "flip", "positive" if label else "negative")
        effect = wanted[self._rng.choice(len(wanted), p=_SHARES)]
        fitting = [found for found in templates if found.effect == effect]
        return fitting[self._rng.integers(len(fitting))]

    def _filled(
        self, template: Template, label: int, words: dict[str, list[str]], depth: int
    ) -> str:
        polarity = 1 - label if template.effect == "flip" else label

        def fill(slot: re.Match[str]) -> str:
            wanted = 1 - polarity if slot[1] else polarity
            return self._slot(slot[2], wanted, words, depth)

        return _SLOT.sub(fill, template.text)

    def _slot(self, name: str, polarity: int, words: dict[str, list[str]], depth: int) -> str:
        if name == "clause":
            plain = [found for found in self._clauses if "{clause}" not in found.text]
            templates = self._clauses if depth + 1 < _DEEPEST else plain
            return self._filled(self._template(templates, polarity), polarity, words, depth + 1)
        if name in self._layout.opinions:
            return self._drawn(_of_split(self._layout.opinions[name][polarity], self._split))
        return self._drawn(words[name] if name in words else self._layout.words[name])

    def _drawn(self, words: list[str]) -> str:
        return words[self._rng.integers(len(words))]


def compose_reviews(count: int, rng: np.random.Generator, split: Split = "train") -> list[Review]:
    """`count` composed sentences of a split, half of them positive in the mean."""
    composer = Composer(split, rng)
    return [composer.review() for _ in range(count)]


def _templates(by_effect: dict[Effect, list[str]]) -> list[Template]:
    return [Template(effect, text) for effect, texts in by_effect.items() for text in texts]


def _of_split(words: list[str], split: Split) -> list[str]:
    """Every fifth opinion word is kept for development."""
    return [word for i, word in enumerate(words) if (i % 5 == 4) == (split == "dev")]


@cache
def _layout() -> _Layout:
    return _Layout.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))
