"""Commands start without what they do not need: readers without an import's, imports without a service's."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from wkmp_assets.db.missing_files import mark_missing
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.library_changes import LibraryChanges, PassedOver
from wkmp_assets.model.outcomes import Failed, Result
from wkmp_assets.model.phases import SCAN
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import load_settings
from wkmp_assets_tests.support.builders import NOW, bare, commit, entry, flavor
from wkmp_assets_tests.support.package_code import TREES
from wkmp_assets_tests.support.paths import ROOT
from wkmp_assets_tests.support.tones import tone

NEEDED = {"click", "platformdirs", "rich", "wkmp_assets"}
"""What parses the command line, finds the state folder and prints. SQLite comes with Python."""
SLOW_PARTS = {"asyncio", "email", "importlib.metadata", "ssl", "unittest", "urllib.request"}
"""Of Python's own: each takes a tenth of a second or half of it, and comes in through a library."""
READING = (
    ("failures",), ("missing",), ("duplicates",), ("warnings",), ("list",), ("search", "song"), ("show", "a.mp3"),
    ("export", "--format", "csv"), ("undo",), ("status",), ("status", "--json"), ("similar", "a.mp3"),
    ("similar", "b.mp3"),
)  # fmt: skip
COMPARING = ("playlist", "--like", "b.mp3")
"""Only many flavors need NumPy, and their best order."""
CODE = """
import json, sys
at_start = set(sys.modules)  # Debian's Python loads a `sitecustomize`
from wkmp_assets.cli.main import main
folder, commands, slow = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
for command in commands:
    try:
        main([*command, folder])
    except SystemExit as end:
        assert end.code in {0, 1}, (command, end.code)
    loaded = (name for name in sys.modules.keys() - at_start if not name.startswith("_"))
    names = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    print(json.dumps([command, sorted(names | (set(slow) & sys.modules.keys() - at_start))]), file=sys.stderr)
"""


@pytest.mark.slow
def test_a_command_that_reads_loads_nothing_of_an_import(tmp_path: Path) -> None:
    """`wkmp list` would take two seconds longer with Dagster, and half as long again with NumPy."""
    with_flavors = [
        replace(entry(path, path), passages=(replace(one, flavor=flavor(one.match.span)),))
        for path in ("b.mp3", "c.mp3")
        for one in entry(path).passages[:1]
    ]
    doubtful = replace(entry("a.mp3"), warnings=(FileWarning(WarningKind.CLIPPED, "too loud"),))
    twice = bare("copy.mp3", "a", duplicate_of="a.mp3")
    for file in (doubtful, *with_flavors, twice):
        commit(tmp_path / "wkmp.db", file)
    commit(tmp_path / "wkmp.db", ("broken.mp3", Failed("file_tags", "BROKEN", "what to do")))
    scan = LibraryChanges(("broken.mp3",), (), (), ("c.mp3",), patterns=(PassedOver("@eaDir", "", 1, 0),))
    mark_missing(tmp_path / "wkmp.db", scan, NOW)
    home = load_settings(library_root=tmp_path, state_dir=tmp_path / ".wkmp")
    PhaseStore(home.phase_dir).write(SCAN, [(SCAN, Result(scan, ""))], "run")
    commands = (*READING, COMPARING)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path), json.dumps(commands), json.dumps([*SLOW_PARTS])],
        cwd=ROOT,
        env={"DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [command for command, _ in loaded] == [list(command) for command in commands]
    # All of them run in one process: what one has loaded is there for the next.
    assert [(command[0], extra) for command, names in loaded if (extra := set(names) - NEEDED)] == [
        ("playlist", {"numpy"})
    ]
    for shown in ("1 failed", "1 missing", "1 original with 1 copy", "1 warning about 1 file", "1 folder '@eaDir'"):
        assert shown in done.stdout


ASKING = {"boto3", "cattrs", "pyrate_limiter", "requests", "requests_cache", "requests_ratelimiter", "urllib3"}
"""What asks services. It takes a quarter of a second of CPU to load."""
DRAWING = {"jinja2", "librosa", "matplotlib"}
DECODING = {"av", "mutagen", "PIL", "scipy", "soundfile"}
"""What only the workers need. It takes half a second of CPU to load."""
WITHOUT_KEY = """
import json, sys
from pathlib import Path
from wkmp_assets.identify.open_lookups import ServiceSettings, open_class_lookup, open_recording_lookup
known = ServiceSettings(Path("unused"), "", 0, "", 0, "", 0, "")
with open_recording_lookup(known, None), open_class_lookup(known, None):
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
OFFLINE_IMPORT = """
import json, sys
from wkmp_assets.cli.main import main
try:
    main(["import", sys.argv[1]])
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def loaded_by(code: str, *arguments: str, home: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        cwd=ROOT,
        env={"DAGSTER_HOME": str(home), "PYTHONPATH": str(ROOT), "HOME": str(home), "WKMP_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_lookups_without_a_key_load_nothing_that_asks_services(tmp_path: Path) -> None:
    assert ASKING.intersection(loaded_by(WITHOUT_KEY, home=tmp_path)) == set()


@pytest.mark.slow
@pytest.mark.long
def test_an_import_without_a_key_loads_nothing_that_asks_services_draws_or_decodes(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    tone(tmp_path / "music" / "a.wav", 440.0)
    copy(ROOT / "dagster.yaml", tmp_path)
    loaded = loaded_by(OFFLINE_IMPORT, str(tmp_path / "music"), home=tmp_path)
    assert (tmp_path / "music" / "wkmp.db").is_file()
    assert (ASKING | DRAWING | DECODING).intersection(loaded) == set()


@pytest.mark.slow
def test_no_module_of_the_import_loads_decoders_as_it_is_loaded() -> None:
    """The short form of the test above, by the imports in front of all functions."""
    waiting, seen, loaded = ["wkmp_assets.cli.importer"], set[str](), dict[str, str]()
    while waiting:
        module = waiting.pop()
        path = module.replace(".", "/").removeprefix("wkmp_assets/") + ".py"
        if module in seen or path not in TREES:
            continue
        seen.add(module)
        for node in TREES[path].body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
            waiting += names
            loaded |= {name.partition(".")[0]: module for name in names}
    assert len(seen) > 100
    assert {name: module for name, module in loaded.items() if name in DECODING} == {}


LOADING_DAGSTER = {False: {"wkmp_assets.cli.importer"}, True: {"wkmp_assets.orchestration.build"}}
"""In commands, and in what Dagster's own processes load."""


def test_commands_and_runs_load_dagster_without_garbage_collection() -> None:
    """The collector goes through all that is loaded again and again: a sixth of the CPU."""
    inside, found = set[ast.AST](), list[tuple[str, ast.AST]]()
    for path in (ROOT / "wkmp_assets" / "definitions.py", *(ROOT / "wkmp_assets" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_loading = isinstance(node, ast.With) and ast.unparse(node.items[0]) == "loading_modules()"
            if is_loading or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
                inside.update(node.body)
            if isinstance(node, ast.ImportFrom) and node.module in LOADING_DAGSTER[path.name == "definitions.py"]:
                found.append((path.name, node))
    assert len(found) >= 6
    assert [name for name, node in found if node not in inside] == []
