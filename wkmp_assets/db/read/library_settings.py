"""Read the settings in the library's `settings` table, which all programs that open the library share.

They are read once per run and never written: a default that is written back could not be improved later. What a run
used is recorded with every passage (`import_metadata`).
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from wkmp_assets.db.connection import open_reader
from wkmp_assets.db.read.select import has_table
from wkmp_assets.errors import SettingsError
from wkmp_assets.model.lead_presets import LEAD_PRESETS, LeadPreset
from wkmp_assets.model.values import LeadPointParameters, SegmentationParameters


@dataclass(frozen=True)
class SettingRange:
    """A numeric setting of the `settings` table."""

    key: str
    default: float
    low: float
    high: float
    unit: str
    meaning: str


SILENCE_THRESHOLD = SettingRange(
    "silence_threshold_dB",
    64.0,
    20,
    80,
    "dB below full scale",
    "A window below this RMS level is silent.",
)
SILENCE_MIN = SettingRange(
    "silence_min_duration_ticks",
    50_803_200,
    0,
    282_240_000,
    "ticks",
    "The shortest silence that separates two passages.",
)
MIN_PASSAGE = SettingRange(
    "minimum_passage_audio_duration_ticks",
    2_822_400,
    0,
    282_240_000,
    "ticks",
    "The shortest passage. A file with less sound is NO AUDIO.",
)
LEAD_IN = SettingRange(
    "lead_in_threshold_dB",
    -12.0,
    -100,
    100,
    "dB",
    "Lead-in threshold: up to 0, relative to the passage's peak RMS; above 0, to one step of 16-bit PCM.",
)
LEAD_OUT = SettingRange(
    "lead_out_threshold_dB",
    -12.0,
    -100,
    100,
    "dB",
    "Lead-out threshold: up to 0, relative to the passage's peak RMS; above 0, to one step of 16-bit PCM.",
)
BUSY_TIMEOUT = SettingRange(
    "ai_database_lock_retry_ms", 250, 50, 5000, "ms", "How long SQLite itself waits for a lock before a retry."
)
MAX_LOCK_WAIT = SettingRange(
    "ai_database_max_lock_wait_ms", 5000, 500, 30_000, "ms", "How long a write tries to get the lock in all."
)
LEAD_PRESET_KEY = "import_lead_preset"
"""Key of the preset: a name of `LeadPreset`. Thresholds that are set win over those of the preset."""
ALL_SETTINGS = (SILENCE_THRESHOLD, SILENCE_MIN, MIN_PASSAGE, LEAD_IN, LEAD_OUT, BUSY_TIMEOUT, MAX_LOCK_WAIT)

LEGACY_LEAD_IN_DB = 45.0
LEGACY_LEAD_OUT_DB = 40.0
"""unit=dB: WKMP's defaults in an older library. No window reaches them, so that they count as "not set"."""


@dataclass(frozen=True)
class LockSettings:
    """How long to wait for SQLite's write lock."""

    busy_timeout_ms: int = int(BUSY_TIMEOUT.default)
    max_lock_wait_ms: int = int(MAX_LOCK_WAIT.default)


@dataclass(frozen=True)
class LibrarySettings:
    """Effective values of the `settings` table."""

    segmentation: SegmentationParameters
    lead_points: LeadPointParameters
    locks: LockSettings


def read_library_settings(database: Path) -> LibrarySettings:
    """Read the settings of a library. Settings that are not set, and a library that does not exist, get defaults.

    Raises
    ------
    SettingsError
        A stored value is not a number or out of range. The message names the key.
    """
    stored: dict[str, str | None] = {}
    with open_reader(database) as connection:
        if connection is not None and has_table(connection, "settings"):
            stored = dict(connection.execute("SELECT key, value FROM settings").fetchall())
    return _interpret(stored)


def read_acoustid_key(database: Path) -> str | None:
    """Read AcoustID's application key from the library's settings; None when it is not set."""
    with open_reader(database) as connection:
        if connection is None or not has_table(connection, "settings"):
            return None
        row = connection.execute("SELECT value FROM settings WHERE key = 'acoustid_api_key'").fetchone()
        return None if row is None else row["value"]


def _interpret(stored: dict[str, str | None]) -> LibrarySettings:
    preset = _lead_preset(stored.get(LEAD_PRESET_KEY))
    values = {setting.key: _number(setting, stored.get(setting.key)) for setting in ALL_SETTINGS}
    return LibrarySettings(
        SegmentationParameters(
            silence_threshold_db=values[SILENCE_THRESHOLD.key],
            min_silence_ticks=int(values[SILENCE_MIN.key]),
            min_passage_ticks=int(values[MIN_PASSAGE.key]),
        ),
        replace(
            preset,
            lead_in_threshold_db=_lead_threshold(
                stored.get(LEAD_IN.key), values[LEAD_IN.key], LEGACY_LEAD_IN_DB, preset.lead_in_threshold_db
            ),
            lead_out_threshold_db=_lead_threshold(
                stored.get(LEAD_OUT.key), values[LEAD_OUT.key], LEGACY_LEAD_OUT_DB, preset.lead_out_threshold_db
            ),
        ),
        LockSettings(int(values[BUSY_TIMEOUT.key]), int(values[MAX_LOCK_WAIT.key])),
    )


def _number(setting: SettingRange, text: str | None) -> float:
    if text is None or not str(text).strip():
        return setting.default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not setting.low <= value <= setting.high:
        raise SettingsError(
            f"setting {setting.key} in the library's settings table is {text!r}; it must be a number from "
            f"{setting.low:g} to {setting.high:g} ({setting.unit}: {setting.meaning})"
        )
    return value


def _lead_preset(text: str | None) -> LeadPointParameters:
    name = str(text or "").strip() or LeadPreset.DEFAULT
    try:
        return LEAD_PRESETS[LeadPreset(name)]
    except ValueError:
        raise SettingsError(
            f"setting {LEAD_PRESET_KEY} in the library's settings table is {text!r}; it must be one of "
            f"{', '.join(LeadPreset)}"
        ) from None


def _lead_threshold(text: str | None, value: float, legacy: float, of_preset: float) -> float:
    """Return a threshold that is set, else the preset's. The legacy default counts as "not set"."""
    is_set = bool(str(text or "").strip()) and value != legacy
    return value if is_set else of_preset
