"""The model bundle: a folder that holds all a task needs to serve, and nothing that runs code.

exported_models/<task>/<version>/manifest.json    what it is, checked first
                                /*.onnx           graphs of standard operators
                                /weights.bin      their large weights
                                /…                vocabularies, MODEL_CARD.md
"""

import hashlib
from collections.abc import Container, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import onnx
from onnx.external_data_helper import uses_external_data
from pydantic import BaseModel, ConfigDict, Field, ValidationError

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
LATEST_OPSET = 18
"""The CUDA provider has no LSTM and GRU of newer operator sets: they would run on the CPU."""
LATEST_IR = 10

Precision = Literal["fp32", "int8"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BundleError(Exception):
    """A bundle that cannot be trusted: says which bundle, which file, and why."""

    def __init__(self, bundle: Path, file: str, reason: str) -> None:
        super().__init__(f"bundle {bundle}: {file}: {reason}")
        self.bundle, self.file, self.reason = bundle, file, reason


class Part(BaseModel):
    """Base of all parts of the manifest: frozen, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorSpec(Part):
    """Name, element type and named axes of a graph's input or output."""

    name: str
    dtype: Literal["int64", "int32", "float32", "bool"]
    axes: tuple[str | int, ...]


class GraphSpec(Part):
    """One graph: its tensors, and the file that holds it for each precision."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    files: dict[Precision, str]


class PrecisionChoice(Part):
    """Which precision serves on the CPU by default, and the measurement that says so."""

    cpu: Precision
    reason: str


class Limits(Part):
    longest_input: int = Field(gt=0)
    """In rows' own units: words for entities, sub-words for the others."""


class DecodingSpec(Part):
    """How a sequence-to-sequence graph is to be driven."""

    bos_id: int
    eos_id: int
    state_size: int
    memory_size: int
    beams: int = Field(1, ge=1, le=8)
    length_penalty: float = 1.0


class DataSet(Part):
    name: str
    licence: str
    attribution: str


class Score(Part):
    """One measured figure: `value` in percent unless the metric's name says otherwise."""

    dataset: str
    split: str
    metric: str
    value: float
    precision: Precision
    rows: int


class Parity(Part):
    """Largest difference of the exported graph from the torch model, on real rows."""

    max_abs_error: float
    rows: int
    same_answers: bool


class Manifest(Part):
    schema_version: Literal[1]
    task: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    created: datetime
    git_commit: str
    files: dict[str, Sha256]
    graphs: dict[str, GraphSpec]
    precision: PrecisionChoice
    labels: tuple[str, ...] = ()
    languages: tuple[tuple[str, str], ...] = ()
    """Served directions, (source, target)."""
    limits: Limits
    text: dict[str, int | float | bool | str]
    decoding: DecodingSpec | None = None
    training: dict[str, Any]
    data: tuple[DataSet, ...]
    scores: tuple[Score, ...]
    parity: Parity


class Bundle(NamedTuple):
    """A verified bundle on disk."""

    path: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        return self.path / name

    def graph(self, role: str, precision: Precision) -> Path:
        """The file of a graph. BundleError if the bundle lacks that role or precision."""
        try:
            return self.path / self.manifest.graphs[role].files[precision]
        except KeyError:
            raise BundleError(self.path, MANIFEST, f"has no {precision} graph {role!r}") from None


def load_bundle(path: Path) -> Bundle:
    """Read and verify a bundle: manifest, hashes, no stray file, no data from elsewhere.

    Raises BundleError; nothing of the bundle is used before all of it has been checked.
    """
    manifest = _read_manifest(path)
    present = {str(p.relative_to(path)) for p in path.rglob("*") if not p.is_dir()} - {MANIFEST}
    for name in sorted(present - manifest.files.keys()):
        raise BundleError(path, name, "is not listed in the manifest")
    for name, expected in manifest.files.items():
        _check_hash(path, name, expected)
    for graph in manifest.graphs.values():
        for name in graph.files.values():
            if name not in manifest.files:
                raise BundleError(path, name, "is named as a graph but not listed in `files`")
            _check_graph(path, name, manifest.files)
    return Bundle(path, manifest)


def save_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest as the last file of a bundle."""
    (path / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def hash_files(path: Path) -> dict[str, str]:
    """sha256 of every file of a bundle but the manifest."""
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def find_bundles(root: Path) -> dict[str, Path]:
    """The newest version of each task below `root`: task name to bundle folder."""
    found: dict[str, Path] = {}
    for manifest in root.glob(f"*/*/{MANIFEST}"):
        path = manifest.parent
        task, version = path.parent.name, _version(path)
        if task not in found or version > _version(found[task]):
            found[task] = path
    return dict(sorted(found.items()))


def _version(path: Path) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in path.name.split("."))
    except ValueError:
        raise BundleError(path, ".", "folder name is not a version such as 1.0.0") from None


def _read_manifest(path: Path) -> Manifest:
    try:
        text = (path / MANIFEST).read_bytes()
    except OSError as error:
        raise BundleError(path, MANIFEST, error.strerror or "cannot be read") from error
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"]) or "file"
        unknown = fault["type"] == "extra_forbidden"
        reason = f"{key}: {'unknown key' if unknown else fault['msg']}"
        raise BundleError(path, MANIFEST, reason) from error


def _check_hash(path: Path, name: str, expected: str) -> None:
    file = path / name
    if not file.resolve().is_relative_to(path.resolve()):
        raise BundleError(path, name, "lies outside the bundle")
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(path, name, error.strerror or "cannot be read") from error
    if found != expected:
        raise BundleError(path, name, f"damaged: sha256 is {found}, the manifest says {expected}")


def _check_graph(path: Path, name: str, listed: Container[str]) -> None:
    """Refuse what would make the graph read files that are not `listed`, or run other code than
    ONNX's own.
    """
    try:
        model = onnx.load(path / name, load_external_data=False)
    except Exception as error:
        raise BundleError(path, name, f"is no ONNX model ({error})") from error
    tensors = _tensors(model.graph)
    for function in model.functions:
        tensors += _tensors_of_nodes(function.node)
    for tensor in filter(uses_external_data, tensors):
        location = next((e.value for e in tensor.external_data if e.key == "location"), "")
        if location not in listed:
            raise BundleError(path, name, f"refers to external data that is not listed: {location}")
    if model.ir_version > LATEST_IR:
        raise BundleError(path, name, f"IR version {model.ir_version} is newer than {LATEST_IR}")
    for opset in model.opset_import:
        if opset.domain not in ("", "com.microsoft"):
            raise BundleError(path, name, f"uses operators of domain {opset.domain!r}")
        if not opset.domain and opset.version > LATEST_OPSET:
            raise BundleError(path, name, f"opset {opset.version} is newer than {LATEST_OPSET}")


def _tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Every tensor of a graph and of the graphs inside its nodes."""
    found = [*graph.initializer, *_parts_of(graph.sparse_initializer)]
    return found + _tensors_of_nodes(graph.node)


def _tensors_of_nodes(nodes: Iterable[onnx.NodeProto]) -> list[onnx.TensorProto]:
    found: list[onnx.TensorProto] = []
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        found += [attribute.t, *attribute.tensors]
        found += _parts_of([attribute.sparse_tensor, *attribute.sparse_tensors])
        for inner in (attribute.g, *attribute.graphs):
            found += _tensors(inner)
    return found


def _parts_of(sparse: Iterable[onnx.SparseTensorProto]) -> list[onnx.TensorProto]:
    return [part for tensor in sparse for part in (tensor.values, tensor.indices)]
