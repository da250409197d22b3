"""Rows of the library's tables, one frozen dataclass each. Field names are column names.

They have only the columns that an import owns. Probabilities, cooldowns, lyrics, fades and user titles belong to people
and are never written.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FileRow:
    """One row of `files`."""

    guid: str
    path: str
    hash: str
    duration_ticks: int | None
    format: str | None
    sample_rate: int | None
    channels: int | None
    file_size_bytes: int
    artist: str | None
    title: str | None
    album: str | None
    track_number: int | None
    year: int | None
    modification_time: str
    status: str
    matching_hashes: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class PassageRow:
    """One row of `passages`."""

    guid: str
    file_id: str
    start_time_ticks: int
    lead_in_start_ticks: int | None
    lead_out_start_ticks: int | None
    end_time_ticks: int
    title: str | None
    artist: str | None
    album: str | None
    recording_mbid: str | None
    song_id: str | None
    import_metadata: str
    musical_flavor_vector: str | None
    flavor_source_blend: str | None
    flavor_completeness: float | None
    additional_metadata: str | None
    decode_status: str
    title_source: str | None
    title_confidence: float | None
    artist_source: str | None
    artist_confidence: float | None
    album_source: str | None
    album_confidence: float | None
    mbid_source: str | None
    mbid_confidence: float | None
    identity_confidence: float
    validation_status: str
    import_session_id: str
    import_timestamp: str
    import_strategy: str
    status: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class SongRow:
    """One row of `songs`."""

    guid: str
    recording_mbid: str
    title: str | None
    artist_name: str | None
    work_id: str | None
    status: str
    created_at: str
    updated_at: str
    title_evidence: str | None
    """Rank, time and file of the evidence, and the text; see `db/plan/name_evidence.py`. None where the name is."""
    artist_name_evidence: str | None


@dataclass(frozen=True)
class SongFlavor:
    """The flavor columns of a song: as they will be, and as they were read."""

    guid: str
    flavor_vector: str
    flavor_source_blend: str
    status: str
    updated_at: str
    read_vector: str | None
    read_blend: str | None
    read_status: str | None


@dataclass(frozen=True)
class ArtistRow:
    """One row of `artists`."""

    guid: str
    artist_mbid: str
    name: str
    created_at: str
    updated_at: str
    name_evidence: str


@dataclass(frozen=True)
class WorkRow:
    """One row of `works`."""

    guid: str
    work_mbid: str
    title: str
    created_at: str
    updated_at: str
    title_evidence: str


@dataclass(frozen=True)
class AlbumRow:
    """One row of `albums`: a MusicBrainz release."""

    guid: str
    album_mbid: str
    title: str
    release_date: str | None
    created_at: str
    updated_at: str
    title_evidence: str
    release_date_evidence: str | None


@dataclass(frozen=True)
class PassageSongRow:
    """One row of `passage_songs`; ticks are relative to the passage's start."""

    passage_id: str
    song_id: str
    start_time_ticks: int
    end_time_ticks: int
    created_at: str


@dataclass(frozen=True)
class SongArtistRow:
    """One row of `song_artists`; a song's weights sum to 1."""

    song_id: str
    artist_id: str
    weight: float
    created_at: str


@dataclass(frozen=True)
class SongWorkRow:
    """One row of `song_works`."""

    song_id: str
    work_id: str
    created_at: str


@dataclass(frozen=True)
class PassageAlbumRow:
    """One row of `passage_albums`."""

    passage_id: str
    album_id: str
    created_at: str


@dataclass(frozen=True)
class ImageRow:
    """One row of `images`: a cover of an album, or of a passage whose album is not known."""

    guid: str
    file_path: str
    """Absolute, in the folder of covers."""
    image_type: str
    """`album_front`, `album_back`, `album_liner` or `passage`."""
    entity_id: str
    """Guid of the album or passage."""
    width: int
    height: int
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class FileImageRow:
    """One row of `import_images`: a file has this picture."""

    file_id: str
    image_id: str


@dataclass(frozen=True)
class ProvenanceRow:
    """One row of `import_provenance`: what one source says about a passage."""

    id: str
    passage_id: str
    source_type: str
    data_extracted: str
    confidence: float | None
    timestamp: int


@dataclass(frozen=True)
class WarningRow:
    """One row of `import_warnings`."""

    file_id: str
    kind: str
    message: str


@dataclass(frozen=True)
class FailureRow:
    """One row of `import_failures`. `attempts` is counted by the database."""

    path: str
    phase: str
    code: str
    message: str
    failed_at: str


@dataclass(frozen=True)
class UndoRow:
    """One row of `import_undo`: the rows of a file as they were before a run. The database adds what came after."""

    run_id: str
    file: str
    """Guid of the file."""
    path: str
    command: str
    at: str
    before: bytes


@dataclass(frozen=True)
class FileRows:
    """The rows of one file that an import or a person's command replaces, with all columns that they own."""

    file: FileRow
    passages: tuple[PassageRow, ...]
    """By start, end and guid."""
    passage_songs: tuple[PassageSongRow, ...]
    passage_albums: tuple[PassageAlbumRow, ...]
    provenance: tuple[ProvenanceRow, ...]
