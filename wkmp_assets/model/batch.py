"""What one transaction writes, and what it leaves.

The words, one for each thing:

batch
    All rows that one transaction writes, planned from what the library held just before.
commit
    The way of one file into the library: read, plan, write; again when the library changed in between.
receipt
    What a commit cost, as SQLite reported it: locks, statements, rows, waiting. It holds the written rows.
written rows
    Which rows of the file a commit left in the library. Asset checks compare them with what they find.
mark
    A row of `missing_files`: the file was not on disk at the last scan.
"""

from dataclasses import dataclass, field

from wkmp_assets.model.file_entry import FileEntry
from wkmp_assets.model.file_warnings import FileWarning
from wkmp_assets.model.outcomes import Outcome
from wkmp_assets.model.references import Reference
from wkmp_assets.model.rows import (
    AlbumRow,
    ArtistRow,
    FailureRow,
    FileImageRow,
    FileRow,
    ImageRow,
    PassageAlbumRow,
    PassageRow,
    PassageSongRow,
    ProvenanceRow,
    SongArtistRow,
    SongFlavor,
    SongRow,
    SongWorkRow,
    UndoRow,
    WarningRow,
    WorkRow,
)


@dataclass(frozen=True)
class ExpectedFile:
    """What the library held of a file when it was read. The write succeeds only if it still holds the same."""

    row: FileRow
    passages: bytes | None
    """Its passages with all columns that people edit, as one text made by SQLite; None when it had none."""


@dataclass(frozen=True)
class CopyLink:
    """Another file with the same bytes, whose list of copies changes."""

    read: FileRow
    """Its row, as it was read."""
    matching_hashes: str
    """Its new list: guids as JSON."""


@dataclass(frozen=True)
class DisplacedFile:
    """Another file's row under the path that a moved file takes. The two change places."""

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
    """Tables and columns of other programs that refer to passages. A passage they refer to is not removed."""
    passages: tuple[PassageRow, ...] = ()
    passage_songs: tuple[PassageSongRow, ...] = ()
    song_artists: tuple[SongArtistRow, ...] = ()
    song_works: tuple[SongWorkRow, ...] = ()
    passage_albums: tuple[PassageAlbumRow, ...] = ()
    provenance: tuple[ProvenanceRow, ...] = ()
    images: tuple[ImageRow, ...] = ()
    """Those that the library lacks, or has under another path."""
    file_images: tuple[FileImageRow, ...] = ()
    """Those that the library lacks."""
    dropped_images: tuple[str, ...] = ()
    """Images that the file no longer has. Each goes unless another file has it."""
    copy_links: tuple[CopyLink, ...] = ()
    displaced: DisplacedFile | None = None
    found: tuple[str, ...] = ()
    """Paths that lose their mark: they are on disk again."""
    failure: FailureRow | None = None
    keeps_failure: bool = False
    """Whether a recorded failure stays: the file was not imported."""
    kept_because: tuple[str, ...] = ()
    """One reason for each passage that keeps earlier knowledge, because no answer replaced it."""
    warnings: tuple[FileWarning, ...] = ()
    """What is doubtful about the file after this write."""
    replaces_warnings: bool = False
    """Whether the stored warnings of the file go first."""
    warning_rows: tuple[WarningRow, ...] = ()
    """Empty when the library has the same warnings already."""
    undo: UndoRow | None = None
    """The rows of the file as they were; None where it had no passages, or keeps them."""


@dataclass(frozen=True)
class MarkBatch:
    """How one scan changes the marks of missing files."""

    missing: tuple[str, ...]
    """Paths to mark."""
    found: tuple[str, ...]
    """Paths to unmark."""
    forgotten: tuple[str, ...]
    """Paths of failures to delete: their files are gone."""
    at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""
    path: str = "the marks of missing files"
    """What messages name instead of a file."""


@dataclass(frozen=True)
class ForgetBatch:
    """Runs that can no longer be undone."""

    before: str
    """They are older than this: UTC, `YYYY-MM-DD HH:MM:SS`."""
    path: str = "the runs that can be undone"
    """What messages name instead of a file."""


@dataclass(frozen=True)
class RemovalBatch:
    """A file to remove, with its passages and their links. Songs, artists, albums and works stay."""

    path: str
    expected: ExpectedFile
    passages: tuple[str, ...]
    references: tuple[Reference, ...]
    """Columns in which other programs may refer to it."""
    with_references: bool
    """Whether those rows go as well. If not, one that was added after the library was read stops the removal."""
    copy_links: tuple[CopyLink, ...]
    """Files that list it as a copy."""
    images: tuple[str, ...]
    """Images of the file. Each goes unless another file has it."""
    at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`."""


@dataclass(frozen=True)
class WrittenRows:
    """The rows that a commit left in the library for one file."""

    file: str
    """Guid of the file's row."""
    status: str
    content_hash: str
    written_at: str
    """UTC, `YYYY-MM-DD HH:MM:SS`: stamped on every row of the commit."""
    passages: int
    """Number of passages that this commit wrote. The import session of each is the run."""
    passage_songs: int
    passage_albums: int
    provenance: int
    kept_passages: int
    """Number of older passages that this commit left unchanged."""


def written_rows(batch: object) -> WrittenRows | None:
    """Return the rows of a file that a batch writes; None when it writes none."""
    if not isinstance(batch, WriteBatch) or batch.file is None:
        return None
    row = batch.file
    ours = {passage.guid for passage in batch.passages}
    return WrittenRows(
        file=row.guid,
        status=row.status,
        content_hash=row.hash,
        written_at=row.updated_at,
        passages=len(batch.passages),
        # Links that people made have other times. The checks count those of this commit, of the passages that it wrote.
        passage_songs=sum(
            link.created_at == row.updated_at and link.passage_id in ours for link in batch.passage_songs
        ),
        passage_albums=sum(link.created_at == row.updated_at for link in batch.passage_albums),
        provenance=len(batch.provenance),
        kept_passages=batch.kept_passages,
    )


@dataclass(frozen=True)
class Receipt:
    """What one commit cost, as SQLite reported it, all its tries together."""

    write_locks: int
    """Acquisitions of SQLite's write lock."""
    transactions: int
    statements: int
    selects_in_transaction: int
    rows: dict[str, int] = field(default_factory=dict)
    """Table -> rows inserted, updated or deleted."""
    wait_ms: float = 0.0
    """From queueing at the gate to holding the write lock, the sum of all tries."""
    hold_ms: float = 0.0
    """From holding the write lock to the end of COMMIT, in the longest transaction."""
    retries: int = 0
    """Tries that met a lock held by another program."""
    conflicts: int = 0
    """Tries that met a library which had changed since it was read. The file was read and planned again."""
    written: WrittenRows | None = None
    """None when only a failure was recorded."""


@dataclass(frozen=True)
class FileCommit:
    """What a commit did with one file."""

    key: str
    outcome: Outcome[FileEntry]
    receipt: Receipt | None = None
    """None when nothing was written."""
    batch: WriteBatch | None = field(default=None, repr=False)
