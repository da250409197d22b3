"""How much a run carries, by who starts it.

`BackfillPolicy.multi_run` takes a count of files only. `wkmp import` and the sensor go by the work of the files.
"""

from wkmp_assets.orchestration.partitions import partitions_per_run
from wkmp_assets.orchestration.run_requests.ranges import RunSize
from wkmp_assets.orchestration.services import acoustid_key
from wkmp_assets.settings import Settings

IMPORT_S_PER_WORKER = 2.7
"""unit=s: work of each worker in a run of `wkmp import`. Its files are in the library together, after 4 s or so on two
CPUs. A run costs the main process half a second whatever it holds, so shorter ones would cost too much."""
FIRST_S_PER_WORKER = 0.35
"""unit=s: the same for the first run, so that something is in the library soon."""
ALONE_S = 6.0
"""unit=s: work of a file that has a run of its own in `wkmp import`, because one worker does it."""
REQUEST_WORK_S = 40.0
"""unit=s: of a run that the sensor requests. The process of such a run takes 2 to 4 s to start."""
MAX_FILES_OF_IMPORT = 200
MAX_FILES_OF_REQUEST = 1000
"""However short they are."""
MAX_WHOLE_FOLDER = 50
"""Files of a folder that stay in one run. They find their release together, from what the services answer."""


def size_of_import(settings: Settings) -> RunSize:
    """Return how much a run of `wkmp import` carries. Without an AcoustID key it may divide a folder."""
    files = MAX_FILES_OF_IMPORT if settings.files_per_run == "auto" else partitions_per_run(settings)
    return RunSize(
        files,
        work_s=IMPORT_S_PER_WORKER * settings.workers,
        first_work_s=FIRST_S_PER_WORKER * settings.workers,
        whole_folder=MAX_WHOLE_FOLDER if acoustid_key(settings) else 0,
        alone_s=ALONE_S,
    )


def size_of_request(settings: Settings) -> RunSize:
    """Return how much a run of the sensor carries."""
    files = MAX_FILES_OF_REQUEST if settings.files_per_run == "auto" else partitions_per_run(settings)
    return RunSize(files, REQUEST_WORK_S, whole_folder=MAX_WHOLE_FOLDER)


def size_by_count(settings: Settings) -> RunSize:
    """Return how much a run carries that decodes nothing."""
    return RunSize(partitions_per_run(settings))
