"""Metrics of the processes themselves: what the workers use of this machine, read when asked for.

prometheus_client leaves its own process metrics out where several workers share their metrics.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import psutil
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class WorkerProcesses(Collector):
    """The workers: this process and its siblings, which have the supervisor as parent."""

    def collect(self) -> Iterator[Metric]:
        workers = [_told(worker) for worker in _siblings()]
        alive = [told for told in workers if told]
        yield GaugeMetricFamily("sluice_workers", "Worker processes alive", len(alive))
        yield GaugeMetricFamily(
            "sluice_resident_memory_bytes",
            "Resident memory of all workers",
            sum(told["memory_info"].rss for told in alive),
        )
        yield CounterMetricFamily(
            "sluice_cpu_seconds",
            "CPU time of the workers that are alive",
            sum(told["cpu_times"].user + told["cpu_times"].system for told in alive),
        )
        yield GaugeMetricFamily(
            "sluice_worker_start_time_seconds",
            "Start of the youngest worker since the epoch: it moves when one is started again",
            max((told["create_time"] for told in alive), default=0.0),
        )
        yield GaugeMetricFamily(
            "sluice_open_files",
            "Open files and sockets of all workers",
            sum(told["num_fds"] for told in alive),
        )


class Gpus(Collector):
    """The GPUs of this machine, as NVML tells of them; nothing where there is none."""

    def collect(self) -> Iterator[Metric]:
        busy = GaugeMetricFamily(
            "sluice_gpu_utilization_ratio", "Share of time that a GPU computes", labels=["gpu"]
        )
        memory = GaugeMetricFamily(
            "sluice_gpu_memory_used_bytes", "Memory of a GPU in use", labels=["gpu"]
        )
        nvml = _nvml()
        for index in range(nvml.nvmlDeviceGetCount() if nvml else 0):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            busy.add_metric([str(index)], nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100)
            memory.add_metric([str(index)], nvml.nvmlDeviceGetMemoryInfo(handle).used)
        yield from (busy, memory) if nvml else ()


def _siblings() -> list[psutil.Process]:
    """This process first: a child of something else than a supervisor counts alone."""
    own = psutil.Process()
    command = _command(own)
    parent = own.parent()
    found = parent.children() if parent else []
    return [own, *(process for process in found if process != own and _command(process) == command)]


def _command(process: psutil.Process) -> list[str]:
    """Program and module: what comes behind tells one worker from another."""
    try:
        return list(process.cmdline()[:3])
    except psutil.Error:
        return []


def _told(process: psutil.Process) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = process.as_dict(
            ["memory_info", "cpu_times", "create_time", "num_fds"], ad_value=None
        )
    except psutil.Error:
        return None
    return None if None in told.values() else told


@cache
def _nvml() -> Any:
    """The NVML binding, None without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
