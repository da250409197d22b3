"""Ask MusicBrainz for the recording that a person names. Without Dagster, because the commands by hand need none."""

from dataclasses import dataclass

from wkmp_assets.errors import ServiceUnavailableError
from wkmp_assets.identify.open_lookups import NO_KEY
from wkmp_assets.identify.releases import choose_release
from wkmp_assets.identify.services import musicbrainz
from wkmp_assets.identify.services.musicbrainz import MusicBrainzClient
from wkmp_assets.identify.services.session import ServiceSession
from wkmp_assets.model.values import KnownRelease, Release, Song
from wkmp_assets.orchestration.services import acoustid_key, service_settings
from wkmp_assets.settings import Settings


@dataclass(frozen=True)
class NamedRecording:
    """A recording that a person names, with what MusicBrainz knows of it."""

    song: Song
    release: Release | None = None
    releases: tuple[KnownRelease, ...] = ()
    unnamed_because: str = ""
    """Why the song has no names from MusicBrainz; empty when it has."""


def ask_for_recording(settings: Settings, mbid: str, album: str | None) -> NamedRecording:
    """Return a recording with MusicBrainz' names; without them where it gives no answer.

    Parameters
    ----------
    settings : Settings
        Without an AcoustID key no service is asked, as in an import.
    mbid : str
        Of the recording. MusicBrainz may have merged it into another one, which then counts.
    album : str or None
        The album that the file names, which chooses among the releases.
    """
    if acoustid_key(settings) is None:
        return NamedRecording(Song(mbid, None, None), unnamed_because=f"MusicBrainz was not asked: {NO_KEY}")
    known = service_settings(settings)
    service = musicbrainz.describe_service(known.musicbrainz_url, known.musicbrainz_interval_ms)
    with ServiceSession(service, known.folder, known.user_agent, musicbrainz.judge) as session:
        try:
            found = MusicBrainzClient(session).recording(mbid).value
        except ServiceUnavailableError as error:
            return NamedRecording(Song(mbid, None, None), unnamed_because=f"{error.service}: {error.reason}")
    if found is None:
        return NamedRecording(Song(mbid, None, None), unnamed_because="MusicBrainz does not know this recording")
    return NamedRecording(found.song, choose_release(found.releases, album, {}), found.releases)
