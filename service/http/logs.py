"""Logs: one JSON object a line where asked for, a line a request where asked for, never a text.

A text of a caller is in no line unless SLUICE_LOG_TEXTS asks for it.
"""

import logging
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from service.http.auth import KEY_NAME
from service.http.messages import App, Message, Receive, Scope, Send
from service.http.requestid import REQUEST_ID

_LOGGERS = ("", "bentoml", "circus", "uvicorn.error")
"""Those that BentoML gives handlers to."""

_CUT_OFF = 499
"""Status in the log of a request whose caller left before the answer."""

_PATH_CHARS = 200
_TEXT_BYTES = 4_096

log = logging.getLogger("sluice.access")


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, logger, message or fields, request id."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **getattr(record, "fields", {"message": record.getMessage()}),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def enable() -> None:
    """Let our loggers speak: BentoML's worker silences those that its fork brought along.

    It configures logging with `logging.config.dictConfig`, which disables existing loggers.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "sluice":
            logging.getLogger(name).disabled = False


def use_json() -> None:
    """Write every line that this process logs as JSON."""
    for name in _LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonFormatter())


class AccessLog:
    """A line for each request: method, path, status, milliseconds, key, bytes."""

    def __init__(self, app: App, *, with_texts: bool) -> None:
        log.setLevel(logging.INFO)
        self._app, self._with_texts = app, with_texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, told = time.monotonic(), {"status": _CUT_OFF, "bytes": 0}
        text = bytearray()

        async def reading() -> Message:
            message = await receive()
            text.extend(message.get("body", b"")[: _TEXT_BYTES - len(text)])
            return message

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
            told["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, reading if self._with_texts else receive, counting)
        finally:
            fields = _fields(scope, told, 1000 * (time.monotonic() - began))
            if self._with_texts:
                fields["text"] = text.decode("utf-8", "replace")
            _write(fields)


def _fields(scope: Scope, told: dict[str, int], milliseconds: float) -> dict[str, Any]:
    return {
        "method": str(scope["method"])[:20],
        # Quoted, so that a line break of a caller cannot begin a line of its own.
        "path": quote(str(scope["path"])[:_PATH_CHARS]),
        **told,
        "ms": round(milliseconds, 2),
        "client": (scope.get("client") or ("",))[0],
        "key": scope.get(KEY_NAME, ""),
    }


def _write(fields: dict[str, Any]) -> None:
    line = "{method} {path} {status} {ms} ms".format(**fields)
    if "text" in fields:
        line += f" {fields['text']!r}"
    log.info("%s [%s]", line, REQUEST_ID.get(), extra={"fields": fields})
