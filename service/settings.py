"""Settings of the service: `SLUICE_*` environment variables, read once, never changed.

A wrong value or an unknown variable stops the start with one line: a misspelt limit that is
silently ignored is worse than no service.
"""

import difflib
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.bundle import Precision
from service.engine.session import Device

PREFIX = "SLUICE_"
ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds this package: a checkout, or the source folder of a Bento."""

_NO_LIMIT = 1_000_000
"""Cores."""
_OF_TRAINING = {"SLUICE_DATA", "SLUICE_DATA_MIRROR"}


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

    @field_validator("bundles")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """BentoML starts its workers in another folder than the caller's."""
        return value.expanduser().resolve()

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
        cores = usable_cores()
        if settings.threads > 1 and settings.workers * settings.threads > cores:
            raise SettingsError(
                f"SLUICE_WORKERS={settings.workers} times SLUICE_THREADS={settings.threads} is "
                f"more than the {cores} usable cores; lower one, or leave SLUICE_THREADS out"
            )
        if settings.timeout_s > settings.max_timeout_s:
            raise SettingsError(
                f"SLUICE_TIMEOUT_S={settings.timeout_s:g} is above "
                f"SLUICE_MAX_TIMEOUT_S={settings.max_timeout_s:g}; lower it, or raise the latter"
            )
        return settings


def usable_cores(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may use: taskset or a container's CPU limit may leave it fewer.

    A limit of one and a half cores counts as one: a second thread would be throttled.
    """
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores, int(_cpu_limit(root))))


def _cpu_limit(root: Path) -> float:
    """The container's CPU limit in cores, infinite without one (cgroup v2, then v1)."""
    unified, quota = root / "cpu.max", root / "cpu" / "cpu.cfs_quota_us"
    if unified.exists():
        told, period = unified.read_text().split()
    elif quota.exists():
        told, period = quota.read_text(), (root / "cpu" / "cpu.cfs_period_us").read_text()
    else:
        return _NO_LIMIT
    unlimited = told.strip() in ("max", "-1")
    return _NO_LIMIT if unlimited else int(told) / int(period)


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
    return SettingsError(f"{variable}={fault['input']!r} cannot be used; set it to {expected}")
