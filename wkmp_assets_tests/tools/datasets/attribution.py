"""Write the credits that the licences of the sample library ask for."""

from wkmp_assets_tests.tools.datasets.sample_specs import (
    DUPLICATE_OF,
    DUPLICATE_PATH,
    EXCERPTS,
    SEVERAL_TRACKS,
    SEVERAL_TRACKS_PATH,
    SILENT_PATH,
    Source,
)

LICENCES = {
    "CC-BY-3.0": (
        "Creative Commons Attribution 3.0 Unported",
        "https://creativecommons.org/licenses/by/3.0/",
    ),
    "CC-BY-SA-3.0": (
        "Creative Commons Attribution-ShareAlike 3.0 Unported",
        "https://creativecommons.org/licenses/by-sa/3.0/",
    ),
}

_HEAD = """# Attribution of the sample library

Every file is an **excerpt, re-encoded**: 12 to 30 seconds of the work named beside it, with 5 ms fades at
both ends, some downmixed to mono or resampled. Each excerpt is under the licence of its work. The authors
do not endorse this project.

File names, titles, albums, dates and track numbers are partly altered or translated, to exercise an importer;
the column "Title of the work" gives the original (the source's file name where it has no title).
All MusicBrainz ids in the tags are **invented**: valid UUIDs that belong to nothing in MusicBrainz. The works
and artist credits that go with them are made up too where they differ from this table.

| File | Author | Title of the work | Source: Debian package, file | Licence |
|---|---|---|---|---|
"""

_TAIL = """
`{silent}` is digital silence made by this project, and `{duplicate}` is a copy of
`{original}`.

## Licences

{licences}

The full text of each licence is at its address, and in `/usr/share/doc/PACKAGE/copyright` of the source
package. The works are provided as they are, without warranties of any kind, as the licences state.
"""


def attribution_text() -> str:
    """Return the whole of `ATTRIBUTION.md`."""
    rows = [_row(excerpt.path, excerpt.source) for excerpt in EXCERPTS]
    rows += [_row(SEVERAL_TRACKS_PATH, source) for source, _, _ in SEVERAL_TRACKS]
    licences = "\n".join(f"- {key}: {name}, <{address}>" for key, (name, address) in LICENCES.items())
    tail = _TAIL.format(silent=SILENT_PATH, duplicate=DUPLICATE_PATH, original=DUPLICATE_OF, licences=licences)
    return _HEAD + "\n".join(sorted(rows)) + "\n" + tail


def _row(path: str, source: Source) -> str:
    return (
        f"| `{path}` | {source.author} | {source.title} "
        f"| `{source.package}`, `{source.path.rsplit('/', 1)[-1]}` | {source.licence} |"
    )
