"""A bundle is served whole and untouched, or refused by name, file and reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.bundle import (
    LATEST_IR,
    LATEST_OPSET,
    MANIFEST,
    SCHEMA_VERSION,
    BundleError,
    GraphSpec,
    Limits,
    Manifest,
    Parity,
    PrecisionChoice,
    TensorSpec,
    find_bundles,
    hash_files,
    load_bundle,
    save_manifest,
)

GRAPH = "model.onnx"


def constant(name: str, *, external: bool = False) -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), name)
    if external:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def constant_node(*, external: bool = False) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["one"], value=constant("one", external=external))


def float_values(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [4])


def tiny_model(
    *,
    nodes: list[onnx.NodeProto] | None = None,
    opset: int = LATEST_OPSET,
    ir: int = LATEST_IR,
    domains: tuple[str, ...] = (),
    **parts: Any,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes or [constant_node(), helper.make_node("Add", ["x", "one"], ["y"])],
        "tiny",
        [float_values("x")],
        [float_values("y")],
        **parts,
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def manifest_of(path: Path) -> Manifest:
    tensor = TensorSpec(name="x", dtype="float32", axes=("rows",))
    return Manifest(
        schema_version=SCHEMA_VERSION,
        task="sentiment",
        name="tiny",
        version="1.0.0",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        git_commit="0" * 40,
        files=hash_files(path),
        graphs={"model": GraphSpec(inputs=(tensor,), outputs=(tensor,), files={"fp32": GRAPH})},
        precision=PrecisionChoice(cpu="fp32", reason="the only one"),
        labels=("positive", "negative"),
        limits=Limits(longest_input=10),
        text={"lowercase": True},
        training={},
        data=(),
        scores=(),
        parity=Parity(max_abs_error=0.0, rows=1, same_answers=True),
    )


def make_bundle(root: Path, model: onnx.ModelProto | None = None) -> Path:
    path = root / "sentiment" / "1.0.0"
    (path / "vocabulary").mkdir(parents=True)
    (path / GRAPH).write_bytes((model or tiny_model()).SerializeToString())
    (path / "vocabulary" / "words.json").write_text('{"words": []}')
    (path / "MODEL_CARD.md").write_text("# Tiny\n")
    save_manifest(path, manifest_of(path))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path)


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    layout = msgspec.json.decode((bundle / MANIFEST).read_bytes())
    change(layout)
    (bundle / MANIFEST).write_bytes(msgspec.json.encode(layout))


def assert_refused(bundle: Path, file: str, reason: str) -> None:
    """The bundle is refused, and the message names bundle, file and reason."""
    with pytest.raises(BundleError, match=reason) as refusal:
        load_bundle(bundle)
    error = refusal.value
    assert (error.bundle, error.file) == (bundle, file)
    assert str(error) == f"bundle {bundle}: {file}: {error.reason}"


def test_a_good_bundle_gives_its_manifest_and_files(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.manifest == manifest_of(bundle)
    assert loaded.graph("model", "fp32") == bundle / GRAPH
    assert loaded.file("MODEL_CARD.md").read_text() == "# Tiny\n"


def test_a_precision_that_the_bundle_lacks_is_named(bundle: Path) -> None:
    with pytest.raises(BundleError, match="has no int8 graph 'model'"):
        load_bundle(bundle).graph("model", "int8")


def test_a_role_that_the_bundle_lacks_is_named(bundle: Path) -> None:
    with pytest.raises(BundleError, match="has no fp32 graph 'encoder'"):
        load_bundle(bundle).graph("encoder", "fp32")


@pytest.mark.parametrize("file", [GRAPH, "vocabulary/words.json", "MODEL_CARD.md"])
@pytest.mark.parametrize("place", [0, -1])
def test_a_flipped_byte_is_found(bundle: Path, file: str, place: int) -> None:
    content = bytearray((bundle / file).read_bytes())
    content[place] ^= 1
    (bundle / file).write_bytes(content)
    assert_refused(bundle, file, "damaged: sha256 is [0-9a-f]{64}, the manifest says")


@pytest.mark.parametrize("file", [GRAPH, "vocabulary/words.json", "MODEL_CARD.md", MANIFEST])
def test_a_missing_file_is_named(bundle: Path, file: str) -> None:
    (bundle / file).unlink()
    assert_refused(bundle, file, "No such file")


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    assert_refused(tmp_path / "nowhere", MANIFEST, "No such file")


@pytest.mark.parametrize(
    "file", ["extra.onnx", "vocabulary/run.py", ".hidden", "vocabulary/manifest.json"]
)
def test_a_stray_file_is_named(bundle: Path, file: str) -> None:
    (bundle / file).write_text("stray")
    assert_refused(bundle, file, "is not listed in the manifest")


def test_a_file_in_the_place_of_a_folder_is_refused(bundle: Path) -> None:
    edit(bundle, lambda m: m["files"].update({"vocabulary": "0" * 64}))
    assert_refused(bundle, "vocabulary", "Is a directory")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda m: m.update(colour="red"), "colour: unknown key"),
        (lambda m: m["limits"].update(shortest=1), "limits.shortest: unknown key"),
        (lambda m: m["graphs"]["model"].update(hub="x"), "graphs.model.hub: unknown key"),
        (lambda m: m.pop("parity"), "parity: Field required"),
        (lambda m: m.update(schema_version=2), "schema_version: Input should be 1"),
        (lambda m: m.update(task="Ch ess"), "task: String should match"),
        (lambda m: m.update(version="1.0"), "version: String should match"),
        (lambda m: m["limits"].update(longest_input=0), "limits.longest_input: .*greater than 0"),
        (lambda m: m["files"].update({GRAPH: "abc"}), "files.model.onnx: String should match"),
        (lambda m: m["precision"].update(cpu="fp8"), "precision.cpu: Input should be"),
    ],
)
def test_a_manifest_off_its_schema_is_refused_by_key(
    bundle: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    edit(bundle, change)
    assert_refused(bundle, MANIFEST, reason)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}" * 2])
def test_a_manifest_that_is_no_object_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / MANIFEST).write_bytes(content)
    assert_refused(bundle, MANIFEST, "file: ")


def nested_constant() -> onnx.NodeProto:
    """An external tensor in a branch of a branch."""

    def branch(node: onnx.NodeProto) -> onnx.GraphProto:
        return helper.make_graph([node], "branch", [], [float_values(node.output[0])])

    def choice(node: onnx.NodeProto, output: str) -> onnx.NodeProto:
        plain = branch(constant_node())
        return helper.make_node(
            "If", ["flag"], [output], then_branch=plain, else_branch=branch(node)
        )

    return choice(choice(constant_node(external=True), "inner"), "y")


def function_with_constant() -> onnx.FunctionProto:
    opsets = [helper.make_opsetid("", LATEST_OPSET)]
    return helper.make_function("", "One", [], ["one"], [constant_node(external=True)], opsets)


def with_function() -> onnx.ModelProto:
    model = tiny_model()
    model.functions.append(function_with_constant())
    return model


def sparse(*, external: bool) -> onnx.SparseTensorProto:
    places = numpy_helper.from_array(np.arange(4), "places")
    return helper.make_sparse_tensor(constant("values", external=external), places, [4])


def sparse_node() -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["y"], sparse_value=sparse(external=True))


@pytest.mark.parametrize(
    "model",
    [
        tiny_model(initializer=[constant("w", external=True)]),
        tiny_model(sparse_initializer=[sparse(external=True)]),
        tiny_model(nodes=[constant_node(external=True)]),
        tiny_model(nodes=[sparse_node()]),
        tiny_model(nodes=[nested_constant()]),
        with_function(),
    ],
    ids=["initializer", "sparse", "attribute", "sparse-attribute", "subgraph", "function"],
)
def test_unlisted_external_data_are_refused_wherever_they_hide(
    tmp_path: Path, model: onnx.ModelProto
) -> None:
    assert_refused(make_bundle(tmp_path, model), GRAPH, "refers to external data")


def test_external_data_that_the_manifest_lists_are_served(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, tiny_model(initializer=[constant("w", external=True)]))
    (path / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    edit(path, lambda m: m.update(files=hash_files(path)))
    assert load_bundle(path).path == path


@pytest.mark.parametrize(
    "model, reason",
    [
        (tiny_model(opset=LATEST_OPSET + 1), "opset 19 is newer than 18"),
        (tiny_model(ir=LATEST_IR + 1), "IR version 11 is newer than 10"),
        (tiny_model(domains=("evil.ops",)), "uses operators of domain 'evil.ops'"),
        (tiny_model(domains=("com.microsoft", "ai.onnx.ml")), "of domain 'ai.onnx.ml'"),
    ],
)
def test_a_graph_beyond_what_is_served_is_refused(
    tmp_path: Path, model: onnx.ModelProto, reason: str
) -> None:
    assert_refused(make_bundle(tmp_path, model), GRAPH, reason)


def test_the_operators_of_quantized_graphs_are_served(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, tiny_model(domains=("com.microsoft",)))
    assert load_bundle(path).path == path


def test_a_file_that_is_no_graph_is_refused_though_its_hash_is_right(bundle: Path) -> None:
    (bundle / GRAPH).write_bytes(b"not a graph")
    edit(bundle, lambda m: m["files"].update(hash_files(bundle)))
    assert_refused(bundle, GRAPH, "is no ONNX model")


def test_a_graph_outside_the_listed_files_is_refused(bundle: Path) -> None:
    edit(bundle, lambda m: m["graphs"]["model"]["files"].update(int8="model.int8.onnx"))
    assert_refused(bundle, "model.int8.onnx", "is named as a graph but not listed in `files`")


@pytest.mark.parametrize(
    "name", ["../secret", "../../../secret", "vocabulary/../../secret", "/etc/passwd"]
)
def test_a_path_that_leaves_the_bundle_is_refused(bundle: Path, name: str) -> None:
    (bundle.parent / "secret").write_text("secret")
    edit(bundle, lambda m: m["files"].update({name: "0" * 64}))
    assert_refused(bundle, name, "lies outside the bundle")


def test_a_link_that_leaves_the_bundle_is_refused(bundle: Path) -> None:
    (bundle.parent / "secret").write_bytes((bundle / GRAPH).read_bytes())
    (bundle / GRAPH).unlink()
    (bundle / GRAPH).symlink_to("../secret")
    assert_refused(bundle, GRAPH, "lies outside the bundle")


def place(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / MANIFEST).touch()


def test_the_newest_version_of_each_task_is_found(tmp_path: Path) -> None:
    place(tmp_path, "ner/1.9.0", "ner/1.10.0", "ner/1.9.9", "sentiment/0.2.0", "sentiment/0.10.0")
    found = find_bundles(tmp_path)
    assert found == {"ner": tmp_path / "ner/1.10.0", "sentiment": tmp_path / "sentiment/0.10.0"}


def test_folders_without_a_manifest_are_no_bundles(tmp_path: Path) -> None:
    (tmp_path / "ner" / "unfinished").mkdir(parents=True)
    (tmp_path / "README.md").touch()
    assert find_bundles(tmp_path) == find_bundles(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("others", [(), ("ner/1.0.0",)])
@pytest.mark.parametrize("name", ["latest", "v1.0.0", "1.0.0-rc1", "1..0"])
def test_a_folder_that_is_no_version_is_refused(
    tmp_path: Path, name: str, others: tuple[str, ...]
) -> None:
    place(tmp_path, f"ner/{name}", *others)
    with pytest.raises(BundleError, match="folder name is not a version") as refusal:
        find_bundles(tmp_path)
    assert refusal.value.bundle == tmp_path / "ner" / name
