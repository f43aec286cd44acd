"""Half a million inputs on everything that reads what strangers write: only typed errors.

In process, without a server between: JSON bodies, text processing, bundle manifests, API key files,
the inference protocol. Inputs are mutated from good ones, as a fuzzer does: most random bytes end
at the first check. A hang ends the test by its time limit, a crash ends the process.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from service.bundle import MANIFEST, BundleError, Manifest, find_bundles, load_bundle
from service.http.errors import HttpError
from service.http.limits import check_texts
from service.http.openinference import BINARY, DATATYPE, INPUT, InferenceRequest, read_texts
from service.http.schemas import RequestDecoder, decode_json
from service.keys import KeyFileError, read_keys
from service.tasks.errors import InputRefused
from service.tasks.registry import PREDICTORS, open_predictor
from tests.ops.record import record
from tests.unit.service.http.served import LIMITS, Served

pytestmark = pytest.mark.ops

_EACH = {
    "json": 420_000,
    "text": 50_000,
    "manifest": 40_000,
    "bundle": 2_000,
    "keys": 20_000,
    "protocol": 60_000,
    "calls": 4_000,
}
_SEEDS = 1
_SPLIT = b"\x01\x02\x03"
"""Where the JSON of an inference call ends and its binary data begin."""
_PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xed\xa0\x80", b"null",
    b"1e999", b"-0", b"\\ud800", b'"inputs"', b'"parameters"', b"\xf0\x9f\x98\x80", b"  ", b"NaN",
    "नमस्ते".encode(), "\u202e".encode(), "e\u0301".encode(), b"\r\n", b"9" * 40, b"a" * 300,
)  # fmt: skip


def mutated(good: bytes, dice: random.Random) -> bytes:
    """One to eight small changes."""
    value = bytearray(good)
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(value) + 1)
        match dice.randrange(5):
            case 0:
                value[place:place] = dice.choice(_PIECES)
            case 1:
                del value[place : place + dice.randint(1, 12)]
            case 2 if place < len(value):
                value[place] = dice.randrange(256)
            case 3:
                value[place:place] = value[: dice.randint(0, 40)]
            case _:
                value[place : place + 4] = dice.choice(_PIECES)
    return bytes(value)


def fuzz(
    name: str,
    good: list[bytes],
    read: Callable[[bytes], object],
    typed: tuple[type[Exception], ...],
) -> None:
    """`read` takes every input or raises one of `typed`."""
    dice = random.Random(_SEEDS)
    taken = 0
    for _ in range(_EACH[name]):
        value = mutated(dice.choice(good), dice)
        try:
            read(value)
            taken += 1
        except typed:
            continue
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error} for {value!r}")
    record("fuzz", what=name, inputs=_EACH[name], taken=taken)


@pytest.mark.timeout(1_200)
def test_json_bodies() -> None:
    good = [
        json.dumps({"inputs": "Pankaj lives in Munich"}).encode(),
        json.dumps({"inputs": ["a", "नमस्ते 😀"], "parameters": {}}).encode(),
        json.dumps({"inputs": "a", "parameters": {"tgt_lang": "de", "num_beams": 2}}).encode(),
    ]
    decoders = [RequestDecoder(predictor.parameters) for predictor in PREDICTORS.values()]

    def read(body: bytes) -> None:
        for decoder in decoders:
            try:
                inputs, _ = decoder.decode(body)
            except HttpError:
                continue
            check_texts(inputs, LIMITS)

    fuzz("json", good, read, (HttpError,))


@pytest.mark.timeout(1_200)
def test_texts(tiny_bundles: Path) -> None:
    bundles = [load_bundle(path) for path in find_bundles(tiny_bundles).values()]
    predictors = [open_predictor(bundle, "cpu") for bundle in bundles]
    good = [
        b"Rudolph Smith bought 1000 shares of tesla Inc. in March 2020",
        "how are you today? नमस्ते दुनिया 😀 \u202eabc\u202c e\u0301".encode(),
        b"http://a.example/x?y=1 me@a.example {name} %s <b>bold</b>\r\n\r\nNext. Dr. No, 3.5.",
    ]

    def parameters(predictor: Any) -> Any:
        languages = predictor.bundle.manifest.languages
        told = {"src_lang": "en", "tgt_lang": "de"} if languages else {}
        return predictor.parameters(**told)

    given = [(predictor, parameters(predictor)) for predictor in predictors]
    turn = iter(range(10**9))

    def read(value: bytes) -> None:
        predictor, told = given[next(turn) % len(given)]
        predictor.prepare(value.decode("utf-8", "replace"), told)

    fuzz("text", good, read, (InputRefused,))


@pytest.mark.timeout(1_200)
def test_manifests(tiny_bundles: Path) -> None:
    good = [(path / MANIFEST).read_bytes() for path in find_bundles(tiny_bundles).values()]
    fuzz("manifest", good, Manifest.model_validate_json, (ValidationError,))


@pytest.mark.timeout(1_200)
def test_bundles(tiny_bundles: Path) -> None:
    """One file of a bundle at a time is damaged; the hashes catch every change."""
    path = find_bundles(tiny_bundles)["ner"]
    files = {file.name: file.read_bytes() for file in path.iterdir()}
    dice = random.Random(_SEEDS)

    def read(value: bytes) -> None:
        name = dice.choice(sorted(files))
        damaged = mutated(files[name], dice)
        (path / name).write_bytes(damaged)
        try:
            load_bundle(path)
            assert damaged == files[name] or name == MANIFEST, f"a damaged {name} was loaded"
        finally:
            (path / name).write_bytes(files[name])

    fuzz("bundle", [b""], read, (BundleError,))


def protocol_bodies() -> list[bytes]:
    """Calls of the inference protocol: JSON alone, and JSON with binary data behind it."""
    tensor = {"name": INPUT, "shape": [2], "datatype": DATATYPE}
    texts = [b"Pankaj lives in Munich", "नमस्ते 😀".encode()]
    binary = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    sized = {**tensor, "parameters": {"binary_data_size": len(binary)}}
    nested = {**tensor, "shape": [2, 1], "data": [["a"], ["b"]]}
    outputs = [{"name": "answer", "parameters": {"binary_data": True}}]
    told = {"id": "1", "parameters": {"binary_data_output": True, "priority": 0}}
    return [
        json.dumps({"inputs": [nested], "outputs": outputs}).encode() + _SPLIT,
        json.dumps({"inputs": [sized], **told}).encode() + _SPLIT + binary,
    ]


@pytest.mark.timeout(1_200)
def test_the_inference_protocol() -> None:
    decoder = msgspec.json.Decoder(InferenceRequest)

    def read(value: bytes) -> None:
        head, _, binary = value.partition(_SPLIT)
        read_texts(decode_json(decoder, head).inputs, binary)

    fuzz("protocol", protocol_bodies(), read, (HttpError,))


@pytest.mark.timeout(1_200)
def test_calls_of_the_inference_protocol(tiny_bundles: Path) -> None:
    """Through the whole application, with the length of the JSON in a header."""
    bundles = [load_bundle(path) for path in find_bundles(tiny_bundles).values()]
    served = Served([open_predictor(bundle, "cpu") for bundle in bundles])
    paths = [f"/v2/models/{bundle.manifest.name}/infer" for bundle in bundles]
    turn = iter(range(10**9))

    def read(value: bytes) -> None:
        head, _, binary = value.partition(_SPLIT)
        path = paths[next(turn) % len(paths)]
        told = {"inference-header-content-length": str(len(head)), "content-type": BINARY}
        answer = served.request("POST", path, content=head + binary, headers=told)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            raise InputRefused

    try:
        fuzz("calls", protocol_bodies(), read, (InputRefused,))
    finally:
        served.close()


@pytest.mark.timeout(1_200)
def test_files_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"

    def read(value: bytes) -> None:
        file.write_bytes(value)
        read_keys(file)

    line = b"anna:" + b"0" * 64
    fuzz("keys", [line, b"# keys\n\n" + line + b"\n" + line], read, (KeyFileError,))
