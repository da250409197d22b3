"""What Dagster's catalog says of the assets, and what it calls stale, asked of real Dagster instances."""

import re
from dataclasses import fields
from pathlib import Path

import dagster as dg
import dagster_webserver
import pytest
from dagster import DagsterInstance
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCauseCategory, StaleStatus
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy
from dagster._core.loader import LoadingContextForTest

from wkmp_assets.db.read.described_tables import describe_tables
from wkmp_assets.errors import SettingsError
from wkmp_assets.model.library_changes import LibraryChanges
from wkmp_assets.model.outcomes import Result
from wkmp_assets.model.phase_values import PHASE_VALUES
from wkmp_assets.model.phases import CODE_VERSIONS, ENTRY, FLAVORS, IDENTITY, LEAD_POINTS, MATCHES, REPORT, SCAN, TAGS
from wkmp_assets.orchestration.build import PER_FILE_ASSETS, build_definitions
from wkmp_assets.orchestration.catalog import PAGES
from wkmp_assets.orchestration.instance.dagster_api import partition_tags
from wkmp_assets.orchestration.jobs import import_job
from wkmp_assets.orchestration.library_tables import GROUP as TABLES
from wkmp_assets.orchestration.library_tables import SOURCES
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.runtime.worker_pool import WorkerPool
from wkmp_assets.settings import Settings, load_settings
from wkmp_assets_tests.support.checked_library import BROKEN, TAKE, CheckedLibrary, number
from wkmp_assets_tests.support.memory_instance import memory_instance
from wkmp_assets_tests.support.paths import ROOT

KINDS_OF_THE_UI = re.compile(r'["\']?([\w-]+)["\']?:\{(?:color:[^,{}]*,)?icon:.{0,600}?content:"')


def settings_for(folder: Path, **overrides: object) -> Settings:
    return load_settings(library_root=folder, state_dir=folder / "state", **overrides)


def specs_of(settings: Settings) -> dict[str, dg.AssetSpec]:
    """By name, without the tables of the library, which Dagster does not materialize."""
    specs = build_definitions(settings).resolve_all_asset_specs()
    return {spec.key.to_user_string(): spec for spec in specs if spec.group_name != TABLES}


def tables_of(settings: Settings) -> dict[str, dg.AssetSpec]:
    specs = build_definitions(settings).resolve_all_asset_specs()
    return {spec.key.path[-1]: spec for spec in specs if spec.group_name == TABLES}


def test_owners_and_tags_are_those_of_the_settings(tmp_path: Path) -> None:
    tags = {"domain": "music", "cost/centre": "7"}
    given = settings_for(tmp_path, owners="team:music, ann@example.org", asset_tags="domain=music,cost/centre=7")
    for spec in specs_of(given).values():
        assert sorted(spec.owners) == ["ann@example.org", "team:music"]
        assert {name: spec.tags.get(name) for name in tags} == tags
        assert spec.kinds
    assert {tuple(spec.owners) for spec in specs_of(settings_for(tmp_path)).values()} == {("team:wkmp",)}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"owners": "bob"}, "Invalid owner 'bob'"),
        ({"asset_tags": "two words=x"}, "two words"),
        ({"asset_tags": "domain"}, "'domain' is not of the form name=value"),
        ({"repository_url": "https://example.org/wkmp"}, "WKMP_REPOSITORY_URL is https://example.org/wkmp"),
        ({"repository_url": "https://ann:secret@github.com/ann/wkmp"}, "WKMP_REPOSITORY_URL: "),
    ],
)
def test_what_dagster_would_refuse_is_told_as_a_wrong_setting(
    tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        build_definitions(settings_for(tmp_path, **wrong))


def test_every_asset_leads_to_its_source_and_its_page(tmp_path: Path) -> None:
    for name, spec in specs_of(settings_for(tmp_path)).items():
        (source,) = spec.metadata["dagster/code_references"].code_references
        lines = Path(source.file_path).read_text(encoding="utf-8").splitlines()
        assert any(f"def {name}(" in line for line in lines[source.line_number - 1 :][:3]), name
        assert spec.metadata["documentation"].value == str(ROOT / PAGES[name])
        assert (ROOT / PAGES[name]).is_file()


def test_with_a_repository_both_are_there(tmp_path: Path) -> None:
    given = settings_for(tmp_path, repository_url="https://github.com/ann/wkmp", repository_branch="v1")
    spec = specs_of(given)[ENTRY]
    (source,) = spec.metadata["dagster/code_references"].code_references
    path = "wkmp_assets/orchestration/assets/library_entry.py"
    assert re.fullmatch(rf"https://github\.com/ann/wkmp/tree/v1/{path}#L\d+", source.url)
    assert spec.metadata["documentation"].value == f"https://github.com/ann/wkmp/blob/v1/{PAGES[ENTRY]}"


@pytest.mark.slow
def test_every_kind_has_an_icon_in_the_web_ui(tmp_path: Path) -> None:
    chunks = Path(dagster_webserver.__file__).parent.glob("webapp/build/_next/static/chunks/**/*.js")
    known = {
        kind
        for text in (chunk.read_text(encoding="utf-8") for chunk in chunks)
        if 'content:"PostgreSQL"' in text
        for kind in KINDS_OF_THE_UI.findall(text)
    }
    assert {"python", "postgresql", "s3"} <= known
    assert {"ffmpeg", "sha256", "musicbrainz"} & known == set()
    assert {kind for spec in specs_of(settings_for(tmp_path)).values() for kind in spec.kinds} - known == set()


def test_every_asset_has_a_code_version(tmp_path: Path) -> None:
    assert {name: spec.code_version for name, spec in specs_of(settings_for(tmp_path)).items()} == CODE_VERSIONS


def test_every_table_of_the_library_is_in_the_catalog_with_its_columns(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, owners="team:music", asset_tags="domain=music")
    tables = tables_of(settings)
    assert set(tables) == {table.name for table in describe_tables()}
    for name, spec in tables.items():
        schema = spec.metadata["dagster/column_schema"]
        (table,) = (one for one in describe_tables() if one.name == name)
        assert [(column.name, column.description) for column in schema.columns] == [
            (column.name, column.holds) for column in table.columns
        ]
        assert spec.metadata["dagster/table_name"] == f"main.{name}"
        assert [dep.asset_key.to_user_string() for dep in spec.deps] == [ENTRY]
        assert (spec.owners, spec.tags["domain"], spec.description) == (["team:music"], "music", table.holds)
    graph = build_definitions(settings).resolve_asset_graph()
    assert not graph.materializable_asset_keys.intersection(spec.key for spec in tables.values())
    entry = specs_of(settings)[ENTRY].metadata
    assert entry["dagster/column_schema"] == tables["files"].metadata["dagster/column_schema"]


def test_the_lineage_of_columns_names_fields_of_phase_values_that_exist(tmp_path: Path) -> None:
    for name, spec in tables_of(settings_for(tmp_path)).items():
        columns = {column.name for column in spec.metadata["dagster/column_schema"].columns}
        if name not in SOURCES:
            assert "dagster/column_lineage" not in spec.metadata
            continue
        lineage = spec.metadata["dagster/column_lineage"].deps_by_column
        assert set(lineage) <= columns
        for sources in lineage.values():
            for source in sources:
                value = PHASE_VALUES[source.asset_key.to_user_string()]
                assert source.column_name in {field.name for field in fields(value)}, source


class Staleness:
    """What Dagster says of the partitions of a library."""

    def __init__(self, library: CheckedLibrary) -> None:
        self._library = library
        graph = build_definitions(library.settings).resolve_asset_graph()
        self._resolver = CachingStaleStatusResolver(library.instance, graph, LoadingContextForTest(library.instance))

    def stale(self) -> dict[tuple[str, str], StaleCauseCategory]:
        """Asset and partition -> why it is stale. All of them are there."""
        found: dict[tuple[str, str], StaleCauseCategory] = {}
        for asset in (one.key for one in PER_FILE_ASSETS if one.key.to_user_string() != "file_picture"):
            for key in self._library.keys:
                status = self._resolver.get_status(asset, key)
                assert status is not StaleStatus.MISSING
                if status is StaleStatus.STALE:
                    found[asset.to_user_string(), key] = self._resolver.get_stale_causes(asset, key)[0].category
        return found


@pytest.mark.slow
def test_a_changed_phase_is_stale_and_alone_computed_again(
    library: CheckedLibrary, workers: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        library.add(name, TAKE)
        with (library.music / name).open("ab") as end:
            end.write(name.encode())
    library.import_all()
    assert Staleness(library).stale() == {}
    library.scan()
    assert Staleness(library).stale() == {}, "a scan makes nothing stale"

    monkeypatch.setitem(CODE_VERSIONS, FLAVORS, "of another code")
    changed = CheckedLibrary(library.music, library.instance, workers)
    both = {(FLAVORS, "a.wav"): StaleCauseCategory.CODE, (FLAVORS, "b.wav"): StaleCauseCategory.CODE}
    assert Staleness(changed).stale() == both
    result = changed.run_assets(FLAVORS, ENTRY, first="a.wav", last="a.wav")
    assert {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()} == {FLAVORS, ENTRY}
    assert Staleness(changed).stale() == {(FLAVORS, "b.wav"): StaleCauseCategory.CODE}

    library.add("a.wav", TAKE)  # without the end: other content
    changed.run_assets(IDENTITY, first="a.wav", last="a.wav")
    stale = Staleness(changed).stale()
    assert stale[TAGS, "a.wav"] is StaleCauseCategory.DATA
    assert (TAGS, "b.wav") not in stale
    assert not {LEAD_POINTS, MATCHES}.intersection(asset for asset, _ in stale), "their inputs are as they were"


class Ticks:
    """The automation of a library, evaluated without a daemon."""

    def __init__(self, settings: Settings, instance: DagsterInstance) -> None:
        self._definitions = build_definitions(settings)
        self._instance = instance
        self._cursor: dg.AutomationConditionSensorDefinition | None = None

    def tick(self) -> int:
        """Evaluate once, and return the number of reports that are requested."""
        done = dg.evaluate_automation_conditions(self._definitions, self._instance, cursor=self._cursor)
        self._cursor = done.cursor
        assert done.total_requested == done.get_num_requested(dg.AssetKey(REPORT))
        return done.total_requested


@pytest.mark.slow
def test_the_report_is_requested_once_when_imports_have_ended(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    entry = dg.AssetKey(ENTRY)
    with memory_instance() as instance:
        partitions = build_definitions(settings).resolve_asset_graph().get(entry).partitions_def
        assert isinstance(partitions, dg.DynamicPartitionsDefinition)
        instance.add_dynamic_partitions(partitions.name, ["a", "b", "never imported"])
        ticks = Ticks(settings, instance)
        assert [ticks.tick() for _ in range(2)] == [0, 0]
        instance.report_runless_asset_event(dg.AssetMaterialization(entry, partition="a"))
        assert ticks.tick() == 0, "others may follow"
        instance.report_runless_asset_event(dg.AssetMaterialization(entry, partition="b"))
        assert [ticks.tick() for _ in range(3)] == [0, 1, 0]

        job = build_definitions(settings).resolve_job_def(import_job.name)
        instance.report_runless_asset_event(dg.AssetMaterialization(entry, partition="a"))
        run = instance.create_run_for_job(job, tags=partition_tags("b", "b"), status=dg.DagsterRunStatus.STARTED)
        assert [ticks.tick() for _ in range(3)] == [0, 0, 0], "an import runs"
        instance.report_run_failed(run)
        assert [ticks.tick() for _ in range(2)] == [1, 0]


def test_no_other_asset_is_materialized_by_itself(tmp_path: Path) -> None:
    by_itself = [name for name, spec in specs_of(settings_for(tmp_path)).items() if spec.automation_condition]
    assert by_itself == [REPORT], "pictures are drawn on demand"


def test_the_report_may_be_as_old_as_the_setting_says(tmp_path: Path) -> None:
    specs = specs_of(settings_for(tmp_path, fresh_days=2)).values()
    (policy,) = [spec.freshness_policy for spec in specs if spec.freshness_policy]
    assert isinstance(policy, TimeWindowFreshnessPolicy)
    assert (policy.fail_window.days, policy.warn_window and policy.warn_window.days) == (2, 1)


@pytest.mark.slow
def test_files_of_the_last_scan_that_no_run_has_imported_are_named(library: CheckedLibrary) -> None:
    def waiting() -> list[str]:
        result = library.check("scanned_files_imported")["scanned_files_imported"]
        assert result.passed == (not result.metadata["waiting"].value)
        table = result.metadata.get("files")
        return [str(record.data["file"]) for record in table.records] if table else []

    assert waiting() == []
    for name, source in {"a.wav": TAKE, "b.wav": TAKE, "c.mp3": BROKEN, "gone.wav": TAKE}.items():
        library.add(name, source)
    library.scan()
    (library.music / "gone.wav").unlink()
    assert waiting() == ["a.wav", "b.wav", "c.mp3"]
    library.import_range("a.wav", "c.mp3")
    assert waiting() == [], "one is a duplicate, and one has failed"
    unread = Result(LibraryChanges((), (), (), (), unreadable=("locked",)), "")
    PhaseStore(library.settings.phase_dir).write(SCAN, [(SCAN, unread)], "run")
    result = library.check("scanned_files_imported")["scanned_files_imported"]
    assert (result.passed, number(result, "unreadable")) == (False, 1)
    assert "1 folder cannot be read" in str(result.description)
    assert "locked. Make it readable, then import again." in str(result.description)
