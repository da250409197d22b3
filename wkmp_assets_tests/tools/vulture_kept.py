"""Names that look unused and are kept, each with its reason; `vulture` reads this file as if it used them.

A test looks for names without a reason.
"""

# ruff: noqa: B018, F821 - names only, nothing runs

thread_count  # PyAV's codec context reads it: one decoding thread per worker process
thread_type  # the same
track_number  # a tag; read by name when tags are merged
programs  # the ids' table, for people; a test reads it
row_factory  # sqlite3 reads it when it makes rows
text_factory  # the same for a text
trace  # the third argument of __exit__, by protocol
defs  # what Dagster looks for in the module
_connect  # overrides Dagster's class, which calls it
has_dynamic_partition  # the same
on_modified  # the watchdog library calls it
_patterns  # read by the watchdog library
_event_log_storage  # read by Dagster's class
_run_storage  # the same
_schedule_storage  # the same
_inst_data  # the same
has_execution_plan_snapshot  # overrides Dagster's class, which calls it
_get_run_by_id  # the same
KeptOpenSqliteStorage  # named in dagster.yaml
WatchfulRunLauncher  # the same
_asset_partitions_subset  # read by Dagster after the IO manager returns
_asset_key  # the same
_log_manager  # read by Dagster for the events of the step
supports_check_run_worker_health  # overrides Dagster's class, whose monitoring reads it
check_run_worker_health  # the same
from_config_value  # Dagster calls it with the block of dagster.yaml
handle_output  # Dagster calls it on IO managers
load_input  # the same
PENDING  # a value of files.status that other WKMP programs write; the decision table names all five
PROCESSING  # the same
_content  # where requests keeps what it has read of an answer
max_redirects  # requests' session reads it
__class_getitem__  # called by subscription, Outcomes[...]
model_config  # pydantic reads it
describe_stored_flavor  # public: the sentence about a passage, for programs that show the library
combine  # public arithmetic of flavors, for programs that play the library
p50_ms  # read by the template of the library report
p99_ms  # the same
max_ms  # the same
files_per_s  # the same
mean_locks  # the same
examples  # the same
with_song  # the same
without_leads  # the same
share_shown  # the same
filters  # jinja2 reads it when a template names one
bars  # the same
no_song  # the same
title_source  # read by name where knowledge of a passage is kept
title_confidence  # the same
artist_source  # the same
artist_confidence  # the same
album_source  # the same
album_confidence  # the same
mbid_source  # the same
mbid_confidence  # the same
key_clarity  # written to the library by dataclasses.asdict
level_estimate_db  # the same
loudness_range_lu  # the same
track_count  # the same
track_side  # the same
disc_number  # the same
disc_count  # the same
is_compilation  # the same
composers  # the same
isrcs  # the same
artist_mbids  # the same
album_artist_mbids  # the same
release_group_mbid  # the same
release_track_mbid  # the same
work_mbids  # the same
crest_factor_db  # the same
list_commands  # click calls it on the group of commands
get_command  # the same
store_event  # Dagster calls the methods of its event storage
run_connection  # the same
is_run_sharded  # the same
supports_partition_subset_in_asset_materialization_planned_events  # the same
setup  # Dask calls it when a worker starts
persistent_id  # pickle calls it for each object
persistent_load  # the same, on the worker
file_id  # a column of the list of receipts
execute_fn  # Datasette calls it
newest  # templates of `wkmp browse` read these
found_count  # the same
has_report  # the same
has_receipts  # the same
has_picture  # the same
redirect_request  # urllib asks it where to go on
WatchedPostgresStorage  # named in dagster.yaml where PostgreSQL keeps Dagster's storage
optimize_for_webserver  # Dagster's web server calls it on its storage
warm_up  # the process that compiles librosa calls it
converter  # logging asks its formatters which clock to read
