"""The power of sound after the K-weighting of ITU-R BS.1770-5, in slots of 100 ms.

The K-weighting is recursive, sample by sample. Over a block of samples it is linear: its output is that of the block's
own samples, and of the four numbers that it keeps from the block before. Only the energy of the output is needed, and
above some 4 kHz the filter is flat. So the energy of a block is that of its samples times a constant, less the squares
of the block's products with two dozen curves of low frequency. That is a third of the products that the output takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from wkmp_assets.audio.k_weighting import STATE, state_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOTS_PER_S = 10
"""Gating blocks of 400 ms overlap by 75 %."""
BLOCKS_PER_S = 700
"""About so many: longer blocks cost more products, shorter ones more states."""
MIN_BLOCK_SAMPLES, MAX_BLOCK_SAMPLES = 10, 512
"""The curves of a longer block would take seconds to find."""
CURVES = 24
"""At 44.1 kHz the power of no frequency is off by more than 0.05 % (0.002 dB). A shorter block needs no more than its
samples, and is exact."""
PAIRS = STATE // 2
"""Each filter has its own pair of the state."""


@dataclass(frozen=True)
class BlockForm:
    """The energy of a block after the K-weighting at one rate, as a quadratic form of its samples and the state."""

    block_samples: int
    slot_blocks: int
    gain: float
    """What the energy of the samples counts, where the filter is flat."""
    rows: NDArray[np.float32]
    """shape=(curves + 2 * STATE, block). A block's products with the curves are to be squared and subtracted, with the
    next ones multiplied by the state before the block and added; with the last ones they are the state after it."""
    ringing: NDArray[np.float64]
    """shape=(STATE, STATE): the form of the state alone."""
    states: NDArray[np.float64]
    """shape=(PAIRS, 2 * slot_blocks, 2 * (slot_blocks + 1)): what each block of a slot adds to a pair before each block
    and after the last. Rows and columns go by number of the pair, then by block."""
    decay: NDArray[np.float64]
    """shape=(PAIRS, 2, 2 * (slot_blocks + 1)): the pair before a slot to its share of the same."""

    @property
    def slot_samples(self) -> int:
        """Samples of a slot."""
        return self.block_samples * self.slot_blocks


@lru_cache(maxsize=4)
def block_form(sample_rate_hz: int) -> BlockForm:
    """Return the form for a rate.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000

    Returns
    -------
    BlockForm
        Its slot lasts 100 ms, where that is a whole number of blocks; else it is up to half a block longer or shorter.
    """
    block, blocks = _divide(sample_rate_hz)
    step, source, sink, direct = state_space(sample_rate_hz)
    powers = [np.linalg.matrix_power(step, number) for number in range(block + 1)]
    response = np.array([direct, *(float(sink @ power @ source) for power in powers[: block - 1])])
    late = np.arange(block) - np.arange(block)[:, None]
    output = np.where(late >= 0, response[late], 0.0)
    of_state = np.array([sink @ power for power in powers[:block]]).T
    update = np.array([powers[block - 1 - early] @ source for early in range(block)]).T
    gains, curves = np.linalg.eigh(output @ output.T)
    count = min(CURVES, block)
    flat = gains[count:] if count < block else gains[-1:]
    gain = float(flat.min() + flat.max()) / 2
    low = curves[:, :count] * np.sqrt(np.maximum(gain - gains[:count], 0.0))
    after_blocks = [np.linalg.matrix_power(powers[block], number) for number in range(blocks + 1)]
    pairs = [slice(0, 2), slice(2, 4)]
    jumps = [np.array([after[pair, pair] for after in after_blocks]) for pair in pairs]
    return BlockForm(
        block,
        blocks,
        gain,
        np.vstack([low.T, 2 * of_state @ output.T, update]).astype(np.float32),
        of_state @ of_state.T,
        np.array([_states(of_pair) for of_pair in jumps]),
        np.array([of_pair.transpose(2, 1, 0).reshape(2, -1) for of_pair in jumps]),
    )


def _divide(sample_rate_hz: int) -> tuple[int, int]:
    """Return the samples of a block, and the blocks of a slot."""
    slot = sample_rate_hz / SLOTS_PER_S
    usual = min(max(sample_rate_hz / BLOCKS_PER_S, MIN_BLOCK_SAMPLES), MAX_BLOCK_SAMPLES)
    lengths = range(max(MIN_BLOCK_SAMPLES, round(0.75 * usual)), round(1.5 * usual) + 1)
    block = min(lengths, key=lambda length: (abs(round(slot / length) * length - slot), abs(length - usual)))
    return block, round(slot / block)


def _states(jumps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `BlockForm.states` of one pair; `jumps` are the powers of its step over a block."""
    blocks = len(jumps) - 1
    states = np.zeros((2, blocks, 2, blocks + 1))
    for early in range(blocks):
        states[:, early, :, early + 1 :] = jumps[: blocks - early].transpose(2, 1, 0)
    return states.reshape(2 * blocks, -1)


class KWeightedPower:
    """Measures the power of successive slots of a stream.

    Parameters
    ----------
    sample_rate_hz : int, >= 1000
        Of the stream.
    channels : int, > 0
    """

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._form = block_form(sample_rate_hz)
        self._state = np.zeros((PAIRS, channels, 2))

    @property
    def slot_samples(self) -> int:
        """Samples of a slot."""
        return self._form.slot_samples

    def measure(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean square of each slot after the filter.

        Parameters
        ----------
        samples : shape=(channels, slots * slot_samples), slots > 0
            The next ones of the stream.

        Returns
        -------
        array, shape=(channels, slots), range >= 0
        """
        form, channels = self._form, len(samples)
        curves = len(form.rows) - 2 * STATE
        products = form.rows @ samples.reshape(-1, form.block_samples).T
        low, coupling, updates = products[:curves], products[curves:-STATE], products[-STATE:]
        before = self._advance(updates.astype(np.float64).reshape(STATE, channels, -1))
        energy = np.einsum("kb,kb->b", before, form.ringing @ before + coupling) - np.einsum("kb,kb->b", low, low)
        by_slot = samples.reshape(channels, -1, form.slot_samples)
        total = form.gain * np.vecdot(by_slot, by_slot)
        total = total + energy.reshape(channels, -1, form.slot_blocks).sum(axis=2)
        return np.asarray(np.maximum(total, 0.0) / form.slot_samples)

    def _advance(self, updates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the state before each block, shape=(STATE, channels * blocks), and keep the one after the last."""
        blocks, channels = self._form.slot_blocks, updates.shape[1]
        by_slot = updates.reshape(PAIRS, 2, channels, -1, blocks).transpose(0, 2, 3, 1, 4)
        found = by_slot.reshape(PAIRS, -1, 2 * blocks) @ self._form.states
        by_number = found.reshape(PAIRS, channels, -1, 2, blocks + 1)
        # Of what a filter keeps, 1e-10 is left after a slot, so that only the slot before counts.
        earlier = np.concatenate([self._state[:, :, None], by_number[:, :, :-1, :, -1]], axis=2)
        found += earlier.reshape(PAIRS, -1, 2) @ self._form.decay
        self._state = by_number[:, :, -1, :, -1].copy()
        return by_number[..., :-1].transpose(0, 3, 1, 2, 4).reshape(STATE, -1)
