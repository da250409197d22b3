"""Many small files at once, which can or cannot be imported."""

import math
import struct
import wave
from pathlib import Path

RATE_HZ = 8_000


def tone(path: Path, pitch_hz: float) -> None:
    """Write half a second of sound that no other file has."""
    samples = (int(12_000 * math.sin(2 * math.pi * pitch_hz * n / RATE_HZ)) for n in range(RATE_HZ // 2))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


def break_file(path: Path) -> None:
    path.write_text(f"this is no music, and no other file says {path.name}", encoding="utf-8")
