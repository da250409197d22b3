"""The work of importing a file, estimated from its ending and size without opening it.

Runs are cut and progress is weighed by it, so the proportions between files matter more than the sum. The sizes that a
format usually has are in the table: an estimate is wrong by a factor of two for an odd bit rate, and that does no harm.
"""

from pathlib import PurePosixPath

FILE_S = 0.05
"""unit=s: CPU time that any file takes, however short."""
OTHER_S_PER_MB = 0.15
"""unit=s: CPU time per megabyte of a format that is not in the table; that of usual lossy files."""
_S_PER_MB = {
    "aif": 0.03, "aifc": 0.03, "aiff": 0.03, "au": 0.03, "avr": 0.03, "bwf": 0.03, "caf": 0.03, "ircam": 0.03,
    "nist": 0.03, "paf": 0.03, "rf64": 0.03, "snd": 0.03, "sph": 0.03, "w64": 0.03, "wav": 0.03, "wave": 0.03,
    "dff": 0.025, "dsf": 0.025,
    "flac": 0.06, "shn": 0.06, "tak": 0.06, "tta": 0.06, "wv": 0.075, "ape": 0.12,
    "ac3": 0.15, "dts": 0.05, "eac3": 0.15, "mp3": 0.15, "m4a": 0.15, "wma": 0.15,
    "oga": 0.2, "ogg": 0.2, "opus": 0.35,
    "amr": 2.5, "awb": 1.5, "spx": 1.2,
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
    1.1
    >>> round(estimate_work_s("Album of 75 minutes.FLAC", 400_000_000))
    24
    """
    ending = PurePosixPath(path).suffix.lower().removeprefix(".")
    return FILE_S + _S_PER_MB.get(ending, OTHER_S_PER_MB) * size_bytes / _MEGABYTE
