"""The table of safety measures: what each is for, how to take it away, and which tests then fail.

`prove` takes them away one at a time, in a copy; `docs/safety.md` is generated from this table.
"""

from dataclasses import dataclass

QUICK = ("BEGIN IMMEDIATE", "rollback")
"""Taken away in every run of the test suite; the others in `make test-safety`."""


@dataclass(frozen=True)
class Measure:
    """One safety measure."""

    name: str
    why: str
    """What would happen without it."""
    module: str
    """Below `wkmp_assets`."""
    find: str
    """Source text that occurs once in the module."""
    without: str
    """What stands there when the measure is taken away."""
    tests: tuple[str, ...]
    """Tests that must fail then, below `wkmp_assets_tests`."""


LOCKS = (
    Measure(
        "write gate",
        "our own writers would sleep and retry in SQLite's busy handler instead of queueing in the kernel",
        "db/write/writer.py",
        "with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms):\n            before",
        "if True:\n            before",
        ("db/write/test_gate.py::test_a_write_queues_at_the_gate_and_asks_sqlite_for_nothing_meanwhile",),
    ),
    Measure(
        "write gate when a library is opened",
        "two imports that start at once would both create its tables",
        "db/write/writer.py",
        "with self._gate.hold(limit_ms=self._locks.max_lock_wait_ms):\n            connection = open_writer",
        "if True:\n            connection = open_writer",
        ("db/write/test_gate.py::test_whoever_creates_a_library_queues_at_the_gate",),
    ),
    Measure(
        "one writer at a time in the gate",
        "a gate that lets two in is none",
        "db/write/gate.py",
        "place.enter(fcntl.LOCK_NB)",
        "pass",
        ("db/write/test_gate.py::test_a_held_gate_keeps_other_processes_out",),
    ),
    Measure(
        "BEGIN IMMEDIATE",
        "the write lock would come with the first write, and refuse a transaction that is half done",
        "db/write/statements.py",
        'BEGIN = "BEGIN IMMEDIATE"',
        'BEGIN = "BEGIN"',
        (
            "db/write/test_retry.py::test_a_write_waits_for_a_program_that_knows_no_gate",
            "db/write/test_transaction.py::test_three_new_songs_and_any_number_of_passages_are_one_begin_and_one_commit",
        ),
    ),
    Measure(
        "retry",
        "a player that writes for a moment would fail the import of a file",
        "db/write/writer.py",
        "self._retry.run(self.database, partial(self._transact, batch.path, script))",
        "self._transact(batch.path, script), 0",
        (
            "db/write/test_retry.py::test_a_write_waits_for_a_program_that_knows_no_gate",
            "db/write/test_one_entry_point.py::test_what_begins_a_transaction_is_only_ever_handed_to_the_retry",
        ),
    ),
    Measure(
        "retry by error code",
        "a lock in other words would fail the file, and an error that mentions a lock would be retried",
        "db/write/retry.py",
        "primary_code(error) in LOCK_CODES",
        '"locked" in str(error)',
        (
            "db/write/test_retry.py::test_a_lock_is_told_by_its_code",
            "db/write/test_retry.py::test_any_other_error_is_raised_at_once",
        ),
    ),
    Measure(
        "retry budget",
        "a lock that never goes away would hang the import",
        "db/write/retry.py",
        "if waited_ms >= self.budget_ms:",
        "if attempt > 40:",
        ("db/write/test_retry.py::test_the_budget_of_5_s_allows_the_attempts_of_the_reference",),
    ),
    Measure(
        "write-ahead log",
        "the player could not read while a file is written",
        "db/connection.py",
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = DELETE",
        (
            "db/test_connection.py::test_a_snapshot_sees_one_state_and_locks_nobody_out",
            "db/test_connection.py::test_a_fresh_writer_has_its_pragmas",
        ),
    ),
    Measure(
        "checkpoints",
        "the write-ahead log would grow with the import, and slow down every reader",
        "db/write/writer.py",
        "if after > before:",
        "if False:",
        ("db/write/test_checkpoint.py::test_the_log_does_not_grow_with_the_import",),
    ),
    Measure(
        "checkpoints in a crowd",
        "a log that other imports go on filling would never be copied to its end, and grow without end",
        "db/write/writer.py",
        "if before == after == LONGEST_LOG:",
        "if False:",
        ("db/write/test_checkpoint.py::test_a_log_that_has_grown_long_is_cut_when_it_begins_anew",),
    ),
    Measure(
        "read-only readers",
        "a mistake in a query could write, past the gate and the receipt",
        "db/connection.py",
        "?mode=ro",
        "?mode=rw",
        ("db/test_connection.py::test_a_reader_cannot_write",),
    ),
    Measure(
        "many rows a statement",
        "the lock would be held for as many statements as a file has rows",
        "db/write/script.py",
        "most = most_values // len(columns_of(row_class))",
        "most = 1",
        (
            "db/write/test_transaction.py::test_the_number_of_statements_does_not_depend_on_the_number_of_passages",
            "db/write/test_writer.py::test_a_file_costs_one_lock_and_no_reads_however_many_passages_it_has",
        ),
    ),
    Measure(
        "receipts count stray writes",
        "a write outside the transaction would take a lock that no check sees",
        "db/write/writer.py",
        "write_locks=transactions + log.autocommit_writes",
        "write_locks=transactions",
        ("db/write/test_transaction.py::test_a_stray_write_of_the_writer_itself_shows_in_the_receipt",),
    ),
    Measure(
        "receipts count reads",
        "a look-up inside a transaction would go unseen",
        "db/write/writer.py",
        "selects_in_transaction=log.selects_in_transaction",
        "selects_in_transaction=0",
        ("db/write/test_transaction.py::test_a_read_inside_the_transaction_shows_in_the_receipt",),
    ),
)

ALL_OR_NOTHING = (
    Measure(
        "rollback",
        "what a refused file had written so far would be committed with the next one",
        "db/write/writer.py",
        "self._connection.execute(sql.ROLLBACK)",
        "pass",
        ("db/write/test_transaction.py::test_a_refused_file_leaves_nothing_behind_for_the_next_one",),
    ),
    Measure(
        "foreign keys",
        "deleting a passage would leave its links behind, and a link could point to nothing",
        "db/connection.py",
        "PRAGMA foreign_keys = ON",
        "PRAGMA foreign_keys = OFF",
        (
            "db/test_reimport.py::test_passages_without_a_partner_go",
            "db/test_connection.py::test_a_fresh_writer_has_its_pragmas",
        ),
    ),
    Measure(
        "fsync of phase values",
        "after a power cut a document could be there under its name and be empty",
        "runtime/atomic_files.py",
        "os.fsync(file.fileno())",
        "pass",
        ("integration/end_to_end/test_durability_from_outside.py::test_a_phase_value_is_synced_before_it_is_renamed",),
    ),
    Measure(
        "phase values are renamed into place",
        "a crash while one is written would destroy the one that was there",
        "runtime/phase_store.py",
        'temporary = self._unfinished / temporary_name(f"{path.parent.parent.name}-{path.name}")',
        "temporary = path",
        (
            "runtime/test_phase_store.py::test_a_crash_before_the_rename_leaves_the_old_value",
            "integration/end_to_end/test_durability_from_outside.py::test_a_phase_value_is_synced_before_it_is_renamed",
        ),
    ),
    Measure(
        "phase values of one content",
        "the boundaries of one recording would be put on another",
        "model/outcomes.py",
        "if len(hashes) > 1:",
        "if False:",
        ("model/test_file_entry.py::test_phases_that_heard_other_bytes_are_not_mixed",),
    ),
    Measure(
        "a file is what was hashed",
        "a file that is written to while it is imported would get the boundaries of half of it",
        "audio/file_tasks.py",
        "!= (identity.size_bytes, identity.modified_at)",
        "== ()",
        ("audio/test_file_tasks.py::test_a_file_that_is_written_to_while_it_is_read_fails_and_leaves_no_pcm",),
    ),
    Measure(
        "derived ids",
        "a resumed import would differ from an uninterrupted one, and two runs would give a song two ids",
        "db/plan/ids.py",
        'str(uuid.uuid5(_NAMESPACE, f"{kind}:{mbid}"))',
        "str(uuid.uuid4())",
        ("db/plan/test_rows.py::test_the_ids_depend_on_nothing_but_the_file_and_its_songs",),
    ),
    Measure(
        "derived ids of files and passages",
        "the same, for what is not in MusicBrainz",
        "db/plan/ids.py",
        'uuid.uuid5(_NAMESPACE, f"{name}:{number}" if number else name)',
        "uuid.uuid4()",
        ("db/plan/test_rows.py::test_the_ids_depend_on_nothing_but_the_file_and_its_songs",),
    ),
)

OTHERS_AT_WORK = (
    Measure(
        "compare-and-set on the file",
        "what another import or program wrote since the file was read would be overwritten unseen",
        "db/write/statements.py",
        "{name} IS ?",
        "({name} IS ? OR {_FILE_COLUMNS.index(name)})",  # `OR 0` for the guid, which is needed to find the row
        (
            "db/write/test_writer.py::test_a_library_that_changes_between_reading_and_writing_is_read_again",
            "db/test_races.py::test_a_tag_somebody_mends_within_the_same_second_is_not_overwritten_unseen",
        ),
    ),
    Measure(
        "compare-and-set on the passages",
        "a title or fade that a person sets while the file is imported would be lost",
        "db/write/statements.py",
        "AND {PASSAGES_OF_FILE} IS ? AND",
        "AND ({PASSAGES_OF_FILE} IS ? OR 1) AND",
        (
            "db/test_races.py::test_an_edit_in_the_meantime_is_kept",
            "db/test_races.py::test_a_passage_a_person_adds_in_the_meantime_is_kept",
        ),
    ),
    Measure(
        "compare-and-set on copies",
        "of two copies that come in at once the original would list only one",
        "db/write/statements.py",
        '"WHERE guid = ? AND hash IS ? AND status IS ? AND matching_hashes IS ?"',
        '"WHERE guid = ? AND (hash IS ? OR status IS ? OR matching_hashes IS ? OR 1)"',
        ("db/test_races.py::test_a_copy_that_gets_another_copy_in_the_meantime_lists_both",),
    ),
    Measure(
        "a comparison that fails is noticed",
        "the rest of a file would be written although its row was not",
        "db/write/writer.py",
        "if step.must_change is not None and changed != step.must_change:",
        "if False:",
        (
            "db/test_races.py::test_an_edit_in_the_meantime_is_kept",
            "db/test_races.py::test_a_passage_that_is_played_in_the_meantime_is_not_deleted",
        ),
    ),
    Measure(
        "one complete copy",
        "two imports that both believe to be first would import the same music twice",
        "db/write/statements.py",
        "\"(? <> 'INGEST COMPLETE' OR NOT EXISTS (\"",
        "\"(1 OR ? <> 'INGEST COMPLETE' OR NOT EXISTS (\"",
        ("db/write/test_writer.py::test_two_writers_that_both_believe_to_be_first_leave_one_original",),
    ),
    Measure(
        "prepared again after a conflict",
        "a file whose row changed would fail, or be written from what was read before",
        "db/write/writer.py",
        "if conflicts > MOST_CONFLICTS:",
        "if conflicts:",
        (
            "db/write/test_writer.py::test_a_library_that_changes_between_reading_and_writing_is_read_again",
            "db/write/test_writer.py::test_a_song_that_another_run_inserts_with_its_own_guid_is_linked_by_that_guid",
        ),
    ),
    Measure(
        "a limit to that",
        "a library that never stands still would keep the import busy for ever",
        "db/write/writer.py",
        "if conflicts > MOST_CONFLICTS:",
        "if conflicts > 100:",
        ("db/write/test_writer.py::test_a_library_that_never_stands_still_is_given_up",),
    ),
    Measure(
        "one run per file",
        "two imports at once would do the same work twice, and overwrite each other's phase values",
        "runtime/claims.py",
        "frozenset(keys) - _claimed(self._folder, Path(self._own.name))",
        "frozenset(keys)",
        ("runtime/test_claims.py::test_a_file_is_claimed_by_one_run",),
    ),
    Measure(
        "a pause after a breakdown",
        "a full disk would mean a failed run for every 50 files, and all of those files would wait for the next day",
        "orchestration/run_requests/failed_runs.py",
        "if self.is_over:",
        "if True:",
        (
            "orchestration/test_sensors.py::test_after_an_import_that_failed_as_a_whole_one_is_tried_and_then_the_others",
        ),
    ),
    Measure(
        "runs that were killed are ended",
        "Dagster would wait for them for ever, and after the second launch no other run",
        "orchestration/instance/living_runs.py",
        "return not try_lock(file)",
        "return True",
        ("orchestration/instance/test_run_launcher.py::test_a_run_whose_process_was_killed_fails_and_says_why",),
    ),
    Measure(
        "runs that are alive are not",
        "Dagster would end a run that is at work, and start it a second time beside itself",
        "orchestration/instance/living_runs.py",
        "            try_lock(file)\n        self._own",
        "            pass\n        self._own",
        ("orchestration/instance/test_run_launcher.py::test_a_run_whose_process_was_killed_fails_and_says_why",),
    ),
    Measure(
        "one snapshot for all reads",
        "half of what a file's rows are made of could be older than the other half",
        "db/commit.py",
        "with translated(self._database), snapshot(self._reader):",
        "with translated(self._database):",
        (
            "db/write/test_transaction.py::test_an_edit_in_the_middle_of_reading_is_not_lost",
            "db/write/test_transaction.py::test_all_look_ups_of_a_file_see_one_state_of_the_library",
        ),
    ),
)

WHAT_IS_PEOPLE_S = (
    Measure(
        "passages that are referred to are kept",
        "re-importing a changed file would try to delete what play history, queue and timeslots refer to",
        "db/read/file_state.py",
        'is_kept=row["guid"] in in_use or any(',
        "is_kept=any(",
        ("db/test_reimport.py::test_a_passage_something_refers_to_is_kept_with_a_warning",),
    ),
    Measure(
        "edited passages are kept",
        "re-importing a changed file would delete a passage with a person's title or fades",
        "db/read/file_state.py",
        " or any(edit is not None for edit in edits)",
        "",
        ("db/test_reimport.py::test_a_passage_a_person_edited_is_kept_with_a_warning",),
    ),
    Measure(
        "a last look before deleting",
        "a passage that is played while the file is imported would be deleted, and its history with it",
        "db/write/statements.py",
        "AS r WHERE r.{quoted(column)} = passages.guid)",
        "AS r WHERE 0 AND r.{quoted(column)} = passages.guid)",
        ("db/test_races.py::test_a_passage_that_is_played_in_the_meantime_is_not_deleted",),
    ),
    Measure(
        "existing ids win",
        "a song that the library has already would get a second row",
        "db/plan/entities.py",
        "return (existing or {}).get(mbid) or derived",
        "return derived",
        ("db/plan/test_rows.py::test_guids_that_exist_already_win",),
    ),
    Measure(
        "weights of a song's artists",
        "weights that a person set would get company, and no longer sum to 1",
        "db/write/statements.py",
        '"WHERE NOT EXISTS (SELECT 1 FROM song_artists',
        '"WHERE 1 OR NOT EXISTS (SELECT 1 FROM song_artists',
        ("db/plan/test_rows.py::test_what_people_and_players_wrote_stays",),
    ),
    Measure(
        "what is there is not replaced",
        "a release date that a person mended would be overwritten by the next import",
        "db/write/statements.py",
        "WHERE albums.release_date IS NULL AND excluded.release_date IS NOT NULL",
        "",
        ("db/plan/test_rows.py::test_what_people_and_players_wrote_stays",),
    ),
    Measure(
        "an empty disk is no empty library",
        "a disk that is not mounted would make every file count as missing",
        "files/scan.py",
        "if not on_disk and absent:",
        "if False:",
        ("files/test_scan.py::test_an_empty_root_with_known_files_is_an_error",),
    ),
    Measure(
        "an unreadable folder is no deleted one",
        "a lost permission would make files count as missing, and wkmp prune would remove them",
        "files/changes.py",
        "path in unseen or any(is_within(path, folder) for folder in unreadable)",
        "False",
        (
            "files/test_scan.py::test_files_in_a_folder_that_cannot_be_read_are_not_missing",
            "orchestration/test_prune.py::test_what_lies_in_an_unreadable_folder_is_not_missing",
        ),
    ),
    Measure(
        "nothing is removed before everything is imported",
        "a file that was moved would lose its passages and its play history",
        "orchestration/prune.py",
        "if missing and waiting:",
        "if False:",
        ("orchestration/test_prune.py::test_nothing_goes_while_a_file_on_disk_may_be_a_missing_one_that_moved",),
    ),
    Measure(
        "an empty folder may be a mount point",
        "a disk that is mounted inside the library would be removed from it when it is unplugged",
        "orchestration/prune.py",
        "elif not also.emptied and is_emptied(settings.library, file.file.path):",
        "elif False:",
        ("orchestration/test_prune.py::test_files_of_an_empty_folder_stay_unless_asked_for",),
    ),
    Measure(
        "a last look before removing a file",
        "what is played while files are removed would go with its history",
        "db/write/script.py",
        "kept = [] if batch.with_references else batch.references",
        "kept = []",
        ("orchestration/test_prune.py::test_what_is_played_between_reading_and_the_write_lock_stays",),
    ),
    Measure(
        "nothing goes that may be where nobody can look",
        "a file that was moved into a folder without permissions would be removed from the library",
        "orchestration/prune.py",
        "if scan.unreadable and not also.unreadable:",
        "if False:",
        (
            "orchestration/test_prune.py::test_what_may_have_been_moved_into_an_unreadable_folder_stays_unless_asked_for",
        ),
    ),
    Measure(
        "partitions of an unmounted disk stay",
        "wkmp prune would drop the partitions and values of the whole library when its disk is gone",
        "orchestration/prune.py",
        "check_not_emptied(settings.library, plan.scan, len(registered))",
        "pass",
        ("orchestration/test_prune.py::test_partitions_and_values_stay_when_the_library_is_gone_with_its_disk",),
    ),
)

BAD_INPUT = (
    Measure(
        "workers end with their run",
        "a worker that hangs would stay behind when its run is killed, with its file open and its memory taken",
        "runtime/worker_process.py",
        "    end_with(parent)",
        "    pass",
        ("runtime/test_worker_process.py::test_no_worker_outlives_its_run_however_that_ends",),
    ),
    Measure(
        "a run ends its workers",
        "its process would wait for them for five minutes, three workers a run, and the daemon's server with it",
        "orchestration/build.py",
        "            workers.shut_down()",
        "            pass",
        ("orchestration/test_run_choices.py::test_a_run_ends_its_workers_though_its_process_goes_on",),
    ),
    Measure(
        "a limit to a worker's memory",
        "one file could take the memory of the whole machine, and the kernel whatever process it likes",
        "runtime/worker_process.py",
        "resource.setrlimit(resource.RLIMIT_DATA, (most, most))",
        "pass",
        ("runtime/test_worker_process.py::test_a_file_that_takes_too_much_memory_fails_alone",),
    ),
    Measure(
        "containers of music only",
        "a playlist under the name of music would make FFmpeg read other files, in the library or not",
        "audio/decode_sources.py",
        ', "format_whitelist": MUSIC_CONTAINERS',
        "",
        ("audio/test_decode.py::test_a_list_of_other_files_is_no_music",),
    ),
    Measure(
        "no way out by a link",
        "a partition typed by hand could name any file of the machine, behind a link in the library",
        "files/identity.py",
        "if os.path.realpath(root / path) != os.path.join(os.path.realpath(root), path):",
        "if False:",
        ("files/test_identity.py::test_nothing_behind_a_symbolic_link_is_looked_at",),
    ),
    Measure(
        "an end to every file",
        "a megabyte that lasts for months would fill the disk with its PCM",
        "audio/decode_sources.py",
        "self._require_an_end(self.graph.levels)",
        "pass",
        ("audio/test_decode.py::test_an_endless_file_is_given_up_before_it_fills_the_disk",),
    ),
    Measure(
        "names are no Markdown",
        "the web UI would fetch a picture from wherever the name of a file says",
        "orchestration/checks/findings.py",
        "_MARKDOWN.sub(",
        "(lambda _escape, text: text)(",
        ("integration/security/test_escapes.py::test_a_name_is_no_markup_in_what_a_check_says",),
    ),
    Measure(
        "scratch space is reclaimed",
        "what a killed worker had decoded would stay on the disk until somebody decodes again",
        "audio/pcm_store.py",
        "remove_leftovers(self.root)",
        "pass",
        ("audio/test_pcm_store.py::test_what_a_killed_writer_left_goes_though_nobody_writes_any_more",),
    ),
)
SECTIONS = {
    "One short lock per file": LOCKS,
    "All or nothing": ALL_OR_NOTHING,
    "Others at work at the same time": OTHERS_AT_WORK,
    "What is people's": WHAT_IS_PEOPLE_S,
    "Bad input, and workers": BAD_INPUT,
}
MEASURES = tuple(measure for measures in SECTIONS.values() for measure in measures)
