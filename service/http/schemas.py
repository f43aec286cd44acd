"""What the task endpoints take: one type a task, made from the predictor's own parameters."""

import json
import re
from collections.abc import Mapping
from typing import Any, Generic, NoReturn, TypeVar, cast

import msgspec

from service.http.errors import LoneSurrogate, NotJson, WrongShape
from service.tasks.base import Parameters

P = TypeVar("P", bound=Parameters)
T = TypeVar("T")
_STEP = re.compile(r"\.(\w+)")
_SHOWN = 40
"""Characters of a wrong number that are repeated to its sender."""


class TaskRequest(msgspec.Struct, Generic[P], frozen=True, forbid_unknown_fields=True):
    """The body of a task call; left-out parameters have their defaults."""

    inputs: str | list[str]
    parameters: P | None = None


def with_client_parameters(
    parameters: type[Parameters], client: Mapping[str, Any]
) -> type[Parameters]:
    """`parameters`, and those that the Hugging Face client may send (of type `client[name]`).

    They may be null, or say what the service does anyway; any other value is refused.
    """
    fields = [(name, annotation, None) for name, annotation in client.items()]
    extended: Any = msgspec.defstruct(
        parameters.__name__,
        fields,
        bases=(parameters,),
        module=__name__,
        frozen=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": parameters.__doc__},
    )
    return cast(type[Parameters], extended)


class RequestDecoder:
    """JSON bodies of one task to requests."""

    def __init__(self, parameters: type[Parameters]) -> None:
        self.type: Any = TaskRequest[parameters]  # type: ignore[valid-type]
        self._parameters = parameters
        self._decoder: msgspec.json.Decoder[TaskRequest[Parameters]] = msgspec.json.Decoder(
            self.type
        )

    def decode(self, body: bytes) -> tuple[str | list[str], Parameters]:
        """Inputs and parameters. NotJson, LoneSurrogate or WrongShape say what is wrong."""
        request = decode_json(self._decoder, body)
        return request.inputs, request.parameters or self._parameters()


def decode_json(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """JSON as `decoder` reads it. NotJson, LoneSurrogate or WrongShape say what is wrong."""
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        _refuse(body, error)


def _refuse(body: bytes, error: Exception) -> NoReturn:
    """Say why a body was refused; msgspec stops at the first fault, be it of shape or of JSON."""
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        raise NotJson(f"byte {fault.start} is not UTF-8") from None
    if not text.strip():
        raise NotJson("it is empty")
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_int=str)
    except json.JSONDecodeError as fault:
        raise NotJson(f"{fault.msg} at character {fault.pos}") from None
    except RecursionError:
        raise WrongShape("the body is nested too deeply") from None
    if isinstance(error, msgspec.ValidationError):
        raise WrongShape(_reason(str(error), found)) from None
    raise LoneSurrogate


def _reason(told: str, found: Any) -> str:
    """What msgspec tells, with the place always, and with a number that is beyond its bound."""
    told, _, path = told.partition(" - at ")
    path = path or "`$`"
    if not told.startswith(("Expected `int` ", "Expected `float` ")):
        return f"{told} - at {path}"
    for key in _STEP.findall(path):
        # A key that is there twice: msgspec read the first, and this is the last.
        found = found.get(key) if isinstance(found, dict) else None
    beyond = f", not {str(found)[:_SHOWN]}" if isinstance(found, str | float) else ""
    return f"{told}{beyond} - at {path}"


def _no_constant(name: str) -> NoReturn:
    """Python's reader knows NaN and Infinity, JSON does not."""
    raise json.JSONDecodeError(f"{name} is no JSON value", name, 0)
