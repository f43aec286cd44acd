"""Every error that a caller can meet, and the one table that gives each its status (RFC 9457)."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from service.bundle import BundleError
from service.engine.errors import DeadlineExceeded, Draining, ProviderUnavailable, QueueFull
from service.tasks.endpoint import TextRefused
from service.tasks.errors import (
    AlignmentsUnknown,
    BlankText,
    ForeignScript,
    InputRefused,
    InputTooLong,
    LanguageMissing,
    NoLetters,
    SameLanguage,
    SourceLanguageMissing,
    TooManyExplained,
    TooManySequences,
    TransliterationMissing,
    UnknownLanguage,
    UnservedDirection,
    UntranslatableLanguage,
)

PROBLEM_JSON = "application/problem+json"
_RETRY_S = 2
"""How soon to try again while the service starts, or while another replica takes over."""


class Problem(msgspec.Struct, frozen=True):
    """Problem details of RFC 9457; `type` is stable and meant for programs.

    `error` is the detail once more, where clients of the Open Inference Protocol look for it.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    error: str | msgspec.UnsetType = msgspec.UNSET


class HttpError(Exception):
    """Base of the requests that HTTP itself refuses."""


class NotJson(HttpError):
    """The body is not JSON in UTF-8."""

    def __init__(self, reason: str) -> None:
        super().__init__(f'the body is not JSON: {reason}; send {{"inputs": "some text"}}')


class UnknownPath(HttpError):
    """No such path."""

    def __init__(self, path: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no {_shortened(path)!r} here; known are {', '.join(known)}")


class WrongMethod(HttpError):
    """The path exists, the method on it does not."""

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{_shortened(method)} is not for {path}; use {' or '.join(allowed)}")
        self.allowed = allowed


class SlowBody(HttpError):
    """The body did not arrive within the request's time."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the body did not arrive within {timeout_s:g} s; send it faster")


class BodyTooLarge(HttpError):
    """More bytes than a body may have, told or counted."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the body has {size} bytes or more, the limit is {limit}; send fewer texts a call"
        )


class WrongMediaType(HttpError):
    """A body that does not say that it is plain JSON in UTF-8."""

    def __init__(self, header: str, value: str) -> None:
        super().__init__(
            f"{header} {_shortened(value)!r} is not taken; send uncompressed UTF-8 with "
            "Content-Type: application/json"
        )


class WrongShape(HttpError):
    """JSON, but not what this endpoint takes."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; /docs shows what to send")


class LoneSurrogate(HttpError):
    """A \\u escape of half a character: the string is no Unicode text."""

    def __init__(self) -> None:
        super().__init__(
            "a string holds an unpaired surrogate escape (\\ud800 to \\udfff), which is no "
            "character; send both halves or the character itself in UTF-8"
        )


class NoInputs(HttpError):
    """An empty list of inputs."""

    def __init__(self) -> None:
        super().__init__("inputs is an empty list; send at least one text")


class TooManyInputs(HttpError):
    """More texts than a call may bring."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"inputs has {count} texts, the limit is {limit}; send them in parts")


class TextTooLong(HttpError):
    """More characters than a text may have."""

    def __init__(self, where: str, length: int, limit: int) -> None:
        super().__init__(f"{where} has {length} characters, the limit is {limit}; send it in parts")


class WrongTimeout(HttpError):
    """An X-Request-Timeout that is no time or too long a one."""

    def __init__(self, value: str, limit_s: float) -> None:
        super().__init__(
            f"X-Request-Timeout {_shortened(value)!r} is refused; send a number of seconds above 0 "
            f"and up to {limit_s:g}, or leave it out"
        )


class Starting(HttpError):
    """The models are not loaded yet."""

    def __init__(self) -> None:
        super().__init__("the models are being loaded; try again in a moment")


class NotServed(HttpError):
    """The task exists, but no bundle of it was there at the start."""

    def __init__(self, task: str) -> None:
        super().__init__(f"no bundle of task {task!r} is loaded; GET /models lists what serves")


class KeyMissing(HttpError):
    """No API key, where one is asked for."""

    def __init__(self) -> None:
        super().__init__("no API key was sent; send Authorization: Bearer KEY")


class KeyWrong(HttpError):
    """An API key that nobody has."""

    def __init__(self) -> None:
        super().__init__("the API key is not known here; ask the operator of this service for one")


class RateExceeded(HttpError):
    """A key that called more often than it may."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"this key calls too often; try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class MalformedRequest(HttpError):
    """Bytes that are no request of HTTP/1.1."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the request cannot be read: {reason}")


class SlowHeaders(HttpError):
    """The head of a request did not arrive in time."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the headers did not arrive within {timeout_s:g} s; send them faster")


class HeadersTooLarge(HttpError):
    """More or longer headers than a request may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the headers are too many or too long; the limit is {limit} bytes")


class TooManyConnections(HttpError):
    """More open connections than a worker takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} connections are open, which is the limit; try again soon")


class UnknownModel(HttpError):
    """No model of this name, or not in this version."""

    def __init__(self, name: str, version: str | None, known: Sequence[str]) -> None:
        told = name if version is None else f"{name} {version}"
        super().__init__(f"there is no model {_shortened(told)!r}; known are {', '.join(known)}")


class ClientGone(HttpError):
    """The caller hung up: nobody reads the answer."""

    def __init__(self) -> None:
        super().__init__("the connection was closed before the answer was ready")


class WrongAdminKey(HttpError):
    """No admin key, or another than this service's."""

    def __init__(self) -> None:
        super().__init__(
            "the admin key is missing or wrong; send Authorization: Bearer with the value of "
            "SLUICE_ADMIN_KEY"
        )


class Kind(NamedTuple):
    """How one error is told over HTTP."""

    slug: str
    status: int
    title: str


INTERNAL = Kind("internal-error", 500, "Internal error")
KINDS: dict[type[Exception], Kind] = {
    NotJson: Kind("not-json", 400, "Body is not JSON"),
    WrongAdminKey: Kind("wrong-admin-key", 401, "Wrong admin key"),
    BundleError: Kind("bundle-refused", 409, "New bundle refused, the old one serves"),
    ProviderUnavailable: Kind("bundle-refused", 409, "New bundle refused, the old one serves"),
    MalformedRequest: Kind("malformed-request", 400, "Not a request of HTTP/1.1"),
    KeyMissing: Kind("key-missing", 401, "API key missing"),
    KeyWrong: Kind("key-wrong", 401, "API key not known"),
    UnknownPath: Kind("unknown-path", 404, "Unknown path"),
    NotServed: Kind("unknown-model", 404, "Unknown model"),
    UnknownModel: Kind("unknown-model", 404, "Unknown model"),
    UnknownLanguage: Kind("unknown-language", 404, "Unknown language"),
    UnservedDirection: Kind("unknown-language", 404, "Unknown language"),
    WrongMethod: Kind("wrong-method", 405, "Method not allowed"),
    SlowBody: Kind("slow-body", 408, "Body not received in time"),
    SlowHeaders: Kind("slow-headers", 408, "Headers not received in time"),
    BodyTooLarge: Kind("body-too-large", 413, "Body too large"),
    WrongMediaType: Kind("wrong-media-type", 415, "Unsupported media type"),
    WrongShape: Kind("wrong-shape", 422, "Wrong shape"),
    LoneSurrogate: Kind("lone-surrogate", 422, "Not Unicode text"),
    NoInputs: Kind("no-inputs", 422, "No inputs"),
    TooManyInputs: Kind("too-many-inputs", 422, "Too many inputs"),
    TooManyExplained: Kind("too-many-inputs", 422, "Too many inputs"),
    TextTooLong: Kind("text-too-long", 422, "Text too long"),
    InputTooLong: Kind("text-too-long", 422, "Text too long"),
    BlankText: Kind("blank-text", 422, "Blank text"),
    LanguageMissing: Kind("language-missing", 422, "Target language missing"),
    SourceLanguageMissing: Kind("language-missing", 422, "Source language missing"),
    NoLetters: Kind("no-letters", 422, "No letters"),
    TransliterationMissing: Kind("script-not-read", 422, "Script not read"),
    SameLanguage: Kind("same-language", 422, "Source and target language are equal"),
    ForeignScript: Kind("untranslatable", 422, "Language cannot be translated"),
    UntranslatableLanguage: Kind("untranslatable", 422, "Language cannot be translated"),
    TooManySequences: Kind("too-many-sequences", 422, "More translations than beams"),
    AlignmentsUnknown: Kind("no-alignments", 422, "No alignments"),
    InputRefused: Kind("input-refused", 422, "Input refused"),
    WrongTimeout: Kind("wrong-timeout", 422, "Wrong timeout"),
    QueueFull: Kind("queue-full", 429, "Queue full"),
    RateExceeded: Kind("rate-exceeded", 429, "Too many requests of this key"),
    HeadersTooLarge: Kind("headers-too-large", 431, "Headers too large"),
    ClientGone: Kind("client-gone", 499, "Client closed the request"),
    Starting: Kind("starting", 503, "Service starting"),
    TooManyConnections: Kind("too-many-connections", 503, "Too many connections"),
    Draining: Kind("draining", 503, "Service shutting down"),
    DeadlineExceeded: Kind("deadline-exceeded", 504, "Deadline exceeded"),
}


def kind_of(error: Exception) -> Kind:
    """The kind of an error, `INTERNAL` for one that nobody foresaw."""
    told = type(error.cause if isinstance(error, TextRefused) else error)
    found = KINDS.get(told)
    return found or next((KINDS[base] for base in told.__mro__ if base in KINDS), INTERNAL)


def problem_of(error: Exception, path: str) -> Problem:
    """What the caller is told: never a trace, never the message of an unforeseen error."""
    slug, status, title = kind_of(error)
    detail = str(error) if status != INTERNAL.status else "the service failed; it has been logged"
    repeated = detail if path.startswith("/v2/") else msgspec.UNSET
    return Problem(f"/problems/{slug}", title, status, detail, quote(path), repeated)


def headers_of(error: Exception) -> list[tuple[str, str]]:
    """Headers that belong to an error: when to try again, which methods there are."""
    if isinstance(error, QueueFull | RateExceeded):
        return [("retry-after", str(math.ceil(error.retry_after_s)))]
    if isinstance(error, WrongAdminKey):
        return [("www-authenticate", "Bearer")]
    if isinstance(error, WrongMethod):
        return [("allow", ", ".join(error.allowed))]
    if isinstance(error, KeyMissing | KeyWrong):
        return [("www-authenticate", "Bearer")]
    if kind_of(error).status == HTTPStatus.SERVICE_UNAVAILABLE:
        return [("retry-after", str(_RETRY_S))]
    return []


def _shortened(value: str) -> str:
    return value if len(value) <= 80 else value[:77] + "..."
