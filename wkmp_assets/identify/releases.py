"""The release that a passage is taken from, of all releases that its recording is on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from wkmp_assets.identify.scoring import is_same_title
from wkmp_assets.model.values import KnownRelease, RecordingLookups, Release

MIN_RECORDINGS = 2
"""Of a folder on one release; a single recording says nothing about the rest of the folder."""


def find_folder_releases(lookups: Iterable[RecordingLookups]) -> Mapping[str, int]:
    """Find the releases that hold more than half of the recordings in a folder.

    Parameters
    ----------
    lookups : iterable of RecordingLookups
        Of all files of one folder.

    Returns
    -------
    Mapping of str to int
        Release MBID -> how many recordings of the folder it holds, at least two. Releases that hold half or less are
        left out, so that a folder of singles is not taken for a compilation that holds three of them.
    """
    releases: defaultdict[str, set[str]] = defaultdict(set)
    for lookup in lookups:
        for passage in lookup.passages:
            if passage.releases:
                found = {known.release.mbid for known in passage.releases}
                releases[passage.candidates[0].song.recording_mbid].update(found)
    holds = Counter(mbid for found in releases.values() for mbid in found)
    return {mbid: count for mbid, count in holds.items() if count >= MIN_RECORDINGS and 2 * count > len(releases)}


def choose_release(releases: Sequence[KnownRelease], album: str | None, holds: Mapping[str, int]) -> Release | None:
    """Choose the release that a recording is taken from.

    The first of these criteria that tells two releases apart decides: its title is the album tag; it holds more
    recordings of the folder; it is official; it is an album and no compilation, soundtrack or live recording; it is
    older; its MBID is lower.

    Parameters
    ----------
    releases : sequence of KnownRelease
        All that the recording is on.
    album : str or None
        The file's album tag.
    holds : Mapping of str to int
        The result of `find_folder_releases` for the file's folder.

    Returns
    -------
    Release or None
        None when there is no release to choose from.
    """

    def merits(known: KnownRelease) -> tuple[bool, int, bool, bool, str, str]:
        mbid, date = known.release.mbid, known.release.date or "9999"
        is_named_so = album is not None and is_same_title(known.release.title, album)
        return (not is_named_so, -holds.get(mbid, 0), not known.is_official, not known.is_plain_album, date, mbid)

    return min(releases, key=merits).release if releases else None
