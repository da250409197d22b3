"""Which files are music: one table of endings, containers, decoders and tags.

A scan takes every file with an ending of the table, and counts those of `UNREAD_FORMATS`. FFmpeg opens the containers
of the table and no others. The decoder finds out whether a file really holds sound: a text file called `.mp3` must be
reported by name, and not be ignored.
"""

from dataclasses import dataclass
from enum import StrEnum


class Decoder(StrEnum):
    """The library that decodes a format."""

    FFMPEG = "FFmpeg"
    LIBSNDFILE = "libsndfile"


@dataclass(frozen=True)
class AudioFormat:
    """One container with its endings."""

    name: str
    endings: tuple[str, ...]
    """In lower case, with the dot."""
    container: str
    """FFmpeg's name of the demuxer, or libsndfile's of the format."""
    tags: str
    """Which tags it may have."""
    decoder: Decoder = Decoder.FFMPEG


AUDIO_FORMATS = (
    AudioFormat("MPEG audio", (".mp3", ".mp2", ".mp1", ".mpa", ".m2a", ".mpga"), "mp3", "ID3, APEv2"),
    AudioFormat("FLAC", (".flac",), "flac", "Vorbis comments, ID3"),
    AudioFormat("Ogg: Vorbis, Opus, FLAC, Speex", (".ogg", ".oga", ".opus", ".spx"), "ogg", "Vorbis comments"),
    AudioFormat(
        "MP4: AAC, ALAC and others", (".m4a", ".m4b", ".m4r", ".mp4", ".3gp", ".3g2", ".f4a"), "mov", "MP4 atoms"
    ),
    AudioFormat("AAC stream (ADTS)", (".aac", ".adts"), "aac", "ID3, APEv2"),
    AudioFormat("AAC stream (LATM)", (".loas", ".latm"), "loas", "none"),
    AudioFormat("Windows Media Audio", (".wma", ".asf"), "asf", "ASF"),
    AudioFormat("Matroska and WebM", (".mka", ".webm", ".weba"), "matroska", "Matroska"),
    AudioFormat("WAV, also as RF64 and Broadcast Wave", (".wav", ".wave", ".bwf", ".rf64"), "wav", "ID3, INFO"),
    AudioFormat("Wave64", (".w64",), "w64", "INFO"),
    AudioFormat("xWMA", (".xwma",), "xwma", "INFO"),
    AudioFormat("AIFF and AIFF-C", (".aif", ".aiff", ".aifc"), "aiff", "ID3, text chunks"),
    AudioFormat("Core Audio", (".caf",), "caf", "information chunk"),
    AudioFormat("Sun and NeXT audio", (".au", ".snd"), "au", "annotation"),
    AudioFormat("WavPack", (".wv",), "wv", "APEv2, ID3v1"),
    AudioFormat("Monkey's Audio", (".ape",), "ape", "APEv2, ID3v1"),
    AudioFormat("True Audio", (".tta",), "tta", "ID3, APEv2"),
    AudioFormat("TAK", (".tak",), "tak", "APEv2"),
    AudioFormat("Shorten", (".shn",), "shn", "none"),
    AudioFormat("Musepack SV7", (".mpc", ".mp+", ".mpp"), "mpc", "APEv2"),
    AudioFormat("Musepack SV8", (".mpc",), "mpc8", "APEv2"),
    AudioFormat("DSD stream file", (".dsf",), "dsf", "ID3"),
    AudioFormat("DSDIFF, and 8SVX of the Amiga", (".dff", ".8svx", ".svx"), "iff", "ID3, text chunks"),
    AudioFormat("Dolby Digital", (".ac3",), "ac3", "APEv2"),
    AudioFormat("Dolby Digital Plus", (".eac3", ".ec3"), "eac3", "APEv2"),
    AudioFormat("DTS", (".dts",), "dts", "none"),
    AudioFormat("AMR, narrow and wide band", (".amr", ".awb"), "amr", "none"),
    AudioFormat("Creative Voice", (".voc",), "voc", "none"),
    AudioFormat("Audio Visual Research", (".avr",), "AVR", "none", Decoder.LIBSNDFILE),
    AudioFormat("IRCAM", (".ircam", ".sf"), "IRCAM", "none", Decoder.LIBSNDFILE),
    AudioFormat("NIST SPHERE", (".nist", ".sph"), "NIST", "none", Decoder.LIBSNDFILE),
    AudioFormat("Ensoniq PARIS", (".paf", ".fap"), "PAF", "none", Decoder.LIBSNDFILE),
    AudioFormat("Portable Voice Format", (".pvf",), "PVF", "none", Decoder.LIBSNDFILE),
)

AUDIO_ENDINGS = frozenset(ending for one in AUDIO_FORMATS for ending in one.endings)
"""The endings of files to import."""

MEDIA_TYPES = {
    **dict.fromkeys((".mp3", ".mpga"), "audio/mpeg"),
    ".flac": "audio/flac",
    **dict.fromkeys((".ogg", ".oga", ".opus"), "audio/ogg"),
    **dict.fromkeys((".m4a", ".m4b", ".m4r", ".mp4", ".f4a"), "audio/mp4"),
    **dict.fromkeys((".aac", ".adts"), "audio/aac"),
    **dict.fromkeys((".webm", ".weba"), "audio/webm"),
    **dict.fromkeys((".wav", ".wave", ".bwf"), "audio/wav"),
}
"""Ending -> media type of what browsers play: https://developer.mozilla.org/en-US/docs/Web/Media/Guides/Formats."""

FILM_CONTAINERS = ("avi", "flv", "mpeg", "mpegts")
"""FFmpeg opens them too, because a song may be in one under the ending of another."""

FFMPEG_CONTAINERS = (
    *dict.fromkeys(one.container for one in AUDIO_FORMATS if one.decoder is Decoder.FFMPEG),
    *FILM_CONTAINERS,
)
"""The containers that FFmpeg may open. It knows 300 more; some are playlists that make it open other files."""

UNREAD_FORMATS = {
    "tracker modules": (".mod", ".xm", ".it", ".s3m", ".mtm", ".umx", ".mptm"),
    "notes and chip music": (
        ".mid", ".midi", ".kar", ".rmi", ".nsf", ".spc", ".sid", ".gbs", ".vgm", ".vgz", ".psf", ".minipsf",
    ),
    "sound in a form that no decoder here reads": (
        ".ofr", ".ofs", ".la", ".ra", ".ram", ".rm", ".oma", ".aa3", ".at3", ".vqf", ".qoa", ".mlp", ".thd", ".dtshd",
        ".gsm", ".wsd", ".lpac", ".rka", ".optimfrog", ".sd2",
    ),
    "copy-protected sound": (".m4p", ".aa", ".aax", ".aaxc"),
    "films": (
        ".mkv", ".avi", ".mov", ".flv", ".f4v", ".wmv", ".mpg", ".mpeg", ".m4v", ".vob", ".m2ts", ".ogv", ".ogm",
        ".divx",
    ),
}  # fmt: skip
"""The endings that a scan counts and passes over, by kind of file. Nobody should look for such a file in vain."""

UNREAD_ENDINGS = frozenset(ending for endings in UNREAD_FORMATS.values() for ending in endings)

_BY_CODEC = {
    "aac": "AAC",
    "aac_latm": "AAC",
    "ac3": "AC-3",
    "alac": "ALAC",
    "amr_nb": "AMR",
    "amr_wb": "AMR",
    "ape": "APE",
    "dts": "DTS",
    "eac3": "E-AC-3",
    "flac": "FLAC",
    "mp1": "MP1",
    "mp2": "MP2",
    "mp3": "MP3",
    "musepack7": "Musepack",
    "musepack8": "Musepack",
    "opus": "Opus",
    "shorten": "Shorten",
    "speex": "Speex",
    "tak": "TAK",
    "tta": "TTA",
    "vorbis": "OGG Vorbis",
    "wavpack": "WavPack",
    "wmalossless": "WMA",
    "wmapro": "WMA",
    "wmav1": "WMA",
    "wmav2": "WMA",
    "wmavoice": "WMA",
}
_PCM_BY_CONTAINER = {"aiff": "AIFF", "au": "AU", "caf": "CAF", "iff": "8SVX", "voc": "VOC", "w64": "WAV", "wav": "WAV"}
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


def name_ffmpeg_format(codec: str, container: str) -> str:
    """Return the library's name for the format of a stream; a codec unknown here keeps FFmpeg's name.

    Parameters
    ----------
    codec, container : str
        Names of FFmpeg's codec descriptor and demuxer.

    Examples
    --------
    >>> name_ffmpeg_format("vorbis", "ogg"), name_ffmpeg_format("dsd_lsbf_planar", "dsf")
    ('OGG Vorbis', 'DSD')
    """
    if codec.startswith("pcm_") and container in _PCM_BY_CONTAINER:
        return _PCM_BY_CONTAINER[container]
    return "DSD" if codec.startswith("dsd_") or codec == "dst" else _BY_CODEC.get(codec, codec)


def name_libsndfile_format(container: str, subtype: str) -> str:
    """Return the library's name for the format of a file, by libsndfile's names of its major format and subtype."""
    return _BY_LIBSNDFILE.get(subtype) or _BY_LIBSNDFILE.get(container, container)
