"""The names of the services, for messages and the names of files."""

ACOUSTICBRAINZ = "AcousticBrainz"
ACOUSTID = "AcoustID"
MUSICBRAINZ = "MusicBrainz"
