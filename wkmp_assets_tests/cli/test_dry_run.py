"""`--dry-run` says what would be done, and writes nothing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.model.timestamps import format_seconds
from wkmp_assets_tests.support.builders import commit, entry


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with an unchanged, a moved, a deleted and a changed file, a new one, and two of another kind."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WKMP_LIBRARY_ROOT", raising=False)
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("same", "old name", "deleted", "changed"):
        known = folder / f"{name}.flac"
        known.write_bytes(name.encode() * 100)
        one = entry(known.name, name)
        found = known.stat()
        identity = replace(
            one.identity,
            content_hash=hashlib.sha256(known.read_bytes()).hexdigest(),
            size_bytes=found.st_size,
            modified_at=format_seconds(found.st_mtime),
        )
        commit(folder / "wkmp.db", replace(one, identity=identity))
    (folder / "old name.flac").rename(folder / "new name.flac")
    (folder / "deleted.flac").unlink()
    (folder / "changed.flac").write_bytes(b"longer than before" * 100)
    (folder / "added.mp3").write_bytes(bytes(8_000_000))
    (folder / "tune.mod").write_bytes(b"x")
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content. SQLite makes the log and its index also for those who read."""
    found = [path for path in folder.rglob("*") if not path.name.endswith(("-shm", "-wal"))]
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in found}


def wkmp(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_an_import_is_foretold_and_nothing_is_written(music: Path, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    assert wkmp("import", music, "--dry-run", "--workers", "1").splitlines() == [
        "2 files would be imported:",
        "  added.mp3",
        "  changed.flac",
        "1 file would be moved in the library:",
        "  old name.flac -> new name.flac",
        "1 file would be marked as missing:",
        "  deleted.flac",
        "1 unchanged.",
        "Passed over: 1 .mod.",
        "It would take about 0:06, by the formats and sizes of the files.",
        "Nothing was written.",
    ]
    assert snapshot(tmp_path) == before


def test_a_first_and_a_forced_import_are_foretold(music: Path, tmp_path: Path) -> None:
    assert "3 files would be imported" in wkmp("import", music, "--dry-run", "--force")
    assert "2 files would be imported" in wkmp("import", music, "--dry-run", "--complete")
    (tmp_path / "new").mkdir()
    for number in range(25):
        (tmp_path / f"new/{number}.flac").write_bytes(b"x")
    text = wkmp("import", tmp_path / "new", "--dry-run")
    assert "25 files would be imported" in text
    assert "and 5 more" in text
    assert len(list((tmp_path / "new").iterdir())) == 25, "there is no wkmp.db"
    assert "--dry-run is about new" in wkmp("import", music, "--dry-run", "--reflavor", status=2)


@pytest.mark.slow  # it loads Dagster
def test_a_prune_is_foretold_and_nothing_is_written(music: Path, tmp_path: Path) -> None:
    for name in ("changed.flac", "added.mp3", "new name.flac"):
        (music / name).unlink()
    before = snapshot(tmp_path)
    text = wkmp("prune", music, "--dry-run", "--yes")
    assert "3 to be removed" in text
    assert "Nothing was removed." in text
    assert snapshot(tmp_path) == before
