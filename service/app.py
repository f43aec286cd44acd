"""The BentoML service: wiring only (settings, bundles, engine, routes, life cycle)."""

import asyncio
import ctypes
import gc
import logging
import signal
from types import FrameType

import bentoml

from service.bundle import BundleError
from service.engine.errors import ProviderUnavailable
from service.engine.runner import Runner
from service.engine.session import share_threads
from service.engine.tallies import write_tallies
from service.front import put_in_front
from service.http.admin import Administration
from service.http.application import Application
from service.http.connection import Connection, ConnectionLimits, limit_connections
from service.http.direct import Direct, DirectConnection
from service.http.front import operators_front, public_front
from service.http.gate import gate_of, is_observed
from service.http.limits import Limits
from service.http.logs import enable, use_json
from service.http.metrics import forget_dead_workers
from service.http.models import describe_model
from service.http.operators import OperatorsPort
from service.loading import Reloading, check_choices, open_endpoints
from service.settings import Settings, SettingsError, raise_open_files

_SPARE_S = 5.0
"""BentoML's own time-out stays this far behind ours: it answers without problem details."""

_LINGER_S = 0.5
"""After the last answer, callers already on their way still get a 503 instead of a reset."""

_TALLY_S = 0.25
"""How late another worker may tell what this one counted."""

_PR_SET_PDEATHSIG = 1
"""Of <linux/prctl.h>."""

log = logging.getLogger("sluice")


def _settings() -> Settings:
    """The settings; a wrong one ends the process with one line (BentoML imports this module)."""
    try:
        return Settings.load()
    except SettingsError as error:
        raise SystemExit(f"sluice: {error}") from None


SETTINGS = _settings()
application = Application(
    Limits(
        SETTINGS.max_chars,
        SETTINGS.max_inputs,
        SETTINGS.max_body_bytes,
        SETTINGS.timeout_s,
        SETTINGS.max_timeout_s,
    )
)
front = public_front(application, SETTINGS)
direct = DirectConnection.direct = Direct(application.handler_of)
limit_connections(
    ConnectionLimits(
        SETTINGS.max_header_bytes, SETTINGS.header_timeout_s, SETTINGS.max_connections
    ),
    gate_of(application.turn_away, SETTINGS),
    DirectConnection if SETTINGS.lean_path and not is_observed(SETTINGS) else Connection,
)


@bentoml.service(
    name="sluice",
    workers=SETTINGS.workers,
    traffic={"timeout": SETTINGS.max_timeout_s + SETTINGS.drain_s + _SPARE_S},
    # Ours is at /metrics; BentoML's labels each unknown path, so that callers make series.
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
    # So is the access log: ours knows request ids, keys and what must not be written.
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(front, path="/")
class Sluice:
    """Recurrent text models over HTTP."""

    def __init__(self) -> None:
        """Open every bundle and answer one text with each, before any request is taken."""
        enable()
        log.setLevel(logging.INFO)
        if SETTINGS.log_format == "json":
            use_json()
        raise_open_files(SETTINGS.max_connections)
        forget_dead_workers()
        share_threads(SETTINGS.threads)
        self._runner = Runner([])
        self._endpoints = open_endpoints(SETTINGS, self._runner)

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def verify() -> None:
        """Runs before any worker: a bundle or device that cannot serve stops the start."""
        try:
            check_choices(SETTINGS)
        except (BundleError, ProviderUnavailable) as error:
            raise SystemExit(f"sluice: {error}") from None

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def start(self) -> None:
        self._runner.start()
        self._reloading = Reloading(SETTINGS, self._runner, application.serve)
        self._reloading.begin(self._endpoints)
        if SETTINGS.admin_key is not None:
            key = SETTINGS.admin_key.get_secret_value()
            application.administer(Administration(key, self._reloading.reload))
        self._operators = _operators_port()
        self._tallying = asyncio.create_task(_keep_tallies())
        _tune_garbage_collector()
        _drain_on_signals(self._runner)
        _end_with_parent()
        for served in map(describe_model, application.handlers):
            log.info(
                "ready: POST %s with %s %s (%s on %s)",
                served.endpoint,
                served.name,
                served.version,
                served.precision,
                served.device,
            )

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def stop(self) -> None:
        await _drain(self._runner)
        if self._operators:
            await self._operators.stop()
        write_tallies()

    async def __is_ready__(self) -> bool:
        return application.ready


def _operators_port() -> OperatorsPort | None:
    """The port for /metrics and /admin, open, where one is set."""
    if not SETTINGS.admin_port:
        return None
    port = OperatorsPort(
        operators_front(application, SETTINGS), SETTINGS.admin_host, SETTINGS.admin_port
    )
    port.start()
    return port


async def _keep_tallies() -> None:
    """Let the other workers' /metrics see what happens here."""
    while True:
        await asyncio.sleep(_TALLY_S)
        write_tallies()


def _tune_garbage_collector() -> None:
    """Full collections pause requests by 55-125 ms: leave the models out, and run them rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 200)


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the supervisor is gone, whatever killed it.

    A worker left behind would hold the port and the models' memory for ever. prctl(2).
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM.value)


if SETTINGS.lean_path:
    put_in_front(Sluice, front, application.paths)


async def _drain(runner: Runner) -> None:
    """Finish what was accepted, within the time for it."""
    application.refuse_new()
    drained = await asyncio.gather(
        application.drain(SETTINGS.drain_s), direct.drain(SETTINGS.drain_s)
    )
    if not all(drained):
        log.warning("requests were cut off after SLUICE_DRAIN_S=%g s", SETTINGS.drain_s)
    await runner.drain(1.0)


def _drain_on_signals(runner: Runner) -> None:
    """On SIGTERM: not ready at once, finish what runs, and only then let uvicorn close.

    Left alone, uvicorn stops listening first, and a probe could never see "not ready".
    """
    loop = asyncio.get_running_loop()
    closing: list[asyncio.Task[None]] = []

    def close(number: int, frame: FrameType | None) -> None:
        application.refuse_new()
        if not closing:
            loop.call_soon_threadsafe(lambda: closing.append(loop.create_task(finish(number))))

    async def finish(number: int) -> None:
        await _drain(runner)
        await asyncio.sleep(_LINGER_S)
        uvicorn_handler = handlers[signal.Signals(number)]
        if callable(uvicorn_handler):
            uvicorn_handler(number, None)

    handlers = {number: signal.signal(number, close) for number in (signal.SIGTERM, signal.SIGINT)}
