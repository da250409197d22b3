"""What `wkmp import` says when it fails for a reason that is no single file's."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from wkmp_assets.cli import importer
from wkmp_assets.cli.importer import open_instance
from wkmp_assets.errors import LibraryLockedError, StateDiskError
from wkmp_assets_tests.support.dagster_homes import make_opened_home
from wkmp_assets_tests.support.memory_instance import memory_instance

pytestmark = pytest.mark.slow

LOCKED = LibraryLockedError(Path("wkmp.db"), 1, 1)


@dg.op
def locked() -> None:
    raise dg.Failure("the library is locked") from LOCKED


@dg.op
def breaks() -> None:
    raise KeyError("guid")


@dg.resource
def never_opens() -> Iterator[None]:
    raise LOCKED
    yield


@dg.op(required_resource_keys={"library"})
def never_begins() -> None:
    pass


@pytest.mark.parametrize(
    ("op", "said"),
    [
        pytest.param(locked, f"{LOCKED} (in locked, run ", id="our own message, with the step"),
        pytest.param(breaks, "KeyError: 'guid' (in breaks, run ", id="the class of any other error"),
        pytest.param(never_begins, f"{LOCKED} (run ", id="before any step"),
    ],
)
def test_the_reason_is_the_innermost_error(op: dg.OpDefinition, said: str) -> None:
    @dg.job(resource_defs={"library": never_opens})
    def an_import() -> None:
        op()

    with memory_instance() as instance:
        failed = an_import.execute_in_process(instance=instance, raise_on_error=False)
    assert not failed.success
    assert importer._find_reason(failed).startswith(said)


def test_a_damaged_history_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    make_opened_home(tmp_path)
    for database in tmp_path.rglob("*.db"):
        database.write_bytes(b"no database" * 1_000)
    with pytest.raises(StateDiskError, match="file is not a database"), open_instance() as instance:
        instance.get_runs()
