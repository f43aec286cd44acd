"""The ASGI application: finds the route, keeps the life cycle, and never lets an error out.

It is made when its module is imported and given its endpoints when the models are loaded: BentoML
mounts it at "/" before anything is loaded, and runs no lifespan of an app that is not Starlette's.
An exception that left it would hang the caller until BentoML's own time-out, so none does.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from urllib.parse import quote

import msgspec

from service.engine.errors import Draining
from service.http.admin import RELOAD, Administration
from service.http.errors import NotServed, Starting, UnknownPath, WrongMethod, kind_of
from service.http.inference import TaskHandler
from service.http.limits import Limits
from service.http.messages import (
    JSON,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    problem_response,
)
from service.http.metrics import CONTENT_TYPE_LATEST, READY_WORKERS, exposition, refused
from service.http.models import describe
from service.http.openapi import openapi_document
from service.http.openinference import find_call
from service.http.pages import (
    ASSETS,
    INITIALIZER,
    docs_asset,
    docs_initializer,
    docs_page,
)
from service.http.routes import SYSTEM_PATHS, TASK_ROUTES
from service.http.streaming import EventStream, StreamHandler
from service.http.web import load_web
from service.tasks.endpoint import TaskEndpoint

T = TypeVar("T")
Page = Callable[[Request], Awaitable[Response]]

log = logging.getLogger("sluice")
_READ = ("GET", "HEAD")


class Application:
    """Routes requests to tasks and pages; `serve` opens it, `drain` closes it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._handlers: dict[str, TaskHandler] = {}
        self._streams: dict[str, StreamHandler] = {}
        self._administration: Administration | None = None
        self._tasks = {
            path: route.task
            for route in TASK_ROUTES
            for path in (route.path, route.stream_path)
            if path
        }
        self._web = load_web()
        self._pages = self._all_pages()
        self._openapi = b""
        self._serving = False
        self._draining = False
        self._working: set[asyncio.Task[object]] = set()

    @property
    def ready(self) -> bool:
        """True while new requests are taken."""
        return self._serving and not self._draining

    @property
    def paths(self) -> list[str]:
        """All that it answers."""
        return [*self._tasks, *self._pages, RELOAD]

    @property
    def handlers(self) -> list[TaskHandler]:
        """The tasks that serve."""
        return list(self._handlers.values())

    def serve(self, endpoints: Iterable[TaskEndpoint]) -> None:
        """Take requests for these endpoints from now on."""
        found = {endpoint.predictor.bundle.manifest.task: endpoint for endpoint in endpoints}
        handlers = {
            route.path: TaskHandler(route, found[route.task], self._limits)
            for route in TASK_ROUTES
            if route.task in found
        }
        streams = {
            handler.route.stream_path: StreamHandler(handler)
            for handler in handlers.values()
            if handler.route.stream_path is not None
        }
        document = openapi_document(list(handlers.values()), self._limits)
        self._handlers, self._streams = handlers, streams
        self._openapi = msgspec.json.encode(document)
        self._serving = True
        READY_WORKERS.set(1)

    def handler_of(self, path: str) -> TaskHandler | None:
        """The task that answers new requests to a path; None while or where none does."""
        return self._handlers.get(path) if self.ready else None

    def turn_away(self, path: str, size: int) -> Response | None:
        """The refusal of a body of `size` bytes to `path`, if its task's queue is full."""
        handler = self._handlers.get(path)
        return None if handler is None else handler.entrance.turn_away(size)

    def administer(self, administration: Administration) -> None:
        """Let the holder of the admin key reload the bundles."""
        self._administration = administration

    def refuse_new(self) -> None:
        """Be not ready, and take no new task requests; what runs goes on."""
        self._draining = True
        READY_WORKERS.set(0)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for running requests; those that need longer are told that the service stops."""
        self.refuse_new()
        if self._working:
            await asyncio.wait(self._working, timeout=timeout_s)
        late = list(self._working)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return not late

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        arrived, path = time.monotonic(), str(scope["path"])
        request = Request(scope["method"], path, dict(scope["headers"]), receive, arrived)
        response: Response | EventStream
        try:
            response = await self._respond(request)
        except Exception as error:
            if kind_of(error).status == 500:
                log.error("%s %s failed", request.method, quote(path), exc_info=error)
            refused(error)
            response = problem_response(error, path)
        sending = response.send(send, with_body=request.method != "HEAD")
        if isinstance(response, EventStream):
            with contextlib.suppress(Draining):  # the stream's last event has told it
                await self._work(sending)
        else:
            await sending

    async def _respond(self, request: Request) -> Response | EventStream:
        if request.path in self._tasks:
            return await self._task(request)
        if request.path == "/v2" or request.path.startswith("/v2/"):
            return await self._protocol(request)
        if request.path == RELOAD and self._administration is not None:
            return await self._reload(self._administration, request)
        page = self._pages.get(request.path)
        if page is None and request.path not in SYSTEM_PATHS:
            raise UnknownPath(request.path, [*self._tasks, "/models", "/docs"])
        if page is None or request.method not in _READ:
            raise WrongMethod(request.method, request.path, _READ)
        return await page(request)

    async def _reload(self, administration: Administration, request: Request) -> Response:
        """The new bundles serve, or a problem says why the old ones still do."""
        if request.method != "POST":
            raise WrongMethod(request.method, request.path, ("POST",))
        administration.check(request.header(b"authorization"))
        await administration.reload()
        return await self._models(request)

    async def _task(self, request: Request) -> Response | EventStream:
        if request.method != "POST":
            raise WrongMethod(request.method, request.path, ("POST",))
        self._refuse_unready()
        handler = self._handlers.get(request.path) or self._streams.get(request.path)
        if handler is None:
            raise NotServed(self._tasks[request.path])
        return await self._work(handler(request))

    def _refuse_unready(self) -> None:
        if self._draining:
            raise Draining
        if not self._serving:
            raise Starting

    async def _protocol(self, request: Request) -> Response:
        """A call of the Open Inference Protocol."""
        call = find_call(request)
        if call.act == "live":
            return await call.respond(self.handlers, request)
        self._refuse_unready()
        return await self._work(call.respond(self.handlers, request))

    async def _work(self, work: Awaitable[T]) -> T:
        task = asyncio.current_task()
        assert task is not None  # an ASGI server runs each request as a task
        self._working.add(task)
        try:
            return await work
        except asyncio.CancelledError:
            if not self._draining:
                raise
            task.uncancel()
            raise Draining from None
        finally:
            self._working.discard(task)

    def _all_pages(self) -> dict[str, Page]:
        return {
            **dict.fromkeys(self._web, self._file),
            "/models": self._models,
            "/openapi.json": self._document,
            "/metrics": self._metrics,
            "/docs": self._docs,
            INITIALIZER: self._docs,
            **dict.fromkeys(ASSETS, self._docs),
        }

    async def _file(self, request: Request) -> Response:
        return self._web[request.path].response(request)

    async def _models(self, request: Request) -> Response:
        return json_response(describe(self.handlers, self._limits))

    async def _document(self, request: Request) -> Response:
        if not self._serving:
            raise Starting
        return Response(self._openapi, JSON)

    async def _metrics(self, request: Request) -> Response:
        return Response(await asyncio.to_thread(exposition), CONTENT_TYPE_LATEST)

    async def _docs(self, request: Request) -> Response:
        if request.path in ASSETS:
            return await asyncio.to_thread(docs_asset, request.path)
        return docs_initializer() if request.path == INITIALIZER else docs_page()
