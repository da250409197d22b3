"""Every setting of the deployment, and the only place that reads the environment.

Two kinds exist. These are the deployment's: where the music and the state are, how much to run at once.
What changes the meaning of the library's contents (silence threshold, lead points) lives in the library itself,
in its `settings` table, so that every program that opens it agrees: see `db.library_settings`.
"""

import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from wkmp_assets.errors import SettingsError

_CHECKOUT = Path(__file__).resolve().parent.parent
_SAMPLE_LIBRARY = _CHECKOUT / "test_data" / "sample_library"


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _default_library_root() -> Path | None:
    """Return the sample library in a checkout, so that a newcomer's first `dagster dev` shows something."""
    return _SAMPLE_LIBRARY if _SAMPLE_LIBRARY.is_dir() else None


def _default_state_dir() -> Path:
    """Keep our state beside Dagster's: a materialization record and the value it speaks of belong together."""
    dagster_home = os.environ.get("DAGSTER_HOME")
    if dagster_home:
        return Path(dagster_home) / ".wkmp"
    xdg = os.environ.get("XDG_STATE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".local" / "state") / "wkmp"


class Settings(BaseSettings):
    """Settings from `WKMP_*` environment variables; arguments given here win over them."""

    model_config = SettingsConfigDict(env_prefix="WKMP_", env_ignore_empty=True, frozen=True, extra="forbid")

    library_root: Path | None = Field(
        default_factory=_default_library_root,
        description="Folder of the music. Default in a checkout: the sample library.",
    )
    database: Path | None = Field(
        default=None, description="The library database. Default: wkmp.db in the library root."
    )
    state_dir: Path = Field(
        default_factory=_default_state_dir,
        description="Folder for phase values and decoded PCM. Default: .wkmp in DAGSTER_HOME.",
    )
    files_per_run: int | Literal["all"] = Field(
        default=50,
        description="Most files one run carries: a number from 1 to 10,000, or `all` (needed by --partition-range).",
    )
    workers: int = Field(
        default_factory=lambda: _cpu_count() + 1,
        ge=1,
        le=64,
        description="Worker processes that decode and fingerprint. Default: CPU count + 1.",
    )
    worker_memory_mb: int = Field(
        default=1024,
        ge=256,
        le=1_000_000,
        description="Most megabytes of memory a worker may have; a file that takes more is given up and named.",
    )
    worker_timeout_s: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Seconds a worker may take for one phase of one file, and as many again for every 100 MB of it; a "
        "file that takes longer is given up and named.",
    )
    pcm_cache_mb: int = Field(
        default=2048,
        ge=16,
        le=1_000_000,
        description="Most megabytes of decoded PCM kept for later phases; the least recently used go first.",
    )

    watch: bool = Field(
        default=False,
        description="1: the sensor `new_files_sensor` runs from the start. Default: a person switches it on in the UI.",
    )
    watch_settle_s: int = Field(
        default=30,
        ge=0,
        le=86_400,
        description="Seconds since its last change after which the sensor takes a file to be completely written.",
    )
    watch_runs: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Most runs the sensor has waiting at once; each carries up to WKMP_FILES_PER_RUN files.",
    )

    schedules: bool = Field(
        default=False,
        description="1: the schedules `nightly_rescan` and `weekly_top_up` run from the start. Default: a person "
        "switches them on in the UI.",
    )
    rescan_cron: str = Field(
        default="0 3 * * *",
        description="When `nightly_rescan` looks for new, changed and moved files: a cron expression.",
    )
    top_up_cron: str = Field(
        default="0 4 * * 0",
        description="When `weekly_top_up` asks the services again for what was deferred: a cron expression.",
    )
    time_zone: str = Field(
        default="UTC",
        description="Time zone of both, as in `Europe/Berlin`.",
    )

    hold_budget_ms: int = Field(
        default=100,
        ge=1,
        le=60_000,
        description="Milliseconds a file's write transaction may take: more is a warning, ten times as many an error.",
    )

    acoustid_api_key: SecretStr | None = Field(
        default=None,
        description="AcoustID application key. Without one, here or in the library's settings, no service is asked.",
    )
    acoustid_url: str = Field(
        default="https://api.acoustid.org/v2",
        pattern=r"^https?://",
        description="AcoustID's web service, or a mirror of it.",
    )
    acoustid_interval_ms: int = Field(
        default=400,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to AcoustID, of all processes together: it allows 3 a second.",
    )
    musicbrainz_url: str = Field(
        default="https://musicbrainz.org/ws/2",
        pattern=r"^https?://",
        description="MusicBrainz' web service, or a mirror of it.",
    )
    musicbrainz_interval_ms: int = Field(
        default=1100,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to MusicBrainz, of all processes together: it allows 1 a "
        "second.",
    )
    acousticbrainz_url: str = Field(
        default="https://acousticbrainz.org",
        pattern=r"^(https?://.*|off)$",
        description="AcousticBrainz' web service, or a mirror of it; `off`: never asked. Asked only where AcoustID is.",
    )
    acousticbrainz_interval_ms: int = Field(
        default=1000,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to AcousticBrainz, of all processes together: it allows 1 a "
        "second.",
    )
    contact: str = Field(
        default="no contact given",
        pattern=r"^[\x20-\x7e]{1,200}$",
        description="Mail address or web page of yours, sent to the services with every request, as they ask.",
    )

    @field_validator("files_per_run", mode="before")
    @classmethod
    def _number_or_all(cls, value: object) -> object:
        if value == "all":
            return value
        if not str(value).isdecimal() or not 1 <= int(str(value)) <= 10_000:
            raise ValueError("must be a number from 1 to 10,000, or 'all'")
        return int(str(value))

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be a time zone of the IANA database, like Europe/Berlin")
        return value

    @field_validator("library_root", "database", "state_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else _absolute_path(value)

    @cached_property
    def library(self) -> Path:
        """The music folder.

        Raises
        ------
        SettingsError
            None is set and there is no sample library to fall back to.
        """
        if self.library_root is None:
            raise SettingsError("no music folder is set: point WKMP_LIBRARY_ROOT at the folder of your music")
        return self.library_root

    @cached_property
    def database_path(self) -> Path:
        """The library database."""
        return self.database or self.library / "wkmp.db"

    @cached_property
    def library_id(self) -> str:
        """Eight hex digits naming this library among those imported with one DAGSTER_HOME.

        Two libraries may hold the same relative path, so partitions and phase values are kept apart by it.
        """
        return hashlib.sha256(os.fsencode(self.library)).hexdigest()[:8] if self.library_root else "unset"

    @cached_property
    def phase_dir(self) -> Path:
        """Where phase values of this library are kept."""
        return self.state_dir / self.library_id / "phases"

    @cached_property
    def claims_dir(self) -> Path:
        """Where the runs of this library note which files they have in hand."""
        return self.state_dir / self.library_id / "claims"

    @cached_property
    def report_path(self) -> Path:
        """The page of the library report."""
        return self.state_dir / self.library_id / "report.html"

    def picture_path(self, key: str) -> Path:
        """Where the picture of a partition is kept: under a hash, as a key may be longer than a file name."""
        name = hashlib.sha256(key.encode("utf-8")).hexdigest()
        return self.pictures_dir / f"{name[:32]}.png"

    @cached_property
    def pictures_dir(self) -> Path:
        """Where pictures of this library's files are kept."""
        return self.state_dir / self.library_id / "pictures"

    @cached_property
    def pcm_dir(self) -> Path:
        """Where decoded PCM is kept, by content hash, for all libraries."""
        return self.state_dir / "pcm"

    @cached_property
    def services_dir(self) -> Path:
        """Where answers of web services are kept, for all libraries."""
        return self.state_dir / "services"

    def relative_folder(self, folder: Path) -> str:
        """Return a folder of the library relative to its root, `""` for the root itself."""
        relative = os.path.relpath(_absolute_path(folder), self.library)
        return "" if relative == "." else relative


def _absolute_path(path: Path) -> Path:
    """Not resolve(): a library reached through a symlink keeps the path its owner knows."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute() keeps `..`


def find_dagster_home() -> Path:
    """Return DAGSTER_HOME; when it is not set, set it to the working folder or the checkout if there is a dagster.yaml.

    Raises
    ------
    SettingsError
        There is none; the message says how to make one.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given:
        return Path(given)
    for folder in (Path.cwd(), _CHECKOUT):
        if (folder / "dagster.yaml").is_file():
            os.environ["DAGSTER_HOME"] = str(folder)
            return folder
    raise SettingsError("set DAGSTER_HOME to a folder with a dagster.yaml: Dagster keeps runs and partitions there")


def find_library(folder: Path, library: Path | None) -> Path:
    """Return the root of the library that a folder belongs to.

    Parameters
    ----------
    folder : Path
        The folder a person named.
    library : Path or None
        The root, if they named it too.

    Returns
    -------
    Path
        `library`; else WKMP_LIBRARY_ROOT if `folder` lies in it; else the nearest folder from `folder` upwards that
        holds a wkmp.db; else `folder` itself: paths in a library are relative to its root, never to a part of it.

    Raises
    ------
    SettingsError
        `folder` lies outside `library`.
    """
    folder = _absolute_path(folder)
    if library is not None:
        root = _absolute_path(library)
        if not folder.is_relative_to(root):
            raise SettingsError(f"{folder} is not inside the library {root}")
        return root
    configured = os.environ.get("WKMP_LIBRARY_ROOT")
    if configured and folder.is_relative_to(_absolute_path(Path(configured))):
        return _absolute_path(Path(configured))
    holding = (above for above in (folder, *folder.parents) if (above / "wkmp.db").is_file())
    return next(holding, folder)


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Parameters
    ----------
    **overrides
        Values that win over the environment, by field name.

    Raises
    ------
    SettingsError
        A value is out of its bounds; the message names the variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type] # pydantic looks at the values itself
    except ValidationError as error:
        first = error.errors()[0]
        name = "WKMP_" + str(first["loc"][0]).upper() if first["loc"] else "WKMP_*"
        raise SettingsError(f"{name}: {first['msg']} (got {first.get('input')!r})") from error
