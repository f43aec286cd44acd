"""The OpenAPI document, made from the very types that decode requests and encode answers."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from service import __version__
from service.http.errors import KINDS, PROBLEM_JSON, Problem
from service.http.examples import EXAMPLES
from service.http.inference import TaskHandler
from service.http.limits import Limits
from service.http.messages import JSON
from service.http.models import Models
from service.http.openinference import DATATYPE, INPUT, InferenceRequest
from service.http.streaming import EVENT_STREAM

_REFERENCE = "#/components/schemas/{name}"
_TASK_STATUSES = (400, 401, 404, 408, 413, 415, 422, 429, 431, 500, 503, 504)
_PLAIN_PAGES = {
    "/": ("The playground", "text/html"),
    "/live": ("What the service does right now", "text/html"),
    "/docs": ("This document, to read and to try", "text/html"),
    "/openapi.json": ("This document", JSON),
    "/livez": ("200 while the process lives", "text/plain"),
    "/healthz": ("200 while the process lives", "text/plain"),
    "/metrics": ("Prometheus metrics", "text/plain"),
}


def openapi_document(handlers: Sequence[TaskHandler], limits: Limits) -> dict[str, Any]:
    """The document of the tasks that serve, with every status that can occur."""
    requests = [_request_type(handler, limits) for handler in handlers]
    answers = [handler.endpoint.predictor.answers for handler in handlers]
    schemas, components = msgspec.json.schema_components(
        [*requests, *answers, InferenceRequest, Models, Problem], ref_template=_REFERENCE
    )
    for handler in handlers:
        _require(components[handler.parameters.__name__], handler.route.required)
    paths: dict[str, Any] = {}
    for handler, request, answer in zip(handlers, schemas, schemas[len(handlers) :], strict=False):
        paths[handler.route.path] = {"post": _task(handler, request, answer, limits)}
        if handler.route.stream_path is not None:
            paths[handler.route.stream_path] = {"post": _stream(handler, request, limits)}
    paths["/models"] = {"get": _page("The models that serve", JSON, schemas[-2])}
    for path, (summary, media_type) in _PLAIN_PAGES.items():
        paths[path] = {"get": _page(summary, media_type, None)}
    paths["/readyz"] = {"get": _readiness()}
    paths.update(_protocol(handlers, schemas[-3], limits))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": __version__,
            "description": "Recurrent text models over HTTP. Errors are problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _request_type(handler: TaskHandler, limits: Limits) -> Any:
    """The request's type with the limits that are checked after decoding."""
    # Not Meta(pattern=...): msgspec 0.22 frees its compiled pattern once too often and crashes.
    visible = {"pattern": r"\S"} if handler.route.blank_refused else {}
    text = Annotated[str, msgspec.Meta(max_length=limits.max_chars, extra_json_schema=visible)]
    texts = Annotated[
        list[text],
        msgspec.Meta(min_length=1, max_length=limits.max_inputs),
    ]
    optional = ("parameters", handler.parameters | None, None)
    parameters: Any = ("parameters", handler.parameters) if handler.route.required else optional
    return msgspec.defstruct(
        f"{handler.route.task.capitalize()}Request",
        [("inputs", text | texts), parameters],
        forbid_unknown_fields=True,
    )


def _require(parameters: dict[str, Any], names: Sequence[str]) -> None:
    """Say in a schema what the type leaves to the task: these must be there and not be null."""
    for name in names:
        kinds = parameters["properties"][name]["anyOf"]
        [parameters["properties"][name]] = [kind for kind in kinds if kind.get("type") != "null"]
    parameters["required"] = list(names)


def _answer(one: dict[str, Any], *, as_list: bool) -> dict[str, Any]:
    """A string's answer, or a list of these; the list alone where the client reads it so."""
    many = {"type": "array", "items": one}
    return many if as_list else {"anyOf": [one, many]}


def _task(
    handler: TaskHandler, request: dict[str, Any], answer: dict[str, Any], limits: Limits
) -> dict[str, Any]:
    task = handler.route.task
    kind = handler.endpoint.predictor.__class__.__doc__ or task
    return {
        "operationId": task,
        "tags": ["tasks"],
        "summary": f"{task.capitalize()} of one text or of many",
        "description": kind.strip().splitlines()[0],
        "parameters": [_timeout(limits)],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": request, "example": EXAMPLES[task]}},
        },
        "responses": {
            "200": {
                "description": "The answer to a string; a list of answers to a list",
                "headers": {"Server-Timing": _header("Milliseconds of each part")},
                "content": {JSON: {"schema": _answer(answer, as_list=handler.route.as_list)}},
            },
            **{str(status): _problem(status) for status in _TASK_STATUSES},
        },
    }


def _stream(handler: TaskHandler, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    task = handler.route.task
    return {
        "operationId": f"{task}_stream",
        "tags": ["tasks"],
        "summary": f"{task.capitalize()} of one text, told while it is found",
        "description": "Greedy; `inputs` must be one string. Server-sent events: "
        '`data: {"text": ...}` a piece, `event: end` with the whole answer, `event: error`.',
        "parameters": [_timeout(limits)],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": request, "example": EXAMPLES[task]}},
        },
        "responses": {
            "200": {
                "description": "Server-sent events",
                # No schema: tools read one as that of each event.
                "content": {EVENT_STREAM: {}},
            },
            **{str(status): _problem(status) for status in _TASK_STATUSES},
        },
    }


def _protocol(
    handlers: Sequence[TaskHandler], request: dict[str, Any], limits: Limits
) -> dict[str, Any]:
    """The paths of the Open Inference Protocol; each but the first two may name a version too."""
    names = [handler.endpoint.predictor.bundle.manifest.name for handler in handlers]
    name = {"name": "name", "in": "path", "required": True, "schema": {"enum": names}}
    plain = _page("Name, version, inputs and outputs", JSON, None)
    missing = {"404": _problem(404), "503": _problem(503)}
    inference = _page("Answers to texts, as JSON in BYTES", JSON, None)
    inference["responses"].update({str(status): _problem(status) for status in _TASK_STATUSES})
    example = EXAMPLES[handlers[0].route.task]
    tensor = {"name": INPUT, "datatype": DATATYPE, "shape": [1], "data": [example["inputs"]]}
    inference["requestBody"] = {
        "required": True,
        "content": {
            JSON: {
                "schema": request,
                "example": {"inputs": [tensor], "parameters": example.get("parameters", {})},
            }
        },
    }
    pages: dict[str, Any] = {
        "/v2": _page("The server, for clients of the Open Inference Protocol", JSON, None),
        "/v2/health/live": _page("200 while the process lives", JSON, None),
        "/v2/health/ready": _page("200 while the service takes requests", JSON, None),
        "/v2/models/{name}": plain | {"parameters": [name]},
        "/v2/models/{name}/ready": plain | {"parameters": [name]},
    }
    for page in pages.values():
        page["responses"] |= missing
    return {path: {"get": page} for path, page in pages.items()} | {
        "/v2/models/{name}/infer": {
            "post": inference | {"parameters": [name, _timeout(limits)], "operationId": "infer"}
        }
    }


def _timeout(limits: Limits) -> dict[str, Any]:
    return {
        "name": "X-Request-Timeout",
        "in": "header",
        "required": False,
        "description": f"Seconds that the caller waits, {limits.timeout_s:g} if left out",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": limits.max_timeout_s},
    }


def _problem(status: int) -> dict[str, Any]:
    titles = dict.fromkeys(kind.title for kind in KINDS.values() if kind.status == status)
    told: dict[str, Any] = {
        "description": ". ".join(titles) or "Internal error",
        "content": {PROBLEM_JSON: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
    }
    if status in (429, 503):
        told["headers"] = {"Retry-After": _header("Seconds until a new try makes sense")}
    return told


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _page(summary: str, media_type: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    content = {media_type: {"schema": schema} if schema else {}}
    return {
        "summary": summary,
        "tags": ["service"],
        "responses": {"200": {"description": summary, "content": content}},
    }


def _readiness() -> dict[str, Any]:
    ready = _page("200 while the service takes requests", "text/plain", None)
    ready["responses"]["503"] = {
        "description": "Starting or shutting down",
        "content": {"text/plain": {}},
    }
    return ready
