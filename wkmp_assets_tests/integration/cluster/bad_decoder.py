"""A decoder with faults: it crashes or hangs when it opens a file of a certain name."""

import os
import sys
import time
from pathlib import Path
from typing import Any

CRASHES, HANGS = "crashes.mp3", "hangs.mp3"


def install() -> None:
    """Give this process the faults, until it ends."""
    sys.addaudithook(_go_wrong)


def _go_wrong(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or isinstance(arguments[0], int):
        return
    name = Path(os.fsdecode(arguments[0])).name
    if name == CRASHES:
        os.kill(os.getpid(), 9)
    if name == HANGS:
        time.sleep(3_600)
