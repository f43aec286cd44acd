"""`python -m service`: start the service here, with one line for whatever stops it.

HOST and PORT (or --host and --port) say where; SLUICE_* variables say how.
"""

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from service.http.examples import curl
from service.settings import Settings, SettingsError
from service.supervisor import Supervisor, in_a_child

_SERVICE = "service.app:Sluice"
_SHARED_MEMORY = "/dev/shm"
_TEMPORARY = "set it to a folder that can be written, for what the workers share"


class Address(NamedTuple):
    """Where to listen; `host` is an IP address."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return (
            f"http://[{self.host}]:{self.port}"
            if ":" in self.host
            else f"http://{self.host}:{self.port}"
        )


def main() -> int:
    """Serve until a signal; 2 if the service cannot start as it was asked to."""
    try:
        home = tempfile.TemporaryDirectory(prefix="sluice-", dir=_memory())
    except OSError as error:
        print(f"sluice: TMPDIR cannot be used ({error.strerror}); {_TEMPORARY}", file=sys.stderr)
        return 2
    with home as folder:
        _share_folder(folder)
        return _serve()


def _memory() -> str | None:
    """A folder in memory, None where there is none.

    The workers map the files that they share: a page that a full disk has no room for kills the
    process that touches it (SIGBUS, mmap(2)), and each one started in its place.
    """
    return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None


def _share_folder(home: str) -> None:
    """The folder that the workers share; prometheus_client reads it once, when it is imported."""
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported too early: workers could share nothing")
    os.environ["BENTOML_HOME"] = home
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = home
    os.environ["BENTOML_DO_NOT_TRACK"] = "True"
    os.environ.setdefault("BENTOML_QUIET", "true")


def _serve() -> int:
    """Run the workers until a signal; back when they have stopped."""
    try:
        settings = Settings.load()
        address = find_address(_arguments())
        check_operators_port(settings, address)
    except SettingsError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return 2
    os.environ["SLUICE_BUNDLES"] = str(settings.bundles)
    from service.app import Sluice

    service: Any = Sluice
    verified = in_a_child(service.inner.verify)
    _import_for_workers()
    if status := verified():
        return status
    if settings.log_format == "text":
        print(f"Sluice starts on {address.url} with the bundles in {settings.bundles}")
        print(f"try: {curl(address.url, '/ner', 'ner')}", flush=True)
    service.inject_config()
    return Supervisor(_work, address.host, address.port, settings.workers).run()


def find_address(arguments: argparse.Namespace) -> Address:
    """The address asked for, once it has been bound for a moment. SettingsError if it cannot be."""
    try:
        port = int(arguments.port)
        if not 0 < port < 65_536:
            raise ValueError
    except ValueError:
        raise SettingsError(
            f"PORT={arguments.port!r} is no port; set it to a whole number from 1 to 65535"
        ) from None
    try:
        family, *_, found = socket.getaddrinfo(
            arguments.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        _bind(family, (str(found[0]), port))
    except socket.gaierror as error:
        raise SettingsError(
            f"HOST={arguments.host!r} cannot be used ({error.strerror}); set it to an IP address"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"PORT={port} on {arguments.host} cannot be used ({error.strerror}); "
            "stop what listens there, or choose another with PORT"
        ) from None
    return Address(str(found[0]), port)


def check_operators_port(settings: Settings, address: Address) -> None:
    """SettingsError where the operators' port cannot be opened."""
    told = f"SLUICE_ADMIN_PORT={settings.admin_port} on SLUICE_ADMIN_HOST={settings.admin_host}"
    if not settings.admin_port:
        return
    if settings.admin_port == address.port:
        raise SettingsError(f"{told} is PORT as well; choose another")
    try:
        from service.sockets import bind

        bind(settings.admin_host, settings.admin_port, shared=False).close()
    except OSError as error:
        raise SettingsError(
            f"{told} cannot be used ({error.strerror}); stop what listens there, or choose another"
        ) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", default=os.environ.get("PORT", "3000"))
    return parser.parse_args()


def _bind(family: socket.AddressFamily, address: tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)


def _import_for_workers() -> None:
    """What every worker needs, imported once, while the bundles are verified."""
    import _bentoml_impl.server.app
    import _bentoml_impl.worker.service  # noqa: F401


def _work(index: int, listener: socket.socket) -> None:
    """BentoML's own HTTP worker on a socket that listens already."""
    from _bentoml_impl.worker.service import main as worker

    _choose_gpu(index)
    worker.main(
        [_SERVICE, "--fd", str(listener.fileno()), "--worker-id", str(index + 1)],
        standalone_mode=False,
    )


def _choose_gpu(index: int) -> None:
    """Spread the workers over the GPUs that may be used; CUDA reads the variable when it starts."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    folder = Path("/proc/driver/nvidia/gpus")
    there = [str(number) for number, _ in enumerate(folder.iterdir())] if folder.exists() else []
    gpus = there if told is None else [gpu for gpu in told.split(",") if gpu]
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[index % len(gpus)]


if __name__ == "__main__":
    sys.exit(main())
