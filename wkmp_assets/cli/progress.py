"""The progress of an import: files in the library, rate, time left. A bar on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from wkmp_assets.cli.progress_estimate import ProgressEstimate
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.report.text import printable

LINE_EVERY_S = 5.0
"""unit=s: time between two plain lines."""
_BAR_EVERY_S = 0.5


class ImportProgress:
    """The progress of one import.

    Parameters
    ----------
    work_s : mapping of str to float
        Partition key -> estimated work, of every file of the import.
    console : Console
        Where to show it. On a terminal it is a bar, elsewhere one line every few seconds.
    far_slots : callable, optional
        Returns how many files other machines measure at once now; None where there are none.
    """

    def __init__(
        self, work_s: Mapping[str, float], console: Console, far_slots: Callable[[], int | None] = lambda: None
    ) -> None:
        self._far_slots = far_slots
        self._estimate = ProgressEstimate(work_s)
        self._console = console
        self._lock = threading.Lock()
        self._current = ""
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            TextColumn("{task.fields[current]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("import", total=1.0, said="", current="")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it for the duration of the block."""
        over = threading.Event()
        every_s = _BAR_EVERY_S if self._console.is_terminal else LINE_EVERY_S
        thread = threading.Thread(target=self._repeat, args=(over, every_s), name="shows progress", daemon=True)
        with self._progress:
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    def _repeat(self, over: threading.Event, every_s: float) -> None:
        while not over.wait(every_s):
            self._show()

    def _show(self) -> None:
        with self._lock:
            self._estimate.look(time.monotonic())
            said, share, current = str(self._estimate), self._estimate.share, self._current
        slots = self._far_slots()
        said = said if slots is None else f"{said}, {slots} {'slot' if slots == 1 else 'slots'} in the cluster"
        if self._console.is_terminal:
            self._progress.update(self._task, completed=share, said=said, current=printable(current)[-60:])
        else:
            self._console.print(said, soft_wrap=True)

    def file_measured(self, key: str) -> None:
        """Record that a worker has finished work on a file."""
        with self._lock:
            self._estimate.add_measured(key)
            self._current = decode_key(key)

    def file_done(self, key: str, *, is_in_library: bool) -> None:
        """Record that a file is committed, or that it will not be."""
        with self._lock:
            self._estimate.add_done(key, is_in_library=is_in_library)
            self._current = decode_key(key)
