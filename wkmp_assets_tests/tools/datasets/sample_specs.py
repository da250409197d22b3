"""Which excerpts make up the sample library, from which works, under which names and tags.

All works are under CC-BY or CC-BY-SA. Names and some titles are altered on purpose, with characters that are hard for
importers; `ATTRIBUTION.md` gives the original ones.
"""

from dataclasses import dataclass

from wkmp_assets_tests.tools.datasets.tagging import UNTAGGED, Entity, MusicBrainzIds, Tags, invented_id

UFOAI = "usr/share/games/ufoai/base/0music.pk3.d/music"
SINGULARITY = "usr/share/games/singularity/music"
HYPERROGUE = "usr/share/hyperrogue/music"


@dataclass(frozen=True)
class Source:
    """One work in a Debian package, as its copyright file credits it."""

    package: str
    path: str
    author: str
    title: str
    licence: str


@dataclass(frozen=True)
class Excerpt:
    """One file of the sample library, cut from one work.

    Parameters
    ----------
    path : str
        Below the library's root.
    form : str
        Format name as in `encode.FORMATS`.
    source : Source
        Where the music is from.
    from_s, length_s : seconds
        The excerpt is the first uninterrupted stretch of this length at or after `from_s`.
    rate : > 0, optional
        Resampled to this rate; the source's own by default.
    """

    path: str
    form: str
    source: Source
    from_s: float
    length_s: float
    tags: Tags = UNTAGGED
    notes: str = ""
    mono: bool = False
    bits: int = 16
    rate: int | None = None
    id3_minor: int = 4


def _ids(recording: str, album: str, artists: tuple[str, ...], works: tuple[str, ...]) -> MusicBrainzIds:
    return MusicBrainzIds(
        recording=invented_id("recording", recording),
        album=invented_id("release", album),
        artists=tuple(Entity(invented_id("artist", name), name) for name in artists),
        works=tuple(Entity(invented_id("work", title), title) for title in works),
    )


def _ufoai(name: str, author: str, title: str, licence: str) -> Source:
    return Source("ufoai-music", f"{UFOAI}/{name}.ogg", author, title, licence)


def _singularity(title: str) -> Source:
    return Source("singularity-music", f"{SINGULARITY}/{title}.ogg", "Max McCracken (Maxstack)", title, "CC-BY-SA-3.0")


def _hyperrogue(name: str, author: str, title: str) -> Source:
    return Source("hyperrogue-music", f"{HYPERROGUE}/{name}.ogg", author, title, "CC-BY-SA-3.0")


DAVID01 = _ufoai("David01", "David Reeves (Destructavator)", "David01", "CC-BY-3.0")
DAVID02 = _ufoai("David02", "David Reeves (Destructavator)", "David02", "CC-BY-3.0")
AZRAEL = _ufoai("azrael1", "azrael1322", "azrael1", "CC-BY-3.0")
GEOSCAPE = _ufoai("karlmacklin_geoscape", "Karl Macklin", "Geoscape theme #1", "CC-BY-3.0")
UFO_THEME = _ufoai("van_theme", 'Manuel "Vanethian" Marino', "Ufo: AI Main Theme", "CC-BY-3.0")
BATTLESCAPE = _ufoai("Crystan-Battlescape03", 'Christian "Crystan" Hoffmann', "Crystan-Battlescape03", "CC-BY-SA-3.0")
URBAN_WARFARE = _ufoai("MarineUrbanWarfare", '"Marine" Baklund', "MarineUrbanWarfare", "CC-BY-SA-3.0")
INDUSTRIAL = _ufoai("MarineIndustrial", '"Marine" Baklund', "MarineIndustrial", "CC-BY-SA-3.0")
GEOSPHERE = _ufoai("Crystan-Geosphere03", 'Christian "Crystan" Hoffmann', "Crystan-Geosphere03", "CC-BY-SA-3.0")
CAVES = _hyperrogue("hr3-caves", "Shawn Parrotte (NeonCorridor)", "Living Caves")
CARIBBEAN = _hyperrogue("hr-savino-caribbean", "Will Savino", "Caribbean")
OCEAN = _hyperrogue("hr-savino-ocean", "Will Savino", "Ocean")
HUNTING = _hyperrogue("hr-domina-hunting", "Lincoln Domina", "hr-domina-hunting")
MIRROR = _hyperrogue("hr3-mirror", "Shawn Parrotte (NeonCorridor)", "hr3-mirror")
MOUNTAIN = _hyperrogue("hr-domina-mountain", "Lincoln Domina", "hr-domina-mountain")

EXCERPTS = (
    Excerpt(
        "Destructavator/UFO Alien Invasion/01 David01, First Movement.mp3",
        "MP3",
        DAVID01,
        20,
        16,
        Tags(
            "David01, First Movement",
            "Destructavator",
            "UFO: Alien Invasion",
            1,
            "2009",
            _ids("David01", "UFO: Alien Invasion", ("Destructavator",), ("David01",)),
        ),
        "ID3v2.4 with MusicBrainz ids (UFID and TXXX); a comma in the name; has a duplicate",
    ),
    Excerpt(
        "Destructavator/UFO Alien Invasion/02 David02... Continued.flac",
        "FLAC",
        DAVID02,
        30,
        12,
        Tags("David02... Continued", "Destructavator", "UFO: Alien Invasion", 2, "2009"),
        "Vorbis comments without MusicBrainz ids; three dots in the name",
    ),
    Excerpt(
        "azrael1322/azrael1.mp3",
        "MP3",
        AZRAEL,
        40,
        16,
        Tags("azrael1", "azrael1322", "UFO: Alien Invasion", 7, "2010-05-01"),
        "mono MP3; a full date",
        mono=True,
    ),
    Excerpt(
        "Karl Macklin/Singles/Geoscape theme #1 (100% Orbit).mp3",
        "MP3",
        GEOSCAPE,
        60,
        18,
        Tags("Geoscape theme #1 (100% Orbit)", "Karl Macklin", "Singles", 1, "2008"),
        "ID3v2.3; a percent sign and a number sign in the name",
        id3_minor=3,
    ),
    Excerpt(
        "Manuel 'Vanethian' Marino/Ufo_ Alien Invasion/01 Ufo AI Main Theme.ogg",
        "OGG Vorbis",
        UFO_THEME,
        30,
        18,
        Tags("Ufo: AI Main Theme", "Manuel 'Vanethian' Marino", "Ufo: Alien Invasion", 1, "2004"),
        "apostrophes in the name",
    ),
    Excerpt(
        "Crystan/UFO Alien Invasion/03 Battlescape… Three.m4a",
        "AAC",
        BATTLESCAPE,
        45,
        16,
        Tags("Battlescape… Three", "Crystan", "UFO: Alien Invasion", 3, "2011"),
        "the ellipsis character in the name",
    ),
    Excerpt(
        "Marine Baklund/Recordings/04 Urban Warfare.wav",
        "WAV",
        URBAN_WARFARE,
        30,
        12,
        Tags("Urban Warfare", "Marine Baklund", "Recordings", 4, "2010"),
        "16-bit stereo WAV with an ID3 chunk",
    ),
    Excerpt(
        "Unsorted/untitled take.wav",
        "WAV",
        INDUSTRIAL,
        30,
        12,
        notes="no tags at all; 16-bit mono WAV at 22.05 kHz",
        mono=True,
        rate=22_050,
    ),
    Excerpt(
        "Maxstack/Endgame Singularity/01 A New Journey.flac",
        "FLAC",
        _singularity("A New Journey"),
        60,
        12,
        Tags(
            "A New Journey",
            "Maxstack",
            "Endgame: Singularity (Advanced Research)",
            1,
            "2012-12-15",
            _ids("A New Journey", "Advanced Research", ("Maxstack",), ("A New Journey",)),
        ),
        "24-bit FLAC at 48 kHz with MusicBrainz ids in Vorbis comments",
        bits=24,
    ),
    Excerpt(
        "Maxstack/Endgame Singularity/02 Coherence.opus",
        "Opus",
        _singularity("Coherence"),
        60,
        16,
        Tags("Coherence", "Maxstack", "Endgame: Singularity Original Soundtrack", 2, "2012-12-15"),
        "Opus from a 48 kHz source",
    ),
    Excerpt(
        "Maxstack/Сингулярность/03 Пробуждение.ogg",
        "OGG Vorbis",
        _singularity("Awakening"),
        60,
        20,
        Tags("Пробуждение", "Maxstack", "Сингулярность", 3, "2012-12-15"),
        "Cyrillic name and tags; Vorbis at 48 kHz",
    ),
    Excerpt(
        "Will Savino/ハイパーローグ/22 海.m4a",
        "AAC",
        OCEAN,
        10,
        14,
        Tags("海", "Will Savino", "ハイパーローグ", 22, "2018"),
        "Japanese name and tags",
    ),
    Excerpt(
        "Will Savino/HyperRogue [Original Soundtrack]/21 Caribbean.m4a",
        "AAC",
        CARIBBEAN,
        10,
        15,
        Tags(
            "Caribbean",
            "Will Savino",
            "HyperRogue [Original Soundtrack]",
            21,
            "2018",
            _ids("Caribbean", "HyperRogue", ("Will Savino",), ("Caribbean",)),
        ),
        "MusicBrainz ids as MP4 freeform atoms; square brackets in the name",
    ),
    Excerpt(
        "Shawn Parrotte & NeonCorridor/HyperRogue/02 Living Caves.flac",
        "FLAC",
        CAVES,
        10,
        12,
        Tags(
            "Living Caves",
            "Shawn Parrotte & NeonCorridor",
            "HyperRogue",
            2,
            "2013-01-01",
            _ids(
                "Living Caves",
                "HyperRogue",
                ("Shawn Parrotte", "NeonCorridor"),
                ("Living Caves", "Caves Suite"),
            ),
        ),
        "two artists (one person under two names) and two works in Vorbis comments",
    ),
    Excerpt(
        "Lincoln Domina/HyperRogue/61 Lost Mountain.opus",
        "Opus",
        MOUNTAIN,
        15,
        25,
        Tags("Lost Mountain", "Lincoln Domina", "HyperRogue", 61, "2017"),
        "Opus resampled from 44.1 kHz",
        rate=48_000,
    ),
)

# Pieces of one file, each `length_s` long, and the digital silence after each but the last.
SEVERAL_TRACKS_PATH = "Various Artists/Mixes/Three Songs in One File.flac"
SEVERAL_TRACKS = ((MIRROR, 10.0, 12.0), (GEOSPHERE, 10.0, 15.0), (HUNTING, 10.0, 12.0))
SEVERAL_GAPS_S = (2.5, 3.0)
SEVERAL_TAGS = Tags("Three Songs in One File", "Various Artists", "Mixes", 1, "2020")

DUPLICATE_PATH = "Unsorted/Copy of David01.mp3"
DUPLICATE_OF = EXCERPTS[0].path
SILENT_PATH = "Unsorted/Fifteen Seconds of Nothing.flac"
SILENT_S = 15
