"""What the tables and columns of a library hold, in words: the reference repeats them, and `wkmp browse` shows them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableText:
    """One table in words."""

    holds: str
    by_names: dict[str, str] = field(default_factory=dict)
    """Names of columns, separated by blanks -> what they hold."""
    is_hidden: bool = False
    """Whether only programs need it."""

    @property
    def columns(self) -> dict[str, str]:
        """Name of a column -> what it holds."""
        return {name: text for names, text in self.by_names.items() for name in names.split()}


TABLE_TEXTS = {
    "schema_version": TableText(
        "versions of WKMP's own migrations",
        {
            "version": "number of the migration",
            "applied_at": "when it ran",
        },
        is_hidden=True,
    ),
    "settings": TableText(
        "the settings inside a library; read, never written",
        {
            "key": "name of the setting",
            "value": "not shown here, because it may be a secret",
            "updated_at": "time of the last change",
        },
        is_hidden=True,
    ),
    "files": TableText(
        "One row per audio file.",
        {
            "guid": "key",
            "path": "path below the library root, as it is on disk",
            "hash": "SHA-256 of the content",
            "duration_ticks": "length",
            "format sample_rate channels": "format of the sound",
            "file_size_bytes modification_time": "what the file system says; used to see changes",
            "artist title album track_number year": "from the tags",
            "status": "INGEST COMPLETE, DUPLICATE HASH, NO AUDIO, or what other programs set",
            "matching_hashes": (
                "the guids of files with the same content, as a JSON list of at most 100; a copy lists its original "
                "first"
            ),
            "duration": "length in seconds, computed from duration_ticks, for the player",
            "created_at updated_at": "times of the row",
        },
    ),
    "passages": TableText(
        "One row per passage: a stretch of a file that a sheet, the tags or silence bounds.",
        {
            "guid": "key",
            "file_id": "its row in files",
            "start_time_ticks end_time_ticks": "where it starts and ends",
            "lead_in_start_ticks lead_out_start_ticks": "the lead-in and lead-out points",
            "fade_in_start_ticks fade_out_start_ticks fade_in_curve fade_out_curve": "fades; set by people",
            "title artist album": "names",
            "user_title": "a person's own title; set by people",
            "recording_mbid song_id": "the MusicBrainz recording, and the row in songs",
            "title_source artist_source album_source mbid_source": (
                "where each came from: ID3 (the tags of any file), CUE, Chapters, AcoustID or MusicBrainz; "
                "mbid_source also Person, after a command by hand"
            ),
            "title_confidence artist_confidence album_confidence mbid_confidence": "how sure each is, 0 to 1",
            "identity_confidence": "how sure the song is, 0 to 1",
            "musical_flavor_vector flavor_source_blend flavor_completeness": "flavor",
            "import_metadata": (
                "JSON: the parameters that the import used, and under boundaries what decided where the passage "
                "begins and ends (a person after a split or join by hand)"
            ),
            "additional_metadata": (
                "JSON: raw measures under the key measured, and tags under the keys file_tags and tag_sources; "
                "other keys are people's"
            ),
            "decode_status validation_status status": "how far the passage is",
            "start_time end_time lead_in_point lead_out_point fade_in_point fade_out_point": (
                "the same points in seconds, computed from the ticks, for the player"
            ),
            "import_session_id import_timestamp import_strategy": "which run wrote it, and when",
            "flavor_confidence_map identity_posterior_probability identity_conflicts": "not written by the import",
            "overall_quality_score metadata_completeness validation_report validation_issues": (
                "not written by the import"
            ),
            "created_at updated_at": "times of the row",
        },
    ),
    "songs": TableText(
        "One row per MusicBrainz recording.",
        {
            "guid": "key",
            "recording_mbid": "MusicBrainz id of the recording",
            "title artist_name": "names",
            "title_evidence artist_name_evidence": "why the import wrote the name beside it",
            "work_id": "its row in works",
            "flavor_vector flavor_source_blend": "flavor of the song",
            "status": "PENDING, FLAVOR READY or FLAVORING FAILED",
            "lyrics": "set by people",
            "related_songs": "not written by the import",
            "base_probability min_cooldown ramping_cooldown last_played_at": "set by people and the player",
            "created_at updated_at": "times of the row",
        },
    ),
    "artists": TableText(
        "One row per MusicBrainz artist.",
        {
            "guid": "key",
            "artist_mbid": "MusicBrainz id",
            "name": "name",
            "name_evidence": "why the import wrote the name beside it",
            "base_probability min_cooldown ramping_cooldown last_played_at": "set by people and the player",
            "created_at updated_at": "times of the row",
        },
    ),
    "works": TableText(
        "One row per MusicBrainz work.",
        {
            "guid": "key",
            "work_mbid": "MusicBrainz id",
            "title": "title",
            "title_evidence": "why the import wrote the name beside it",
            "base_probability min_cooldown ramping_cooldown last_played_at": "set by people and the player",
            "created_at updated_at": "times of the row",
        },
    ),
    "albums": TableText(
        "One row per MusicBrainz release.",
        {
            "guid": "key",
            "album_mbid": "MusicBrainz id",
            "title": "title",
            "release_date": "date of the release",
            "title_evidence release_date_evidence": "why the import wrote the name beside it",
            "created_at updated_at": "times of the row",
        },
    ),
    "images": TableText(
        "Pictures. The import writes the covers of files. It changes and deletes only rows that it made, "
        "which are those in import_images.",
        {
            "guid": "key",
            "file_path": "path of the picture, absolute",
            "image_type": (
                "album_front, album_back, album_liner or passage; WKMP also knows song, artist, work and logo"
            ),
            "entity_id": "the row in albums or passages",
            "priority": "lower shows first; the import leaves WKMP's 100",
            "width height": "in pixels",
            "created_at updated_at": "times of the row",
        },
    ),
    "passage_songs": TableText(
        "which song a passage is; ticks from the start of the passage. passage_guid, song_guid, start_time_ms "
        "and end_time_ms are computed from them, for the player",
        {
            "passage_id": "its row in passages",
            "song_id": "its row in songs",
            "start_time_ticks": "where the song starts, from the start of the passage",
            "end_time_ticks": "where it ends",
            "created_at": "time of the row",
            "passage_guid": "the same as passage_id, for the player",
            "song_guid": "the same as song_id, for the player",
            "start_time_ms": "the same in milliseconds, for the player",
            "end_time_ms": "the same in milliseconds, for the player",
        },
    ),
    "song_artists": TableText(
        "who performs a song; the weights of a song sum to 1",
        {
            "song_id": "its row in songs",
            "artist_id": "its row in artists",
            "weight": "share of the artist, 0 to 1",
            "created_at": "time of the row",
        },
    ),
    "passage_albums": TableText(
        "which releases a passage is on",
        {
            "passage_id": "its row in passages",
            "album_id": "its row in albums",
            "created_at": "time of the row",
        },
    ),
    "song_works": TableText(
        "which works a song is of",
        {
            "song_id": "its row in songs",
            "work_id": "its row in works",
            "created_at": "time of the row",
        },
    ),
    "import_provenance": TableText(
        "One row for each thing that a source said about a passage.",
        {
            "id": "key",
            "passage_id": "its row in passages",
            "source_type": "the source; Person for what somebody said with a command by hand",
            "data_extracted": "what it said, as JSON; for a lookup, the five best candidates",
            "confidence": "how sure it is, 0 to 1",
            "timestamp": "seconds since 1970",
        },
    ),
    "import_failures": TableText(
        "A table of this importer, not of WKMP: files that could not be imported, until they can.",
        {
            "path": "the file",
            "phase code message": "where it failed, the code, and the cause with the next step",
            "attempts failed_at": "how often, and when last",
        },
    ),
    "import_warnings": TableText(
        "A table of this importer: what is doubtful about the files of the library. The rows of a file are "
        "replaced when it is imported again, and go with it.",
        {
            "file_id": "its row in files",
            "kind": "the kind, such as cut short",
            "message": "a sentence",
        },
    ),
    "import_images": TableText(
        "A table of this importer: which file has which of the images that it made. Files of one album with "
        "the same picture share a row in images. That row goes when its last file has another cover, none, or "
        "is pruned.",
        {
            "file_id": "its row in files",
            "image_id": "its row in images",
        },
    ),
    "import_undo": TableText(
        "A table of this importer: the rows of files as they were before a run changed them, for wkmp undo. "
        "A file that the run added, or found as it was, has no row. Other WKMP programs neither read nor need it.",
        {
            "run_id": "the run",
            "file": "its row in files",
            "path": "where the file was then",
            "command": "import, identify, accept, reject, split, join or undo",
            "at": "when the run wrote the file",
            "before": "the earlier rows, as compressed JSON (zlib)",
            "after": ("SHA-256 of the passages as the run left them; another one means that they were changed since"),
        },
        is_hidden=True,
    ),
    "missing_files": TableText(
        "A table of this importer: files of the library that are not on disk. A row goes when its file comes "
        "back or is pruned.",
        {
            "path": "the file",
            "missing_since": "when a scan first missed it",
        },
    ),
}
"""Name of a table -> what it holds."""
