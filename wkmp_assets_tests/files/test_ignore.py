"""What a scan passes over: names that systems give, the setting, and `.wkmpignore` at every level."""

import doctest
import os
from pathlib import Path

import pytest

from wkmp_assets.errors import LibraryRootError
from wkmp_assets.files import foreign_names
from wkmp_assets.files.ignore import MAX_IGNORE_BYTES, IgnoreMatch, IgnoreRules
from wkmp_assets.files.scan import scan_folder
from wkmp_assets.files.walk import WalkReport, find_audio_files
from wkmp_assets.model.known_files import KnownFile
from wkmp_assets.model.library_changes import PassedOver
from wkmp_assets_tests.support.builders import sha


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def write(root: Path, path: str, *lines: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("\n".join(lines) + "\n")


def found(root: Path, *setting: str, folder: str = "") -> list[str]:
    return [path for path, _ in find_audio_files(root, root / folder, WalkReport(), IgnoreRules(root, setting))]


def counted(root: Path, *setting: str) -> tuple[PassedOver, ...]:
    report = WalkReport()
    list(find_audio_files(root, root, report, IgnoreRules(root, setting)))
    return report.list_patterns()


def test_the_examples_of_the_names_are_true() -> None:
    assert doctest.testmod(foreign_names).failed == 0


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("@eaDir", "@eaDir"),
        ("@EADIR", "@eaDir"),
        ("#recycle", "#recycle"),
        ("#Recycle", "#recycle"),
        ("@Recycle", "@Recycle"),
        ("#snapshot", "#snapshot"),
        ("@Recently-Snapshot", "@Recently-Snapshot"),
        (".snapshot", ".snapshot"),
        ("~snapshot", "~snapshot"),
        (".zfs", ".zfs"),
        ("$RECYCLE.BIN", "$RECYCLE.BIN"),
        ("$Recycle.Bin", "$RECYCLE.BIN"),
        ("RECYCLER/S-1-5-21-1078", "S-1-5-21-*"),
        ("System Volume Information", "System Volume Information"),
        (".stfolder", ".stfolder"),
        (".stversions", ".stversions"),
        (".sync", ".sync"),
        (".dropbox.cache", ".dropbox.cache"),
        (".Trash-1000", ".Trash-*"),
        (".Trashes", ".Trashes"),
        ("Lost+Found", "lost+found"),
        (".AppleDouble", ".AppleDouble"),
        (".Spotlight-V100", ".Spotlight-V100"),
        ("__macosx", "__MACOSX"),
        ("@tmp", "@tmp"),
        ("Recycle Bin", "Recycle Bin"),
        (".@__thumb", ".@__thumb"),
        (".hidden", ".*"),
    ],
)
def test_folders_beside_the_music_are_passed_over_in_any_case_and_at_any_depth(
    tmp_path: Path, folder: str, pattern: str
) -> None:
    touch(tmp_path, "A/1.mp3", f"{folder}/A/1.mp3", f"A/B/{folder}/2.mp3")
    assert found(tmp_path) == ["A/1.mp3"]
    assert counted(tmp_path) == (PassedOver(pattern, folder_count=2),)


@pytest.mark.parametrize(
    "name", ["Recycler", "Snapshot", "Trash", "Recycled", "...And Oceans", "#1", "@", "Sync", "S-1"]
)
def test_an_album_may_be_called_like_that(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}/1.mp3")
    assert found(tmp_path) == [f"{name}/1.mp3"]
    assert counted(tmp_path) == ()


def test_files_of_macos_are_counted_and_hidden_files_only_if_they_are_named_like_music(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3", "._a.mp3", "._cover.jpg", ".b.mp3", ".DS_Store", ".directory")
    assert found(tmp_path) == ["a.mp3"]
    assert counted(tmp_path) == (PassedOver("._*", file_count=2), PassedOver(".*", file_count=1))


def test_patterns_count_below_their_folder_and_the_nearest_decides(tmp_path: Path) -> None:
    paths = ["1.wav", "2.mp3", "Demos/3.mp3", "Live/4.wav", "Live/5.mp3", "Live/Soundcheck/6.mp3", "Talk/7.mp3"]
    touch(tmp_path, *paths)
    write(tmp_path, ".wkmpignore", "# rough takes", "", "*.wav", "/Demos/", "Soundcheck/")
    write(tmp_path, "Live/.wkmpignore", "!*.wav", "5.*")
    assert found(tmp_path, "Talk") == ["2.mp3", "Live/4.wav"]
    assert counted(tmp_path, "Talk") == (
        PassedOver("*.wav", ".wkmpignore", file_count=1),
        PassedOver("/Demos/", ".wkmpignore", folder_count=1),
        PassedOver("Soundcheck/", ".wkmpignore", folder_count=1),
        PassedOver("5.*", "Live/.wkmpignore", file_count=1),
        PassedOver("Talk", "WKMP_IGNORE", folder_count=1),
    )


def test_a_pattern_takes_a_name_back(tmp_path: Path) -> None:
    touch(tmp_path, "@Recycle/1.mp3", ".mixtape/2.mp3", "@eaDir/3.mp3", "Demos/4.mp3")
    write(tmp_path, ".wkmpignore", "!@Recycle/", "!.mixtape", "!Demos/")
    assert found(tmp_path, "Demos") == [".mixtape/2.mp3", "@Recycle/1.mp3", "Demos/4.mp3"]


def test_a_walk_of_a_part_obeys_the_patterns_above_it(tmp_path: Path) -> None:
    touch(tmp_path, "A/B/1.mp3", "A/B/2.wav")
    write(tmp_path, "A/.wkmpignore", "*.wav")
    assert found(tmp_path, folder="A/B") == ["A/B/1.mp3"]


def test_one_path_is_judged_as_the_walk_judges_it(tmp_path: Path) -> None:
    paths = ["1.mp3", "@eaDir/2.mp3", "A/@eaDir/x/3.mp3", "A/4.wav", "A/B/5.mp3", "A/B/6.wav", ".h/7.mp3", "A/._8.mp3"]
    touch(tmp_path, *paths)
    write(tmp_path, "A/.wkmpignore", "*.wav", "!@eaDir/")
    write(tmp_path, "A/B/.wkmpignore", "!6.wav", "5.mp3")
    rules = IgnoreRules(tmp_path)
    assert [path for path in paths if rules.find(path) is None] == sorted(found(tmp_path))
    assert rules.find("A/4.wav") == IgnoreMatch("*.wav", "A/.wkmpignore")
    assert rules.find("gone/@eaDir/a.mp3") == IgnoreMatch("@eaDir"), "it need not be on disk"


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "UTF-16", "large"])
def test_a_pattern_file_that_cannot_be_read_is_named_and_ignores_nothing(tmp_path: Path, kind: str) -> None:
    touch(tmp_path, "music/a.mp3")
    path = tmp_path / "music" / ".wkmpignore"
    write(tmp_path, "elsewhere", "*.mp3")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "UTF-16":
        path.write_text("*.mp3\n", encoding="utf-16")
    else:
        path.write_text("*.mp3\n" * MAX_IGNORE_BYTES)
    report = WalkReport()
    assert [one for one, _ in find_audio_files(tmp_path / "music", tmp_path / "music", report)] == ["a.mp3"]
    assert report.passed_over[".wkmpignore"].startswith("its patterns do not count, because it ")


def test_a_line_that_is_no_pattern_is_named_and_the_others_count(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3", "b.wav", "caf\udce9.mp3")
    (tmp_path / ".wkmpignore").write_bytes(b"\xef\xbb\xbf*.wav\r\n!\ncaf\xe9.mp3\nb\\\n")
    report = WalkReport()
    assert [one for one, _ in find_audio_files(tmp_path, tmp_path, report)] == ["a.mp3"]
    assert report.passed_over == {
        ".wkmpignore": "what is in line 2, 4 is no pattern in gitignore syntax and does not count"
    }


def known(path: str, status: str = "INGEST COMPLETE") -> KnownFile:
    return KnownFile(f"guid of {path}", path, sha("song"), status, "2000-01-01 00:00:00", 1)


def test_a_song_in_the_recycle_bin_is_missing_and_not_moved(tmp_path: Path) -> None:
    touch(tmp_path, "#recycle/A/1.mp3", "B/2.mp3")
    changes, _ = scan_folder(tmp_path, "", [known("A/1.mp3")])
    assert (changes.new, changes.missing, changes.ignored) == (("B/2.mp3",), ("A/1.mp3",), ())


def test_a_snapshot_that_an_earlier_import_took_for_the_original_gives_way(tmp_path: Path) -> None:
    """Its row counts as missing, and the file that was its duplicate is looked at again."""
    touch(tmp_path, "#snapshot/A/1.mp3", "A/1.mp3")
    changes, _ = scan_folder(tmp_path, "", [known("#snapshot/A/1.mp3"), known("A/1.mp3", "DUPLICATE HASH")])
    assert (changes.changed, changes.missing) == (("A/1.mp3",), ("#snapshot/A/1.mp3",))
    assert changes.ignored == ("#snapshot/A/1.mp3",)


def test_a_folder_that_is_passed_over_cannot_be_scanned_alone(tmp_path: Path) -> None:
    touch(tmp_path, "@eaDir/1.mp3", "Demos/2.mp3")
    write(tmp_path, ".wkmpignore", "Demos")
    with pytest.raises(LibraryRootError, match="'@eaDir', a name that systems give"):
        scan_folder(tmp_path, "@eaDir", [])
    with pytest.raises(LibraryRootError, match=r"'Demos' of \.wkmpignore"):
        scan_folder(tmp_path, "Demos", [])


def test_patterns_that_match_everything_are_named_beside_the_disk(tmp_path: Path) -> None:
    touch(tmp_path, "1.mp3")
    write(tmp_path, ".wkmpignore", "*")
    with pytest.raises(LibraryRootError, match=r"mounted, and that the patterns of \.wkmpignore do not match every"):
        scan_folder(tmp_path, "", [known("1.mp3")])
