"""Measure files with librosa's usual features, as JSON. Runs in an environment of its own, without this package.

`python peer_features.py FILE...`; one line with the number of files that were read.
"""

import sys
import warnings
from concurrent.futures import ProcessPoolExecutor

RATE_HZ = 22_050


def has_features(path: str) -> bool:
    """Measure tempo, chromagram, MFCC and the shape of the spectrum; return False for a file that cannot be read."""
    import librosa

    warnings.simplefilter("ignore")
    try:
        sound, rate = librosa.load(path, sr=RATE_HZ)
    except Exception:  # noqa: BLE001 - of any of its decoders
        return False
    librosa.beat.beat_track(y=sound, sr=rate)
    librosa.feature.chroma_cqt(y=sound, sr=rate)
    librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=20)
    librosa.feature.spectral_centroid(y=sound, sr=rate)
    librosa.feature.spectral_rolloff(y=sound, sr=rate)
    librosa.feature.spectral_contrast(y=sound, sr=rate)
    librosa.feature.zero_crossing_rate(sound)
    librosa.feature.rms(y=sound)
    return True


def main() -> None:
    """Measure on two processes."""
    with ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(has_features, sys.argv[1:])))  # noqa: T201 - for the program that started this one


if __name__ == "__main__":
    main()
