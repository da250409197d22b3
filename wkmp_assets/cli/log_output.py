"""The log messages of this package, on the terminal and in a file: `wkmp --verbose` and `--log-file`."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wkmp_assets.cli.options import ERR, escape_text
from wkmp_assets.errors import SettingsError
from wkmp_assets.report.text import printable
from wkmp_assets.runtime.state_files import open_for_writing

_OURS = logging.getLogger("wkmp_assets")


class _Terminal(logging.Handler):
    """Writes through the console, which keeps a progress bar whole."""

    def emit(self, record: logging.LogRecord) -> None:
        ERR.print(f"[dim]{record.levelname.lower()}:[/] {escape_text(record.getMessage())}", soft_wrap=True)


class _OneLine(logging.Formatter):
    """Time in UTC, level, module and message on one line: a file's name cannot forge a second one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging gives it
        return printable(super().formatMessage(record))


@contextmanager
def logged(verbosity: int, path: Path | None) -> Iterator[None]:
    """Show and write what this package logs during the block.

    Parameters
    ----------
    verbosity : int
        What the terminal shows: 0 warnings, 1 also what is done, 2 also details.
    path : Path or None
        A file that gets everything, with times, after what it holds. It is made for this user alone.

    Raises
    ------
    SettingsError
        The file cannot be written, or is a link.
    """
    handlers: list[logging.Handler] = [_Terminal(_level(verbosity))]
    before = _OURS.level
    with ExitStack() as stack:
        if path is not None:
            try:
                file = open(path, "a", encoding="utf-8", opener=open_for_writing)  # noqa: SIM115 - the stack closes it
            except OSError as error:
                raise SettingsError(f"--log-file {path} cannot be written ({error.strerror})") from error
            written = logging.StreamHandler(stack.enter_context(file))
            written.setFormatter(_OneLine())
            handlers.append(written)
        for handler in handlers:
            _OURS.addHandler(handler)
            stack.callback(_OURS.removeHandler, handler)
        _OURS.setLevel(logging.DEBUG if path else _level(verbosity))
        stack.callback(_OURS.setLevel, before)
        yield


def _level(verbosity: int) -> int:
    return {0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG)
