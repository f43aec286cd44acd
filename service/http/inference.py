"""One task over HTTP: limits, JSON, the endpoint, and the answer with its times."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple

from service.engine.errors import DeadlineExceeded
from service.http.errors import ClientGone, kind_of
from service.http.limits import Limits, check_media_type, check_texts, read_body, timeout_of
from service.http.messages import Receive, Request, Response, json_response, problem_response
from service.http.metrics import TaskMetrics
from service.http.schemas import RequestDecoder, with_client_parameters
from service.tasks.endpoint import Answered, TaskEndpoint, TextRefused

log = logging.getLogger("sluice")


class TaskRoute(NamedTuple):
    """Where a task is found, and what the Hugging Face client wants of it.

    `client_parameters` are parameters that the client may send, with their types.
    `as_list` answers one string like a list of one string, because the client reads it so.
    `required` parameters and `blank_refused` tell callers of the document what the task refuses.
    """

    path: str
    task: str
    client_parameters: Mapping[str, Any]
    as_list: bool = False
    required: tuple[str, ...] = ()
    blank_refused: bool = False


class TaskHandler:
    """Answers the calls of one task."""

    def __init__(self, route: TaskRoute, endpoint: TaskEndpoint, limits: Limits) -> None:
        manifest = endpoint.predictor.bundle.manifest
        self.route, self.endpoint = route, endpoint
        self.parameters = with_client_parameters(
            endpoint.predictor.parameters, route.client_parameters
        )
        self._decoder = RequestDecoder(self.parameters)
        self._limits = limits
        self._metrics = TaskMetrics(manifest.task, manifest.version)
        self._metrics.serves(endpoint.predictor)

    async def __call__(self, request: Request) -> Response:
        """The answer, or the problem; raises nothing but cancellation."""
        self._metrics.in_progress.inc()
        try:
            response = await self._answer(request)
        except Exception as error:
            response = self._refuse(error, request)
        finally:
            self._metrics.in_progress.dec()
        self._metrics.ended(response.status, time.monotonic() - request.arrived)
        return response

    async def _answer(self, request: Request) -> Response:
        check_media_type(request)
        timeout_s = timeout_of(request, self._limits)
        body = await read_body(request, self._limits, max(timeout_s, self._limits.timeout_s))
        inputs, parameters = self._decoder.decode(body)
        texts = check_texts(inputs, self._limits)
        left_s = timeout_s - (time.monotonic() - request.arrived)
        try:
            call = self.endpoint.answer(texts, parameters, left_s)
            answered = await while_connected(request.receive, call)
        except TextRefused as refused:
            raise (refused.cause if isinstance(inputs, str) else refused) from None
        except DeadlineExceeded:
            raise DeadlineExceeded(timeout_s) from None  # not what was left of it
        self._metrics.answered(answered)
        one = isinstance(inputs, str) and not self.route.as_list
        value = answered.answers[0] if one else answered.answers
        return json_response(value, (_server_timing(answered, request),))

    def _refuse(self, error: Exception, request: Request) -> Response:
        if kind_of(error).status == 500:
            log.error("%s failed", self.route.path, exc_info=error)
        self._metrics.refused(error)
        return problem_response(error, request.path)


async def while_connected(receive: Receive, call: Coroutine[Any, Any, Answered]) -> Answered:
    """The result of `call`. ClientGone if the caller hangs up first: its rows leave the engine."""
    work, gone = asyncio.ensure_future(call), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientGone
        return work.result()
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait((work,))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _server_timing(answered: Answered, request: Request) -> tuple[str, str]:
    """Milliseconds of each part; `total` runs from arrival to this moment."""
    parts = {
        "queue": answered.queue_s,
        "tokenize": answered.tokenize_s,
        "infer": answered.infer_s,
        "total": time.monotonic() - request.arrived,
    }
    return "server-timing", ", ".join(f"{name};dur={s * 1000:.2f}" for name, s in parts.items())
