"""Tasks for the workers of a cluster that take time and no CPU. Workers import this module by its name."""

import os
import time

VALUE_BYTES = 8_000
"""About what comes back of a file."""


def sleep_and_return(seconds: float) -> bytes:
    """Do nothing for as long as a decode takes; return as much as a file's values."""
    time.sleep(seconds)
    return os.urandom(VALUE_BYTES)
