"""Settings: defaults that work, and one clear line for each that cannot."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.cores import usable_cores
from service.settings import ROOT, Settings, SettingsError


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SLUICE_"):
            monkeypatch.delenv(name)


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_defaults_serve_the_shipped_bundles() -> None:
    settings = Settings.load()
    assert settings.bundles == ROOT / "exported_models"
    assert (settings.device, settings.forced_precision) == ("auto", None)
    assert (settings.max_chars, settings.max_inputs, settings.max_body_bytes) == (
        5_000,
        64,
        1 << 20,
    )
    assert settings.threads == usable_cores()


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_WORKERS", "256")
    assert Settings.load().threads == 1


def test_more_threads_than_cores_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_WORKERS", "2")
    monkeypatch.setenv("SLUICE_THREADS", str(usable_cores()))
    if usable_cores() > 1:
        with pytest.raises(SettingsError, match=r"SLUICE_WORKERS=2 times SLUICE_THREADS"):
            Settings.load()
    monkeypatch.setenv("SLUICE_THREADS", "1")
    assert Settings.load().threads == 1


def test_a_relative_folder_is_the_callers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_BUNDLES", "mine")
    assert Settings.load().bundles == tmp_path / "mine"


def test_a_precision_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_PRECISION", "int8")
    assert Settings.load().forced_precision == "int8"


def test_settings_never_change() -> None:
    settings = Settings.load()
    with pytest.raises(ValidationError, match="frozen"):
        settings.workers = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "name, value",
    [
        ("SLUICE_DEVICE", "gpu"),
        ("SLUICE_DEVICE", ""),
        ("SLUICE_PRECISION", "fp16"),
        ("SLUICE_WORKERS", "0"),
        ("SLUICE_WORKERS", "two"),
        ("SLUICE_THREADS", "-1"),
        ("SLUICE_MAX_CHARS", "1.5"),
        ("SLUICE_TIMEOUT_S", "nan"),
        ("SLUICE_ACCESS_LOG", "perhaps"),
    ],
)
def test_a_wrong_value_is_told_with_variable_value_and_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    line = refusal()
    assert line.startswith(f"{name}={value!r} ")
    assert "set it to " in line


@pytest.mark.parametrize(
    "name, fix",
    [
        ("SLUICE_DEVCE", "did you mean SLUICE_DEVICE?"),
        ("SLUICE_COLOUR", "known are "),
    ],
)
def test_an_unknown_variable_is_told_with_a_near_one(
    monkeypatch: pytest.MonkeyPatch, name: str, fix: str
) -> None:
    monkeypatch.setenv(name, "1")
    line = refusal()
    assert name in line
    assert fix in line


def test_variables_of_training_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DATA", "/data")
    monkeypatch.setenv("SLUICE_DATA_MIRROR", "http://mirror")
    Settings.load()


def test_the_default_time_must_fit_into_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_MAX_TIMEOUT_S", "5")
    line = refusal()
    assert "SLUICE_TIMEOUT_S=10" in line
    assert "SLUICE_MAX_TIMEOUT_S=5" in line


@pytest.mark.parametrize(
    "name, value",
    [
        ("SLUICE_LOG_FORMAT", "xml"),
        ("SLUICE_RATE_LIMIT", "-1"),
        ("SLUICE_ADMIN_PORT", "65536"),
        ("SLUICE_CORS_ORIGINS", "a.example"),
        ("SLUICE_CORS_ORIGINS", "https://a.example/path"),
        ("SLUICE_API_KEYS_FILE", "/nowhere/keys"),
        ("SLUICE_API_KEYS_FILE", "/"),
    ],
)
def test_a_wrong_value_of_an_operator_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    line = refusal()
    assert line.startswith(f"{name}={value!r} ")
    assert "set it to " in line


def test_a_file_of_keys_with_a_bad_line_is_told_with_the_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text("# keys\nanna:secret\n")
    monkeypatch.setenv("SLUICE_API_KEYS_FILE", str(tmp_path / "keys"))
    line = refusal()
    assert "line 2 of " in line
    assert "secret" not in line


@pytest.mark.parametrize(
    "given, words",
    [
        ({"RATE_LIMIT": "5"}, ["SLUICE_RATE_LIMIT=5", "SLUICE_API_KEYS_FILE"]),
        ({"LOG_TEXTS": "true"}, ["SLUICE_LOG_TEXTS=true", "SLUICE_ACCESS_LOG=true"]),
        ({"MAX_CONNECTIONS": "1000000"}, ["SLUICE_MAX_CONNECTIONS=1000000", "ulimit -Hn"]),
    ],
)
def test_settings_that_contradict_each_other_are_told(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: list[str]
) -> None:
    monkeypatch.setattr("service.settings.most_open_files", lambda: 4_096)
    for name, value in given.items():
        monkeypatch.setenv(f"SLUICE_{name}", value)
    line = refusal()
    for word in words:
        assert word in line
