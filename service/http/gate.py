"""Refusals by the head of a request alone, where nobody else must see the request first."""

from collections.abc import Callable, Sequence

from service.http.messages import Response
from service.http.requestid import request_id_of
from service.settings import Settings

Headers = Sequence[tuple[bytes, bytes]]
Gate = Callable[[bytes, Headers], Response | None]
"""Refuses a POST to a path with these headers, or has nothing against it."""


def is_observed(settings: Settings) -> bool:
    """Whether keys, rates, logs, traces or browsers of other origins want to see each request."""
    seen = settings.access_log or settings.traces != "off" or settings.cors_origins
    return bool(seen or settings.api_keys_file or settings.rate_limit)


def gate_of(turn_away: Callable[[str, int], Response | None], settings: Settings) -> Gate | None:
    """A gate that asks `turn_away` for the refusal of so many bytes to a path.

    None where something else wants to see each request.
    """
    if is_observed(settings):
        return None

    def gate(url: bytes, headers: Headers) -> Response | None:
        told = dict(headers)
        size = told.get(b"content-length", b"")
        if not size.isdigit():
            return None
        refusal = turn_away(url.decode("latin-1"), int(size))
        if refusal is None:
            return None
        name = request_id_of(told.get(b"x-request-id", b"").decode("latin-1"))
        return refusal.with_header("x-request-id", name)

    return gate
