"""Limits of containers, as both versions of control groups tell them."""

import os
from pathlib import Path

import pytest

from service.cores import quotas, usable_cores


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


@pytest.mark.parametrize(
    "files, membership, expected",
    [
        ({"cpu.max": "150000 100000"}, "0::/", [1.5, 1.5]),
        ({"cpu.max": "max 100000"}, "0::/", []),
        ({"pod/a/cpu.max": "200000 100000"}, "0::/pod/a", [2.0]),
        (
            {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"},
            "4:cpu,cpuacct:/docker/1\n3:memory:/docker/1",
            [0.5],
        ),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu:/", []),
        ({}, "", []),
    ],
)
def test_the_limit_of_a_container_is_found(
    tmp_path: Path, files: dict[str, str], membership: str, expected: list[float]
) -> None:
    write(tmp_path, {**files, "self": membership})
    assert quotas(tmp_path, tmp_path / "self") == expected


def test_a_process_outside_of_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert quotas(tmp_path, tmp_path / "none") == []


def test_there_is_always_a_core_and_never_more_than_exist() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
