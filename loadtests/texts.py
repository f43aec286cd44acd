"""The texts of the load: entity test sentences, or an own sample where the data is absent."""

import gzip
import json
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_GMB_TEST = "ner/gmb/test.conll.gz"
_COUNT = 4000
_SEED = 7

_OPENINGS = [
    "Thanks!",
    "Marie Curie was born in Warsaw on 7 November 1867.",
    "On Monday officials in New Delhi said that talks with the World Bank would go on until March.",
]
_CLAUSES = [
    "the foreign minister of Norway met Angela Merkel in Berlin",
    "Toyota sold 12,000 cars in South Africa last year",
    "nobody at the hospital in Karachi could say when help would come",
    "prices of oil rose by three percent",
    "the United Nations asked both sides to stop at once",
]

Texts = list[str]


def mixed_texts() -> tuple[Texts, str]:
    """Texts of mixed lengths in a fixed random order, and where they are from."""
    path = Path(os.environ.get("SLUICE_DATA", "")) / _GMB_TEST
    texts = _sentences(path) if path.is_file() else _own_sample()
    source = "gmb test sentences" if path.is_file() else "own sample"
    return random.Random(_SEED).sample(texts, min(_COUNT, len(texts))), source


def text_of(characters: int) -> str:
    """Prose of exactly so many characters, cut at a blank where one is near."""
    clauses = " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in _CLAUSES) + " "
    return (clauses * (1 + characters // len(clauses)))[:characters].rstrip().ljust(characters, ".")


def one_input(text: str) -> object:
    """The body of the Hugging Face inference API, which most peers take."""
    return {"inputs": text}


def list_input(text: str) -> object:
    """BentoML's batchable APIs take lists alone."""
    return {"inputs": [text]}


def open_inference_input(text: str) -> object:
    """The Open Inference Protocol, which MLServer batches."""
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}
    return {"inputs": [tensor]}


def write_bodies(path: Path, texts: Iterable[str], body: Callable[[str], object]) -> Path:
    """One JSON body a line, as the load generators read them."""
    path.write_text("".join(json.dumps(body(text)) + "\n" for text in texts))
    return path


def _sentences(path: Path) -> Texts:
    """Sentences of a CoNLL file, their tokens joined by blanks."""
    texts, words = [], list[str]()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            word = line.split("\t")[0].strip()
            if word and word != "-DOCSTART-":
                words.append(word)
            elif words:
                texts.append(" ".join(words))
                words = []
    return [*texts, " ".join(words)] if words else texts


def _own_sample() -> Texts:
    """Texts whose lengths are spread like those of news sentences: 1 to 60 words, mean 20."""
    drawn = random.Random(_SEED)
    return [
        " ".join(
            [drawn.choice(_OPENINGS), *drawn.choices(_CLAUSES, k=drawn.choice([0, 1, 1, 2, 4]))]
        )
        for _ in range(_COUNT)
    ]
