"""The tensors of the rows in flight on a GPU, where they stay from step to step."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from service.bundle import LATEST_IR
from service.engine.search import Floats, Slots
from service.engine.session import Session, Tensor, pad_rows, require_rows

_OPSET = 18


class DeviceStates:
    """Like `HostStates`, with memory and state as tensors of the decoder's device.

    Only tokens, scores and indices cross to the host. Rows are joined and moved by two tiny graphs
    that run on the device too, so that no other library needs to be installed for it.
    """

    def __init__(self, decoder: Session) -> None:
        self._decoder = decoder
        self._join_states, self._join_memory = _opened(decoder, join=True)
        self._pick_states, self._pick_memory = _opened(decoder, join=False)
        self._state: ort.OrtValue | None = None
        self._memory: ort.OrtValue | None = None
        self._lengths: NDArray[np.int64] = np.zeros(0, np.int64)
        self._source: NDArray[np.int64] = np.zeros(0, np.int64)
        self._joined = 0

    def join(self, memory: Sequence[Floats], state: Floats) -> None:
        lengths = [len(part) for part in memory]
        if not len(self._lengths):
            self._state = self._decoder.to_device(state)
            self._memory = self._decoder.to_device(pad_rows(memory))
        else:
            before = self._longest()
            longest = max(before, *lengths)
            padded = pad_rows(memory, to=longest)
            self._state = self._join_states.run_bound(_joining(self._state, state, 0))
            growth = longest - before
            self._memory = self._join_memory.run_bound(_joining(self._memory, padded, growth))
        self._lengths = np.concatenate([self._lengths, np.array(lengths, np.int64)])
        new = np.arange(self._joined, self._joined + len(memory))
        self._source = np.concatenate([self._source, new])
        self._joined += len(memory)

    def step(
        self, previous: NDArray[np.int64], k: int, outputs: Sequence[str]
    ) -> dict[str, Tensor]:
        feeds = {
            "previous": previous,
            "state": self._state,
            "memory": self._memory,
            "memory_lengths": self._lengths,
            "k": np.array([k], np.int64),
        }
        self._state, found = self._decoder.run_partly_bound(feeds, "next_state", outputs)
        require_rows(len(previous), found)
        return found

    def arrange(self, parents: Slots) -> None:
        if not len(parents):
            self._state = self._memory = None
        else:
            index = parents.astype(np.int64)
            self._state = self._pick_states.run_bound({"rows": self._state, "index": index})
            if len(parents) != len(self._source) or (self._source[parents] != self._source).any():
                self._memory = self._pick_memory.run_bound({"rows": self._memory, "index": index})
        self._lengths, self._source = self._lengths[parents], self._source[parents]

    def _longest(self) -> int:
        assert self._memory is not None
        return int(self._memory.shape()[1])


def _joining(rows: ort.OrtValue | None, new: Floats, growth: int) -> dict[str, object]:
    """Feeds of the joining graph; the time axis, where there is one, grows by `growth`."""
    ends = [0] * new.ndim
    if new.ndim == 3:
        ends[1] = growth
    pads = np.array([0] * new.ndim + ends, np.int64)
    return {"rows": rows, "new": new, "pads": pads}


def _opened(decoder: Session, *, join: bool) -> tuple[Session, Session]:
    """The graph for states (rows, size), and the one for memories (rows, time, width)."""
    states, memory = (
        Session.of_bytes(_graph(rank, join=join).SerializeToString(), decoder.device)
        for rank in (2, 3)
    )
    return states, memory


def _graph(rank: int, *, join: bool) -> onnx.ModelProto:
    axes = [f"axis{i}" for i in range(rank)]

    def value(name: str, kind: int, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, list(shape))

    rows = value("rows", TensorProto.FLOAT, axes)
    if join:
        inputs = [
            rows,
            value("new", TensorProto.FLOAT, ["more", "longer", *axes[2:]][:rank]),
            value("pads", TensorProto.INT64, [2 * rank]),
        ]
        nodes = [
            helper.make_node("Pad", ["rows", "pads"], ["padded"]),
            helper.make_node("Concat", ["padded", "new"], ["moved"], axis=0),
        ]
    else:
        inputs = [rows, value("index", TensorProto.INT64, ["picked"])]
        nodes = [helper.make_node("Gather", ["rows", "index"], ["moved"], axis=0)]
    moved = value("moved", TensorProto.FLOAT, [f"moved{i}" for i in range(rank)])
    graph = helper.make_graph(nodes, "move", inputs, [moved])
    opset = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=LATEST_IR)
