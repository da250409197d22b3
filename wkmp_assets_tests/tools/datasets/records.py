"""One record of a sample manifest: what an importer has to find in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from wkmp_assets_tests.tools.datasets.tagging import Entity, Tags

Status = Literal["INGEST COMPLETE", "DUPLICATE HASH", "NO AUDIO", "FAILED"]


@dataclass(frozen=True)
class Passage:
    """A stretch of music, in seconds from the start of the file."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Measured:
    """What decoding the finished file shows; zeros when nothing decodes."""

    sample_rate: int = 0
    channels: int = 0
    frames: int = 0


@dataclass(frozen=True)
class Record:
    """Truth about one file of a committed data set."""

    path: str
    status: Status
    form: str
    measured: Measured
    passages: tuple[Passage, ...]
    tags: Tags
    notes: str
    duplicate_of: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record with the key names of the manifest."""
        ids = self.tags.musicbrainz
        return {
            "path": self.path,
            "status": self.status,
            "format": self.form,
            "sample_rate": self.measured.sample_rate,
            "channels": self.measured.channels,
            "duration_samples": self.measured.frames,
            "passages": [asdict(passage) for passage in self.passages],
            "tolerance_s": 0.1,
            "artist": self.tags.artist,
            "title": self.tags.title,
            "album": self.tags.album,
            "track_number": self.tags.track,
            "year": int(self.tags.date[:4]) if self.tags.date else None,
            "recording_mbid": ids.recording if ids else None,
            "artists": _entities(ids.artists if ids else (), "name"),
            "album_mbid": ids.album if ids else None,
            "works": _entities(ids.works if ids else (), "title"),
            "duplicate_of": self.duplicate_of,
            "failed_phase": "passage_segments" if self.status == "FAILED" else None,
            "notes": self.notes,
        }


def write_manifest(path: Path, records: list[Record]) -> None:
    """Write the records, sorted by path."""
    rows = [record.as_json() for record in sorted(records, key=lambda record: record.path)]
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _entities(entities: tuple[Entity, ...], name_key: str) -> list[dict[str, str]]:
    return [{"mbid": entity.mbid, name_key: entity.name} for entity in entities]
