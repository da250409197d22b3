"""The work of importing a file, estimated from its ending and size without opening it.

Runs are cut and progress is weighed by it, so the proportions between files matter more than the sum. The sizes that a
format usually has are in the table: an estimate is wrong by a factor of two for an odd bit rate, and that does no harm.
"""

from pathlib import PurePosixPath

FILE_S = 0.05
"""unit=s: CPU time that any file takes, however short."""
OTHER_S_PER_MB = 0.06
"""unit=s: CPU time per megabyte of a format that is not in the table; that of usual lossy files."""
_S_PER_MB = {
    "aif": 0.008, "aifc": 0.008, "aiff": 0.008, "au": 0.008, "avr": 0.008, "bwf": 0.008, "caf": 0.008, "ircam": 0.008,
    "nist": 0.008, "paf": 0.008, "rf64": 0.008, "snd": 0.008, "sph": 0.008, "w64": 0.008, "wav": 0.008, "wave": 0.008,
    "dff": 0.01, "dsf": 0.01,
    "flac": 0.025, "shn": 0.025, "tak": 0.025, "tta": 0.025, "wv": 0.03, "ape": 0.06,
    "ac3": 0.05, "dts": 0.02, "eac3": 0.05, "mp3": 0.06, "m4a": 0.06, "wma": 0.06,
    "oga": 0.08, "ogg": 0.08, "opus": 0.15,
    "amr": 1.0, "awb": 0.6, "spx": 0.5,
}  # fmt: skip
"""unit=s: CPU time per megabyte. docs/benchmarks/import.md has it per minute of audio; the bit rates are usual ones."""
_MEGABYTE = 1_000_000


def estimate_work_s(path: str, size_bytes: int) -> float:
    """Estimate the CPU time that all phases of a file take together.

    Parameters
    ----------
    path : str
        Its ending names the format.
    size_bytes : int
        Size of the file.

    Returns
    -------
    float
        In seconds of one core, at least `FILE_S`.

    Examples
    --------
    >>> round(estimate_work_s("Album/01 Four minutes.mp3", 7_000_000), 2)
    0.47
    >>> round(estimate_work_s("Album of 75 minutes.FLAC", 400_000_000))
    10
    """
    ending = PurePosixPath(path).suffix.lower().removeprefix(".")
    return FILE_S + _S_PER_MB.get(ending, OTHER_S_PER_MB) * size_bytes / _MEGABYTE
