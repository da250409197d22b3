"""How much a run carries, by who starts it.

`BackfillPolicy.multi_run` takes a count of files only. `wkmp import` and the sensor go by the work of the files.
"""

from wkmp_assets.orchestration.partitions import partitions_per_run
from wkmp_assets.orchestration.run_requests.ranges import RunSize
from wkmp_assets.orchestration.services import acoustid_key
from wkmp_assets.settings import Settings

IMPORT_WORK_S = 8.0
"""unit=s: of a run of `wkmp import`. Its files are in the library together, so it should not take long."""
FIRST_WORK_S = 2.0
"""unit=s: of the first run of `wkmp import`, so that something is in the library soon."""
REQUEST_WORK_S = 30.0
"""unit=s: of a run that the sensor requests. The process of such a run takes 2 to 4 s to start."""
MAX_FILES_OF_IMPORT = 100
MAX_FILES_OF_REQUEST = 1000
"""However short they are."""
MAX_WHOLE_FOLDER = 50
"""Files of a folder that stay in one run. They find their release together, from what the services answer."""


def size_of_import(settings: Settings) -> RunSize:
    """Return how much a run of `wkmp import` carries. Without an AcoustID key it may divide a folder."""
    files = MAX_FILES_OF_IMPORT if settings.files_per_run == "auto" else partitions_per_run(settings)
    return RunSize(files, IMPORT_WORK_S, FIRST_WORK_S, MAX_WHOLE_FOLDER if acoustid_key(settings) else 0)


def size_of_request(settings: Settings) -> RunSize:
    """Return how much a run of the sensor carries."""
    files = MAX_FILES_OF_REQUEST if settings.files_per_run == "auto" else partitions_per_run(settings)
    return RunSize(files, REQUEST_WORK_S, whole_folder=MAX_WHOLE_FOLDER)


def size_by_count(settings: Settings) -> RunSize:
    """Return how much a run carries that decodes nothing."""
    return RunSize(partitions_per_run(settings))
