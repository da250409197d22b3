"""The K-weighting of ITU-R BS.1770-5 as matrices, and the weights of channels.

The two biquads are recursive, sample by sample. Over a block of samples they are linear, so that products of matrices
give the same output: of a block with its own samples, and of the four numbers that the filters keep between blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SLOTS_PER_S = 10
"""Energy is kept in slots of about 100 ms: gating blocks of 400 ms overlap by 75 %."""
STATE = 4
"""Numbers that both biquads together keep from one sample to the next: a pair for each, independent of the other."""
PAIRS = (slice(0, 2), slice(2, 4))
BLOCK_SAMPLES = 64
"""Samples of a block at the usual rates: a larger one costs more products, a smaller one more states."""
MAX_SLOT_BLOCKS = 300
"""Longer blocks are used at such rates that a slot would have more."""
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_SLOPE = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
"""The filters whose coefficients the recommendation prints for 48 kHz, as analogue ones; from libebur128 (MIT)."""
_SURROUND = 1.41
"""Annex 1, table 3: 1.5 dB more for loudspeakers at 60 to 120 degrees."""
_LFE = frozenset({"LFE", "LFE2"})
_SIDES = frozenset({"SL", "SR", "SDL", "SDR"})
_BACKS = frozenset({"BL", "BR"})


@dataclass(frozen=True)
class BlockFilter:
    """The K-weighting of one slot of samples at one rate; each matrix is applied to rows from the right."""

    block_samples: int
    slot_blocks: int
    output: NDArray[np.float32]
    """shape=(block, block): the block's samples to its output."""
    update: NDArray[np.float32]
    """shape=(block, STATE): the block's samples to what they add to the state after it."""
    of_state: NDArray[np.float32]
    """shape=(STATE, block): the state before a block to what it adds to the block's output."""
    states: tuple[NDArray[np.float64], ...]
    """For each pair, shape=(slot_blocks * 2, (slot_blocks + 1) * 2): a slot's updates to the pair before each block."""
    decay: tuple[NDArray[np.float64], ...]
    """For each pair, shape=(2, (slot_blocks + 1) * 2): the pair before a slot to its share of later ones."""

    @property
    def slot_samples(self) -> int:
        """Samples of a slot."""
        return self.block_samples * self.slot_blocks


@lru_cache(maxsize=4)
def block_filter(sample_rate_hz: int) -> BlockFilter:
    """Return the filter for a rate.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000

    Returns
    -------
    BlockFilter
        Its slot is a whole number of blocks, at most 2 % longer or shorter than 100 ms.
    """
    block = min(BLOCK_SAMPLES, 2 ** round(math.log2(sample_rate_hz / SLOTS_PER_S / 32)))
    while sample_rate_hz / SLOTS_PER_S / block > MAX_SLOT_BLOCKS:
        block *= 2
    blocks = round(sample_rate_hz / SLOTS_PER_S / block)
    step, source, sink, direct = _state_space(sample_rate_hz)
    powers = _powers(step, block)
    response = [direct, *(float(sink @ power @ source) for power in powers[: block - 1])]
    output = np.array([[response[late - early] if late >= early else 0.0 for late in range(block)]
                       for early in range(block)])  # fmt: skip
    jumps = [_powers(powers[block][pair, pair], blocks) for pair in PAIRS]
    return BlockFilter(
        block,
        blocks,
        output.astype(np.float32),
        np.array([powers[block - 1 - early] @ source for early in range(block)], np.float32),
        np.array([sink @ power for power in powers[:block]], np.float32).T.copy(),
        tuple(_states(of_pair) for of_pair in jumps),
        tuple(np.hstack([jump.T for jump in of_pair]) for of_pair in jumps),
    )


def _states(jumps: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return what each update of a slot adds to the pair before each later block; `jumps` are powers of one block."""
    blocks = len(jumps) - 1
    states = np.zeros((blocks * 2, (blocks + 1) * 2))
    for number in range(blocks):
        states[number * 2 : number * 2 + 2, number * 2 + 2 :] = np.hstack([one.T for one in jumps[: blocks - number]])
    return states


def biquads(sample_rate_hz: int) -> NDArray[np.float64]:
    """Return both filters of the K-weighting.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000
        At 48 kHz the coefficients are those of annex 1, tables 1 and 2.

    Returns
    -------
    array, shape=(2, 6)
        b0, b1, b2, a0, a1, a2 of the shelf and the high-pass. The shelf passes everything where it lies beyond half
        the rate.
    """
    shelf = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    if sample_rate_hz / 2 > _SHELF_HZ:
        k, high = math.tan(math.pi * _SHELF_HZ / sample_rate_hz), 10 ** (_SHELF_DB / 20)
        band, norm = high**_SHELF_SLOPE, 1 + k / _SHELF_Q + k * k
        above = (high + band * k / _SHELF_Q + k * k, 2 * (k * k - high), high - band * k / _SHELF_Q + k * k)
        shelf = [one / norm for one in (*above, norm, 2 * (k * k - 1), 1 - k / _SHELF_Q + k * k)]
    k = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate_hz)
    norm = 1 + k / _HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / _HIGH_PASS_Q + k * k) / norm]
    return np.array([shelf, high_pass])


def channel_weights(names: Sequence[str]) -> NDArray[np.float64]:
    """Return by how much the energy of each channel counts.

    Parameters
    ----------
    names : sequence of str
        FFmpeg's names of the channels, in order, such as `FL` or `LFE`; unknown ones count once.

    Returns
    -------
    array, shape=(channels,)
        1.41 for surround channels, 0 for low-frequency effects, else 1. Back channels are the surround of a layout
        without side channels.
    """
    surround = _SIDES if _SIDES.intersection(names) else _BACKS
    return np.array([0.0 if name in _LFE else _SURROUND if name in surround else 1.0 for name in names])


def _state_space(
    sample_rate_hz: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Return both biquads in series: next = step @ state + source * x, and y = sink @ state + direct * x.

    The second one's input depends on the state of the first one. A change of basis takes that out, so that `step` has
    two blocks on its diagonal.
    """
    first, second = (
        (np.array([[-a1, 1.0], [-a2, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0]), b0)
        for b0, b1, b2, _, a1, a2 in biquads(sample_rate_hz)
    )
    read = np.array([1.0, 0.0])
    # second = other + mix @ first, where second[0] @ mix + outer(second[1], read) = mix @ first[0].
    equations = np.kron(second[0], np.eye(2)) - np.kron(np.eye(2), first[0].T)
    mix = np.linalg.solve(equations, -np.outer(second[1], read).ravel()).reshape(2, 2)
    step = np.zeros((STATE, STATE))
    step[:2, :2], step[2:, 2:] = first[0], second[0]
    source = np.concatenate([first[1], second[1] * first[2] - mix @ first[1]])
    sink = np.concatenate([second[2] * read + read @ mix, read])
    return step, source, sink, float(first[2] * second[2])


def _powers(matrix: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    powers = [np.eye(len(matrix))]
    for _ in range(count):
        powers.append(matrix @ powers[-1])
    return powers
