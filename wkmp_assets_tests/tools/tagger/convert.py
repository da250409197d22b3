"""Write the data of the tagger from the released package `musicnn`, version 0.1.0.

    pip download --no-deps musicnn==0.1.0
    python -m wkmp_assets_tests.tools.tagger.convert musicnn-0.1.0-py3-none-any.whl

The package is not installed: it needs an old numpy and TensorFlow, while only its weights are wanted. Equal input gives
equal bytes.
"""

import hashlib
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from wkmp_assets.audio.flavor.tagger import BANDS, RHYTHM_FRAMES
from wkmp_assets_tests.tools.tagger.checkpoint import read_checkpoint

MODEL = "musicnn/MSD_musicnn"
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
SHA256 = {
    f"{MODEL}/.index": "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    f"{MODEL}/.data-00000-of-00001": "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
}
EPSILON = 1e-3
"""Of `tf.layers.batch_normalization`."""
RATE_HZ = 16_000
FFT_SAMPLES = 512
TARGET = Path("wkmp_assets/audio/flavor/musicnn")
EPOCH = (1980, 1, 1, 0, 0, 0)
LAYERS = {
    "timbre_38": ("conv2d", "batch_normalization_1"),
    "timbre_67": ("conv2d_1", "batch_normalization_2"),
    **{
        f"rhythm_{frames}": (f"conv2d_{number}", f"batch_normalization_{number + 1}")
        for number, frames in enumerate(RHYTHM_FRAMES, 2)
    },
    "middle_1": ("conv2d_5", "batch_normalization_6"),
    "middle_2": ("conv2d_6", "batch_normalization_7"),
    "middle_3": ("conv2d_7", "batch_normalization_8"),
    "dense": ("dense", "batch_normalization_10"),
}
"""Our name -> the layer of the checkpoint, and the normalisation after it."""

Tensors = dict[str, NDArray[np.float32]]


def main(wheel_path: Path) -> None:
    """Write `weights.npz`, `mel.npz` and the licence."""
    with zipfile.ZipFile(wheel_path) as wheel, tempfile.TemporaryDirectory() as folder:
        for name, expected in SHA256.items():
            content = wheel.read(name)
            if hashlib.sha256(content).hexdigest() != expected:
                raise ValueError(f"{name} is not the released one")
            (Path(folder) / Path(name).name).write_bytes(content)
        tensors = read_checkpoint(*(Path(folder) / Path(name).name for name in SHA256))
        licence = wheel.read(LICENCE)
    TARGET.mkdir(exist_ok=True)
    write_npz(TARGET / "weights.npz", convert(tensors))
    write_npz(TARGET / "mel.npz", {"bank": mel_bank()})
    (TARGET / "LICENSE.md").write_bytes(licence)


def convert(tensors: Tensors) -> Tensors:
    """Return the weights as `wkmp_assets.audio.flavor.tagger` reads them."""
    found = {
        "input": np.stack(_normalisation(tensors, "batch_normalization")),
        "pooled": np.stack(_normalisation(tensors, "batch_normalization_9")),
        "output.weights": tensors["dense_1/kernel"],
        "output.bias": tensors["dense_1/bias"],
    }
    for name, (layer, normalisation) in LAYERS.items():
        kernel = tensors[f"{layer}/kernel"]
        scale, shift = _normalisation(tensors, normalisation)
        found[f"{name}.weights"] = kernel.reshape(-1, kernel.shape[-1])
        found |= {f"{name}.bias": tensors[f"{layer}/bias"], f"{name}.scale": scale, f"{name}.shift": shift}
    return found


def _normalisation(tensors: Tensors, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    gamma, beta, mean, variance = (
        tensors[f"{name}/{part}"].astype(np.float64) for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


def mel_bank() -> NDArray[np.float32]:
    """Return the bands that the network was trained with, shape=(96, 257)."""
    bank: NDArray[np.float32] = librosa.filters.mel(sr=RATE_HZ, n_fft=FFT_SAMPLES, n_mels=BANDS)
    return bank


def write_npz(path: Path, arrays: Tensors) -> None:
    """Write arrays like `numpy.savez_compressed`, with a fixed date."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(array))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
