"""One ONNX Runtime session whose provider has been verified."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from service.engine.errors import BatchMismatch, ProviderUnavailable

Device = Literal["auto", "cpu", "cuda"]
Tensor = NDArray[Any]

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_CUDA_OPTIONS = {"use_tf32": "0"}
"""Full precision: TF32, ONNX Runtime's default, rounds products to ten bits, and answers would
depend on the device."""


def share_threads(count: int) -> None:
    """One pool of `count` threads for all sessions of the process; call before any is opened.

    Sessions with pools of their own spin against each other: 160-190 requests/s where one shared
    pool gives 340 (encoder and decoder, two cores).
    """
    ort.set_default_logger_severity(3)
    ort.set_global_thread_pool_sizes(count, 1)


class Session:
    """A graph opened on one device."""

    def __init__(self, session: ort.InferenceSession, device: Literal["cpu", "cuda"]) -> None:
        self._session = session
        self.device = device
        self.output_names = [output.name for output in session.get_outputs()]

    @classmethod
    def open(cls, path: Path, device: Device, *, shared_pool: bool = True) -> "Session":
        """Open `path` on `device`; `auto` takes CUDA where a session really runs on it.

        ProviderUnavailable if `cuda` is asked for and the opened session lacks it: ONNX Runtime
        itself would log a line and run on the CPU.
        """
        if device == "cpu" or (device == "auto" and not cuda_is_built_in()):
            return cls(_open(path, "cpu", shared_pool), "cpu")
        session = _open(path, "cuda", shared_pool) if cuda_is_built_in() else None
        found = session.get_providers() if session else ort.get_available_providers()
        if session and _PROVIDERS["cuda"] in found:
            return cls(session, "cuda")
        if device == "cuda":
            raise ProviderUnavailable("cuda", found)
        return cls(_open(path, "cpu", shared_pool), "cpu")

    @classmethod
    def of_bytes(cls, graph: bytes, device: Literal["cpu", "cuda"]) -> "Session":
        """Open a graph of our own making where another session runs."""
        return cls(_open(graph, device, shared_pool=False), device)

    def to_device(self, array: Tensor) -> ort.OrtValue:
        """A copy of `array` where this session runs."""
        return ort.OrtValue.ortvalue_from_numpy(array, self.device, 0)

    def run_bound(self, inputs: Mapping[str, Any]) -> ort.OrtValue:
        """The one output, left on the device; inputs are arrays or tensors of the device."""
        bound, _ = self.run_partly_bound(inputs, self.output_names[0], [])
        return bound

    def run_partly_bound(
        self, inputs: Mapping[str, Any], kept: str, outputs: Sequence[str]
    ) -> tuple[ort.OrtValue, dict[str, Tensor]]:
        """Output `kept`, left on the device, and the others named, brought to the host."""
        binding = self._session.io_binding()
        for name, value in inputs.items():
            if isinstance(value, ort.OrtValue):
                binding.bind_ortvalue_input(name, value)
            else:
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
        binding.bind_output(kept, self.device)
        for name in outputs:
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        first, *others = binding.get_outputs()
        found = [value.numpy() for value in others]
        return first, dict(zip(outputs, found, strict=True))

    def run(
        self, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """The outputs named, or all of them."""
        names = self.output_names if outputs is None else outputs
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))


def pad_rows(arrays: Sequence[Tensor], *, to: int | None = None) -> Tensor:
    """Stack arrays (length, …) into (rows, longest, …), zeros behind each."""
    longest = to if to is not None else max(len(array) for array in arrays)
    stacked = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: len(array)] = array
    return stacked


def require_rows(sent: int, outputs: Mapping[str, Tensor]) -> None:
    """BatchMismatch unless each output has as many rows as were sent."""
    for array in outputs.values():
        if len(array) != sent:
            raise BatchMismatch(sent, len(array))


def cuda_is_built_in() -> bool:
    """True if this onnxruntime could run on CUDA; whether it does, only a session can tell."""
    return _PROVIDERS["cuda"] in ort.get_available_providers()


def _open(path: Path | bytes, device: str, shared_pool: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.use_per_session_threads = not shared_pool
    if not shared_pool:
        options.intra_op_num_threads = 1
    providers: list[Any] = [_PROVIDERS["cpu"]]
    if device == "cuda":
        providers.insert(0, (_PROVIDERS["cuda"], _CUDA_OPTIONS))
    return ort.InferenceSession(path, options, providers=providers)
