"""DAGSTER_HOME folders with the dagster.yaml of the repository."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from unittest.mock import patch

from dagster import DagsterInstance

from wkmp_assets_tests.support.paths import ROOT


def make_new_home(home: Path) -> None:
    """Make a folder as a person does, in which Dagster finds no databases."""
    home.mkdir(exist_ok=True)
    shutil.copy(ROOT / "dagster.yaml", home)


def make_opened_home(home: Path) -> None:
    """Make a folder with the empty databases that Dagster made once; it takes half a second to make them."""
    for name, content in opened_files().items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@cache
def opened_files() -> dict[str, bytes]:
    """Return the files of such a folder, by their path in it."""
    with tempfile.TemporaryDirectory(prefix="wkmp-home-") as folder:
        home = Path(folder)
        make_new_home(home)
        with patch.dict(os.environ, {"DAGSTER_HOME": folder}), DagsterInstance.get() as instance:
            instance.all_asset_keys()
            instance.all_instigator_state()
        return {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
