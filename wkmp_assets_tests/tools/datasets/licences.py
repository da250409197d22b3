"""Look up the licence of one file in a Debian package's copyright file."""

from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

# Copyright files that are prose rather than in Debian's machine-readable form.
PROSE_LICENCES = {"singularity-music": "CC-BY-SA-3.0", "nexuiz-music": "GPL-2+"}


def licence_of(package: str, folder: Path, path: PurePosixPath) -> str:
    """Return the short name of the licence of a music file.

    Parameters
    ----------
    package : str
        Name of the package.
    folder : Path
        Where the package was unpacked.
    path : PurePosixPath
        The file, relative to `folder`.

    Returns
    -------
    str
        As the copyright file spells it. Of the paragraphs that match, the last counts.
    """
    if package in PROSE_LICENCES:
        return PROSE_LICENCES[package]
    text = (folder / "usr/share/doc" / package / "copyright").read_text(encoding="utf-8")
    licence = "unknown"
    for paragraph in text.split("\n\n"):
        fields = _fields(paragraph)
        patterns = fields.get("Files", "").split()
        if fields.get("License") and any(_covers(pattern, path) for pattern in patterns):
            licence = fields["License"].splitlines()[0].strip()
    return licence


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def _covers(pattern: str, path: PurePosixPath) -> bool:
    # A pattern is relative to the source tree, the path to the installed one: compare their common tails.
    wanted = PurePosixPath(pattern).parts
    return any(fnmatchcase("/".join(path.parts[-n:]), "/".join(wanted[-n:])) for n in range(1, len(wanted) + 1)) and (
        len(wanted) == 1 or wanted[-2] in path.parts or wanted[-2] == "*"
    )
