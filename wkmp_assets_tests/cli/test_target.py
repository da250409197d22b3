"""The library that a command means when it names a file."""

from pathlib import Path

import click
import pytest

from wkmp_assets.cli.target import folder_of


def test_the_folder_is_the_named_one_else_that_of_the_file_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "song.flac"
    file.touch()
    assert folder_of(str(file), tmp_path / "named") == tmp_path / "named"
    assert folder_of(str(file), None) == tmp_path
    assert folder_of(str(tmp_path), None) == tmp_path
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("WKMP_LIBRARY_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert folder_of("A song of no file", None) == tmp_path
    monkeypatch.delenv("WKMP_LIBRARY_ROOT")
    with pytest.raises(click.UsageError, match="name the folder of your music"):
        folder_of("A song of no file", None)
