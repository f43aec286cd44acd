"""The pages for people: what this is, and the documentation, without any outside script."""

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

from service.http.examples import curl
from service.http.inference import TaskHandler
from service.http.messages import HTML, Response

ASSETS = {
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
INITIALIZER = "/docs/initializer.js"

_SAFE = (
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    ),
)
_CACHED = (("cache-control", "public, max-age=86400"), ("x-content-type-options", "nosniff"))

_DOCS = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice: documentation</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/initializer.js"></script>
</html>
"""
_INITIALIZER = b"""SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#8881;padding:.6rem;overflow:auto}"
)


def docs_page() -> Response:
    return Response(_DOCS, HTML, headers=_SAFE)


def docs_initializer() -> Response:
    return Response(_INITIALIZER, "text/javascript; charset=utf-8", headers=_CACHED)


@cache
def docs_asset(path: str) -> Response:
    """A file of Swagger UI out of the BentoML package, which ships it; read once."""
    package = find_spec("bentoml")
    if package is None or package.origin is None:
        raise FileNotFoundError("BentoML, which ships Swagger UI, is not installed")
    folder = Path(package.origin).parent / "_internal" / "server" / "static_content"
    body = (folder / path.rpartition("/")[2]).read_bytes()
    return Response(body, ASSETS[path], headers=_CACHED)


def home_page(handlers: Sequence[TaskHandler], address: str) -> Response:
    """What serves here, with a call to try for each task; `address` is how the caller got here."""
    calls = "".join(
        f"<h2>POST {handler.route.path}</h2><pre>"
        f"{escape(curl(address, handler.route.path, handler.route.task))}</pre>"
        for handler in handlers
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice</title>'
        f"<style>{_STYLE}</style><h1>Sluice</h1>"
        "<p>Recurrent text models over HTTP."
        ' <a href="docs">Documentation</a>, <a href="openapi.json">OpenAPI</a>,'
        ' <a href="models">models</a>, <a href="metrics">metrics</a>,'
        ' <a href="livez">livez</a>, <a href="readyz">readyz</a>.</p>'
        f"{calls}</html>"
    )
    return Response(page.encode(), HTML, headers=_SAFE)
