"""The format names of the library: one short name for container and codec together."""

_BY_CODEC = {
    "aac": "AAC",
    "aac_latm": "AAC",
    "alac": "ALAC",
    "ape": "APE",
    "flac": "FLAC",
    "mp1": "MP1",
    "mp2": "MP2",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "OGG Vorbis",
    "wavpack": "WavPack",
    "wmalossless": "WMA",
    "wmapro": "WMA",
    "wmav1": "WMA",
    "wmav2": "WMA",
    "wmavoice": "WMA",
}
_PCM_BY_CONTAINER = {"aiff": "AIFF", "w64": "WAV", "wav": "WAV"}
_BY_LIBSNDFILE = {
    "AIFF": "AIFF",
    "FLAC": "FLAC",
    "MPEG_LAYER_I": "MP1",
    "MPEG_LAYER_II": "MP2",
    "MPEG_LAYER_III": "MP3",
    "OPUS": "Opus",
    "RF64": "WAV",
    "VORBIS": "OGG Vorbis",
    "W64": "WAV",
    "WAV": "WAV",
    "WAVEX": "WAV",
}


def ffmpeg_format_name(codec: str, container: str) -> str:
    """Return the format of a stream; a codec unknown here keeps FFmpeg's name.

    Parameters
    ----------
    codec, container : str
        Names of FFmpeg's codec descriptor and demuxer.

    Examples
    --------
    >>> ffmpeg_format_name("vorbis", "ogg")
    'OGG Vorbis'
    """
    if codec.startswith("pcm_") and container in _PCM_BY_CONTAINER:
        return _PCM_BY_CONTAINER[container]
    return _BY_CODEC.get(codec, codec)


def libsndfile_format_name(container: str, subtype: str) -> str:
    """Return the format of a file, by libsndfile's names of its major format and subtype."""
    return _BY_LIBSNDFILE.get(subtype) or _BY_LIBSNDFILE.get(container, container)
