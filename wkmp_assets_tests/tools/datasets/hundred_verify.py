"""Compare the files of a built library with its manifest: sizes, lengths, planted silences, duplicates."""

from pathlib import Path
from typing import Any

from wkmp_assets_tests.tools.datasets.encode import FORMATS
from wkmp_assets_tests.tools.datasets.pcm import NoAudioDecodedError, Pcm, read_pcm, window_levels_dbfs

LOSSY_TOLERANCE_S = 0.2
# Lossy codecs smear the edges of a silence by a frame or two.
EDGE_S = 0.1
SILENT_DBFS = -60.0
MUSIC_DBFS = -40.0


def find_problems(root: Path, entries: list[dict[str, Any]]) -> list[str]:
    """Decode every file and describe what does not agree with the manifest; empty when all is well."""
    return [f"{entry['path']}: {problem}" for entry in entries for problem in _problems(root, entry)]


def _problems(root: Path, entry: dict[str, Any]) -> list[str]:
    path = root / entry["path"]
    if not path.is_file():
        return ["is missing"]
    problems = []
    if path.stat().st_size != entry["bytes"]:
        problems.append(f"has {path.stat().st_size} bytes, not {entry['bytes']}")
    if entry["duplicate_of"] and path.read_bytes() != (root / entry["duplicate_of"]).read_bytes():
        problems.append(f"differs from {entry['duplicate_of']}")
    try:
        pcm = read_pcm(path)
    except NoAudioDecodedError:
        return [*problems, "does not decode"]
    if (pcm.rate, pcm.channels) != (entry["sample_rate"], entry["channels"]):
        problems.append(f"has {pcm.channels} channels at {pcm.rate} Hz")
    return problems + _length_problems(pcm, entry) + _gap_problems(pcm, entry)


def _length_problems(pcm: Pcm, entry: dict[str, Any]) -> list[str]:
    difference = pcm.frames - entry["duration_samples"]
    allowed = 0 if FORMATS[entry["format"]].lossless else round(LOSSY_TOLERANCE_S * pcm.rate)
    return [f"is {difference} frames longer than its source"] if abs(difference) > allowed else []


def _gap_problems(pcm: Pcm, entry: dict[str, Any]) -> list[str]:
    edge = round(EDGE_S * pcm.rate)
    problems = []
    for start, end in entry["planted_gaps"]:
        inside = window_levels_dbfs(pcm.samples[start + edge : end - edge], edge // 4)
        before = window_levels_dbfs(pcm.samples[start - edge : start], edge)
        after = window_levels_dbfs(pcm.samples[end : end + edge], edge)
        if inside.max() > SILENT_DBFS:
            problems.append(f"is not silent in {start}-{end}: {inside.max():.0f} dBFS")
        if min(before.max(), after.max()) < MUSIC_DBFS:
            problems.append(f"has no music right beside {start}-{end}")
    return problems
