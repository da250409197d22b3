"""What a scan found, as phase value: without pydantic, because `wkmp status` shows a part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PassedOver:
    """What one pattern kept out of a scan."""

    pattern: str
    """As its author wrote it, such as `@eaDir`."""
    source: str = ""
    """Path of a `.wkmpignore`, or `WKMP_IGNORE`; empty for a built-in name."""
    folder_count: int = 0
    """Folders that were not entered, whatever is in them."""
    file_count: int = 0


@dataclass(frozen=True)
class LibraryChanges:
    """The result of a scan, as sorted relative paths."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    """Known with another size or time, or known and never completely imported."""
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    """In the library, not on disk."""
    unknown: tuple[str, ...] = ()
    """In the library, where the scan cannot look: in an unreadable folder or behind a link."""
    unreadable: tuple[str, ...] = ()
    """Folders that could not be read."""
    folder: str = ""
    """The folder that was scanned; `""` for all of the library."""
    passed_over: tuple[str, ...] = ()
    """Links, pipes and unreadable folders named like music: a sentence for each."""
    patterns: tuple[PassedOver, ...] = ()
    """What was passed over by its name, for each pattern that matched."""
    ignored: tuple[str, ...] = ()
    """Those of the missing files that are on disk, but passed over by a pattern."""
    unread_formats: Mapping[str, int] = field(default_factory=dict)
    """Ending of music that no decoder reads, and of films -> number of files."""

    @property
    def to_import(self) -> tuple[str, ...]:
        """New and changed files, sorted."""
        return tuple(sorted(self.new + self.changed))
