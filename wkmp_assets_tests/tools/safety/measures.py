"""The table of safety measures: what each is for, how to take it away, and which tests then fail.

`prove` takes them away one at a time, by name; `docs/safety.md` is generated from this table.
"""

from dataclasses import dataclass, replace
from unittest.mock import ANY

from wkmp_assets_tests.tools.safety.weakened import (
    Without,
    all_runs,
    always_open_gate,
    breaks,
    derived_id,
    does_nothing,
    first_argument,
    forty_attempts,
    is_now,
    judged_by_message,
    no_retry,
    no_snapshot,
    random_id,
    random_ids,
    returns,
    sql_changed,
    the_file_itself,
    unchanged,
    unconditional,
    uncounted,
    unescaped,
    unlocked,
    without_item,
)

QUICK = ("rollback",)
"""Taken away in every run of the test suite; the others in `make test-safety`."""


@dataclass(frozen=True)
class Measure:
    """One safety measure."""

    name: str
    why: str
    """What would happen without it."""
    targets: tuple[str, ...]
    """Its code: `module:attribute` or `module:Class.attribute`, below `wkmp_assets`."""
    without: Without
    """Takes one of these, returns what takes its place."""
    tests: tuple[str, ...]
    """Tests that must fail then, below `wkmp_assets_tests`."""


LOCKS = (
    Measure(
        "write gate",
        "our own writers would sleep and retry in SQLite's busy handler instead of queueing in the kernel",
        ("db.write.writer:LibraryWriter._transact",),
        always_open_gate,
        ("db/write/test_gate.py::test_a_write_queues_at_the_gate_and_asks_sqlite_for_nothing_meanwhile",),
    ),
    Measure(
        "write gate when a library is opened",
        "two imports that start at once would both create its tables",
        ("db.write.writer:LibraryWriter._open",),
        always_open_gate,
        ("db/write/test_gate.py::test_whoever_creates_a_library_queues_at_the_gate",),
    ),
    Measure(
        "one writer at a time in the gate",
        "a gate that lets two in is none",
        ("db.write.gate:_Place.enter",),
        does_nothing,
        ("db/write/test_gate.py::test_a_held_gate_keeps_other_processes_out",),
    ),
    Measure(
        "BEGIN IMMEDIATE",
        "the write lock would come with the first write, and refuse a transaction that is half done",
        ("db.write.statements:BEGIN",),
        is_now("BEGIN"),
        (
            "db/write/test_retry.py::test_a_write_waits_for_a_program_that_knows_no_gate",
            "db/write/test_transaction.py::test_three_new_songs_and_any_number_of_passages_are_one_begin_and_one_commit",
        ),
    ),
    Measure(
        "retry",
        "a player that writes for a moment would fail the import of a file",
        ("db.write.retry:LockRetry.run",),
        no_retry,
        ("db/write/test_retry.py::test_a_write_waits_for_a_program_that_knows_no_gate",),
    ),
    Measure(
        "retry by error code",
        "a lock in other words would fail the file, and an error that mentions a lock would be retried",
        ("db.write.retry:is_lock_error",),
        judged_by_message,
        (
            "db/write/test_retry.py::test_a_lock_is_told_by_its_code",
            "db/write/test_retry.py::test_any_other_error_is_raised_at_once",
        ),
    ),
    Measure(
        "retry budget",
        "a lock that never goes away would hang the import",
        ("db.write.retry:LockRetry._is_used_up",),
        forty_attempts,
        ("db/write/test_retry.py::test_the_budget_of_5_s_allows_the_attempts_of_the_reference",),
    ),
    Measure(
        "write-ahead log",
        "the player could not read while a file is written",
        ("db.connection:WRITER_PRAGMAS",),
        without_item("_use_wal"),
        (
            "db/test_connection.py::test_a_snapshot_sees_one_state_and_locks_nobody_out",
            "db/test_connection.py::test_a_fresh_writer_has_its_pragmas",
        ),
    ),
    Measure(
        "checkpoints",
        "the write-ahead log would grow with the import, and slow down every reader",
        ("db.write.writer:_has_grown",),
        returns(False),
        ("db/write/test_checkpoint.py::test_the_log_does_not_grow_with_the_import",),
    ),
    Measure(
        "checkpoints in a crowd",
        "a log that other imports go on filling would never be copied to its end, and grow without end",
        ("db.write.writer:_stays_at_its_limit",),
        returns(False),
        ("db/write/test_checkpoint.py::test_a_log_that_has_grown_long_is_cut_when_it_begins_anew",),
    ),
    Measure(
        "the last writer empties the log",
        "a prune or an import would leave up to 4 MB of rows beside `wkmp.db`, and a copy of it would lack them",
        ("db.write.writer:bring_to_rest",),
        does_nothing,
        (
            "db/write/test_rest.py::test_a_writer_empties_the_log_while_others_have_the_library_open",
            "integration/end_to_end/test_one_file.py::test_the_database_alone_is_the_library",
        ),
    ),
    Measure(
        "the end of a run or command empties the log",
        "what a killed import left in the log, or one that met a reader, would stay there until there is something new",
        ("db.kept_open:bring_leftovers_to_rest",),
        does_nothing,
        (
            "db/write/test_rest.py::test_a_writer_leaves_the_log_to_the_one_that_has_the_gate",
            "integration/end_to_end/test_one_file.py::test_the_database_alone_is_the_library",
            "integration/end_to_end/test_one_file.py::test_a_reader_in_the_middle_of_something_fails_no_import",
        ),
    ),
    Measure(
        "the log is emptied in the gate",
        "writers would meet SQLite's lock and retry while another one's log is emptied",
        ("db.write.gate:WriterGate._lock_if_free",),
        returns(True),
        ("db/write/test_rest.py::test_a_writer_leaves_the_log_to_the_one_that_has_the_gate",),
    ),
    Measure(
        "read-only readers",
        "a mistake in a query could write, past the gate and the receipt",
        ("db.connection:_READ_ONLY",),
        is_now("mode=rw"),
        ("db/test_connection.py::test_a_reader_cannot_write",),
    ),
    Measure(
        "many rows a statement",
        "the lock would be held for as many statements as a file has rows",
        ("db.write.script:_rows_per_statement",),
        returns(1),
        (
            "db/write/test_transaction.py::test_the_number_of_statements_does_not_depend_on_the_number_of_passages",
            "db/write/test_writer.py::test_a_file_costs_one_lock_and_no_reads_however_many_passages_it_has",
        ),
    ),
    Measure(
        "receipts count stray writes",
        "a write outside the transaction would take a lock that no check sees",
        ("db.write.statement_log:StatementLog.take",),
        uncounted(autocommit_writes=0),
        ("db/write/test_transaction.py::test_a_stray_write_of_the_writer_itself_shows_in_the_receipt",),
    ),
    Measure(
        "receipts count reads",
        "a look-up inside a transaction would go unseen",
        ("db.write.statement_log:StatementLog.take",),
        uncounted(selects_in_transaction=0),
        ("db/write/test_transaction.py::test_a_read_inside_the_transaction_shows_in_the_receipt",),
    ),
)

ALL_OR_NOTHING = (
    Measure(
        "rollback",
        "what a refused file had written so far would be committed with the next one",
        ("db.write.writer:LibraryWriter._roll_back",),
        does_nothing,
        ("db/write/test_transaction.py::test_a_refused_file_leaves_nothing_behind_for_the_next_one",),
    ),
    Measure(
        "foreign keys",
        "deleting a passage would leave its links behind, and a link could point to nothing",
        ("db.connection:WRITER_PRAGMAS",),
        without_item("_enforce_foreign_keys"),
        (
            "db/test_reimport.py::test_passages_without_a_partner_go",
            "db/test_connection.py::test_a_fresh_writer_has_its_pragmas",
        ),
    ),
    Measure(
        "fsync of phase values",
        "after a power cut a document could be there under its name and be empty",
        ("runtime.atomic_files:_sync",),
        does_nothing,
        ("integration/end_to_end/test_durability_from_outside.py::test_a_phase_value_is_synced_before_it_is_renamed",),
    ),
    Measure(
        "phase values are renamed into place",
        "a crash while one is written would destroy the one that was there",
        ("runtime.bundles:_temporary_of",),
        the_file_itself,
        (
            "runtime/test_phase_store.py::test_a_crash_before_the_rename_leaves_the_old_value",
            "integration/end_to_end/test_durability_from_outside.py::test_a_phase_value_is_synced_before_it_is_renamed",
        ),
    ),
    Measure(
        "phase values of one content",
        "the boundaries of one recording would be put on another",
        ("model.outcomes:_are_mixed",),
        returns(False),
        ("model/test_file_entry.py::test_phases_that_heard_other_bytes_are_not_mixed",),
    ),
    Measure(
        "phase values of the same passages",
        "after a change of the settings, new boundaries would get old lead points, songs and flavors",
        ("model.outcomes:find_disagreement",),
        returns(None),
        ("model/test_agreement.py::test_an_entry_is_never_assembled_of_values_that_do_not_belong_together",),
    ),
    Measure(
        "a file is what was hashed",
        "a file that is written to while it is imported would get the boundaries of half of it",
        ("files.verification:_is_still",),
        returns(True),
        ("audio/test_worker_tasks.py::test_a_file_that_is_written_to_while_it_is_read_fails_and_leaves_no_pcm",),
    ),
    Measure(
        "a file that is read again is hashed again",
        "the sound of a replaced file would be stored under the hash of the old one, for good",
        ("files.verification:_has_content",),
        returns(True),
        ("audio/test_worker_tasks.py::test_what_an_earlier_run_hashed_is_read_only_with_the_same_content",),
    ),
    Measure(
        "derived ids",
        "a resumed import would differ from an uninterrupted one, and two runs would give a song two ids",
        ("db.plan.ids:entity_id",),
        random_id,
        ("db/plan/test_rows.py::test_the_ids_depend_on_nothing_but_the_file_and_its_songs",),
    ),
    Measure(
        "derived ids of files and passages",
        "the same, for what is not in MusicBrainz",
        ("db.plan.ids:_numbered",),
        random_ids,
        ("db/plan/test_rows.py::test_the_ids_depend_on_nothing_but_the_file_and_its_songs",),
    ),
)

OTHERS_AT_WORK = (
    Measure(
        "compare-and-set on the file",
        "what another import or program wrote since the file was read would be overwritten unseen",
        ("db.write.statements:UPDATE_FILE",),
        sql_changed(r"(?<=AND )(\w+) IS \?", r"(\1 IS ? OR 1)"),
        (
            "db/write/test_writer.py::test_a_library_that_changes_between_reading_and_writing_is_read_again",
            "db/test_races.py::test_a_tag_somebody_mends_within_the_same_second_is_not_overwritten_unseen",
        ),
    ),
    Measure(
        "compare-and-set on the passages",
        "a title or fade that a person sets while the file is imported would be lost",
        ("db.write.statements:UPDATE_FILE",),
        sql_changed(r"(?<=\)\) IS )\?", "? OR 1"),
        (
            "db/test_races.py::test_an_edit_in_the_meantime_is_kept",
            "db/test_races.py::test_a_passage_a_person_adds_in_the_meantime_is_kept",
        ),
    ),
    Measure(
        "compare-and-set on copies",
        "of two copies that come in at once the original would list only one",
        ("db.write.statements:UPDATE_COPY",),
        sql_changed(r"(?<=AND )(\w+) IS \?", r"(\1 IS ? OR 1)"),
        ("db/test_races.py::test_a_copy_that_gets_another_copy_in_the_meantime_lists_both",),
    ),
    Measure(
        "a comparison that fails is noticed",
        "the rest of a file would be written although its row was not",
        ("db.write.script:Step.is_met_by",),
        returns(True),
        (
            "db/test_races.py::test_an_edit_in_the_meantime_is_kept",
            "db/test_races.py::test_a_passage_that_is_played_in_the_meantime_is_not_deleted",
        ),
    ),
    Measure(
        "one complete copy",
        "two imports that both believe to be first would import the same music twice",
        (
            "db.write.statements:INSERT_FILE",
            "db.write.statements:UPDATE_FILE",
        ),
        sql_changed(r"\(\? <> 'INGEST COMPLETE' OR", "(1 OR ? <> 'INGEST COMPLETE' OR"),
        ("db/write/test_writer.py::test_two_writers_that_both_believe_to_be_first_leave_one_original",),
    ),
    Measure(
        "planned again after a conflict",
        "a file whose row changed would fail, or be written from what was read before",
        ("db.commit:MAX_CONFLICTS",),
        is_now(0),
        (
            "db/write/test_writer.py::test_a_library_that_changes_between_reading_and_writing_is_read_again",
            "db/write/test_writer.py::test_a_song_that_another_run_inserts_with_its_own_guid_is_linked_by_that_guid",
        ),
    ),
    Measure(
        "a limit to that",
        "a library that never stands still would keep the import busy for ever",
        ("db.commit:MAX_CONFLICTS",),
        is_now(100),
        ("db/write/test_writer.py::test_a_library_that_never_stands_still_is_given_up",),
    ),
    Measure(
        "one run per file",
        "two imports at once would do the same work twice, and overwrite each other's phase values",
        ("runtime.claims:_claimed",),
        returns(frozenset()),
        ("runtime/test_claims.py::test_a_file_is_claimed_by_one_run",),
    ),
    Measure(
        "a pause after a breakdown",
        "a full disk would mean a failed run for every 50 files, and all of those files would wait for the next day",
        ("orchestration.run_requests.failed_runs:FailedRun.limit_runs",),
        all_runs,
        (
            "orchestration/test_sensors.py::test_after_an_import_that_failed_as_a_whole_one_is_tried_and_then_the_others",
        ),
    ),
    Measure(
        "runs that were killed are ended",
        "Dagster would wait for them for ever, and after the second launch no other run",
        ("orchestration.instance.living_runs:LivingRuns.is_alive",),
        returns(True),
        ("orchestration/instance/test_run_launcher.py::test_a_run_whose_process_was_killed_fails_and_says_why",),
    ),
    Measure(
        "runs that are alive are not",
        "Dagster would end a run that is at work, and start it a second time beside itself",
        ("orchestration.instance.living_runs:LivingRuns.begin",),
        unlocked,
        ("orchestration/instance/test_run_launcher.py::test_a_run_whose_process_was_killed_fails_and_says_why",),
    ),
    Measure(
        "one snapshot for all reads",
        "half of what a file's rows are made of could be older than the other half",
        ("db.commit:snapshot",),
        no_snapshot,
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
        ("db.read.file_state:find_referenced",),
        returns(frozenset()),
        ("db/test_reimport.py::test_a_passage_something_refers_to_is_kept_with_a_warning",),
    ),
    Measure(
        "edited passages are kept",
        "re-importing a changed file would delete a passage with a person's title or fades",
        ("db.read.file_state:_is_edited",),
        returns(False),
        ("db/test_reimport.py::test_a_passage_a_person_edited_is_kept_with_a_warning",),
    ),
    Measure(
        "a last look before deleting",
        "a passage that is played while the file is imported would be deleted, and its history with it",
        ("db.write.statements:delete_passages",),
        unconditional,
        ("db/test_races.py::test_a_passage_that_is_played_in_the_meantime_is_not_deleted",),
    ),
    Measure(
        "existing ids win",
        "a song that the library has already would get a second row",
        ("db.plan.entities:_guid",),
        derived_id,
        ("db/plan/test_rows.py::test_guids_that_exist_already_win",),
    ),
    Measure(
        "weights of a song's artists",
        "weights that a person set would get company, and no longer sum to 1",
        ("db.write.statements:_insert_song_artists",),
        sql_changed("WHERE NOT EXISTS", "WHERE 1 OR NOT EXISTS"),
        ("db/plan/test_rows.py::test_what_people_and_players_wrote_stays",),
    ),
    Measure(
        "what a person wrote is not replaced",
        "a release date that a person mended would be overwritten by the next import with newer tags",
        ("db.write.names:_is_ours",),
        returns(True),
        ("db/test_names.py::test_a_name_that_a_person_changed_stays",),
    ),
    Measure(
        "an empty disk is no empty library",
        "a disk that is not mounted would make every file count as missing",
        ("files.scan:_looks_unmounted",),
        returns(False),
        ("files/test_scan.py::test_an_empty_root_with_known_files_is_an_error",),
    ),
    Measure(
        "an unreadable folder is no deleted one",
        "a lost permission would make files count as missing, and wkmp prune would remove them",
        ("files.changes:_is_out_of_sight",),
        returns(False),
        (
            "files/test_scan.py::test_files_in_a_folder_that_cannot_be_read_are_not_missing",
            "orchestration/test_prune.py::test_what_lies_in_an_unreadable_folder_is_not_missing",
        ),
    ),
    Measure(
        "nothing is removed before everything is imported",
        "a file that was moved would lose its passages and its play history",
        ("orchestration.prune:_find_waiting",),
        returns([]),
        ("orchestration/test_prune.py::test_nothing_goes_while_a_file_on_disk_may_be_a_missing_one_that_moved",),
    ),
    Measure(
        "an empty folder may be a mount point",
        "a disk that is mounted inside the library would be removed from it when it is unplugged",
        ("orchestration.prune:is_emptied",),
        returns(False),
        ("orchestration/test_prune.py::test_files_of_an_empty_folder_stay_unless_asked_for",),
    ),
    Measure(
        "a last look before removing a file",
        "what is played while files are removed would go with its history",
        ("db.write.script:_forbidden",),
        returns(()),
        ("orchestration/test_prune.py::test_what_is_played_between_reading_and_the_write_lock_stays",),
    ),
    Measure(
        "nothing goes that may be where nobody can look",
        "a file that was moved into a folder without permissions would be removed from the library",
        ("orchestration.prune:_may_be_hidden",),
        returns(False),
        (
            "orchestration/test_prune.py::test_what_may_have_been_moved_into_an_unreadable_folder_stays_unless_asked_for",
        ),
    ),
    Measure(
        "partitions of an unmounted disk stay",
        "wkmp prune would drop the partitions and values of the whole library when its disk is gone",
        ("orchestration.prune:check_not_emptied",),
        does_nothing,
        ("orchestration/test_prune.py::test_partitions_and_values_stay_when_the_library_is_gone_with_its_disk",),
    ),
)

BAD_INPUT = (
    Measure(
        "workers end with their run",
        "a worker that hangs would stay behind when its run is killed, with its file open and its memory taken",
        ("runtime.worker_process:end_with_parent",),
        does_nothing,
        ("runtime/test_worker_process.py::test_no_worker_outlives_its_run_however_that_ends",),
    ),
    Measure(
        "a run ends its workers",
        "its process would wait for them for five minutes, three workers a run, and the daemon's server with it",
        ("runtime.worker_pool:WorkerPool.shut_down",),
        does_nothing,
        ("orchestration/test_run_choices.py::test_a_run_ends_its_workers_though_its_process_goes_on",),
    ),
    Measure(
        "a limit to a worker's memory",
        "one file could take the memory of the whole machine, and the kernel whatever process it likes",
        ("runtime.worker_process:limit_memory",),
        does_nothing,
        ("runtime/test_worker_process.py::test_a_file_that_takes_too_much_memory_fails_alone",),
    ),
    Measure(
        "containers of music only",
        "a playlist under the name of music would make FFmpeg read other files, in the library or not",
        ("audio.ffmpeg_file:OPEN_OPTIONS",),
        without_item("format_whitelist"),
        ("audio/test_decode.py::test_a_list_of_other_files_is_no_music",),
    ),
    Measure(
        "no way out by a link",
        "a partition typed by hand could name any file of the machine, behind a link in the library",
        ("files.identity:_is_behind_a_link",),
        returns(False),
        ("files/test_identity.py::test_nothing_behind_a_symbolic_link_is_looked_at",),
    ),
    Measure(
        "an end to every file",
        "a megabyte that lasts for months would fill the disk with its PCM",
        ("audio.decode_pass:DecodePass._require_an_end",),
        does_nothing,
        ("audio/test_decode.py::test_an_endless_file_is_given_up_before_it_fills_the_disk",),
    ),
    Measure(
        "names are no Markdown",
        "the web UI would fetch a picture from wherever the name of a file says",
        ("orchestration.checks.findings:escape_markdown",),
        unescaped,
        ("integration/security/test_escapes.py::test_a_name_is_no_markup_in_what_a_check_says",),
    ),
    Measure(
        "scratch space is reclaimed",
        "what a killed worker had decoded would stay on the disk until somebody decodes again",
        ("audio.pcm_store:remove_leftovers",),
        does_nothing,
        ("audio/test_pcm_store.py::test_what_a_killed_writer_left_goes_though_nobody_writes_any_more",),
    ),
)

FOUND_LIBRARIES = (
    Measure(
        "a library that is found is of this user",
        "an import would write into a file that another user can change under it",
        ("db.read.found_library:_check_path",),
        does_nothing,
        ("integration/security/test_found_library.py::test_the_library_of_another_user_is_refused",),
    ),
    Measure(
        "a library that is found is WKMP's",
        "another program's database would get our tables and our journal mode",
        ("db.read.found_library:_check_program",),
        does_nothing,
        ("integration/security/test_found_library.py::test_what_is_planted_as_a_library_is_named_and_left_alone",),
    ),
    Measure(
        "a library that is found runs nothing",
        "a trigger that somebody planted would run within every transaction",
        ("db.read.found_library:_check_triggers",),
        does_nothing,
        ("integration/security/test_found_library.py::test_what_is_planted_as_a_library_is_named_and_left_alone",),
    ),
    Measure(
        "a library that is found is not of a newer WKMP",
        "columns whose meaning has changed would get values of the old one",
        ("db.read.found_library:_check_version",),
        does_nothing,
        ("integration/security/test_found_library.py::test_what_is_planted_as_a_library_is_named_and_left_alone",),
    ),
    Measure(
        "keys are accepted on this machine",
        "every song of a user would be asked for with the key, and in the name, of whoever made the library",
        ("orchestration.found_library:_digest",),
        returns("the same for all"),
        ("integration/security/test_found_library.py::test_a_key_that_a_person_accepts_is_used_until_it_changes",),
    ),
    Measure(
        "an undo leaves what was changed since",
        "titles that a person set after a run would be lost when that run is undone",
        ("db.hand_commit:digest_text",),
        returns(ANY),
        ("cli/test_undo.py::test_a_run_is_undone_except_where_somebody_changed_something_since",),
    ),
    Measure(
        "what a command by hand changes can be undone",
        "a wrong word about a song, or a wrong cut, could not be taken back",
        ("db.hand_commit:remember",),
        first_argument,
        (
            "cli/test_undo.py::test_a_word_by_hand_is_undone",
            "cli/test_undo.py::test_undoing_can_be_undone",
            "cli/test_cut.py::test_a_cut_can_be_undone",
        ),
    ),
)

SECTIONS = {
    "One short lock per file": LOCKS,
    "All or nothing": ALL_OR_NOTHING,
    "Others at work at the same time": OTHERS_AT_WORK,
    "What is people's": WHAT_IS_PEOPLE_S,
    "Bad input, and workers": BAD_INPUT,
    "Libraries that are found, and undoing": FOUND_LIBRARIES,
}
MEASURES = tuple(measure for measures in SECTIONS.values() for measure in measures)

_ROLLBACK = next(measure for measure in MEASURES if measure.name == "rollback")
EXAMPLES = (
    replace(_ROLLBACK, name="an example: nothing changes", without=unchanged),
    replace(_ROLLBACK, name="an example: the code breaks", without=breaks),
)
"""No measures: the proof itself is tested with them."""
