"""Phase 3: the tags of a file."""

from dataclasses import replace
from functools import partial

import dagster as dg

from wkmp_assets.audio.sent_tasks import tag_file
from wkmp_assets.files.identity import without_known_content
from wkmp_assets.files.verification import ExpectedContent
from wkmp_assets.identify.path_names import read_path_names
from wkmp_assets.model.file_key import decode_key
from wkmp_assets.model.outcomes import Outcome, Outcomes, Result
from wkmp_assets.model.phases import IDENTITY, TAGS
from wkmp_assets.model.values import FileIdentity, FileTags, PathNames
from wkmp_assets.orchestration.file_visits import find_visited
from wkmp_assets.orchestration.instance.dagster_api import executes_asset, executes_itself
from wkmp_assets.orchestration.resources import Library
from wkmp_assets.runtime.worker_pool import WorkerPool


@dg.asset(name=TAGS, group_name="import", io_manager_key="phase_store", kinds={"python", "file"})
def file_tags(
    context: dg.AssetExecutionContext,
    file_identity: Outcomes[FileIdentity],
    library: dg.ResourceParam[Library],
    workers: dg.ResourceParam[WorkerPool],
) -> Outcomes[FileTags]:
    """The tags of the file: title, artist, album, track, year, and MusicBrainz ids where a tagger wrote them.

    Its covers, embedded or beside it, are kept in the state folder. With the tags come the CUE sheets beside and inside
    the file, and its chapters. Unreadable tags, sheets and pictures are a warning and not a failure, because the music
    may be fine. Stale when the file's content changes. A sheet that was added or changed beside the file counts when
    the file is imported again with force.
    """
    expect = partial(ExpectedContent.of, is_just_hashed=executes_itself(context, IDENTITY))
    outcomes = workers.compute(
        TAGS,
        sorted(context.partition_keys),
        [without_known_content(file_identity, is_judged_now=executes_asset(context, IDENTITY))],
        tag_file,
        lambda key, identity: (library.file_of(key), decode_key(key), expect(identity), library.covers),
        partial(find_visited, library, TAGS, lambda _tags, _identity: True),
    )
    return {key: _with_names(outcome, read_path_names(decode_key(key))) for key, outcome in outcomes.items()}


def _with_names(outcome: Outcome[FileTags], names: PathNames) -> Outcome[FileTags]:
    if not isinstance(outcome, Result) or outcome.value.names == names:
        return outcome
    return replace(outcome, value=replace(outcome.value, names=names))
