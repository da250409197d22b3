"""The web services that know recordings: AcoustID, MusicBrainz and AcousticBrainz."""
