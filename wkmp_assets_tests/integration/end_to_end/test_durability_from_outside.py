"""Documents survive a power cut: by the kernel's calls, each is on disk before it gets its name."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets_tests.support.workplace import Workplace

_WRITE = """
import sys
from pathlib import Path
from wkmp_assets.model.values import FileTags
from wkmp_assets.model.outcomes import Result
from wkmp_assets.runtime.phase_store import PhaseStore
PhaseStore(Path(sys.argv[1])).write("file_tags", [("a.flac", Result(FileTags("Title"), "hash"))], "run")
"""
_CALL = re.compile(r"(write|fsync|rename)\(.* = \d+")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt-get install strace)")
def test_a_phase_value_is_synced_before_it_is_renamed(workplace: Workplace, tmp_path: Path) -> None:
    store, trace = tmp_path / "phases", tmp_path / "trace.txt"
    strace = ["strace", "-f", "-y", "-e", "trace=openat,write,fsync,rename", "-o", str(trace)]
    result = workplace.run([*strace, sys.executable, "-c", _WRITE, str(store)])
    assert result.returncode == 0, result.stderr
    document = PhaseStore(store).bundles.path_of("a.flac")
    assert document.exists()
    about = [line for line in trace.read_text(encoding="utf-8", errors="replace").splitlines() if document.stem in line]
    calls = [match.group(1) for line in about if (match := _CALL.search(line))]
    assert calls == ["write", "fsync", "rename"]
    assert str(document) + '"' in about[-1], "only the rename touches the document itself"
    before = [line for line in about[:-1] if "ENOENT" not in line]  # it looks for an earlier one
    assert not any(str(document) + '"' in line or str(document) + ">" in line for line in before)
