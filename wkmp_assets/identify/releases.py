"""Which release, of all that a recording is on, a passage is taken from. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from wkmp_assets.identify.scoring import is_same_title
from wkmp_assets.model.values import KnownRelease, RecordingLookups, Release

MIN_RECORDINGS = 2
"""A release that holds a single recording of a folder says nothing about the others."""


def find_folder_releases(lookups: Iterable[RecordingLookups]) -> Mapping[str, int]:
    """Say which releases explain most of a folder.

    Parameters
    ----------
    lookups : iterable of RecordingLookups
        Of all files of one folder.

    Returns
    -------
    Mapping of str to int
        Release id -> how many recordings of the folder it holds, for releases that hold more than half of them. Others
        are left out: a folder of singles is not to be taken for the compilation that holds three of them.
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

    In this order: named like the album tag, holds most recordings of the folder, official, an album and nothing but,
    the earliest, the lowest id.

    Parameters
    ----------
    releases : sequence of KnownRelease
        That the recording is on.
    album : str or None
        The file's album tag.
    holds : Mapping of str to int
        What `find_folder_releases` says of the file's folder.
    """

    def merits(known: KnownRelease) -> tuple[bool, int, bool, bool, str, str]:
        mbid, date = known.release.mbid, known.release.date or "9999"
        is_named_so = album is not None and is_same_title(known.release.title, album)
        return (not is_named_so, -holds.get(mbid, 0), not known.is_official, not known.is_plain_album, date, mbid)

    return min(releases, key=merits).release if releases else None
