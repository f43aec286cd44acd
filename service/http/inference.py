"""One task over HTTP: limits, JSON, the endpoint, and the answer with its times."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from service.engine.errors import DeadlineExceeded
from service.http.entrance import Entrance, least_tokens
from service.http.errors import kind_of
from service.http.limits import Limits, check_media_type, check_texts, read_body, timeout_of
from service.http.messages import Request, Response, json_response, problem_response
from service.http.metrics import TaskMetrics
from service.http.schemas import RequestDecoder, with_client_parameters
from service.http.watch import Watch
from service.tasks.base import Parameters
from service.tasks.endpoint import Answered, TaskEndpoint, TextRefused, Work

Answer = TypeVar("Answer")

log = logging.getLogger("sluice")


class TaskRoute(NamedTuple):
    """Where a task is found, and what the Hugging Face client wants of it.

    `client_parameters` are parameters that the client may send, with their types.
    `as_list` answers one string like a list of one string, because the client reads it so.
    `stream_path` is where its answer is streamed.
    `required` parameters and `blank_refused` tell callers of the document what the task refuses.
    """

    path: str
    task: str
    client_parameters: Mapping[str, Any]
    as_list: bool = False
    stream_path: str | None = None
    required: tuple[str, ...] = ()
    blank_refused: bool = False


class Call(NamedTuple):
    """A valid request: `timeout_s` is what the caller allows, `left_s` what is left of it."""

    inputs: str | list[str]
    texts: list[str]
    parameters: Parameters
    timeout_s: float
    left_s: float


class Begun(NamedTuple):
    """A call whose one row is in the engine."""

    call: Call
    work: Work


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
        self.metrics = TaskMetrics(manifest.task, manifest.version)
        self.metrics.serves(endpoint.predictor)
        self.entrance = Entrance(endpoint, self.metrics, route.path)

    async def __call__(self, request: Request) -> Response:
        """The answer, or the problem; raises nothing but cancellation."""
        return await self.counted(request, self._answer)

    async def counted(
        self, request: Request, answer: Callable[[Request], Awaitable[Answer]]
    ) -> Answer | Response:
        """What `answer` gives, or the problem, counted as a request of this task.

        What is no whole response, such as a stream, ends later and counts its end itself.
        """
        self.metrics.began()
        response: Answer | Response
        try:
            response = await answer(request)
        except Exception as error:
            response = self.refuse(error, request)
        except BaseException:
            self.metrics.dropped()
            raise
        if isinstance(response, Response):
            self.metrics.ended(response.status, time.monotonic() - request.arrived)
        return response

    async def read(self, request: Request) -> Call:
        """The call that a request makes, refused before any work if the queue has no room."""
        check_media_type(request)
        body, timeout_s = await self.read_body(request)
        return self.call(request, *self._decoder.decode(body), timeout_s)

    async def read_body(self, request: Request) -> tuple[bytes, float]:
        """The body, and the seconds that the caller allows; refused if the queue has no room."""
        timeout_s = timeout_of(request, self._limits)
        told = request.header(b"content-length") or ""
        size = int(told) if told.isdecimal() else 0
        self.endpoint.admit(least_tokens(size), timeout_s)
        body = await read_body(request, self._limits, max(timeout_s, self._limits.timeout_s))
        return body, timeout_s

    def call(
        self, request: Request, inputs: str | list[str], parameters: Parameters, timeout_s: float
    ) -> Call:
        """A call with these inputs, if they keep to the limits."""
        left_s = timeout_s - (time.monotonic() - request.arrived)
        return Call(inputs, check_texts(inputs, self._limits), parameters, timeout_s, left_s)

    async def infer(self, request: Request, call: Call) -> Answered:
        """The answers to a call, within the caller's time and while the caller waits."""
        try:
            with Watch(request.receive, call.timeout_s, call.left_s):
                answered = await self.endpoint.answer(call.texts, call.parameters, call.left_s)
        except TextRefused as refused:
            raise (refused.cause if isinstance(call.inputs, str) else refused) from None
        except DeadlineExceeded:
            raise DeadlineExceeded(call.timeout_s) from None  # not what was left of it
        self.metrics.answered(answered)
        return answered

    def begin(self, request: Request, body: bytes) -> Begun | None:
        """Queue a request of one text that is one row; None if it is another.

        Raises what refuses it; unless it returns something, nothing has been queued or counted.
        """
        check_media_type(request)
        timeout_s = timeout_of(request, self._limits)
        if len(body) > self._limits.max_body_bytes:
            return None
        call = self.call(request, *self._decoder.decode(body), timeout_s)
        if not isinstance(call.inputs, str):
            return None
        work = self.endpoint.begin(call.inputs, call.parameters, call.left_s)
        if work is None:
            return None
        self.entrance.queued()
        return Begun(call, work)

    def finish(self, request: Request, begun: Begun) -> Response:
        """The answer to a request that was begun, its work done."""
        try:
            answered = self.endpoint.finish(begun.work)
        except DeadlineExceeded:
            raise DeadlineExceeded(begun.call.timeout_s) from None  # not what was left of it
        self.metrics.answered(answered)
        return self._response(request, answered, one=True)

    async def _answer(self, request: Request) -> Response:
        call = await self.read(request)
        answered = await self.infer(request, call)
        return self._response(request, answered, one=isinstance(call.inputs, str))

    def _response(self, request: Request, answered: Answered, *, one: bool) -> Response:
        value = answered.answers[0] if one and not self.route.as_list else answered.answers
        return json_response(value, cost_headers(answered, request))

    def refuse(self, error: Exception, request: Request) -> Response:
        """The problem response of an error, counted."""
        if kind_of(error).status == 500:
            log.error("%s failed", self.route.path, exc_info=error)
        self.metrics.refused(error)
        return problem_response(error, request.path)


def cost_headers(answered: Answered, request: Request) -> tuple[tuple[str, str], ...]:
    """Milliseconds of each part, `total` from arrival to this moment, and the rows of the batch."""
    total_s = time.monotonic() - request.arrived
    timing = (
        f"queue;dur={answered.queue_s * 1000:.2f}, tokenize;dur={answered.tokenize_s * 1000:.2f}, "
        f"infer;dur={answered.infer_s * 1000:.2f}, total;dur={total_s * 1000:.2f}"
    )
    return ("server-timing", timing), ("x-batch-rows", str(answered.batch_rows))
