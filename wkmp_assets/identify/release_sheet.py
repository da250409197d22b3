"""The track list of a release as evidence for the boundaries in a file that holds one of its discs.

MusicBrainz is asked after the decode. So the list decides when the file is imported again.
"""

from typing import TYPE_CHECKING

from wkmp_assets.model import ticks
from wkmp_assets.model.boundary_evidence import BoundarySource, PieceClaim, TrackSheet
from wkmp_assets.model.file_warnings import FileWarning, WarningKind
from wkmp_assets.model.values import FileTags, PassageSegments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wkmp_assets.identify.services.musicbrainz_media import Medium

_IS_CUT_BY = frozenset({BoundarySource.SILENCE, BoundarySource.RELEASE})
_MAY_HOLD_SEVERAL = frozenset({PieceClaim.NONE, PieceClaim.NAME})


def release_to_ask(tags: FileTags, segments: PassageSegments) -> str | None:
    """Return the release whose track list may tell where the passages of a file begin; None when none may.

    Parameters
    ----------
    tags : FileTags
        Of the file.
    segments : PassageSegments
        Its passages.

    Returns
    -------
    str or None
        The release MBID of the tags, of a file that neither a sheet nor its tags explain.
    """
    claim = segments.evidence.claim if segments.evidence else tags.evidence.claim
    if not segments.passages or segments.decided_by not in _IS_CUT_BY or claim not in _MAY_HOLD_SEVERAL:
        return None
    return tags.details.release_mbid or (tags.release.mbid if tags.release else None)


def choose_sheet(media: "Sequence[Medium]", disc_number: int | None, segments: PassageSegments) -> TrackSheet | None:
    """Choose the track list that is as long as a file.

    Parameters
    ----------
    media : sequence of Medium
        Of the release in its tags.
    disc_number : int or None
        Of its tags.
    segments : PassageSegments
        Its passages.

    Returns
    -------
    TrackSheet or None
        Of the only medium of several tracks whose length fits within 5 s, or of the one with the file's disc number
        where several fit.
    """
    total = ticks.from_samples(segments.audio.total_samples, segments.audio.sample_rate_hz)
    fitting = [medium for medium in media if len(medium.sheet.tracks) > 1 and medium.sheet.has_length_of(total)]
    if len(fitting) > 1:
        fitting = [medium for medium in fitting if medium.number == disc_number]
    return fitting[0].sheet if len(fitting) == 1 else None


def advise_to_cut(sheet: TrackSheet, segments: PassageSegments) -> tuple[FileWarning, ...]:
    """Return the advice to import a file again, where its passages are not the tracks of the list yet."""
    if segments.decided_by is BoundarySource.RELEASE:
        return ()
    text = (
        f"{sheet.name} is as long as the file and has {len(sheet.tracks)} tracks, but the passages are those between "
        "silences; import the file again with --force to cut it where these tracks begin."
    )
    return (FileWarning(WarningKind.UNUSED_SHEET, text),)
