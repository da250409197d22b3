"""The write batch (everything one transaction will write) and the receipt (what SQLite says it wrote)."""

from dataclasses import dataclass, field

from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.outcomes import Outcome
from wkmp_assets.model.rows import (
    AlbumRow,
    ArtistRow,
    FailureRow,
    FileRow,
    PassageAlbumRow,
    PassageRow,
    PassageSongRow,
    ProvenanceRow,
    SongArtistRow,
    SongFlavor,
    SongRow,
    SongWorkRow,
    WorkRow,
)


@dataclass(frozen=True)
class ExpectedFile:
    """What the library held of a file when it was read; the write goes through only if it still does."""

    row: FileRow
    passages: str | None
    """Its passages with everything people edit, as one text made by SQLite; None when it had none."""


@dataclass(frozen=True)
class CopyLink:
    """Another file with the same bytes, whose list of copies grows."""

    read: FileRow
    """The other file's row, as it was read."""
    matching_hashes: str


@dataclass(frozen=True)
class DisplacedFile:
    """Another file's row under the path that a moved file takes; the two change places."""

    read: FileRow
    path: str
    """Where the moved file was."""


@dataclass(frozen=True)
class WriteBatch:
    """All rows of one file, in the order of their fields."""

    path: str
    file: FileRow | None = None
    """None when only a failure is recorded."""
    expected: ExpectedFile | None = None
    """The file as it was read; None when the library did not have it."""
    songs: tuple[SongRow, ...] = ()
    song_flavors: tuple[SongFlavor, ...] = ()
    """Only of songs whose flavor changes."""
    artists: tuple[ArtistRow, ...] = ()
    works: tuple[WorkRow, ...] = ()
    albums: tuple[AlbumRow, ...] = ()
    removed_passages: tuple[str, ...] = ()
    kept_passages: int = 0
    """Existing passages that stay as they are."""
    passage_references: tuple[tuple[str, str], ...] = ()
    """Table and column of everything that refers to passages and is not ours: no removed passage may be among it."""
    passages: tuple[PassageRow, ...] = ()
    passage_songs: tuple[PassageSongRow, ...] = ()
    song_artists: tuple[SongArtistRow, ...] = ()
    song_works: tuple[SongWorkRow, ...] = ()
    passage_albums: tuple[PassageAlbumRow, ...] = ()
    provenance: tuple[ProvenanceRow, ...] = ()
    copy_links: tuple[CopyLink, ...] = ()
    displaced: DisplacedFile | None = None
    found: tuple[str, ...] = ()
    """Paths that are no longer missing."""
    failure: FailureRow | None = None
    warnings: tuple[str, ...] = ()
    """What a person should know about this write; goes to the partition's metadata."""


@dataclass(frozen=True)
class MarkBatch:
    """What one scan of the library notes about files that are gone, or there again."""

    missing: tuple[str, ...]
    found: tuple[str, ...]
    forgotten: tuple[str, ...]
    """Paths of failures that are gone with their files."""
    at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
    path: str = "what is missing"
    """For messages."""


@dataclass(frozen=True)
class Reference:
    """A column of another program's table that refers to files or passages."""

    target: str
    """`files` or `passages`."""
    table: str
    column: str
    outlives: bool
    """Its rows stay without what they referred to (ON DELETE SET NULL)."""


@dataclass(frozen=True)
class RemovalBatch:
    """A file that goes from the library, with its passages and their links. Songs, artists, albums and works stay."""

    path: str
    expected: ExpectedFile
    passages: tuple[str, ...]
    references: tuple[Reference, ...]
    """Where other programs may refer to it."""
    with_references: bool
    """Whether their rows go as well; if not, one that has come since the library was read stops the removal."""
    copy_links: tuple[CopyLink, ...]
    """Other files that list it as a copy."""
    at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""


@dataclass(frozen=True)
class WrittenRows:
    """What the library holds of a file once its commit is through: checks compare it with what they find."""

    file: str
    """Guid of its row."""
    status: str
    content_hash: str
    written_at: str
    """The time stamped on every row of the commit."""
    passages: int
    """Written by this commit, like the rows that belong to them; the import session of each is the run."""
    passage_songs: int
    passage_albums: int
    provenance: int
    kept_passages: int
    """Older ones that this commit left as they were."""


def written_rows(batch: object) -> WrittenRows | None:
    """Return what the library holds of a file after a batch; None when that writes none."""
    row = batch.file if isinstance(batch, WriteBatch) else None
    if row is None or not isinstance(batch, WriteBatch):
        return None
    return WrittenRows(
        file=row.guid,
        status=row.status,
        content_hash=row.hash,
        written_at=row.updated_at,
        passages=len(batch.passages),
        passage_songs=len(batch.passage_songs),
        passage_albums=len(batch.passage_albums),
        provenance=len(batch.provenance),
        kept_passages=batch.kept_passages,
    )


@dataclass(frozen=True)
class Receipt:
    """What one file's commit cost, as SQLite reported it."""

    write_locks: int
    """Acquisitions of SQLite's write lock."""
    transactions: int
    statements: int
    selects_in_transaction: int
    rows: dict[str, int] = field(default_factory=dict)
    """Table -> rows inserted, updated or deleted."""
    wait_ms: float = 0.0
    """From wanting the gate to holding the write lock, all attempts together."""
    hold_ms: float = 0.0
    """From holding the write lock to the end of COMMIT, the longest of the transactions."""
    retries: int = 0
    """Attempts that met a lock held by others."""
    conflicts: int = 0
    """Times the library had changed between reading and writing, and the rows were computed again."""
    written: WrittenRows | None = None
    """None when only a failure was recorded."""


@dataclass(frozen=True)
class FileCommit:
    """What happened to one file."""

    key: str
    outcome: Outcome[FileEntry]
    receipt: Receipt | None = None
    """None when nothing was written."""
    batch: WriteBatch | None = field(default=None, repr=False)
