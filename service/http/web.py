"""The playground: the files of `service/web`, read once, under a policy that keeps all else out."""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from service.http.messages import HTML, Request, Response

FOLDER = Path(__file__).resolve().parent.parent / "web"
_PAGES = {"index.html": "/", "live.html": "/live"}
"""Files that have an address of their own; every other file is at /web/<name>."""
_MEDIA_TYPES = {
    ".html": HTML,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),  # kept, but asked for again: an update shows at once
    ("vary", "accept-encoding"),
)


class WebFile(NamedTuple):
    """A file as it is sent; `etag` is the same for both forms, hence weak."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str

    def response(self, request: Request) -> Response:
        """The file, packed where the browser takes it; 304 where the browser has it already."""
        headers = (*_HEADERS, ("etag", self.etag))
        if self.etag in (request.header(b"if-none-match") or ""):
            return Response(b"", self.media_type, 304, headers)
        if "gzip" in (request.header(b"accept-encoding") or ""):
            return Response(
                self.packed, self.media_type, headers=(*headers, ("content-encoding", "gzip"))
            )
        return Response(self.body, self.media_type, headers=headers)


def load_web(folder: Path = FOLDER) -> dict[str, WebFile]:
    """The files of the playground by their paths."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _MEDIA_TYPES)
    return {_PAGES.get(path.name, f"/web/{path.name}"): _read(path) for path in files}


def _read(path: Path) -> WebFile:
    body = path.read_bytes()
    packed = gzip.compress(body, mtime=0)
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    return WebFile(body, packed, _MEDIA_TYPES[path.suffix], etag)
