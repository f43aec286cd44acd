"""What a request may be, checked before any of it reaches a model."""

import asyncio
import math
from collections.abc import Sequence
from typing import NamedTuple

from service.http.errors import (
    BodyTooLarge,
    ClientGone,
    NoInputs,
    SlowBody,
    TextTooLong,
    TooManyInputs,
    WrongMediaType,
    WrongTimeout,
)
from service.http.messages import JSON, Receive, Request


class Limits(NamedTuple):
    """Sizes in characters, texts and bytes; times in seconds."""

    max_chars: int
    max_inputs: int
    max_body_bytes: int
    timeout_s: float
    max_timeout_s: float


def check_media_type(request: Request) -> None:
    """WrongMediaType unless the body says that it is plain JSON."""
    encoding = request.header(b"content-encoding") or "identity"
    if encoding.lower() != "identity":
        raise WrongMediaType("Content-Encoding", encoding)
    told = request.header(b"content-type") or ""
    media_type, *parameters = [part.strip().lower() for part in told.split(";")]
    charsets = [value[8:].strip('"') for value in parameters if value.startswith("charset=")]
    is_json = media_type == JSON or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if not is_json or any(charset not in ("utf-8", "utf8", "us-ascii") for charset in charsets):
        raise WrongMediaType("Content-Type", told)


def timeout_of(request: Request, limits: Limits) -> float:
    """Seconds that the caller allows, or the default. WrongTimeout if they are none."""
    told = request.header(b"x-request-timeout")
    if told is None:
        return limits.timeout_s
    try:
        seconds = float(told)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= limits.max_timeout_s:
        raise WrongTimeout(told, limits.max_timeout_s)
    return seconds


async def read_body(request: Request, limits: Limits, timeout_s: float) -> bytes:
    """The whole body. BodyTooLarge as soon as too much is announced or has come."""
    told = request.header(b"content-length") or ""
    if told.isdecimal() and int(told) > limits.max_body_bytes:
        raise BodyTooLarge(int(told), limits.max_body_bytes)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request.receive, limits.max_body_bytes)
    except TimeoutError:
        raise SlowBody(timeout_s) from None


async def _read(receive: Receive, limit: int) -> bytes:
    """Counted while it comes: Content-Length may lie or be absent."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge(len(body), limit)
        if not message.get("more_body", False):
            return bytes(body)


def check_texts(inputs: str | Sequence[str], limits: Limits) -> list[str]:
    """The texts of a request, each within its limit."""
    if isinstance(inputs, str):
        _check_length("inputs", inputs, limits)
        return [inputs]
    if not inputs:
        raise NoInputs
    if len(inputs) > limits.max_inputs:
        raise TooManyInputs(len(inputs), limits.max_inputs)
    for index, text in enumerate(inputs):
        _check_length(f"inputs[{index}]", text, limits)
    return list(inputs)


def _check_length(where: str, text: str, limits: Limits) -> None:
    if len(text) > limits.max_chars:
        raise TextTooLong(where, len(text), limits.max_chars)
