"""The progress bar of an import: files done, rate, time left, current file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.phases import FINGERPRINTS, IDENTITY, SEGMENTS, TAGS
from wkmp_assets.report.text import printable

_SHARE = {IDENTITY: 0.05, TAGS: 0.05, SEGMENTS: 0.7, FINGERPRINTS: 0.1}
"""Share of a file's time that each phase takes; the commit takes the rest."""


class _FilesPerSecond(ProgressColumn):
    """Finished files over elapsed time."""

    def render(self, task: Task) -> Text:
        done, elapsed = task.fields.get("done", 0), task.elapsed or 0
        return Text(f"{done / elapsed:.1f} files/s" if done and elapsed else "- files/s")


class ImportProgress:
    """The progress bar of one import. It draws on a terminal only.

    Parameters
    ----------
    total : int
        Number of files in the import.
    console : Console
        Where to draw.
    """

    def __init__(self, total: int, console: Console) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._reached: dict[str, float] = {}
        self._done: set[str] = set()
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[done]}/{task.fields[files]} files"),
            _FilesPerSecond(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[current]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("import", total=float(total), done=0, files=total, current="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw for the duration of the block."""
        with self._progress:
            yield

    def file_advanced(self, phase: str, key: str) -> None:
        """Record that a phase has finished a file."""
        with self._lock:
            self._reached[key] = self._reached.get(key, 0.0) + _SHARE.get(phase, 0.0)
            self._draw(f"{phase}: {decode_key(key)}")

    def file_done(self, key: str) -> None:
        """Record that a file is committed, or that it will not be."""
        with self._lock:
            self._reached[key] = 1.0
            self._done.add(key)
            self._draw(decode_key(key))

    def _draw(self, current: str) -> None:
        self._progress.update(
            self._task,
            completed=min(sum(self._reached.values()), float(self._total)),
            done=len(self._done),
            current=escape(printable(current)[-60:]),
        )
