"""Bundles of a few kilobytes that load, batch and answer like shipped ones; they know nothing."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from service.bundle import (
    LATEST_IR,
    DecodingSpec,
    GraphSpec,
    Limits,
    Manifest,
    Parity,
    PrecisionChoice,
    TensorSpec,
    hash_files,
    save_manifest,
)
from service.text.alphabet import Alphabet
from service.text.detection import GRAM_ORDERS
from service.text.languages import LANGUAGE_TOKENS
from service.text.ngrams import CharacterNgrams
from service.text.spellings import Spellings, Weights
from service.text.subwords import BOS_ID, EOS_ID, Subwords
from service.text.words import WordVocabulary

Task = Literal["ner", "sentiment", "translation", "detection", "transliteration"]
_LABELS = ("PER", "ORG", "LOC", "TIME")
_SENTENCES = ["how are you today", "the fan was broken when it arrived", "nothing to like here"]
_SIZE = 4
_NUMPY_TYPES = {
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "float32": TensorProto.FLOAT,
}


def write_tiny_bundles(root: Path) -> Path:
    """One bundle of each task below `root`."""
    for write in (
        write_ner,
        write_sentiment,
        write_translation,
        write_detection,
        write_transliteration,
    ):
        write(root)
    return root


def write_ner(root: Path) -> Path:
    """A tagger that finds the word "smith" to be a person, and nothing else."""
    vocabulary = WordVocabulary(["smith"], list("abcdefghijklmnopqrstuvwxyz"))
    scores = np.full((vocabulary.word_count, 2 * len(_LABELS) + 1), -4, np.float32)
    scores[:, 0], scores[2, 1] = 4, 8
    nodes = [
        helper.make_node("Gather", ["scores", "words"], ["emissions"]),
        helper.make_node("Softmax", ["emissions"], ["marginals"], axis=-1),
        helper.make_node("ArgMax", ["emissions"], ["tags"], axis=-1, keepdims=0),
    ]
    spec = GraphSpec(
        inputs=(
            TensorSpec(name="words", dtype="int64", axes=("batch", "time")),
            TensorSpec(name="chars", dtype="int64", axes=("batch", "time", 20)),
            TensorSpec(name="lengths", dtype="int32", axes=("batch",)),
        ),
        outputs=(
            TensorSpec(name="tags", dtype="int64", axes=("batch", "time")),
            TensorSpec(name="marginals", dtype="float32", axes=("batch", "time", "tag")),
        ),
        files={"fp32": "model.onnx"},
    )

    def fill(path: Path) -> None:
        vocabulary.save(path / "words.json")
        _save_graph(path / "model.onnx", nodes, spec, {"scores": scores})

    return _write(root, "ner", {"model": spec}, fill, labels=_LABELS, limit=2_000)


def write_sentiment(root: Path) -> Path:
    """A classifier that leans the way its first sub-words fall."""
    subwords = _subwords()
    scores = np.linspace(-2, 2, 2 * subwords.size, dtype=np.float32).reshape(-1, 2)
    nodes = [
        helper.make_node("Gather", ["scores", "ids"], ["each"]),
        helper.make_node("ReduceMax", ["each"], ["whole"], axes=[1], keepdims=0),
        helper.make_node("Softmax", ["whole"], ["probabilities"], axis=-1),
    ]
    spec = GraphSpec(
        inputs=(
            TensorSpec(name="ids", dtype="int64", axes=("batch", "time")),
            TensorSpec(name="lengths", dtype="int32", axes=("batch",)),
        ),
        outputs=(TensorSpec(name="probabilities", dtype="float32", axes=("batch", 2)),),
        files={"fp32": "model.onnx"},
    )

    def fill(path: Path) -> None:
        subwords.save(path / "subwords.json")
        _save_graph(path / "model.onnx", nodes, spec, {"scores": scores})

    labels = ("negative", "positive")
    return _write(root, "sentiment", {"model": spec}, fill, labels=labels, limit=2_000)


def write_translation(root: Path) -> Path:
    """A decoder that says the same few sub-words whatever it is given."""
    subwords = _subwords()
    said = subwords.encode(["how are you"])[0].ids
    encoder, decoder = _encoder_spec(), _decoder_spec()

    def fill(path: Path) -> None:
        subwords.save(path / "subwords.json")
        _save_decoder(path, said, subwords.size)

    return _write(
        root,
        "translation",
        {"encoder": encoder, "decoder": decoder},
        fill,
        languages=(("en", "de"), ("de", "en")),
        decoding=DecodingSpec(
            bos_id=BOS_ID, eos_id=EOS_ID, state_size=_SIZE, memory_size=_SIZE, beams=1
        ),
        limit=400,
    )


def write_detection(root: Path) -> Path:
    """A detector that knows languages by one letter each, and takes the rest for English."""
    letters = {"\u00df": "de", "\u00e8": "it", "\u0915": "hi", "x": "hi-Latn"}
    alphabet = Alphabet([*letters, *"abcdefghijklmnopqrstuvwyz"])
    labels = ("en", *letters.values())
    scores = np.full((alphabet.size, len(labels)), -4, np.float32)
    scores[:, 0] = 4
    for place, char in enumerate(letters, start=1):
        scores[alphabet.ids(char)[0], place] = 12
    nodes = [
        helper.make_node("Gather", ["scores", "characters"], ["each"]),
        helper.make_node("ReduceMax", ["each"], ["whole"], axes=[1], keepdims=0),
        helper.make_node("Softmax", ["whole"], ["probabilities"], axis=-1),
    ]
    spec = GraphSpec(
        inputs=(
            TensorSpec(name="characters", dtype="int64", axes=("batch", "time")),
            TensorSpec(name="grams", dtype="int64", axes=("batch", "time", len(GRAM_ORDERS))),
            TensorSpec(name="lengths", dtype="int32", axes=("batch",)),
        ),
        outputs=(TensorSpec(name="probabilities", dtype="float32", axes=("batch", len(labels))),),
        files={"fp32": "model.onnx"},
    )

    def fill(path: Path) -> None:
        alphabet.save(path / "characters.json")
        _save_graph(path / "model.onnx", nodes, spec, {"scores": scores})

    return _write(root, "detection", {"model": spec}, fill, labels=labels, limit=160)


def write_transliteration(root: Path) -> Path:
    """A transliterator that writes the same word whatever it is given."""
    word = "\u0915\u0948\u0938\u0947"
    alphabet = Alphabet([*"abcdefghijklmnopqrstuvwxyz", *dict.fromkeys(word)])
    encoder, decoder = _encoder_spec(), _decoder_spec()

    def fill(path: Path) -> None:
        ngrams = CharacterNgrams.count([word], order=2, least=1)
        spellings = Spellings(alphabet, {word: 1}, ngrams, Weights(0.0, 0.0, 0.0, 0.0))
        spellings.save(path / "spellings.json.xz")
        _save_decoder(path, alphabet.ids(word).tolist(), alphabet.size)

    return _write(
        root,
        "transliteration",
        {"encoder": encoder, "decoder": decoder},
        fill,
        text={"frequency": 0.0, "listed": 0.0, "ngrams": 0.0, "length": 0.0},
        decoding=DecodingSpec(
            bos_id=BOS_ID,
            eos_id=EOS_ID,
            state_size=_SIZE,
            memory_size=_SIZE,
            beams=1,
            length_penalty=0.0,
        ),
        limit=30,
    )


def _save_decoder(path: Path, said: Sequence[int], size: int) -> None:
    """Graphs that say the tokens `said`, of `size` ones, whatever they are given."""
    follows = np.full((size, size), -20, np.float32)
    follows[:, EOS_ID] = -10
    for token, following in itertools.pairwise([BOS_ID, *said, EOS_ID]):
        follows[token, following] = 0
    embedded = np.zeros((size, _SIZE), np.float32)
    _save_graph(path / "encoder.onnx", _encoder_nodes(), _encoder_spec(), {"embedded": embedded})
    _save_graph(path / "decoder.onnx", _decoder_nodes(), _decoder_spec(), {"follows": follows})


def _encoder_spec() -> GraphSpec:
    return GraphSpec(
        inputs=(
            TensorSpec(name="ids", dtype="int64", axes=("batch", "time")),
            TensorSpec(name="lengths", dtype="int32", axes=("batch",)),
        ),
        outputs=(
            TensorSpec(name="memory", dtype="float32", axes=("batch", "time", _SIZE)),
            TensorSpec(name="state", dtype="float32", axes=("batch", _SIZE)),
        ),
        files={"fp32": "encoder.onnx"},
    )


def _decoder_spec() -> GraphSpec:
    return GraphSpec(
        inputs=(
            TensorSpec(name="previous", dtype="int64", axes=("batch",)),
            TensorSpec(name="state", dtype="float32", axes=("batch", _SIZE)),
            TensorSpec(name="memory", dtype="float32", axes=("batch", "time", _SIZE)),
            TensorSpec(name="memory_lengths", dtype="int64", axes=("batch",)),
            TensorSpec(name="k", dtype="int64", axes=(1,)),
        ),
        outputs=(
            TensorSpec(name="scores", dtype="float32", axes=("batch", "k")),
            TensorSpec(name="tokens", dtype="int64", axes=("batch", "k")),
            TensorSpec(name="next_state", dtype="float32", axes=("batch", _SIZE)),
        ),
        files={"fp32": "decoder.onnx"},
    )


def _encoder_nodes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Gather", ["embedded", "ids"], ["memory"]),
        helper.make_node("ReduceMean", ["memory"], ["state"], axes=[1], keepdims=0),
    ]


def _decoder_nodes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Gather", ["follows", "previous"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["logs"], axis=-1),
        helper.make_node("TopK", ["logs", "k"], ["scores", "tokens"], axis=-1),
        helper.make_node("Identity", ["state"], ["next_state"]),
    ]


def _subwords() -> Subwords:
    return Subwords.train(_SENTENCES, 400, symbols=LANGUAGE_TOKENS, lowercase=False)


def _save_graph(
    path: Path, nodes: Sequence[onnx.NodeProto], spec: GraphSpec, weights: dict[str, Any]
) -> None:
    """A graph of `nodes`; opset 17, where ReduceMean and ReduceMax take axes as attribute."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [_value(tensor) for tensor in spec.inputs],
        [_value(tensor) for tensor in spec.outputs],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=LATEST_IR
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _value(tensor: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, _NUMPY_TYPES[tensor.dtype], list(tensor.axes))


def _write(
    root: Path,
    task: Task,
    graphs: dict[str, GraphSpec],
    fill: Callable[[Path], None],
    *,
    limit: int,
    text: dict[str, int | float | bool | str] | None = None,
    **told: Any,
) -> Path:
    path = root / task / "1.0.0"
    path.mkdir(parents=True)
    fill(path)
    (path / "MODEL_CARD.md").write_text("A model for tests.\n", encoding="utf-8")
    manifest = Manifest(
        schema_version=1,
        task=task,
        name=f"tiny-{task}",
        version="1.0.0",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        git_commit="0" * 40,
        files=hash_files(path),
        graphs=graphs,
        precision=PrecisionChoice(cpu="fp32", reason="there is no other"),
        limits=Limits(longest_input=limit),
        text=text or {},
        training={},
        data=(),
        scores=(),
        parity=Parity(max_abs_error=0.0, rows=1, same_answers=True),
        **told,
    )
    save_manifest(path, manifest)
    return path
