"""What numba compiles for librosa is there completely, or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wkmp_assets.report.compiled_librosa import prepare_librosa, warm_cache

FILL = """
import sys
from pathlib import Path
folder = Path(sys.argv[1], "librosa")
folder.mkdir()
(folder / "beat.nbc").write_bytes(bytes(range(100)))
"""
DIE = FILL + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
BEATS = """
import sys
from pathlib import Path
from wkmp_assets.report.compiled_librosa import prepare_librosa
from wkmp_assets.report.sound_images import warm_up
prepare_librosa(Path(sys.argv[1]))
warm_up()
"""


def compiled(folder: Path) -> bytes:
    return (folder / "librosa" / "beat.nbc").read_bytes()


def names(root: Path) -> list[str]:
    return [path.name for path in root.iterdir()]


def test_it_is_compiled_once(tmp_path: Path) -> None:
    folder = warm_cache(tmp_path / "numba", FILL)
    assert compiled(folder) == bytes(range(100))
    assert warm_cache(tmp_path / "numba", "raise SystemExit(1)") == folder
    assert names(tmp_path / "numba") == [folder.name]


def test_a_process_that_is_killed_while_it_compiles_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        warm_cache(tmp_path, DIE)
    assert names(tmp_path) == []
    assert compiled(warm_cache(tmp_path, FILL))


def test_what_a_killed_import_left_is_not_used_and_is_swept_in_time(tmp_path: Path) -> None:
    folder = warm_cache(tmp_path, FILL)
    left = folder.rename(tmp_path / f"{folder.name}.partial-1")
    (left / "librosa" / "beat.nbc").write_bytes(b"half")
    assert compiled(warm_cache(tmp_path, FILL)) == bytes(range(100))
    assert left.exists(), "it may be of a process that compiles now"
    os.utime(left, (time.time() - 8000,) * 2)
    (folder / "complete.json").unlink()
    warm_cache(tmp_path, FILL)
    assert names(tmp_path) == [folder.name]


@pytest.mark.parametrize("damage", [b"", bytes(99), bytes(100)], ids=["emptied", "cut", "changed"])
def test_a_damaged_folder_is_compiled_again(tmp_path: Path, damage: bytes) -> None:
    folder = warm_cache(tmp_path, FILL)
    (folder / "librosa" / "beat.nbc").write_bytes(damage)
    assert compiled(warm_cache(tmp_path, FILL)) == bytes(range(100))
    assert names(tmp_path) == [folder.name]


@pytest.mark.slow  # numba
def test_numba_is_told_where_its_code_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import config

    folder = warm_cache(tmp_path, FILL)
    monkeypatch.setattr(config, "CACHE_DIR", "")
    prepare_librosa(tmp_path)
    assert str(folder) == config.CACHE_DIR
    prepare_librosa(tmp_path / "another")
    assert str(folder) == config.CACHE_DIR, "a folder that somebody chose stays"
    assert not (tmp_path / "another").exists()


@pytest.mark.long
def test_a_process_draws_beats_after_another_was_killed_while_it_compiled(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEATS, str(tmp_path)]
    first = subprocess.Popen(command, start_new_session=True)
    while not list(tmp_path.rglob("*.nbc")):
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    subprocess.run(command, check=True)
    (folder,) = [path for path in tmp_path.iterdir() if ".partial-" not in path.name]
    stamps = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    subprocess.run(command, check=True)
    assert stamps == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}, "it is used as it is"
    (damaged, *_) = folder.rglob("*.nbc")
    damaged.write_bytes(damaged.read_bytes()[:100])
    subprocess.run(command, check=True)


def test_whoever_is_overtaken_leaves_the_complete_folder_as_it_is(tmp_path: Path) -> None:
    overtaken = (
        "import sys\nfrom pathlib import Path\nfrom wkmp_assets.report.compiled_librosa import warm_cache\n"
        f"warm_cache(Path(sys.argv[1]).parent, {FILL!r})"
    )
    folder = warm_cache(tmp_path, overtaken)
    assert compiled(folder) == bytes(range(100))
    assert names(tmp_path) == [folder.name]


def test_a_folder_that_cannot_get_its_name_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    folder = warm_cache(tmp_path / "there", FILL)
    (root := tmp_path / "linked").mkdir()
    (root / folder.name).symlink_to(tmp_path / "a disk that is not mounted")
    with pytest.raises(OSError, match="Not a directory"):
        warm_cache(root, FILL)
    assert names(root) == [folder.name]
