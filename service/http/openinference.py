"""The Open Inference Protocol v2, so that Triton's and KServe's clients work unchanged.

https://github.com/kserve/open-inference-protocol (REST), with the binary tensor data extension of
Triton (tritonclient.http sends it unless it is told not to). A model has one input, `text`, and one
output, `answer`: BYTES of any shape, an answer for each text, as JSON, equal to what the task's own
endpoint answers. `parameters` are those of the task.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from service import __version__
from service.http.errors import UnknownModel, UnknownPath, WrongMethod, WrongShape
from service.http.inference import TaskHandler, cost_headers
from service.http.limits import check_media_type
from service.http.messages import Request, Response, json_response
from service.http.schemas import decode_json
from service.tasks.base import Parameters

BINARY = "application/octet-stream"
INPUT, OUTPUT, DATATYPE = "text", "answer", "BYTES"
_JSON_LENGTH = "inference-header-content-length"
_ROOT = re.compile(r"/v2(?:/health/(?P<act>live|ready))?")
_MODEL = re.compile(
    r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?(?:/(?P<act>ready|infer))?"
)
_OF_TRITON = ("binary_data_output", "priority", "timeout", "headers")
"""Parameters of the protocol, which are none of the task."""


class Tensor(msgspec.Struct, frozen=True):
    """An input; its `data` in JSON, or its bytes behind the JSON, `binary_data_size` of them."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class WantedOutput(msgspec.Struct, frozen=True):
    name: str
    parameters: dict[str, Any] = {}


class InferenceRequest(msgspec.Struct, frozen=True):
    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[WantedOutput] = []


_DECODER = msgspec.json.Decoder(InferenceRequest)


class Call(NamedTuple):
    """What a path of the protocol asks for: of one model, or of the server where `name` is None."""

    act: str
    name: str | None = None
    version: str | None = None

    async def respond(self, handlers: Sequence[TaskHandler], request: Request) -> Response:
        """The answer. UnknownModel if no handler serves that model in that version."""
        if self.act in ("live", "ready") and self.name is None:
            return json_response({self.act: True})
        if self.name is None:
            return json_response(_server_metadata())
        handler = self._find(handlers, self.name)
        if self.act == "ready":
            return json_response({"name": self.name, "ready": True})
        if self.act == "infer":
            return await handler.counted(request, Inference(handler).respond)
        return json_response(_model_metadata(handler))

    def _find(self, handlers: Sequence[TaskHandler], name: str) -> TaskHandler:
        manifests = [handler.endpoint.predictor.bundle.manifest for handler in handlers]
        for handler, manifest in zip(handlers, manifests, strict=True):
            if manifest.name == name and self.version in (None, manifest.version):
                return handler
        known = [f"{manifest.name} {manifest.version}" for manifest in manifests]
        raise UnknownModel(name, self.version, known)


def find_call(request: Request) -> Call:
    """The call of a path. UnknownPath or WrongMethod if there is none."""
    found = _ROOT.fullmatch(request.path) or _MODEL.fullmatch(request.path)
    if found is None:
        raise UnknownPath(request.path, ["/v2", "/v2/health/ready", "/v2/models/NAME/infer"])
    parts = found.groupdict()
    call = Call(parts["act"] or "metadata", parts.get("name"), parts.get("version"))
    allowed = ("POST",) if call.act == "infer" else ("GET", "HEAD")
    if request.method not in allowed:
        raise WrongMethod(request.method, request.path, allowed)
    return call


class Inference:
    """Inference calls of one model."""

    def __init__(self, handler: TaskHandler) -> None:
        self._handler = handler

    async def respond(self, request: Request) -> Response:
        """An answer for each text; in binary where the caller asks for it."""
        told = request.header(_JSON_LENGTH.encode())
        if told is None and request.header(b"content-type") is not None:
            check_media_type(request)
        body, timeout_s = await self._handler.read_body(request)
        size = _json_size(told, len(body))
        asked = decode_json(_DECODER, body[:size])
        texts = read_texts(asked.inputs, body[size:])
        call = self._handler.call(request, texts, self._parameters(asked.parameters), timeout_s)
        answered = await self._handler.infer(request, call)
        answers = [msgspec.json.encode(answer) for answer in answered.answers]
        response = self._write(asked, answers)
        return response._replace(headers=response.headers + cost_headers(answered, request))

    def _parameters(self, told: dict[str, Any]) -> Parameters:
        kept = {
            name: value
            for name, value in told.items()
            if name not in _OF_TRITON and not name.startswith("sequence_")
        }
        try:
            parameters: Parameters = msgspec.convert(kept, self._handler.parameters)
        except msgspec.ValidationError as error:
            raise WrongShape(f"parameters: {error}") from None
        return parameters

    def _write(self, asked: InferenceRequest, answers: Sequence[bytes]) -> Response:
        manifest = self._handler.endpoint.predictor.bundle.manifest
        output: dict[str, Any] = {
            "name": OUTPUT,
            "datatype": DATATYPE,
            "shape": asked.inputs[0].shape,
        }
        told = {"model_name": manifest.name, "model_version": manifest.version, "outputs": [output]}
        if asked.id is not None:
            told["id"] = asked.id
        if not _wants_binary(asked):
            output["data"] = [answer.decode() for answer in answers]
            return json_response(told)
        data = b"".join(len(answer).to_bytes(4, "little") + answer for answer in answers)
        output["parameters"] = {"binary_data_size": len(data)}
        head = msgspec.json.encode(told)
        return Response(head + data, BINARY, headers=((_JSON_LENGTH, str(len(head))),))


def read_texts(inputs: Sequence[Tensor], binary: bytes) -> list[str]:
    """The texts of the one input. WrongShape if it is not what the model takes."""
    if [tensor.name for tensor in inputs] != [INPUT] or inputs[0].datatype != DATATYPE:
        raise WrongShape(f"inputs must be one tensor named {INPUT!r} of datatype {DATATYPE}")
    [tensor] = inputs
    if tensor.data is not None:
        found = list(_flat(tensor.data))
    else:
        found = _read_binary(tensor.parameters.get("binary_data_size"), binary)
    if any(size < 0 for size in tensor.shape) or math.prod(tensor.shape) != len(found):
        raise WrongShape(f"shape {tensor.shape} does not hold {len(found)} texts")
    return found


def _flat(data: Iterable[Any]) -> Iterable[str]:
    """The strings of lists within lists, in row-major order."""
    for value in data:
        if isinstance(value, list):
            yield from _flat(value)
        elif isinstance(value, str):
            yield value
        else:
            raise WrongShape(f"data of {INPUT!r} must be strings, not {type(value).__name__}")


def _read_binary(size: Any, binary: bytes) -> list[str]:
    """Each text behind its length, four bytes with the lowest first."""
    if size != len(binary):
        raise WrongShape(f"binary_data_size is {size}, but {len(binary)} bytes follow the JSON")
    texts, at = [], 0
    while at < len(binary):
        end = at + 4 + int.from_bytes(binary[at : at + 4], "little")
        if end > len(binary):
            raise WrongShape("a text ends behind the binary data")
        try:
            texts.append(binary[at + 4 : end].decode())
        except UnicodeDecodeError:
            raise WrongShape(f"text {len(texts)} of the binary data is not UTF-8") from None
        at = end
    return texts


def _json_size(told: str | None, size: int) -> int:
    """How many bytes of the body are JSON: all, unless a header says where binary data begin."""
    if told is None:
        return size
    if not (told.isascii() and told.isdecimal()) or int(told) > size:
        raise WrongShape(f"{_JSON_LENGTH} is not a number of bytes up to {size}")
    return int(told)


def _wants_binary(asked: InferenceRequest) -> bool:
    everywhere = asked.parameters.get("binary_data_output") is True
    return any(output.parameters.get("binary_data", everywhere) for output in asked.outputs) or (
        everywhere and not asked.outputs
    )


def _server_metadata() -> dict[str, Any]:
    return {"name": "sluice", "version": __version__, "extensions": ["binary_tensor_data"]}


def _model_metadata(handler: TaskHandler) -> dict[str, Any]:
    manifest = handler.endpoint.predictor.bundle.manifest
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": DATATYPE, "shape": [-1]}],
        "outputs": [{"name": OUTPUT, "datatype": DATATYPE, "shape": [-1]}],
    }
