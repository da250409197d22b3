"""Print essentia's MusicExtractor features of files as JSON. Runs in an environment of its own, without this package.

`python essentia_features.py FILE...`; numbers only, mean and standard deviation where there are several.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def features(path: str) -> dict[str, list[float]] | None:
    """Return descriptor -> numbers; None for a file that essentia cannot read."""
    import essentia  # type: ignore[import-not-found, unused-ignore] # in another environment, see above
    import numpy as np
    from essentia import standard  # type: ignore[import-not-found, unused-ignore] # the same

    essentia.log.infoActive = essentia.log.warningActive = False
    kept = ["mean", "stdev"]
    try:
        pool: Any = standard.MusicExtractor(lowlevelStats=kept, rhythmStats=kept, tonalStats=kept)(path)[0]
    except RuntimeError:
        return None
    names = [name for name in pool.descriptorNames() if not name.startswith("metadata")]
    return {name: np.ravel(pool[name]).tolist() for name in names if isinstance(pool[name], float | np.ndarray)}


def main() -> None:
    """Extract on two processes; essentia does not scale on threads."""
    with ProcessPoolExecutor(2) as pool:
        json.dump(list(pool.map(features, sys.argv[1:])), sys.stdout)


if __name__ == "__main__":
    main()
