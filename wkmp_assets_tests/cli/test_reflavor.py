"""`wkmp import --reflavor`: flavors of an earlier version are brought up to date."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from wkmp_assets.cli.main import main
from wkmp_assets.db.read.outdated_flavors import read_outdated_flavors, read_without_loudness
from wkmp_assets.model.flavor import TAG_NAMES, TAGGER, parse_flavor
from wkmp_assets_tests.support.builders import column, commit, entry, run_sql
from wkmp_assets_tests.support.checked_library import SONG
from wkmp_assets_tests.support.workplace import make_workplace

OLD = json.dumps({"user.christmas": {"no": 0.9, "yes": 0.1}, "user.mode": {"major": 0.5, "minor": 0.5}})


def test_no_library_has_no_outdated_flavors(tmp_path: Path) -> None:
    assert read_outdated_flavors(tmp_path / "wkmp.db") == frozenset()


@pytest.mark.parametrize(
    ("sources", "is_outdated"),
    [(["Measured", TAGGER], False), (["Measured", "MusiCNN 0.1.0"], True), (["Measured", "User"], True)],
)
def test_a_flavor_of_another_version_is_outdated(sources: list[str], is_outdated: bool, tmp_path: Path) -> None:
    """The first versions heard six patches, and named the network alone."""
    database = tmp_path / "wkmp.db"
    commit(database, entry("a.mp3"))
    run_sql(
        database,
        f"UPDATE passages SET musical_flavor_vector = '{OLD}', "  # noqa: S608 # a literal of this module
        f"flavor_source_blend = '{json.dumps(sources)}'",
    )
    assert read_outdated_flavors(database) == (frozenset({"a.mp3"}) if is_outdated else frozenset())


@pytest.mark.parametrize("other", ["--force", "--complete", "--retry-deferred", "--preset=default"])
def test_it_is_given_alone(other: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["import", "--reflavor", other, str(tmp_path)])
    assert done.exit_code == 2
    assert "give it alone" in " ".join(done.output.split())


@pytest.mark.long
def test_flavors_are_brought_up_to_date_without_a_decode(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "song.flac").write_bytes(SONG.read_bytes())
    place = make_workplace(tmp_path, source)
    assert place.wkmp("import", place.music).returncode == 0
    assert read_outdated_flavors(place.database) == frozenset()
    run_sql(
        place.database,
        f"UPDATE passages SET musical_flavor_vector = '{OLD}', "  # noqa: S608 # a literal of this module
        """flavor_source_blend = '["Measured", "User"]'""",
    )
    assert read_outdated_flavors(place.database) == {"song.flac"}
    file = place.music / "song.flac"
    music, times = file.read_bytes(), file.stat()
    file.write_bytes(bytes(len(music)))  # nulls cannot be decoded
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    done = place.wkmp("import", "--reflavor", place.music)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 with a flavor of an earlier version" in done.stdout
    (text,) = column(place.database, "SELECT musical_flavor_vector FROM passages")
    flavor = parse_flavor(text).flavor
    assert set(flavor) >= TAG_NAMES
    assert flavor["user.christmas"] == {"no": 0.9, "yes": 0.1}
    assert flavor["user.mode"] != {"major": 0.5, "minor": 0.5}
    (blend,) = column(place.database, "SELECT flavor_source_blend FROM passages")
    assert json.loads(blend) == ["Measured", TAGGER, "User"]
    assert read_outdated_flavors(place.database) == frozenset()


def test_a_decode_is_for_flavors_only(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["import", "--decode", str(tmp_path)])
    assert done.exit_code == 2
    assert "--decode goes with --reflavor" in " ".join(done.output.split())


@pytest.mark.slow
def test_the_loudness_of_an_earlier_import_comes_with_a_decode_and_not_without(tmp_path: Path) -> None:
    assert read_without_loudness(tmp_path / "wkmp.db") == {}
    source = tmp_path / "source"
    source.mkdir()
    (source / "song.flac").write_bytes(SONG.read_bytes())
    place = make_workplace(tmp_path, source)
    assert place.wkmp("import", place.music).returncode == 0
    assert read_without_loudness(place.database) == {}
    run_sql(place.database, "UPDATE passages SET additional_metadata = '{\"mine\": 1}'")

    told = place.wkmp("import", "--reflavor", place.music)
    assert "1 passages need a decode: wkmp import FOLDER --reflavor --decode" in " ".join(told.stdout.split())
    assert read_without_loudness(place.database) == {"song.flac": 1}

    done = place.wkmp("import", "--reflavor", "--decode", place.music)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "need a decode" not in done.stdout
    (text,) = column(place.database, "SELECT additional_metadata FROM passages")
    assert json.loads(text)["mine"] == 1
    assert json.loads(text)["measured"]["integrated_lufs"] < 0
    assert read_without_loudness(place.database) == {}
