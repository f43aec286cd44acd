"""Spans of requests, caught in process."""

from typing import Any

import httpx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from service.http.tracing import Tracing
from tests.unit.service.http.served import Served

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans_of(served: Served, method: str, path: str, **told: Any) -> Any:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced = Tracing(served.application, provider.get_tracer("test"))

    async def call() -> None:
        transport = httpx.ASGITransport(traced)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.request(method, path, **told)

    served.run(call())
    [span] = exporter.get_finished_spans()
    return span


def test_a_request_is_a_span_of_the_callers_trace_with_its_times(served: Served) -> None:
    body = {"inputs": "John Smith"}
    span = spans_of(served, "POST", "/ner", json=body, headers={"traceparent": PARENT})
    assert (span.name, span.kind) == ("POST /ner", SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert span.attributes["http.response.status_code"] == 200
    parts = [span.attributes[f"sluice.{name}_ms"] for name in ("queue", "tokenize", "infer")]
    assert 0 < sum(parts) <= span.attributes["sluice.total_ms"] + 1
    assert "Smith" not in str(span.attributes)


def test_unknown_paths_make_no_names(served: Served) -> None:
    span = spans_of(served, "GET", "/nowhere/1")
    assert span.name == "GET"
    assert span.attributes["url.path"] == "/nowhere/1"
    assert span.status.status_code is StatusCode.UNSET


def test_a_traceparent_that_is_none_begins_a_trace(served: Served) -> None:
    assert spans_of(served, "GET", "/models", headers={"traceparent": "hello"}).parent is None
