"""Settings of the service: `SLUICE_*` environment variables, read once, never changed.

A wrong value or an unknown variable stops the start with one line: a misspelt limit that is
silently ignored is worse than no service.
"""

import difflib
import os
import resource
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.bundle import Precision
from service.cores import usable_cores
from service.engine.session import Device
from service.keys import KeyFileError, read_keys

PREFIX = "SLUICE_"
_EXPORTER = "opentelemetry.exporter"
ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds this package: a checkout, or the source folder of a Bento."""

_OF_TRAINING = {"SLUICE_DATA", "SLUICE_DATA_MIRROR"}
_ORIGIN = r"https?://[A-Za-z0-9.\[\]:-]+"
_ORIGINS = rf"^(|\*|{_ORIGIN}(,{_ORIGIN})*)$"

SPARE_FILES = 256
"""Files of a worker that are no connections: models, libraries, sockets, metrics."""


class SettingsError(Exception):
    """A setting that cannot be used: names the variable, its value and the fix, in one line."""


class Settings(BaseSettings):
    """What an operator may choose. Each description says which values are right."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    bundles: Path = Field(
        default=ROOT / "exported_models",
        description="a folder that holds <task>/<version>/manifest.json",
    )
    device: Device = Field(default="auto", description="auto, cpu or cuda")
    precision: Literal["auto", "fp32", "int8"] = Field(
        default="auto", description="auto, fp32 or int8"
    )
    workers: int = Field(
        default=1, ge=1, le=256, description="a whole number from 1 to 256 (processes)"
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=1024,
        validate_default=True,
        description="a whole number from 1 to 1024 (threads of a worker), 0 shares the cores",
    )
    max_chars: int = Field(
        default=5_000,
        ge=1,
        le=1_000_000,
        description="a whole number from 1 to 1000000 (characters)",
    )
    max_inputs: int = Field(
        default=64, ge=1, le=10_000, description="a whole number from 1 to 10000"
    )
    max_body_bytes: int = Field(
        default=1 << 20,
        ge=1_024,
        le=1 << 30,
        description="a whole number from 1024 to 1073741824 (bytes)",
    )
    queue_tokens: int = Field(
        default=50_000,
        ge=1,
        le=100_000_000,
        description="a whole number from 1 to 100000000 (tokens)",
    )
    queue_s: float = Field(
        default=2.0,
        gt=0,
        le=3_600,
        description="a number above 0 and up to 3600 (seconds)",
    )
    batch_tokens: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="a whole number from 1 to 1000000 (tokens), 0 measures the best at the start",
    )
    batch_rows: int = Field(
        default=64, ge=1, le=4_096, description="a whole number from 1 to 4096 (rows)"
    )
    decoder_rows: int = Field(
        default=32, ge=1, le=4_096, description="a whole number from 1 to 4096 (rows)"
    )
    decoder_admissions: int = Field(
        default=4, ge=1, le=4_096, description="a whole number from 1 to 4096 (rows a decoder step)"
    )
    timeout_s: float = Field(
        default=10.0,
        gt=0,
        le=3_600,
        description="a number above 0 and up to 3600 (seconds)",
    )
    max_timeout_s: float = Field(
        default=60.0, gt=0, le=3_600, description="a number above 0 and up to 3600 (seconds)"
    )
    drain_s: float = Field(
        default=20.0, ge=0, le=3_600, description="a number from 0 to 3600 (seconds)"
    )
    lean_path: bool = Field(default=False, description="true or false")
    admin_key: SecretStr | None = Field(
        default=None, min_length=16, description="a secret of at least 16 characters"
    )
    access_log: bool = Field(default=False, description="true or false")
    log_format: Literal["text", "json"] = Field(default="text", description="text or json")
    log_texts: bool = Field(default=False, description="true or false")
    traces: Literal["off", "otlp"] = Field(default="off", description="off or otlp")
    api_keys_file: Path | None = Field(
        default=None,
        description="a readable file of name:sha256 lines (python -m service.keys NAME makes one)",
    )
    rate_limit: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="a number from 0 to 1000000 (requests a second of a key; 0 for no limit)",
    )
    rate_burst: int = Field(
        default=20, ge=1, le=1_000_000, description="a whole number from 1 to 1000000 (requests)"
    )
    cors_origins: str = Field(
        default="",
        pattern=_ORIGINS,
        description="origins with commas between, such as https://a.example,http://b.example:8080",
    )
    admin_host: str = Field(default="127.0.0.1", description="an IP address of this machine")
    admin_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="a whole number from 1 to 65535, 0 for none: /metrics and /admin stay on PORT",
    )
    max_header_bytes: int = Field(
        default=16_384, ge=1_024, le=1 << 20, description="a whole number from 1024 to 1048576"
    )
    header_timeout_s: float = Field(
        default=10.0, gt=0, le=600, description="a number above 0 and up to 600 (seconds)"
    )
    max_connections: int = Field(
        default=2_048, ge=1, le=1_000_000, description="a whole number from 1 to 1000000"
    )

    @field_validator("bundles")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """BentoML starts its workers in another folder than the caller's."""
        return value.expanduser().resolve()

    @field_validator("api_keys_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        """Absolute for the same reason; a file of keys that holds none would lock out everybody."""
        if value is None:
            return None
        # Not resolved: a mounted secret is a link that is changed to point at the new file.
        path = value.expanduser().absolute()
        try:
            read_keys(path)
        except KeyFileError as error:
            raise ValueError(str(error)) from None
        return path

    @field_validator("threads")
    @classmethod
    def _share_of_cores(cls, value: int, info: ValidationInfo) -> int:
        return value or max(1, usable_cores() // info.data.get("workers", 1))

    @property
    def forced_precision(self) -> Precision | None:
        """None where each bundle's own choice holds."""
        return None if self.precision == "auto" else self.precision

    @classmethod
    def load(cls) -> Self:
        """Read the environment. SettingsError on the first variable that cannot be used."""
        _refuse_unknown()
        try:
            settings = cls()
        except ValidationError as error:
            raise _refusal(error) from None
        settings._refuse_contradictions()
        return settings

    def _refuse_contradictions(self) -> None:
        cores = usable_cores()
        if self.threads > 1 and self.workers * self.threads > cores:
            raise SettingsError(
                f"SLUICE_WORKERS={self.workers} times SLUICE_THREADS={self.threads} is more than "
                f"the {cores} usable cores; lower one, or leave SLUICE_THREADS out"
            )
        if self.timeout_s > self.max_timeout_s:
            raise SettingsError(
                f"SLUICE_TIMEOUT_S={self.timeout_s:g} is above "
                f"SLUICE_MAX_TIMEOUT_S={self.max_timeout_s:g}; lower it, or raise the latter"
            )
        if self.rate_limit and self.api_keys_file is None:
            raise SettingsError(
                f"SLUICE_RATE_LIMIT={self.rate_limit:g} is a limit for each key, and there are no "
                "keys; set SLUICE_API_KEYS_FILE, or leave it out"
            )
        if self.log_texts and not self.access_log:
            raise SettingsError(
                "SLUICE_LOG_TEXTS=true adds texts to the access log, which is off; "
                "set SLUICE_ACCESS_LOG=true, or leave it out"
            )
        if self.traces == "otlp" and find_spec(_EXPORTER) is None:
            raise SettingsError(
                "SLUICE_TRACES='otlp' needs a package that is not installed; "
                "pip install 'sluice[tracing]', or set it to off"
            )
        most = most_open_files()
        if self.max_connections + SPARE_FILES > most:
            raise SettingsError(
                f"SLUICE_MAX_CONNECTIONS={self.max_connections} and {SPARE_FILES} files of its own "
                f"are more than the {most} that this process may open (ulimit -Hn); "
                "lower it, or raise that limit"
            )


def most_open_files() -> int:
    """The limit that this process cannot raise (getrlimit(2))."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def raise_open_files(connections: int) -> None:
    """Let this process open as many connections, and its own files beside them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _refuse_unknown() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if not name.upper().startswith(PREFIX) or name.upper() in known | _OF_TRAINING:
            continue
        near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.8)
        fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        raise SettingsError(f"{name}={os.environ[name]!r} is no setting of Sluice; {fix}")


def _refusal(error: ValidationError) -> SettingsError:
    fault = error.errors()[0]
    field = str(fault["loc"][0])
    expected = Settings.model_fields[field].description
    variable = PREFIX + field.upper()
    reason = f": {fault['ctx']['error']}" if fault["type"] == "value_error" else ""
    return SettingsError(
        f"{variable}={str(fault['input'])!r} cannot be used{reason}; set it to {expected}"
    )
