"""Tables and columns that both reading and writing name."""

from dataclasses import fields

from wkmp_assets.model.json_text import parse_json

WKMP_SCHEMA_VERSION = 4
"""Version of WKMP's own numbered migrations that results in the tables of `schema.sql`."""


def columns_of(row_class: type) -> tuple[str, ...]:
    """Return the column names of a row class, in order."""
    return tuple(field.name for field in fields(row_class))


def _comparable(*columns: str) -> str:
    """Return SQL for values of any type: SQLite keeps a BLOB in any column, and its JSON cannot hold one."""
    return ", ".join(f"iif(typeof({name}) = 'blob', quote({name}), {name})" for name in columns)


_COMPARED = _comparable(
    "guid", "start_time_ticks", "end_time_ticks", "fade_in_start_ticks", "fade_out_start_ticks", "user_title",
    "musical_flavor_vector", "additional_metadata", "song_id", "recording_mbid", "mbid_source", "title", "artist",
    "album",
)  # fmt: skip
PASSAGES_OF_FILE = f"""(
SELECT CAST(group_concat(one) AS BLOB) FROM (
  SELECT json_array(
    {_COMPARED},
    (SELECT group_concat(linked) FROM (
      SELECT json_array({_comparable("song_id", "start_time_ticks", "end_time_ticks")}) AS linked
      FROM passage_songs WHERE passage_id = passages.guid ORDER BY song_id)),
    (SELECT group_concat(album_id) FROM (
      SELECT {_comparable("album_id")} AS album_id FROM passage_albums
      WHERE passage_id = passages.guid ORDER BY album_id))) AS one
  FROM passages WHERE file_id = files.guid ORDER BY guid))"""  # noqa: S608 - literals only
"""SQL: a file's passages with all that people edit or an import keeps, as one text to compare with what was read.

It is a BLOB of that text, because a text of SQLite need not be UTF-8."""


def quote_name(identifier: str) -> str:
    """Quote the name of another program's table or column."""
    return '"' + identifier.replace('"', '""') + '"'


UNDO = "import_undo"
"""Table of the rows of files as they were before a run changed them."""


LINK_TABLES = ("passage_songs", "passage_albums", "import_provenance")


WARNINGS = "import_warnings"
"""Table of what is doubtful about files. Its rows belong to the import, like the links of passages."""


IMAGES_OF_FILES = "import_images"
"""Table of which rows of `images` the import made for which file. All other images are somebody else's."""


IMPORT_STRATEGY = "DAGSTER1"
"""`passages.import_strategy` of passages that this import wrote."""


PERSON_SOURCE = "Person"
"""Source of a song that a person named, accepted or rejected with a command, and of the provenance row that says so."""


BOUNDARIES_BY_PERSON = "a person"
"""`boundaries` in `passages.import_metadata` of a passage that a person cut or joined with a command."""


LOOKUP_SOURCE = "Lookup"
"""Source of the provenance row with a passage's lookup and all candidates. Deferred passages are found by it."""


CLASSES_SOURCE = "AcousticBrainz"
"""Source of the provenance row of a passage that waits for its song's classes. The row goes when they are there."""


MAX_LISTED_COPIES = 100
"""Files with the same bytes that a row of `files` lists. Without a limit, each of 20,000 equal files would cost a
transaction that rewrites the lists of all others."""


def listed_copies(matching_hashes: str | None) -> list[str]:
    """Return the guids in `files.matching_hashes`; none where it is no JSON list."""
    try:
        listed = parse_json(matching_hashes or "[]")
    except ValueError:
        return []
    return [guid for guid in listed if isinstance(guid, str)] if isinstance(listed, list) else []
