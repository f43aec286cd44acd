"""A translation bundle that copies its source, sub-word by sub-word, and attends to what it copies.

What a translation does around the model (segments, stand-ins, spacing, alignments, routes through
languages) can be read off its answers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

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
from service.tasks.quality import FEATURES, Quality
from service.text.languages import LANGUAGE_TOKENS
from service.text.lexicon import LEXICON, Lexicon
from service.text.standins import MARKS
from service.text.subwords import BOS_ID, EOS_ID, Subwords

_TEXTS = [
    "hello my name is how are you today i am fine",
    "Das ist ein Buch und es kostet viel Geld",
    "मेरा नाम क्या है तुम कैसे हो",
] * 3
_KNOWN = {"en": ["hello", "my", "name", "is", "how", "are", "you", "i", "am"], "de": ["das", "ist"]}
_IDS = TensorSpec(name="ids", dtype="int64", axes=("batch", "time"))
_MEMORY = TensorSpec(name="memory", dtype="float32", axes=("batch", "time", 1))
_STATE = TensorSpec(name="state", dtype="float32", axes=("batch", 1))

ENCODER = GraphSpec(
    inputs=(_IDS, TensorSpec(name="lengths", dtype="int32", axes=("batch",))),
    outputs=(_MEMORY, _STATE),
    files={"fp32": "encoder.onnx"},
)
DECODER = GraphSpec(
    inputs=(
        TensorSpec(name="previous", dtype="int64", axes=("batch",)),
        _STATE,
        _MEMORY,
        TensorSpec(name="memory_lengths", dtype="int64", axes=("batch",)),
        TensorSpec(name="k", dtype="int64", axes=(1,)),
    ),
    outputs=(
        TensorSpec(name="scores", dtype="float32", axes=("batch", "k")),
        TensorSpec(name="tokens", dtype="int64", axes=("batch", "k")),
        TensorSpec(name="next_state", dtype="float32", axes=("batch", 1)),
        TensorSpec(name="weights", dtype="float32", axes=("batch", "time")),
    ),
    files={"fp32": "decoder.onnx"},
)
_TYPES = {
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "float32": TensorProto.FLOAT,
}


def write_copier(
    root: Path,
    languages: Sequence[tuple[str, str]] = (("en", "de"), ("de", "en"), ("en", "hi"), ("hi", "en")),
    *,
    limit: int = 60,
    calibrated: bool = True,
) -> Path:
    """A bundle of task `translation` below `root`, for these directions."""
    path = root / "translation" / "1.0.0"
    path.mkdir(parents=True)
    subwords = Subwords.train(_TEXTS, 500, symbols=LANGUAGE_TOKENS, whole=MARKS, lowercase=False)
    subwords.save(path / "subwords.json")
    Lexicon(_KNOWN).save(path / LEXICON)
    if calibrated:
        Quality([1.0] * len(FEATURES), 0.0).save(path / "quality.json")
    _save(path / "encoder.onnx", ENCODER, _encoder_nodes(), {"first": np.ones(1, np.float32)})
    _save(path / "decoder.onnx", DECODER, _decoder_nodes(), _constants(subwords.size))
    (path / "MODEL_CARD.md").write_text("A model for tests.\n", encoding="utf-8")
    save_manifest(path, _manifest(path, tuple(languages), limit))
    return path


def _encoder_nodes() -> list[onnx.NodeProto]:
    """Memory is the ids; the state is the next place to copy: 1, behind the language token."""
    return [
        helper.make_node("Cast", ["ids"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "last"], ["memory"]),
        helper.make_node("ReduceMin", ["memory"], ["least"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["least", "none"], ["zero"]),
        helper.make_node("Add", ["zero", "first"], ["state"]),
    ]


def _decoder_nodes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Cast", ["state"], ["places"], to=TensorProto.INT64),
        helper.make_node("Gather", ["places", "column"], ["place"], axis=1),
        helper.make_node("Shape", ["memory"], ["shape"]),
        helper.make_node("Gather", ["shape", "one"], ["time"]),
        helper.make_node("OneHot", ["place", "time", "off_on"], ["weights"], axis=-1),
        helper.make_node("Squeeze", ["memory", "last"], ["floats"]),
        helper.make_node("Mul", ["floats", "weights"], ["picked"]),
        helper.make_node("ReduceSum", ["picked", "one"], ["copied"], keepdims=0),
        helper.make_node("Cast", ["copied"], ["token"], to=TensorProto.INT64),
        helper.make_node("OneHot", ["token", "size", "low_high"], ["logits"], axis=-1),
        helper.make_node("LogSoftmax", ["logits"], ["logs"], axis=-1),
        helper.make_node("TopK", ["logs", "k"], ["scores", "tokens"], axis=-1),
        helper.make_node("Add", ["state", "step"], ["next_state"]),
    ]


def _constants(size: int) -> dict[str, np.ndarray]:
    return {
        "column": np.array(0, np.int64),
        "one": np.array([1], np.int64),
        "last": np.array([-1], np.int64),
        "size": np.array([size], np.int64),
        "off_on": np.array([0, 1], np.float32),
        "low_high": np.array([0, 12], np.float32),
        "step": np.ones(1, np.float32),
    }


def _save(
    path: Path,
    spec: GraphSpec,
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> None:
    constants = {"last": np.array([-1], np.int64), "none": np.zeros(1, np.float32), **constants}
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        path.stem,
        [_value(tensor) for tensor in spec.inputs],
        [_value(tensor) for tensor in spec.outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items() if name in used],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=LATEST_IR)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _value(tensor: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, _TYPES[tensor.dtype], list(tensor.axes))


def _manifest(path: Path, languages: tuple[tuple[str, str], ...], limit: int) -> Manifest:
    return Manifest(
        schema_version=1,
        task="translation",
        name="copier",
        version="1.0.0",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        git_commit="0" * 40,
        files=hash_files(path),
        graphs={"encoder": ENCODER, "decoder": DECODER},
        precision=PrecisionChoice(cpu="fp32", reason="there is no other"),
        languages=languages,
        limits=Limits(longest_input=limit),
        text={},
        decoding=DecodingSpec(bos_id=BOS_ID, eos_id=EOS_ID, state_size=1, memory_size=1, beams=1),
        training={},
        data=(),
        scores=(),
        parity=Parity(max_abs_error=0.0, rows=1, same_answers=True),
    )
