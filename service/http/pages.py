"""The documentation of the interface: Swagger UI, without any outside script."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

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
