"""The report of a library after a real import, from the command and from Dagster."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from wkmp_assets.model.phases import REPORT
from wkmp_assets.orchestration.build import build_definitions
from wkmp_assets.runtime.served_page import announce_page
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.report.test_library_page import Elements
from wkmp_assets_tests.support.checked_library import QUIET
from wkmp_assets_tests.support.workplace import Imported

PAGE = "http://127.0.0.1:3001"


def test_the_command_writes_the_page_and_says_where(imported_sample: Imported, tmp_path: Path) -> None:
    output = tmp_path / "new folder" / "report.html"
    place = imported_sample.place
    note = load_settings(library_root=place.music, state_dir=place.home / ".wkmp").browse_path
    with announce_page(note, PAGE):
        result = place.wkmp("report", place.music, "--output", output)
    assert (result.returncode, result.stdout.strip()) == (0, str(output)), result.stderr
    assert result.stderr.strip().endswith(f"To look and listen: {PAGE}")
    text = Elements(output.read_text(encoding="utf-8")).text
    assert "18 receipts, one for each file's last write: 1.00 write locks per file" in " ".join(text.split())
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_the_asset_shows_the_report_and_says_where_its_page_is(imported_sample: Imported, tmp_path: Path) -> None:
    place = imported_sample.place
    with place.instance() as instance:
        # Another state folder: the library is shared with other tests.
        settings = load_settings(library_root=place.music, state_dir=tmp_path)
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        with announce_page(settings.browse_path, PAGE):
            result = job.get_subset(asset_selection={dg.AssetKey(REPORT)}).execute_in_process(
                instance=instance, run_config=QUIET
            )
    events = {event.asset_key: event for event in result.get_asset_materialization_events()}
    event = events.pop(dg.AssetKey(REPORT))
    counts = {key.path[-1]: one.materialization.metadata["dagster/row_count"].value for key, one in events.items()}
    with closing(sqlite3.connect(settings.database_path)) as library:
        assert all(library.execute(f"SELECT count(*) FROM {name}").fetchone() == (counts[name],) for name in counts)  # noqa: S608
    assert {"files", "passages", "import_provenance"} <= set(counts)
    metadata = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (metadata["files"], metadata["passages"], metadata["receipts"], metadata["failed"]) == (18, 18, 18, 0)
    assert Path(str(metadata["path"])) == settings.report_path
    assert metadata["look_and_listen"] == PAGE
    with closing(sqlite3.connect(settings.receipts_path)) as receipts:
        assert receipts.execute("SELECT count(*), min(write_locks), max(hold_ms) > 0 FROM receipts").fetchone() == (
            18,
            1,
            1,
        )
        assert receipts.execute("SELECT count(*) FROM receipts WHERE file_id IS NULL").fetchone() == (0,)
    assert 0 < float(metadata["identified_share"]) < 1
    assert all(float(metadata[name]) > 0 for name in ("files_per_s", "wait_p99_ms", "hold_p99_ms", "median_bpm"))
    assert -40 < float(metadata["median_integrated_lufs"]) < 0
    shown = event.materialization.metadata
    links = [one.value for one in shown.values() if isinstance(one, dg.UrlMetadataValue)]
    assert [one for one in links if not one.startswith("http")] == [], "a browser does not open it"
    assert {"files_by_status", "passages_by_confidence", "transactions", "imports"} <= set(shown)
    statuses = shown["files_by_status"]
    assert isinstance(statuses, dg.TableMetadataValue)
    assert {"status": "imported", "files": "16"} in [record.data for record in statuses.records]
    assert "Library report" in settings.report_path.read_text(encoding="utf-8")
