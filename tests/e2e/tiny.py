"""Tiny corpora, written for these tests, in the layout of the real ones."""

import gzip
import lzma
from itertools import product
from pathlib import Path

import yaml

_PEOPLE = ["Anna Lee", "Bo Smith", "Carla", "Dev Patel"]
_PLACES = ["Rome", "New Delhi", "Oslo"]
_TIMES = ["in May 2020", "last week", "on Monday"]

_GOOD = ["great", "lovely", "not bad", "a joy", "works well"]
_BAD = ["awful", "ugly", "not good", "a pain", "fell apart"]
_THINGS = ["this phone is", "the film was", "my lamp:", "honestly,"]

_PAIRS = [
    ("the cat sleeps .", "die katze schläft ."),
    ("the dog sleeps .", "der hund schläft ."),
    ("the cat eats .", "die katze frisst ."),
    ("the dog eats .", "der hund frisst ."),
    ("i see the cat .", "ich sehe die katze ."),
    ("i see the dog .", "ich sehe den hund ."),
    ("good morning .", "guten morgen ."),
    ("how are you ?", "wie geht es dir ?"),
]

_SENTENCES = {
    "en": ["the cat sleeps here", "where is the red house", "we know nothing of this"],
    "de": ["wie geht es dir", "ich sehe einen hund", "der zug kommt zu spät"],
    "hi": ["मेरा घर बड़ा है", "तुम कहाँ जा रहे हो", "यह किताब अच्छी है"],
}
# Sentences to be romanised: those of dev and test must not be.
_TRAINED_HINDI = ["मेरा बड़ा घर", "घर बड़ा है", "तुम यह किताब कहाँ", "जा रहे हो", "यह अच्छी है"]
_SPELLINGS = [
    ("घर", "ghar"),
    ("मेरा", "mera"),
    ("तुम", "tum"),
    ("कहाँ", "kahan"),
    ("किताब", "kitab"),
    ("अच्छी", "achchi"),
    ("बड़ा", "bada"),
    ("रहे", "rahe"),
]

_CELL = {"kind": "lstm", "hidden": 32}
_BY_WORDS = {
    "word_size": 16,
    "char_filters": 8,
    "min_word_count": 1,
    "min_char_count": 1,
    "dropout": 0.1,
    "cell": _CELL,
}
"""Of the models that read words and their letters."""
_COMMON: dict[str, object] = {
    "optimizer": {"learning_rate": 0.01, "warmup_steps": 5, "average_decay": 0.9},
    "trainer": {
        "max_epochs": 25,
        "patience": 25,
        "batch_tokens": 200,
        "threads": 1,
        "accelerator": "cpu",
    },
}

EXPERIMENTS: dict[str, dict[str, object]] = {
    "ner": {
        "sources": [{"name": "conll"}],
        "test_sets": ["conll"],
        "model": {**_BY_WORDS, "word_dropout": 0.0},
    },
    "word_language_model": {
        "corpora": ["conll"],
        "model": {**_BY_WORDS, "negatives": 5},
    },
    "sentiment": {
        "sources": [{"name": "mr"}],
        "dev_sets": ["mr"],
        "test_sets": ["mr"],
        "model": {
            "vocabulary": 400,
            "embedding_size": 16,
            "attention_size": 16,
            "dropout": 0.1,
            "piece_dropout": 0.0,
            "cell": _CELL,
        },
    },
    "translation": {
        "pairs": [
            {
                "corpora": [{"name": "tatoeba_en-de"}],
                "languages": ["en", "de"],
            }
        ],
        "epoch_pairs": 400,
        "model": {
            "vocabulary": 400,
            "embedding_size": 32,
            "dropout": 0.0,
            "label_smoothing": 0.0,
            "encoder": {"kind": "gru", "hidden": 32},
            "decoder": {"kind": "gru", "hidden": 32, "bidirectional": False},
        },
    },
    "detection": {
        "least_per_language": 60,
        "romanised_per_epoch": 60,
        "fragment_rate": 0.5,
        "label_smoothing": 0.0,
        "model": {"min_char_count": 1, "attention_size": 16, "dropout": 0.0, "cell": _CELL},
    },
    "transliteration": {
        "sources": ["dakshina_hi"],
        "weights": {"frequency": 0.0, "listed": 0.0, "ngrams": 0.0, "length": 0.0},
        "beams": 1,
        "optimizer": {"learning_rate": 0.02, "warmup_steps": 5, "average_decay": 0.9},
        "trainer": {
            "max_epochs": 80,
            "patience": 80,
            "batch_tokens": 60,
            "threads": 1,
            "accelerator": "cpu",
        },
        "model": {
            "embedding_size": 32,
            "dropout": 0.0,
            "label_smoothing": 0.0,
            "encoder": _CELL,
            "decoder": {**_CELL, "bidirectional": False},
        },
    },
}


def write_corpora(root: Path) -> None:
    """Train, dev and test are the same rows: these models are meant to learn them by heart."""
    sentences = [_tagged(*parts) for parts in product(_PEOPLE, _PLACES, _TIMES)]
    reviews = [f"1\t{thing} {word}" for thing, word in product(_THINGS, _GOOD)]
    reviews += [f"0\t{thing} {word}" for thing, word in product(_THINGS, _BAD)]
    for split in ("train", "dev", "test"):
        _write(root / f"ner/conll/{split}.conll.gz", "\n\n".join(sentences) + "\n")
        _write(root / f"sentiment/mr/{split}.tsv.gz", "\n".join(["label\ttext", *reviews]) + "\n")
        pairs = "".join(f"{source}\t{target}\n" for source, target in _PAIRS)
        _write(root / f"translation/tatoeba_en-de/{split}.tsv.xz", pairs)
        labelled = [f"{code}\t{text}" for code, texts in _SENTENCES.items() for text in texts]
        if split == "train":
            labelled += [f"hi\t{text}" for text in _TRAINED_HINDI]
        languages = "\n".join(["lang\ttext", *labelled]) + "\n"
        _write(root / f"other/language_identification/{split}.tsv.xz", languages)
        spellings = "".join(f"{hindi}\t{latin}\t3\n" for hindi, latin in _SPELLINGS)
        path = root / f"transliteration/dakshina_hi/hi.translit.sampled.{split}.tsv.xz"
        _write(path, spellings)


def write_experiment(task: str, folder: Path, **changes: object) -> Path:
    """A configuration file of the tiny experiment of `task`."""
    experiment = {"task": task, "name": f"tiny-{task}", **_COMMON, **EXPERIMENTS[task], **changes}
    path = folder / f"tiny-{task}.yaml"
    path.write_text(yaml.safe_dump(experiment))
    return path


def _tagged(person: str, place: str, time: str) -> str:
    words = [(word, "PER") for word in person.split()] + [("visited", ""), ("old", "")]
    words += [(word, "LOC") for word in place.split()]
    preposition, *rest = time.split()
    words += [(preposition, "")] if rest and preposition != "last" else [(preposition, "TIME")]
    words += [(word, "TIME") for word in rest] + [(".", "")]
    lines, before = [], ""
    for word, label in words:
        prefix = "I" if label and label == before else "B"
        lines.append(f"{word}\t{prefix}-{label}" if label else f"{word}\tO")
        before = label
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    compress = gzip.compress if path.suffix == ".gz" else lzma.compress
    path.write_bytes(compress(text.encode()))
