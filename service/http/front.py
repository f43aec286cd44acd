"""What every request passes before the application: id, log, origin, key, rate.

The order matters: a refusal has an id and a line of log too, a browser may read it, and a wrong
key costs no token of anybody's bucket.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from starlette.middleware.cors import CORSMiddleware

from service.http.auth import ADMIN_FOLDER, Authentication
from service.http.errors import UnknownPath
from service.http.logs import AccessLog
from service.http.messages import App, Receive, Scope, Send, refuse
from service.http.metrics import SHARED_DIR
from service.http.ratelimit import RateLimit, TokenBuckets
from service.http.requestid import RequestIds
from service.http.tracing import Tracing, otlp_tracer
from service.keys import ApiKeys
from service.settings import Settings

_HEADERS = ("Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "X-Request-Timeout")
_EXPOSED = ("Retry-After", "Server-Timing", "X-Batch-Rows", "X-Request-ID")
_PREFLIGHT_S = 600


class OnlyPaths:
    """Knows the paths that `served` is true of, and no others."""

    def __init__(self, app: App, served: Callable[[str], bool]) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] == "http" and not self._served(path):
            await refuse(UnknownPath(path, ["/docs"]), scope, send)
        else:
            await self._app(scope, receive, send)


def is_of_operators(path: str) -> bool:
    """What goes to a port of its own where there is one."""
    return path == "/metrics" or path.startswith(ADMIN_FOLDER)


def public_front(app: App, settings: Settings) -> App:
    """`app` as callers reach it."""
    if settings.admin_port:
        app = OnlyPaths(app, lambda path: not is_of_operators(path))
    if settings.rate_limit:
        buckets = TokenBuckets(_shared_folder(), settings.rate_limit, settings.rate_burst)
        app = RateLimit(app, buckets)
    if settings.api_keys_file:
        app = Authentication(app, ApiKeys(settings.api_keys_file))
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=("GET", "POST"),
            allow_headers=_HEADERS,
            expose_headers=_EXPOSED,
            max_age=_PREFLIGHT_S,
        )
    return _named_and_logged(app, settings)


def operators_front(app: App, settings: Settings) -> App:
    """`app` as operators reach it on their own port: metrics without a key, and /admin."""
    return _named_and_logged(OnlyPaths(app, is_of_operators), settings)


def _named_and_logged(app: App, settings: Settings) -> App:
    if settings.traces == "otlp":
        app = Tracing(app, otlp_tracer())
    if settings.access_log:
        app = AccessLog(app, with_texts=settings.log_texts)
    return RequestIds(app)


def _shared_folder() -> Path:
    """Beside the metrics, which are shared by the same workers for the same time."""
    metrics = os.environ.get(SHARED_DIR)
    return Path(metrics or tempfile.mkdtemp(prefix="sluice-")) / "rates"
