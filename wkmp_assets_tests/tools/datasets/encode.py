"""Encode samples to a file, the same bytes each time for the same library versions.

Lossless formats and Vorbis go through libsndfile, whose wheel has the reference encoders (libFLAC and
libvorbis); MP3, AAC and Opus through libav (LAME, libav's own AAC, libopus). Tags are written elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags
from mutagen import ogg
from numpy.typing import NDArray

from wkmp_assets_tests.tools.datasets.pcm import Pcm

BLOCK_FRAMES = 65_536


@dataclass(frozen=True)
class AudioFormat:
    """How one format is written.

    Parameters
    ----------
    name : str
        As the manifests call it.
    suffix : str
        Ending of the file name, with the dot.
    codec : str
        Encoder and container: libav's names, or libsndfile's container and subtype.
    bit_rate : >= 0
        Bits per second for a lossy stereo file; 0 for lossless formats.
    lossless : bool
        Whether the decoded length equals the encoded one.
    """

    name: str
    suffix: str
    codec: tuple[str, str]
    bit_rate: int = 0
    lossless: bool = False


FORMATS = {
    form.name: form
    for form in (
        AudioFormat("FLAC", ".flac", ("FLAC", "PCM_16"), lossless=True),
        AudioFormat("WAV", ".wav", ("WAV", "PCM_16"), lossless=True),
        AudioFormat("OGG Vorbis", ".ogg", ("OGG", "VORBIS")),
        AudioFormat("MP3", ".mp3", ("libmp3lame", "mp3"), 192_000),
        AudioFormat("AAC", ".m4a", ("aac", "ipod"), 160_000),
        AudioFormat("Opus", ".opus", ("libopus", "ogg"), 112_000),
    )
}


def encode(pcm: Pcm, target: Path, form: AudioFormat, *, bits: int = 16) -> None:
    """Write samples to a file in the given format; clips at full scale.

    Parameters
    ----------
    pcm : Pcm
        Mono or stereo. Opus takes 48 kHz only, among common rates.
    target : Path
        Replaced if it exists.
    form : AudioFormat
        One of `FORMATS`.
    bits : {16, 24}
        Sample size for FLAC and WAV; ignored by the others.
    """
    clipped = Pcm(np.clip(pcm.samples, -1.0, 1.0), pcm.rate)
    if form.bit_rate:
        _encode_with_libav(clipped, target, form)
        return
    container, subtype = form.codec
    _encode_with_libsndfile(clipped, target, container, subtype if bits == 16 else f"PCM_{bits}")
    if container == "OGG":
        _fix_ogg_serial(target)


def encoder_versions() -> dict[str, str]:
    """Name the libraries whose versions decide the encoded bytes."""
    libav = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {
        "pyav": av.__version__,
        "libavcodec": libav["libavcodec"],
        "libavformat": libav["libavformat"],
        "soundfile": soundfile.__version__,
        "libsndfile": soundfile.__libsndfile_version__,
    }


def _encode_with_libsndfile(pcm: Pcm, target: Path, container: str, subtype: str) -> None:
    with soundfile.SoundFile(
        target, "w", samplerate=pcm.rate, channels=pcm.channels, format=container, subtype=subtype
    ) as file:
        for block in _blocks(pcm):
            file.write(_integers(block, subtype))


def _integers(block: NDArray[np.float32], subtype: str) -> NDArray[Any]:
    # Rounded here rather than by the library, so that the samples in the file can be predicted.
    wide = block.astype(np.float64)
    if subtype == "PCM_16":
        narrow: NDArray[np.int16] = np.rint(wide * 32_767.0).astype(np.int16)
        return narrow
    if subtype == "PCM_24":
        # libsndfile takes the upper three bytes of four.
        whole: NDArray[np.int32] = np.rint(wide * 8_388_607.0).astype(np.int32)
        return whole * np.int32(256)
    return block


def _encode_with_libav(pcm: Pcm, target: Path, form: AudioFormat) -> None:
    codec, container_format = form.codec
    layout = "mono" if pcm.channels == 1 else "stereo"
    # bitexact: no creation time, no encoder version, no random stream number.
    options = {"fflags": "+bitexact"}
    if container_format == "mp3":
        options["id3v2_version"] = "0"  # otherwise an empty tag is written
    with av.open(target, "w", format=container_format, options=options) as container:
        stream = container.add_stream(codec, rate=pcm.rate, layout=layout)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{codec} is not an audio encoder")
        stream.bit_rate = form.bit_rate * pcm.channels // 2
        stream.codec_context.flags |= Flags.bitexact
        position = 0
        for block in _blocks(pcm):
            planes = np.ascontiguousarray(block.T)
            frame = AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
            frame.sample_rate = pcm.rate
            frame.pts = position
            position += block.shape[0]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _blocks(pcm: Pcm) -> Iterator[NDArray[np.float32]]:
    # libvorbis inside libsndfile overflows its stack on a whole track at once.
    for start in range(0, pcm.frames, BLOCK_FRAMES):
        yield pcm.samples[start : start + BLOCK_FRAMES]


def _fix_ogg_serial(path: Path) -> None:
    # libsndfile draws the stream's serial number from the clock.
    read_page: Any = ogg.OggPage  # unannotated
    pages: list[bytes] = []
    with path.open("rb") as source:
        while True:
            try:
                page = read_page(source)
            except EOFError:
                break
            page.serial = 1
            pages.append(page.write())
    path.write_bytes(b"".join(pages))
