"""Tasks for workers of a cluster that go wrong."""

import os
import time
from pathlib import Path


def read(file: Path) -> str:
    """Do what a file says: crash, hang, or be read."""
    text = file.read_text()
    if text == "crash":
        os.kill(os.getpid(), 9)
    if text == "hang":
        time.sleep(3_600)
    if text == "slow":
        time.sleep(2)
    return text
