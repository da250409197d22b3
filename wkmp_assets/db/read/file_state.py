"""Read everything that the rows of one file depend on."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from wkmp_assets.db.read.file_warnings import read_warnings_of
from wkmp_assets.db.read.images import read_images_of
from wkmp_assets.db.read.references import find_passage_references, find_referenced
from wkmp_assets.db.read.select import has_table, read_passages_text, select_in
from wkmp_assets.db.tables import BOUNDARIES_BY_PERSON, MAX_LISTED_COPIES, PERSON_SOURCE
from wkmp_assets.model.batch import ExpectedFile
from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning
from wkmp_assets.model.json_text import parse_object
from wkmp_assets.model.rows import FileRow
from wkmp_assets.model.statuses import FileStatus


@dataclass(frozen=True)
class StoredFlavor:
    """The flavor columns of a passage."""

    vector: str | None = None
    blend: str | None = None
    completeness: float | None = None
    metadata: str | None = None
    """`additional_metadata`, with keys of people and other programs."""


@dataclass(frozen=True)
class StoredSong:
    """The flavor of a song."""

    vector: str | None
    blend: str | None
    status: str | None
    elsewhere_ticks: int | None
    """Length of the longest passage with a flavor, in other files, that plays it; None without any."""


@dataclass(frozen=True)
class StoredSongLink:
    """A link of a passage to a song; ticks are relative to the passage's start."""

    song_id: str
    start_ticks: int
    end_ticks: int
    created_at: str


@dataclass(frozen=True)
class StoredKnowledge:
    """What the library knows of a passage's song, with sources and confidences."""

    song_id: str | None = None
    song_mbid: str | None = None
    """Recording of that song."""
    recording_mbid: str | None = None
    """Of the passage; of its song where the passage has none, because WKMP writes it there only."""
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    title_source: str | None = None
    title_confidence: float | None = None
    artist_source: str | None = None
    artist_confidence: float | None = None
    album_source: str | None = None
    album_confidence: float | None = None
    mbid_source: str | None = None
    mbid_confidence: float | None = None
    identity_confidence: float | None = None
    import_timestamp: str | None = None
    """When an import last wrote the passage: the time of the links that it made. None when only WKMP did."""
    songs: tuple[StoredSongLink, ...] = ()
    albums: tuple[tuple[str, str], ...] = ()
    """Guid of the album, and when it was linked."""
    fingerprint: str | None = None
    persons_word: str | None = None
    """What a person's command noted about the song, as JSON."""

    @property
    def is_persons(self) -> bool:
        """Whether a person said which song it is, or that it is none."""
        return self.mbid_source == PERSON_SOURCE

    @property
    def is_any(self) -> bool:
        """Whether anything is known."""
        named = (self.song_id, self.recording_mbid, self.title, self.artist, self.album, self.songs, self.albums)
        return self.is_persons or any(named)


@dataclass(frozen=True)
class StoredPassage:
    """The parts of a stored passage that an import must respect."""

    guid: str
    start_ticks: int
    end_ticks: int
    fade_in_ticks: int | None
    fade_out_ticks: int | None
    is_kept: bool
    """Whether it must not be deleted, because a person edited it, or play history, queue or timeslots refer to it."""
    is_cut: bool = False
    """Whether a person cut or joined it with a command."""
    lead_in_ticks: int | None = None
    lead_out_ticks: int | None = None
    flavor: StoredFlavor = StoredFlavor()
    knowledge: StoredKnowledge = StoredKnowledge()


@dataclass(frozen=True)
class LibraryState:
    """What was read for one file before its transaction."""

    file: FileRow | None = None
    """The row under its path."""
    moved_from: FileRow | None = None
    """The row that holds a moved file's content, if there still is one. It gets the new path and keeps its passages."""
    copies: tuple[FileRow, ...] = ()
    """Files with the same content, by path; at most `MAX_LISTED_COPIES` that may be originals, and as many more."""
    passages: tuple[StoredPassage, ...] = ()
    """Passages of `owner`."""
    passages_text: bytes | None = None
    """The same as one text, to be compared in the transaction."""
    passage_references: tuple[tuple[str, str], ...] = ()
    """Tables and columns that refer to passages, except the import's own links."""
    taken_file_guids: frozenset[str] = frozenset()
    """The first ids that a new file may get, as far as others have them."""
    song_guids: Mapping[str, str] | None = None
    """MBID -> guid of the songs, artists, works and albums that exist."""
    artist_guids: Mapping[str, str] | None = None
    work_guids: Mapping[str, str] | None = None
    album_guids: Mapping[str, str] | None = None
    songs: Mapping[str, StoredSong] | None = None
    """MBID -> flavor of the songs that exist."""
    marked: frozenset[str] = frozenset()
    """Those of its paths that are marked as missing."""
    warnings: tuple[FileWarning, ...] = ()
    """What is doubtful about `owner`."""
    images: Mapping[str, str | None] = field(default_factory=dict)
    """Guid of an image that the import made for `owner` -> its path; None when its row is gone."""

    @property
    def owner(self) -> FileRow | None:
        """The row that the file gets; None for a new row."""
        return self.moved_from or self.file


def expect_unchanged(state: LibraryState, row: FileRow | None) -> ExpectedFile | None:
    """Return what the library must still hold when the file is written; None when it had no row."""
    return None if row is None else ExpectedFile(row, state.passages_text)


def read_state(connection: sqlite3.Connection, entry: FileEntry, candidate_guids: Iterable[str]) -> LibraryState:
    """Read everything the rows of one file depend on.

    Parameters
    ----------
    connection : sqlite3.Connection
        A read-only connection with `sqlite3.Row` rows.
    entry : FileEntry
        The file that is to be written.
    candidate_guids : iterable of str
        Ids that a new file may get, in order of preference. They are read as far as they are taken.
    """
    file = _file_row(connection, "path", entry.path)
    moved_from = _moved_from(connection, entry)
    owner = moved_from or file
    # A file without a row has no passages to refer to. Reading the schema takes most of the time.
    references = tuple(find_passage_references(connection)) if owner else ()
    passages = tuple(_stored_passages(connection, owner.guid, references)) if owner else ()
    songs = [passage.match.song for passage in entry.passages if passage.match.song]
    recordings = [song.recording_mbid for song in songs] + [
        passage.knowledge.song_mbid for passage in passages if passage.knowledge.song_mbid
    ]
    artists = [artist for song in songs for artist in song.artists] + list(entry.tags.artists if entry.tags else ())
    releases = [passage.match.release for passage in entry.passages if passage.match.release]
    return LibraryState(
        file=file,
        moved_from=moved_from,
        copies=_same_content(connection, entry.identity.content_hash, owner),
        passages=passages,
        passages_text=read_passages_text(connection, owner.guid) if owner else None,
        passage_references=references,
        taken_file_guids=frozenset() if owner else _taken(connection, candidate_guids),
        song_guids=_guids(connection, "songs", "recording_mbid", recordings),
        artist_guids=_guids(connection, "artists", "artist_mbid", [artist.mbid for artist in artists]),
        work_guids=_guids(connection, "works", "work_mbid", [w.mbid for song in songs for w in song.works]),
        album_guids=_guids(connection, "albums", "album_mbid", [release.mbid for release in releases]),
        songs=_songs(connection, owner.guid if owner else "", recordings),
        marked=read_marked(connection, [entry.path, *([moved_from.path] if moved_from else [])]),
        warnings=read_warnings_of(connection, owner.guid) if owner else (),
        images=read_images_of(connection, owner.guid) if owner else {},
    )


def _moved_from(connection: sqlite3.Connection, entry: FileEntry) -> FileRow | None:
    """Return the row of a moved file; None when another import has given it other content."""
    found = entry.identity
    if found.moved_guid is not None:
        row = _file_row(connection, "guid", found.moved_guid)
    else:
        row = _file_row(connection, "path", found.moved_from) if found.moved_from else None
    return row if row is not None and row.hash == found.content_hash else None


def _same_content(connection: sqlite3.Connection, content_hash: str, owner: FileRow | None) -> tuple[FileRow, ...]:
    """Read the other files with this content. A folder may hold the same file 20,000 times."""
    own = owner.guid if owner else ""
    found = [
        FileRow(**dict(row))
        for is_original in (True, False)
        for row in connection.execute(
            f"{_FILE_ROW} WHERE hash = ? AND guid <> ? AND (status IN (?, ?)) = ? LIMIT ?",
            [content_hash, own, FileStatus.INGEST_COMPLETE, FileStatus.NO_AUDIO, is_original, MAX_LISTED_COPIES],
        )
    ]
    return tuple(sorted(found, key=lambda row: row.path))


def _songs(connection: sqlite3.Connection, file_guid: str, mbids: Sequence[str]) -> dict[str, StoredSong]:
    """Read the flavors of songs, and the longest passage of other files that plays each."""
    select = (
        "SELECT guid, recording_mbid, flavor_vector, flavor_source_blend, status FROM songs WHERE recording_mbid IN"
    )
    longest = """
        SELECT max(p.end_time_ticks - p.start_time_ticks) AS length FROM passage_songs AS s
        JOIN passages AS p ON p.guid = s.passage_id
        WHERE s.song_id = ? AND p.file_id <> ? AND p.musical_flavor_vector IS NOT NULL"""
    found = {}
    for row in list(select_in(connection, select, mbids)):
        (elsewhere,) = connection.execute(longest, [row["guid"], file_guid]).fetchone()
        found[row["recording_mbid"]] = StoredSong(
            row["flavor_vector"], row["flavor_source_blend"], row["status"], elsewhere
        )
    return found


_FILE_ROW = """
SELECT guid, path, hash, duration_ticks, format, sample_rate, channels, file_size_bytes, artist, title, album,
       track_number, year, modification_time, status, matching_hashes, created_at, updated_at
FROM files"""


def _file_row(connection: sqlite3.Connection, column: str, value: str) -> FileRow | None:
    row = connection.execute(f"{_FILE_ROW} WHERE {column} = ?", [value]).fetchone()
    return FileRow(**dict(row)) if row else None


def read_marked(connection: sqlite3.Connection, paths: Sequence[str]) -> frozenset[str]:
    """Return the paths that are marked as missing."""
    if not has_table(connection, "missing_files"):
        return frozenset()
    found = select_in(connection, "SELECT path FROM missing_files WHERE path IN", paths)
    return frozenset(row["path"] for row in found)


def _taken(connection: sqlite3.Connection, candidates: Iterable[str]) -> frozenset[str]:
    """Return the first candidates, up to one that no file has."""

    def is_taken(guid: str) -> bool:
        return connection.execute("SELECT 1 FROM files WHERE guid = ?", (guid,)).fetchone() is not None

    return frozenset(takewhile(is_taken, candidates))


def _guids(connection: sqlite3.Connection, table: str, column: str, mbids: Sequence[str]) -> dict[str, str]:
    select = f"SELECT {column} AS mbid, guid FROM {table} WHERE {column} IN"  # noqa: S608 - literals only
    return {row["mbid"]: row["guid"] for row in select_in(connection, select, mbids)}


def _stored_passages(
    connection: sqlite3.Connection, file_guid: str, references: Sequence[tuple[str, str]]
) -> Iterator[StoredPassage]:
    columns = ", ".join(_KNOWN_COLUMNS)
    select = (
        "SELECT guid, start_time_ticks, end_time_ticks, fade_in_start_ticks, fade_out_start_ticks, "  # noqa: S608 - literals only
        "user_title, "
        "CASE WHEN json_valid(import_metadata) THEN json_extract(import_metadata, '$.boundaries') END AS boundaries, "
        "lead_in_start_ticks, lead_out_start_ticks, musical_flavor_vector, flavor_source_blend, flavor_completeness, "
        "additional_metadata, (SELECT guid FROM songs WHERE guid = passages.song_id) AS song_id, "
        "(SELECT recording_mbid FROM songs WHERE guid = passages.song_id) AS song_mbid, "
        f"{columns} FROM passages WHERE file_id = ? "
        "ORDER BY start_time_ticks, end_time_ticks, guid"
    )
    rows = connection.execute(select, [file_guid]).fetchall()
    knowledge = _read_links(connection, [row["guid"] for row in rows])
    in_use = find_referenced(connection, [row["guid"] for row in rows], references)
    for row in rows:
        yield StoredPassage(
            row["guid"],
            row["start_time_ticks"],
            row["end_time_ticks"],
            row["fade_in_start_ticks"],
            row["fade_out_start_ticks"],
            is_kept=row["guid"] in in_use or _is_edited(row),
            is_cut=row["boundaries"] == BOUNDARIES_BY_PERSON,
            lead_in_ticks=row["lead_in_start_ticks"],
            lead_out_ticks=row["lead_out_start_ticks"],
            flavor=StoredFlavor(
                row["musical_flavor_vector"],
                row["flavor_source_blend"],
                row["flavor_completeness"],
                row["additional_metadata"],
            ),
            knowledge=replace(
                knowledge[row["guid"]],
                song_id=row["song_id"],
                song_mbid=row["song_mbid"],
                **{name: row[name] for name in _KNOWN_COLUMNS}
                | {"recording_mbid": row["recording_mbid"] or row["song_mbid"]},
            ),
        )


_KNOWN_COLUMNS = (
    "recording_mbid", "title", "artist", "album", "title_source", "title_confidence", "artist_source",
    "artist_confidence", "album_source", "album_confidence", "mbid_source", "mbid_confidence", "identity_confidence",
    "import_timestamp",
)  # fmt: skip


def _read_links(connection: sqlite3.Connection, guids: Sequence[str]) -> Mapping[str, StoredKnowledge]:
    """Return guid of a passage -> its links and its fingerprint. Links to rows that are gone are left out."""
    songs: dict[str, list[StoredSongLink]] = defaultdict(list)
    albums: dict[str, list[tuple[str, str]]] = defaultdict(list)
    heard: dict[str, str | None] = {}
    words: dict[str, str] = {}
    select = (
        "SELECT l.passage_id, l.song_id, l.start_time_ticks, l.end_time_ticks, l.created_at FROM passage_songs AS l "
        "JOIN songs ON songs.guid = l.song_id WHERE l.passage_id IN"
    )
    for row in select_in(connection, select, guids):
        link = StoredSongLink(row["song_id"], row["start_time_ticks"], row["end_time_ticks"], row["created_at"])
        songs[row["passage_id"]].append(link)
    select = (
        "SELECT l.passage_id, l.album_id, l.created_at FROM passage_albums AS l "
        "JOIN albums ON albums.guid = l.album_id WHERE l.passage_id IN"
    )
    for row in select_in(connection, select, guids):
        albums[row["passage_id"]].append((row["album_id"], row["created_at"]))
    select = (
        "SELECT passage_id, source_type, data_extracted FROM import_provenance "  # noqa: S608 - literals only
        f"WHERE source_type IN ('Chromaprint', '{PERSON_SOURCE}') AND passage_id IN"
    )
    for row in select_in(connection, select, guids):
        if row["source_type"] == PERSON_SOURCE:
            words[row["passage_id"]] = row["data_extracted"]
        else:
            heard[row["passage_id"]] = _read_fingerprint(row["data_extracted"])
    return {
        guid: StoredKnowledge(
            songs=tuple(songs[guid]),
            albums=tuple(albums[guid]),
            fingerprint=heard.get(guid),
            persons_word=words.get(guid),
        )
        for guid in guids
    }


def _read_fingerprint(text: str | None) -> str | None:
    found = (parse_object(text) or {}).get("fingerprint")
    return found if isinstance(found, str) and found else None


def _is_edited(row: sqlite3.Row) -> bool:
    """Tell whether a person gave a passage a title, fades or its song; the import sets none of them."""
    edited = ("user_title", "fade_in_start_ticks", "fade_out_start_ticks")
    return row["mbid_source"] == PERSON_SOURCE or any(row[column] is not None for column in edited)
