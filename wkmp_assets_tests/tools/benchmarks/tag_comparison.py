"""Compare the library's tags with ffprobe's and mediainfo's: `make compare-tags`. Writes docs/benchmarks/tags.md.

The files are those of Debian's game soundtracks that have a title or an artist, as their authors tagged them. Pieces of
them, converted by FFmpeg's command, are the same tags in other containers. The MusicBrainz ids of the pieces are
invented, because no file of Debian has any.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from wkmp_assets.audio.tags import read_tags
from wkmp_assets.identify.tag_matches import match_from_tags
from wkmp_assets_tests.support.builders import commit, entry, phase_values, rows
from wkmp_assets_tests.tools.benchmarks.independent_tags import (
    FIELDS,
    Said,
    Values,
    missing_readers,
    read_with_ffprobe,
    read_with_mediainfo,
    split_values,
)
from wkmp_assets_tests.tools.benchmarks.markdown import Table, write_page
from wkmp_assets_tests.tools.benchmarks.music_library import DOCS
from wkmp_assets_tests.tools.datasets.debian_music import PackageUnavailableError, fetch_package, music_files

OUT = Console(highlight=False)
PACKAGES = (
    "colobot-common-sounds", "hyperrogue-music", "nexuiz-music", "singularity-music", "supertux-data", "ufoai-music",
    "wesnoth-1.16-music",
)  # fmt: skip
MAX_DIFFERENT = 0.01
"""Share of the fields in which the library may differ."""
NUMBERS = frozenset({"track", "disc"})
IDS = frozenset({"recording id", "artist ids", "release id"})
_ISO_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
PIECE_S = 3
PIECES_PER_CONTAINER = 20
CONTAINERS = {
    "MP3, ID3v2.4": ("mp3", "-id3v2_version 4"),
    "MP3, ID3v2.3": ("mp3", "-id3v2_version 3"),
    "FLAC": ("flac", ""),
    "Opus": ("opus", "-ar 48000"),
    "M4A": ("m4a", "-c:a aac"),
    "M4A, use_metadata_tags": ("m4a", "-c:a aac -movflags use_metadata_tags"),
    "WMA": ("wma", "-c:a wmav2"),
    "WavPack": ("wv", ""),
    "TTA": ("tta", ""),
    "WAV": ("wav", ""),
    "AIFF": ("aiff", ""),
    "AIFF, ID3": ("aiff", "-write_id3v2 1"),
    "CAF": ("caf", "-c:a pcm_s16le"),
    "Matroska": ("mka", "-c:a flac"),
}
_LIBRARY = """
SELECT f.path, f.title, f.artist, f.album, f.track_number AS track, p.recording_mbid AS "recording id",
       json_extract(p.additional_metadata, '$.file_tags.disc_number') AS disc,
       json_extract(p.additional_metadata, '$.file_tags.date') AS date,
       json_extract(p.additional_metadata, '$.file_tags.artist_mbids') AS "artist ids",
       json_extract(p.additional_metadata, '$.file_tags.release_mbid') AS "release id"
FROM files AS f JOIN passages AS p ON p.file_id = f.guid"""


Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Compared:
    """One field of one file, which at least one of the three reads."""

    file: str
    group: str
    field: str
    ours: Values
    ffprobe: Values
    mediainfo: Values

    @property
    def is_equal(self) -> bool:
        """Whether the library has what the programs read; where they differ, what one of them reads."""
        others = [values for values in (self.ffprobe, self.mediainfo) if values] or [()]
        return any(_comparable(self.field, self.ours) == _comparable(self.field, values) for values in others)

    @property
    def reason(self) -> str:
        """Why the library differs; empty when nothing is known that explains it."""
        if self.field == "disc" and self.file.endswith(".wav") and not self.ffprobe:
            return "mediainfo calls the track of a WAV file (`IPRT`) its part; the library has it as track"
        return ""


def _comparable(field: str, values: Values) -> Values:
    """Return the values in the form in which equal ones are equal."""
    if field in NUMBERS:
        return tuple(filter(None, (_first_number(values[0]) for _ in values[:1])))
    if field == "date":
        return tuple(match[0] for value in values[:1] if (match := re.match(_ISO_DATE, value)))
    if field in IDS:
        return tuple(sorted(value.lower() for value in values))
    return values


def _first_number(text: str) -> str:
    return re.split(r"[^0-9]", text)[0].lstrip("0")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status: 1 when a difference is unexplained, or there are too many."""
    parser = argparse.ArgumentParser(description="Compare the library's tags with those of ffprobe and mediainfo.")
    parser.add_argument("--out", type=Path, default=DOCS / "tags.md", help="the page")
    options = parser.parse_args(arguments)
    if missing := missing_readers():
        OUT.print(f"[bold red]Error:[/] needs {' and '.join(missing)}: apt-get install {' '.join(missing)}")
        return 1
    try:
        files = [fetch_package(package) / path for package in PACKAGES for path in music_files(package)]
    except PackageUnavailableError as error:
        OUT.print(f"[bold red]Error:[/] {error}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        said = dict(zip(files, map_files(read_with_ffprobe, files), strict=True))
        real = [path for path in files if said[path].keys() & {"title", "artist"}]
        whole = [path for path in real if said[path].keys() >= {"title", "artist", "album"}]
        chosen = whole[:: max(1, len(whole) // PIECES_PER_CONTAINER)][:PIECES_PER_CONTAINER]
        pieces = map_files(_convert, list(_plan_pieces(chosen, Path(folder))))
        groups = dict.fromkeys(real, "Debian") | {piece.target: piece.group for piece in pieces}
        compared = compare(groups, Path(folder) / "wkmp.db")
    tables = _tables(compared, len(real))
    for table in tables:
        OUT.print(table.to_rich())
    write_page(options.out, "Tags beside two other readers", _introduction(len(real), len(pieces)), tables)
    OUT.print(f"Written: {options.out}")
    different = [one for one in compared if not one.is_equal]
    return int(any(not one.reason for one in different) or len(different) > MAX_DIFFERENT * len(compared))


@dataclass(frozen=True)
class Piece:
    """The beginning of a file, in another container."""

    source: Path
    group: str
    target: Path


def _plan_pieces(sources: Sequence[Path], folder: Path) -> Iterable[Piece]:
    for number, source in enumerate(sources):
        for group, (suffix, _) in CONTAINERS.items():
            name = re.sub(r"\W+", "_", group)
            yield Piece(source, group, folder / f"{number:02d}_{name}.{suffix}")


def _convert(piece: Piece) -> Piece:
    """Convert a piece, with all its tags and with ids that a MusicBrainz tagger would have added."""
    ids = {
        name: uuid.uuid5(uuid.NAMESPACE_URL, f"{piece.source.name} {name}")
        for name in ("MUSICBRAINZ_TRACKID", "MUSICBRAINZ_ARTISTID", "MUSICBRAINZ_ALBUMID")
    }
    tags = [option for name, mbid in ids.items() for option in ("-metadata", f"{name}={mbid}")]
    ffmpeg = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y"]
    reading = ["-t", str(PIECE_S), "-i", str(piece.source), "-map", "0:a:0", "-map_metadata", "0:s:0"]
    options = CONTAINERS[piece.group][1].split()
    subprocess.run([*ffmpeg, *reading, *tags, *options, str(piece.target)], check=True)
    return piece


def map_files(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Call a function that waits for a program, for several items at a time."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(function, items))


def compare(groups: Mapping[Path, str], database: Path) -> list[Compared]:
    """Compare the fields of files that the library or one of the two programs reads.

    Parameters
    ----------
    groups : mapping of Path to str
        The files, and what they are counted under.
    database : Path
        Where the library is made that their tags are written into.
    """
    paths = list(groups)
    ffprobe = dict(zip(paths, map_files(read_with_ffprobe, paths), strict=True))
    mediainfo = dict(zip(paths, map_files(read_with_mediainfo, paths), strict=True))
    ours = _read_through_library(paths, database)
    fields = (
        Compared(path.name, group, field, *(reader[path].get(field, ()) for reader in (ours, ffprobe, mediainfo)))
        for path, group in groups.items()
        for field in FIELDS
    )
    return [one for one in fields if one.ours or one.ffprobe or one.mediainfo]


def _read_through_library(paths: Sequence[Path], database: Path) -> dict[Path, Said]:
    """Commit the tags of every file as the only passage of it, and return what the library then holds."""
    segments = phase_values()["passage_segments"]
    entries = []
    for path in paths:
        tags = read_tags(path)
        (match,) = match_from_tags(tags, replace(segments, passages=segments.passages[:1]))
        one = entry(str(path), str(path), tags=tags)
        entries.append(replace(one, passages=(replace(one.passages[0], match=match),)))
    commit(database, *entries)
    return {
        Path(row["path"]): {name: _values(name, value) for name, value in row.items() if value is not None}
        for row in rows(database, _LIBRARY)
    }


def _values(field: str, value: Any) -> Values:
    return tuple(json.loads(value)) if field == "artist ids" else split_values(str(value), ";")


def _tables(compared: Sequence[Compared], real_count: int) -> list[Table]:
    real = [one for one in compared if one.group == "Debian"]
    pieces = [one for one in compared if one.group != "Debian"]
    tables = [_count("By field: files of Debian", real, "field", FIELDS)]
    tables[0] = replace(
        tables[0],
        reading=f"{real_count} files have a title or an artist. In a row, only files count in which anybody reads the "
        "field. Where ffprobe and mediainfo differ, the library may have what either reads. Of several track numbers, "
        "the library has the first.",
    )
    tables.append(_count("By field: pieces in other containers", pieces, "field", FIELDS))
    tables.append(_count("By container: pieces in other containers", pieces, "group", tuple(CONTAINERS)))
    differences = Counter((one.group, one.field, one.reason) for one in compared if not one.is_equal)
    listed = [
        (group, field, str(count), reason or "unexplained") for (group, field, reason), count in differences.items()
    ]
    if listed:
        tables.append(Table("Every difference", ("files", "field", "count", "reason"), listed, is_text=True))
    return tables


def _count(title: str, compared: Sequence[Compared], attribute: str, names: Sequence[str]) -> Table:
    lines = []
    for name in (*names, "all"):
        ones = [one for one in compared if name in {getattr(one, attribute), "all"}]
        if ones:
            equal = sum(one.is_equal for one in ones)
            differ = len(ones) - equal
            lines.append((name, str(len(ones)), str(equal), str(differ), f"{100 * differ / len(ones):.1f} %"))
    return Table(title, (attribute, "compared", "equal", "different", ""), lines)


def _introduction(real_count: int, piece_count: int) -> list[str]:
    text = (
        f"`make compare-tags` writes this page. It reads the tags of {real_count} files of Debian's game soundtracks, "
        "as their authors tagged them, writes them into a library, and compares the library with what ffprobe and "
        f"mediainfo read. {piece_count} pieces of {PIECE_S} s of them, converted by FFmpeg's command, have the same "
        "tags in other containers. No file of Debian has MusicBrainz ids, so those of the pieces are invented."
    )
    return [text]


if __name__ == "__main__":
    sys.exit(main())
