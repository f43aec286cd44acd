"""Cores that a process may use: what exists, what taskset leaves, what a container is allowed.

A container limited to two of sixty-four cores still sees sixty-four; as many threads would wait for
each other. Control groups v2 tell the limit in `cpu.max`, v1 in `cpu.cfs_quota_us` (cgroups(7)).
"""

import os
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """At least one; a limit of 1.5 cores makes one."""
    limits = [float(len(os.sched_getaffinity(0))), *quotas(_MOUNT, _MEMBERSHIP)]
    return max(1, int(min(limits)))


def quotas(mount: Path, membership: Path) -> list[float]:
    """Cores that the control groups of this process allow, where they limit them at all."""
    folders = [mount, mount / "cpu", mount / "cpu,cpuacct"]
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if not controllers:
            folders.append(mount / inside)
        elif "cpu" in controllers.split(","):
            folders += [mount / controllers / inside, mount / "cpu" / inside]
    found = [quota for folder in folders for quota in (_v2(folder), _v1(folder))]
    return [quota for quota in found if quota is not None]


def _v2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdecimal() else None


def _v1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
