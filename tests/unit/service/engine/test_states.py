"""Rows on a device are the rows in memory; on the CPU here, which binds tensors alike."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle import load_bundle
from service.engine.device_states import DeviceStates
from service.engine.session import Session
from service.engine.states import HostStates
from tests.tiny_bundles import write_translation


@pytest.fixture
def both(tmp_path: Path) -> tuple[HostStates, DeviceStates, Session]:
    bundle = load_bundle(write_translation(tmp_path))
    spec = bundle.manifest.decoding
    assert spec is not None
    decoder = Session.open(bundle.graph("decoder", "fp32"), "cpu", shared_pool=False)
    host = HostStates(decoder, spec.state_size, spec.memory_size)
    return host, DeviceStates(decoder), decoder


def test_any_joins_and_moves_leave_both_alike(
    both: tuple[HostStates, DeviceStates, Session],
) -> None:
    host, device, _ = both
    random = np.random.default_rng(5)
    state_size, width = host._state.shape[1], host._memory.shape[2]
    rows = 0
    for _ in range(150):
        if rows < 20 and random.random() < 0.6:
            lengths = random.integers(1, 30, random.integers(1, 4)).tolist()
            memory = [random.random((length, width)).astype(np.float32) for length in lengths]
            state = random.random((len(lengths), state_size)).astype(np.float32)
            host.join(memory, state)
            device.join(memory, state)
            rows += len(lengths)
        if rows:
            previous = random.integers(0, 5, rows)
            told = [states.step(previous, 2, ["scores", "tokens"]) for states in (host, device)]
            np.testing.assert_array_equal(told[0]["tokens"], told[1]["tokens"])
            np.testing.assert_allclose(told[0]["scores"], told[1]["scores"], rtol=1e-5)
            parents = random.integers(0, rows, random.integers(0, rows + 1))
            host.arrange(parents)
            device.arrange(parents)
            rows = len(parents)


def test_a_long_source_that_left_leaves_no_room_behind(
    both: tuple[HostStates, DeviceStates, Session],
) -> None:
    host, _, _ = both
    state_size, width = host._state.shape[1], host._memory.shape[2]
    memory = [np.ones((length, width), np.float32) for length in (3, 90)]
    host.join(memory, np.ones((2, state_size), np.float32))
    assert host._memory.shape[1] >= 90
    host.arrange(np.array([0]))
    assert host._memory.shape[1] <= 8
