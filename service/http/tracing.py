"""Traces: a span for each request, with the times of its parts; off unless asked for.

The caller's `traceparent` (W3C Trace Context) is gone on with. Spans carry no text and no key.
OpenTelemetry's own variables say where they go (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME).
"""

from urllib.parse import quote

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service import __version__
from service.http.auth import KEY_NAME
from service.http.messages import App, Message, Receive, Scope, Send
from service.http.requestid import REQUEST_ID

_PATH_CHARS = 200
_SERVER_ERROR = 500
_PROPAGATOR = TraceContextTextMapPropagator()


def otlp_tracer() -> Tracer:
    """A tracer that sends spans over OTLP (HTTP) in the background.

    ModuleNotFoundError without the extra `tracing`.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    named = Resource.create({"service.name": "sluice", "service.version": __version__})
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("sluice")


class Tracing:
    """Opens a span for each request, the caller's child where it tells of one."""

    def __init__(self, app: App, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            str(scope["method"])[:20],
            context=_PROPAGATOR.extract(told),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": str(scope["method"])[:20],
                "url.path": quote(str(scope["path"])[:_PATH_CHARS]),
                "sluice.request_id": REQUEST_ID.get(),
            },
        ) as span:

            async def watching(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(span, message, scope)
                await send(message)

            await self._app(scope, receive, watching)


def _answered(span: Span, message: Message, scope: Scope) -> None:
    status = int(message["status"])
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("sluice.key", str(scope.get(KEY_NAME, "")))
    if status >= _SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))
    if status not in (404, 405):
        # Paths that nobody serves must not make names without end.
        span.update_name(f"{scope['method']} {scope['path']}"[:_PATH_CHARS])
    timing = dict(message.get("headers", ())).get(b"server-timing", b"").decode("latin-1")
    for part in filter(None, timing.split(", ")):
        name, _, milliseconds = part.partition(";dur=")
        span.set_attribute(f"sluice.{name}_ms", float(milliseconds))
