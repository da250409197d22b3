"""What a person finds on the pages of `wkmp browse`."""

import json
import re
import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from datasette import Request

from wkmp_assets.cli import library_flavors
from wkmp_assets.cli.similar import similar
from wkmp_assets.db.read.canned_queries import LIBRARY_QUERIES
from wkmp_assets.db.read.table_texts import TABLE_TEXTS
from wkmp_assets.db.write.receipt_list import ReceiptRow, make_receipt_list
from wkmp_assets.report.browse.plugin import handle_exception
from wkmp_assets_tests.report.browse.conftest import HOSTILE, Pages
from wkmp_assets_tests.support.builders import column, commit, entry, run_sql, write_lock_held

pytestmark = pytest.mark.slow


def test_the_start_page_counts_and_lists_what_there_is(shown: Pages) -> None:
    page = shown.shows("/")
    counts = {name: number for number, name in re.findall(r"<b>([\d,]+)</b> <a href=[^>]+>([^<]+)</a>", page)}
    assert counts["files"] == "6"
    assert counts["passages"] == "7"
    assert counts["passages without a song"] == "2"
    assert counts["files with warnings"] == "1"
    assert f'<a href="/file/{shown.guid("Ann/air.mp3")}">' in page
    assert '<label for="q">' in page
    assert 'lang="en"' in page
    assert "http" not in page.split("<body")[0], "the page loads nothing from a network"


def test_a_search_leads_to_the_passages_of_files(shown: Pages) -> None:
    page = shown.shows("/?q=aga")
    assert "1 passage found" in page
    assert f"/file/{shown.guid('Ann/again.flac')}#passage-1" in page
    assert "0 passages found" in shown.shows("/?q=nothing+like+it")


def test_a_file_s_page_says_all_of_its_passages(shown: Pages) -> None:
    page = shown.shows(f"/file/{shown.guid('Ann/air.mp3')}")
    for said in ("Air", "0:01.0 to 1:01.0", "in until 0:16.0, out from 0:46.0", "100 % (High)", "123 bpm", "Eb minor",
                 "clipped: much of it", "-14.9 LUFS"):  # fmt: skip
        assert said in page
    assert f'src="/audio/{shown.guid("Ann/air.mp3")}#t=1.000,61.000"' in page
    two = shown.shows(f"/file/{shown.guid('Ann/two.mp3')}?passage=2")
    assert two.count("<audio ") == 2
    assert 'data-start="23.000" data-end="43.000"' in two
    assert "Sounds like" in two
    assert "No other passage can be compared" in two, "it has no flavor"
    assert "not identified" in two
    assert "Sure" not in two


def test_the_neighbours_are_the_nearest_first(shown: Pages) -> None:
    page = shown.shows(f"/file/{shown.guid('Ann/air.mp3')}?passage=1")
    near = page.split('id="neighbours"')[1]
    assert 'id="neighbours"' not in shown.shows(f"/file/{shown.guid('Ann/air.mp3')}?passage=abc")
    places = [near.index(f"/file/{shown.guid(path)}") for path in ("Ann/again.flac", "Ann/old.ape", "Ann/evil.ogg")]
    assert places == sorted(places)
    assert "dark" in near


def test_page_and_question_rank_neighbours_as_the_command_does(changing: Pages) -> None:
    """Equal classes that only two passages have made these two near, on the page of the questions alone."""
    classes = json.dumps({f"class_{number}": {"is": 0.8, "is_not": 0.2} for number in range(18)})
    database = changing.library.database
    classed = "UPDATE passages SET musical_flavor_vector = json_patch(musical_flavor_vector, ?) WHERE title IN (?, ?)"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(classed, (classes, "Air", HOSTILE))
    seed = changing.guid("Ann/air.mp3")
    (passage,) = column(database, "SELECT guid FROM passages WHERE file_id = ?", seed)
    answer = changing.ask(f"/library/neighbours.json?_shape=objects&passage={passage}").json()["rows"]
    asked = [str(changing.library.root / "Ann/air.mp3"), "--library", str(changing.library.root), "--json"]
    said = json.loads(CliRunner().invoke(similar, asked, catch_exceptions=False).stdout)["similar"]
    assert [one["path"] for one in said] == ["Ann/again.flac", "Ann/old.ape", "Ann/evil.ogg"]
    assert [row["file_id"] for row in answer] == [changing.guid(one["path"]) for one in said]
    assert [row["distance"] for row in answer] == pytest.approx([one["distance"] for one in said], abs=1e-4)
    near = changing.shows(f"/file/{seed}?passage=1").split('id="neighbours"')[1]
    places = [near.index(f"/file/{row['file_id']}") for row in answer]
    assert places == sorted(places)
    for nothing in ("none", "", "\u0000"):
        unknown = changing.ask(f"/library/neighbours.json?_shape=objects&passage={quote(nothing)}").json()
        assert unknown["ok"]
        assert unknown["rows"] == []


def test_the_pages_keep_flavors_as_numbers(changing: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_flavors, "MAX_FEW", 2)
    kept = changing.library.root.parent / "state/flavors.npz"
    page = f"/file/{changing.guid('Ann/air.mp3')}?passage=1"
    before = changing.shows(page)
    assert kept.is_file()
    (passage,) = column(changing.library.database, "SELECT guid FROM passages WHERE title = 'Air'")
    question = f"/library/neighbours.json?_shape=arrays&passage={passage}"
    answer = changing.ask(question).json()["rows"]
    assert len(answer) == 3
    kept.write_bytes(b"damaged")
    assert changing.ask(question).json()["rows"] == answer
    assert kept.read_bytes() != b"damaged"
    assert changing.shows(page) == before


@pytest.mark.parametrize(
    ("path", "said"),
    [("Ann/old.ape", "Browsers do not play this format"), ("Ann/gone.mp3", "not in the music folder")],
)
def test_the_page_says_why_a_file_cannot_be_heard(shown: Pages, path: str, said: str) -> None:
    page = shown.shows(f"/file/{shown.guid(path)}")
    assert said in page
    assert "<audio " not in page


def test_a_hostile_title_is_text_on_every_page(shown: Pages) -> None:
    guid = shown.guid("Ann/evil.ogg")
    (passage,) = column(shown.library.database, "SELECT guid FROM passages WHERE file_id = ?", guid)
    for path in ("/", f"/file/{guid}", "/?q=alert", f"/?q={quote(HOSTILE)}", "/library/passages", "/library/song_list",
                 f"/library/neighbours?passage={passage}"):  # fmt: skip
        page = shown.shows(path)
        assert "<script>alert" not in page
    page = shown.shows(f"/file/{guid}")
    assert "&lt;script&gt;alert" in page
    assert "\u202e" not in page, "no mark turns the direction of writing"


def test_every_question_has_an_answer(shown: Pages) -> None:
    start = shown.shows("/")
    (passage,) = column(
        shown.library.database, "SELECT guid FROM passages WHERE file_id = ?", shown.guid("Ann/air.mp3")
    )
    for name, query in LIBRARY_QUERIES.items():
        assert f'<a href="/library/{name}">{query.title}</a>' in start
        answer = shown.ask(f"/library/{name}.json?_shape=objects&passage={passage}").json()
        assert answer["ok"], answer
        assert bool(answer["rows"]) == (name not in {"duplicates", "failures"}), name
    near = shown.ask(f"/library/neighbours.json?_shape=objects&passage={passage}").json()["rows"]
    assert near[0]["title"] == "Air again"
    assert near[0]["distance"] < near[1]["distance"]
    assert "123 bpm" in near[0]["sounds"]


def test_tables_and_columns_are_described_and_lead_to_files(shown: Pages) -> None:
    page = shown.shows("/library/files")
    assert "One row per audio file." in page
    assert TABLE_TEXTS["files"].columns["hash"] in page
    guid = shown.guid("Ann/air.mp3")
    assert f'<a href="/file/{guid}">' in page
    assert f'<a href="/file/{guid}">' in shown.shows("/library/warnings")
    assert "Nearest neighbours" in shown.shows("/library")


def test_a_row_of_two_parents_leads_to_both(shown: Pages) -> None:
    """SQLite numbers the references of a table in a column `id`, which in our tables is text."""
    page = shown.shows("/library/passage_songs")
    assert 'href="/library/passages/' in page
    assert 'href="/library/songs/' in page


def test_what_is_not_there_is_said_without_a_trace(shown: Pages, capfd: pytest.CaptureFixture[str]) -> None:
    for path in ("/file/unknown", "/audio/unknown", "/picture/unknown", "/cover/unknown/0", "/report", "/library/none",
                 "/receipts", "/library/none.json"):  # fmt: skip
        assert shown.ask(path).status_code in {400, 404}, path
    assert shown.ask("/library.json?sql=select+nonsense").status_code == 400
    assert "Cannot sort table by none" in shown.ask("/library/files?_sort=none").text
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
    assert "wkmp report" in shown.ask("/report").text


def test_the_report_and_the_receipts_appear_when_they_are_written(changing: Pages) -> None:
    assert "no report yet" in changing.shows("/")
    row = ReceiptRow(
        "Ann/air.mp3", "f-1", "run-1", "2026-03-01 12:00:00", "INGEST COMPLETE", 1, 1, 1, 9, 4.5, 0.5, 0, 0
    )
    slow = ReceiptRow(
        "Ann/slow.mp3", "f-2", "run-1", "2026-03-01 12:00:01", "INGEST COMPLETE", 1, 1, 1, 9, 90.5, 0, 0, 0
    )
    changing.library.receipts.write_bytes(make_receipt_list([row, slow]))
    changing.library.report.write_text("<!doctype html><p>The report</p>", encoding="utf-8")
    assert "/receipts/slowest_transactions" in changing.shows("/")
    answer = changing.ask("/receipts/slowest_transactions.json?_shape=objects").json()
    assert [(one["path"], one["hold_ms"]) for one in answer["rows"]] == [("Ann/slow.mp3", 90.5), ("Ann/air.mp3", 4.5)]
    assert '<a href="/file/f-1">' in changing.shows("/receipts/receipts")
    assert "The report" in changing.shows("/report")
    changing.library.receipts.unlink()
    assert "/receipts/" not in changing.shows("/")


def test_pages_are_read_anew_while_an_import_writes(changing: Pages) -> None:
    database = changing.library.database
    assert "<b>6</b>" in changing.shows("/")
    commit(database, entry("Ann/new.mp3", "new"))
    assert "Ann/new.mp3" in changing.shows("/")
    with write_lock_held(database):
        assert "Ann/new.mp3" in changing.shows("/library/files")
        assert "<b>7</b>" in changing.shows("/")
    assert changing.ask("/library/files").headers["cache-control"] != "max-age=5"


def test_a_library_that_is_gone_or_damaged_is_named_and_comes_back(changing: Pages) -> None:
    database = changing.library.database
    away = database.rename(database.with_name("away"))
    for suffix in ("-wal", "-shm"):
        database.with_name(f"wkmp.db{suffix}").unlink(missing_ok=True)
    for path in ("/", "/library", "/library/files", "/audio/unknown"):
        answer = changing.ask(path)
        assert answer.status_code == 503
        assert "there is no library" in answer.text
    database.write_bytes(b"no database" * 100)
    answer = changing.ask("/library/files.json")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    away.rename(database)
    assert "<b>6</b>" in changing.shows("/")


def test_nothing_can_be_written_attached_or_read_that_is_secret(shown: Pages) -> None:
    database = shown.library.database
    run_sql(database, "INSERT OR REPLACE INTO settings (key, value) VALUES ('acoustid_api_key', 'S3cret')")
    assert "acoustid_api_key" in shown.shows("/library/settings")
    for sql in ("select * from settings", "select value from settings", "select hex(value) from settings",
                "with s as (select * from settings) select value from s"):  # fmt: skip
        answer = shown.ask(f"/library.json?_shape=arrays&sql={quote(sql)}")
        assert answer.status_code == 200
        assert "S3cret" not in answer.text
        assert "533363726574" not in answer.text
    for sql in ("delete from files", "attach '/tmp/x' as x", "pragma writable_schema = 1"):
        assert shown.ask(f"/library.json?sql={quote(sql)}").status_code == 400
    with pytest.raises(PermissionError):
        shown.app.get_database("library").connect(write=True)
    with closing(sqlite3.connect(database)) as library:
        assert library.execute("SELECT count(*) FROM files").fetchone() == (6,)


def test_a_question_of_ones_own_compares_flavors(shown: Pages) -> None:
    """As docs/guide/browse.md says: 0 to 1, and nothing where there is nothing to compare."""
    flavors = ('{"mood": {"a": 0.5, "b": 0.5}}', '{"mood": {"a": 1, "b": 0}}', '{"timbre": {"a": 1, "b": 0}}')
    same, other, none = (
        f"flavor_distance('{flavors[0]}', {it})" for it in (f"'{flavors[0]}'", f"'{flavors[1]}'", f"'{flavors[2]}'")
    )
    sql = quote(f"select {same} < {other}, {none}, flavor_distance(null, 1)")
    answer = shown.ask(f"/library.json?_shape=arrays&sql={sql}")
    assert json.loads(answer.text)["rows"] == [[1, None, None]]


def test_a_host_that_is_nonsense_is_refused(shown: Pages) -> None:
    assert shown.ask("/", host="[::1").status_code == 403


def test_a_fault_of_this_program_is_a_page_and_its_place_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    page = handle_exception(Request.fake("/file/a"), ZeroDivisionError("a division"))
    assert (page.status, "a division" in page.body) == (500, False)
    assert "ZeroDivisionError: a division" in capfd.readouterr().err
    assert json.loads(handle_exception(Request.fake("/a.json?x=1"), ZeroDivisionError()).body)["status"] == 500
