"""What `wkmp status` reads of the last scan is what the phase store has."""

import json
from pathlib import Path
from typing import Any

import pytest

from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
from wkmp_assets.model.outcomes import Failed, Outcome, Result
from wkmp_assets.model.phases import SCAN, SCHEMA_VERSION
from wkmp_assets.runtime.bundles import BundleFolder
from wkmp_assets.runtime.last_scan import read_last_scan
from wkmp_assets.runtime.phase_store import PhaseStore

FULL = LibraryChanges(
    ("a.mp3",), ("b.mp3",), ("caf\udce9.mp3",), ("gone.mp3",), ("behind a link.mp3",), ("closed",), "Bach",
    ("pipe.mp3 is no file",), (PassedOver("@eaDir", "", 3, 0), PassedOver("*.wav", "Demos/.wkmpignore", 0, 2)),
    ("ignored.mp3",), {".mod": 4},
)  # fmt: skip
STORED: dict[str, Any] = {"new": [], "changed": [], "unchanged": [], "missing": []}


@pytest.mark.parametrize("found", [FULL, LibraryChanges((), (), (), ())])
def test_the_last_scan_is_read_as_the_phase_store_reads_it(tmp_path: Path, found: LibraryChanges) -> None:
    store = PhaseStore(tmp_path)
    store.write(SCAN, [(SCAN, Result(found, ""))], "run")
    again: Outcome[Any] = PhaseStore(tmp_path).read_stored(SCAN, SCAN)
    assert isinstance(again, Result)
    assert read_last_scan(tmp_path) == again.value == found


def test_without_a_scan_there_is_none(tmp_path: Path) -> None:
    assert read_last_scan(tmp_path) is None
    PhaseStore(tmp_path).write(SCAN, [(SCAN, Failed(SCAN, "C", "m"))], "run")
    assert read_last_scan(tmp_path) is None


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        (STORED, True),
        ({**STORED, "of a newer version": 3}, True),
        ({"new": []}, False),
        ({**STORED, "ignored": "a.mp3"}, False),
        ({**STORED, "ignored": [3]}, False),
        ({**STORED, "folder": None}, False),
        ({**STORED, "patterns": [{"pattern": "*.wav"}]}, True),
        ({**STORED, "patterns": [{"pattern": "*.wav", "file_count": "many"}]}, False),
        ({**STORED, "patterns": [{}]}, False),
        ({**STORED, "patterns": ["*.wav"]}, False),
        ({**STORED, "unread_formats": {".mod": 2.5}}, False),
        ({**STORED, "unread_formats": [".mod"]}, False),
        ([], False),
        ("none", False),
        (None, False),
    ],
)
def test_what_is_damaged_counts_as_no_scan_here_and_there(tmp_path: Path, value: object, is_read: bool) -> None:
    document = {"schema_version": SCHEMA_VERSION, "outcome": "result", "content_hash": "", "value": value}
    BundleFolder(tmp_path).update({SCAN: {SCAN: json.dumps(document).encode()}})
    assert (read_last_scan(tmp_path) is not None) == is_read
    assert isinstance(PhaseStore(tmp_path).read_stored(SCAN, SCAN), Result) == is_read


@pytest.mark.parametrize("content", [b"[]", b"3", b'{"schema_version": 1, "outcome": "result"}', b"{", b"[" * 100_000])
def test_a_document_that_is_none_or_of_another_version_counts_as_no_scan(tmp_path: Path, content: bytes) -> None:
    BundleFolder(tmp_path).update({SCAN: {SCAN: content}})
    assert read_last_scan(tmp_path) is None
