"""What a scan passes over by its name: built-in names, the setting WKMP_IGNORE and files called `.wkmpignore`.

All are patterns in gitignore syntax (https://git-scm.com/docs/gitignore), as `pathspec` reads them. The pattern nearest
to a name decides, so a `.wkmpignore` can take back what the setting or a built-in name passes over. Inside one list,
the last pattern that matches decides.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from wkmp_assets.files.foreign_names import find_foreign_file, find_foreign_folder
from wkmp_assets.files.small_files import open_regular_file

IGNORE_FILE = ".wkmpignore"
SETTING = "WKMP_IGNORE"
MAX_IGNORE_BYTES = 65_536
"""Of one `.wkmpignore`. Patterns are matched with every name below it."""


@dataclass(frozen=True)
class IgnoreMatch:
    """The pattern that a name matches, and where the pattern is written."""

    pattern: str
    source: str = ""
    """Path of a `.wkmpignore`, or `WKMP_IGNORE`; empty for a built-in name."""


@dataclass(frozen=True)
class _PatternList:
    source: str
    base: str
    """Folder that the patterns are relative to, with a final slash; empty for the library root."""
    lines: tuple[str, ...]
    spec: GitIgnoreSpec

    def find(self, path: str) -> tuple[bool, IgnoreMatch] | None:
        """Return the last pattern that matches, with whether it passes over the path or takes it back (`!`)."""
        result = self.spec.check_file(path[len(self.base) :])
        if result.include is None or result.index is None:
            return None
        return result.include, IgnoreMatch(self.lines[result.index], self.source)


@dataclass(frozen=True)
class FolderRules:
    """The pattern lists that count inside one folder, nearest first."""

    lists: tuple[_PatternList, ...]

    def find(self, path: str, name: str, *, is_folder: bool) -> IgnoreMatch | None:
        """Return what passes over one entry of the folder; None for an entry to look at.

        Parameters
        ----------
        path : str
            Relative to the library root.
        name : str
            Its last part.
        is_folder : bool
            Whether it is a folder, which patterns with a final slash need.
        """
        for patterns in self.lists:
            found = patterns.find(f"{path}/" if is_folder else path)
            if found is not None:
                is_passed_over, match = found
                return match if is_passed_over else None
        foreign = find_foreign_folder(name) if is_folder else find_foreign_file(name)
        return None if foreign is None else IgnoreMatch(foreign)


class IgnoreRules:
    """What is passed over in one library. It reads each `.wkmpignore` once.

    Parameters
    ----------
    root : Path
        The library root.
    setting : sequence of str
        The patterns of WKMP_IGNORE.
    """

    def __init__(self, root: Path, setting: Sequence[str] = ()) -> None:
        self._root = str(root)
        self._by_folder: dict[str, FolderRules] = {}
        self._setting = FolderRules((_make_list(SETTING, "", setting),) if setting else ())
        self.problems: dict[str, str] = {}
        """Path of a `.wkmpignore` -> why its patterns, or some of them, do not count."""

    def of_folder(self, folder: str) -> FolderRules:
        """Return the rules inside a folder: relative, `""` for the root."""
        rules, path = self._inside("", self._setting), ""
        for name in folder.split("/") if folder else ():
            path = f"{path}/{name}" if path else name
            rules = self._inside(path, rules)
        return rules

    def _inside(self, folder: str, above: FolderRules) -> FolderRules:
        if folder not in self._by_folder:
            self._by_folder[folder] = self.below(above, folder)
        return self._by_folder[folder]

    def below(self, above: FolderRules, folder: str) -> FolderRules:
        """Return the rules inside a folder that may have a `.wkmpignore`, given those inside the folder above it."""
        path = f"{folder}/{IGNORE_FILE}" if folder else IGNORE_FILE
        lines = self._read(path)
        if not lines:
            return above
        patterns = _make_list(path, f"{folder}/" if folder else "", lines)
        return FolderRules((patterns, *above.lists))

    def find(self, path: str) -> IgnoreMatch | None:
        """Return what passes over a file or a folder above it; None for a file that a scan looks at."""
        folder, _, name = path.rpartition("/")
        return self.find_folder(folder) or self.of_folder(folder).find(path, name, is_folder=False)

    def find_folder(self, folder: str) -> IgnoreMatch | None:
        """Return what passes over a folder or one above it; None for a folder that a scan enters, as the root."""
        rules, path = self._inside("", self._setting), ""
        for name in folder.split("/") if folder else ():
            path = f"{path}/{name}" if path else name
            match = rules.find(path, name, is_folder=True)
            if match is not None:
                return match
            rules = self._inside(path, rules)
        return None

    def _read(self, path: str) -> list[str]:
        """Return the usable patterns of a `.wkmpignore`; none where there is no such file."""
        try:
            with open_regular_file(os.path.join(self._root, path)) as file:  # noqa: PTH118 - once per folder
                content = file.read(MAX_IGNORE_BYTES + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.problems[path] = f"its patterns do not count, because it cannot be read ({error.strerror})"
            return []
        if len(content) > MAX_IGNORE_BYTES:
            self.problems[path] = f"its patterns do not count, because it is larger than {MAX_IGNORE_BYTES:,} bytes"
            return []
        if b"\0" in content:  # which no path holds, and every text in UTF-16
            self.problems[path] = "its patterns do not count, because it is not in UTF-8: save it in that encoding"
            return []
        lines = (
            content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
        )
        unusable = [number for number, line in enumerate(lines, 1) if not is_pattern(line)]
        if unusable:
            numbers = ", ".join(map(str, unusable))
            self.problems[path] = f"what is in line {numbers} is no pattern in gitignore syntax and does not count"
        return [line for line in lines if is_pattern(line)]


def is_pattern(line: str) -> bool:
    """Tell whether a line can be read as a pattern, a comment or an empty line in gitignore syntax."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _make_list(source: str, base: str, lines: Sequence[str]) -> _PatternList:
    lines = [line for line in lines if line.strip()]
    return _PatternList(source, base, tuple(line.strip() for line in lines), GitIgnoreSpec.from_lines(lines))
