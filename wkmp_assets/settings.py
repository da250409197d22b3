"""Every setting of the deployment. No other module reads the environment.

Two kinds of settings exist. This module has the deployment's: where the music and the state are, and how much runs at
once. What changes the meaning of a library (silence, lead points) is in the `settings` table of that library, so that
every program that opens it agrees: see `db.read.library_settings`.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from wkmp_assets.errors import SettingsError

_CHECKOUT = Path(__file__).resolve().parent.parent
_SAMPLE_LIBRARY = _CHECKOUT / "test_data" / "sample_library"

_LIBRARY_ID = re.compile("[0-9a-f]{8}")
_UTC = "UTC"
_OTHER_CLOCKS = ("posix/", "right/", "posixrules", "localtime")
"""Files beside the time zones: copies of them, zones with leap seconds, and this machine's own."""
_DATABASE_CHECKS = frozenset({"owner", "program", "triggers", "newer"})


def count_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _is_time_zone(name: str) -> bool:
    """Tell whether the IANA database has a time zone, without the half thousand others that it has."""
    from zoneinfo import ZoneInfo  # so that the default loads nothing

    try:
        ZoneInfo(name)
    except (OSError, KeyError, ValueError):  # a folder, no file, and no file of a zone
        return False
    return not name.startswith(_OTHER_CLOCKS)


def _default_library_root() -> Path | None:
    """Return the sample library in a checkout, so that a newcomer's first `dagster dev` shows something."""
    return _SAMPLE_LIBRARY if _SAMPLE_LIBRARY.is_dir() else None


def _default_state_dir() -> Path:
    """Return a folder beside Dagster's records, because a materialization and its phase value belong together."""
    dagster_home = os.environ.get("DAGSTER_HOME")
    if dagster_home:
        return Path(dagster_home).expanduser() / ".wkmp"
    return platformdirs.user_state_path("wkmp", appauthor=False)


class Settings(BaseSettings):
    """The settings: arguments, else `WKMP_*` environment variables, else `wkmp.toml`, else the default."""

    model_config = SettingsConfigDict(env_prefix="WKMP_", env_ignore_empty=True, frozen=True, extra="forbid")

    library_root: Path | None = Field(
        default_factory=_default_library_root,
        description="The music folder. Default in a checkout: the sample library.",
    )
    ignore: str | None = Field(
        default=None,
        description="What a scan passes over, as patterns in gitignore syntax, one a line or separated by `;`.",
    )
    database: Path | None = Field(
        default=None,
        description="The library database. Default: `wkmp.db` in the music folder.",
    )
    trust_database: str | None = Field(
        default=None,
        description="Checks of the library database to leave out, separated by commas: `owner` (it may belong to "
        "another user), `program` (it may look like another program's), `triggers` (it may have triggers and views), "
        "`newer` (a newer WKMP may have made it).",
    )
    state_dir: Path = Field(
        default_factory=_default_state_dir,
        description="The folder for phase values and decoded PCM. Default: `.wkmp` in DAGSTER_HOME.",
    )
    covers_dir: Path | None = Field(
        default=None,
        description="The folder for covers, which players read. Default: `covers` in the state folder.",
    )
    files_per_run: int | Literal["all", "auto"] = Field(
        default="auto",
        description="How many files one run carries at most: 1 to 10,000, or `all`, which --partition-range needs. "
        "Default: as many as take about 4 seconds on the command line, 40 seconds of CPU for the sensor, and 50 files "
        "in a backfill.",
    )
    workers: int = Field(
        default_factory=lambda: count_cpus() + 1,
        ge=1,
        le=64,
        description="How many worker processes decode and fingerprint. Default: the number of CPUs plus one.",
    )
    worker_memory_mb: int = Field(
        default=1024,
        ge=256,
        le=1_000_000,
        description="Memory limit of a worker, in MB. A file that needs more fails and is named.",
    )
    worker_timeout_s: int = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Time limit for one phase of one file, in seconds, and as much again for every 100 MB of the "
        "file. A file that takes longer fails and is named.",
    )
    cluster: str | None = Field(
        default=None,
        description="The scheduler of a cluster whose workers measure the files: `tcp://host:8786`, `tls://host:8786` "
        "or a scheduler file of Dask. Default: worker processes of this machine.",
    )
    cluster_insecure: bool = Field(
        default=False,
        description="1: a scheduler on another machine may be used without TLS. Whoever reaches it can then run "
        "programs on all machines of the cluster.",
    )
    remote_root: str | None = Field(
        default=None,
        description="For `wkmp worker`: where the music is for its machine, as a folder or an address like "
        "`s3://bucket/folder`, or `ID=FOLDER` for the library with that id, separated by `;`.",
    )
    music_url: str | None = Field(
        default=None,
        description="The address of music that is in an object store, like `s3://bucket/folder` or "
        "`sftp://host/folder`. The music folder then holds stand-ins without content. Default: the music is in the "
        "music folder.",
    )
    max_file_mb: int = Field(
        default=64_000,
        ge=1,
        le=100_000_000,
        description="The largest file that is imported, in MB. A larger one fails at once and is named.",
    )
    pcm_cache_mb: int = Field(
        default=2048,
        ge=16,
        le=1_000_000,
        description="Disk space for decoded PCM, in MB. The least recently used PCM goes first.",
    )

    watch: bool = Field(
        default=False,
        description="1: the sensors `new_files_sensor` and `report_sensor` run from the start. Default: a person "
        "switches them on in the web UI.",
    )
    watch_settle_s: int = Field(
        default=30,
        ge=0,
        le=86_400,
        description="How many seconds a file must be unchanged before the sensor imports it.",
    )
    watch_runs: int = Field(
        default=4,
        ge=1,
        le=100,
        description="How many runs of the sensor may wait at once. Each carries half a minute of work.",
    )

    schedules: bool = Field(
        default=False,
        description="1: the schedules `nightly_rescan`, `weekly_top_up` and `nightly_tidy` run from the start. "
        "Default: a person switches them on in the web UI.",
    )
    rescan_cron: str = Field(
        default="0 3 * * *",
        description="When `nightly_rescan` looks for new, changed and moved files, as a cron expression.",
    )
    top_up_cron: str = Field(
        default="0 4 * * 0",
        description="When `weekly_top_up` asks the services again, as a cron expression.",
    )
    history_days: int = Field(
        default=90,
        ge=0,
        le=36_500,
        description="Days after which Dagster forgets a run and its events. What was found last of each file stays. "
        "`0`: never.",
    )
    undo_days: int = Field(
        default=30,
        ge=0,
        le=36_500,
        description="Days for which the library keeps what `wkmp undo` restores. `0`: for ever.",
    )
    tidy_cron: str = Field(
        default="30 4 * * *",
        description="When `nightly_tidy` removes old runs, as a cron expression.",
    )
    time_zone: str = Field(
        default=_UTC,
        description="Time zone of the schedules, for example `Europe/Berlin`.",
    )

    fresh_days: int = Field(
        default=7,
        ge=1,
        le=36_500,
        description="Days after which the web UI calls `library_report` overdue. The report is written again before, "
        "while `report_sensor` runs.",
    )
    owners: str = Field(
        default="team:wkmp",
        description="Owners of the assets in the web UI, separated by commas: mail addresses, or names such as "
        "`team:music`.",
    )
    asset_tags: str | None = Field(
        default=None,
        description="Tags of the assets in the web UI, such as `domain=music`, separated by commas.",
    )
    repository_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^@\s]+$",
        description="Address of this code's repository on GitHub or GitLab. The assets in the web UI then link to "
        "their source and to their page of the documentation there.",
    )
    repository_branch: str = Field(
        default="main",
        description="The branch or tag of the repository to which the assets link.",
    )

    alert_command: str | None = Field(
        default=None,
        description="A command that the sensors `run_failure_alerts` and `check_failure_alerts` run when something "
        "fails. It gets one JSON message on standard input. Default: none.",
    )
    alert_url: SecretStr | None = Field(
        default=None,
        description="An address to which the same sensors post the same message, such as that of a chat's webhook. "
        "Default: none.",
    )
    alert_timeout_s: int = Field(
        default=10,
        ge=1,
        le=25,
        description="How many seconds the command, and how many the address, may take. Then the alert is tried again.",
    )

    ui_hosts: str | None = Field(
        default=None,
        description="Names under which the web UI and `wkmp browse` may be asked, such as that of a proxy, separated "
        "by commas; `*` is any. Addresses and `localhost` always may.",
    )

    hold_budget_ms: int = Field(
        default=100,
        ge=1,
        le=60_000,
        description="How many milliseconds a file's transaction may hold the write lock. More is a warning, ten times "
        "as many an error. A transaction that computes so long, and at least a second, is undone.",
    )

    wait_budget_ms: int = Field(
        default=500,
        ge=1,
        le=60_000,
        description="How many milliseconds a file may wait for the write lock. More is a warning.",
    )
    wait_limit_ms: int = Field(
        default=1_000,
        ge=1,
        le=60_000,
        description="How many milliseconds a file may wait for the write lock at most. More is an error.",
    )

    acoustid_api_key: SecretStr | None = Field(
        default=None,
        description="AcoustID application key. Without one, here or in the library's settings, no service is asked.",
    )
    acoustid_url: str = Field(
        default="https://api.acoustid.org/v2",
        pattern=r"^https?://",
        description="Address of AcoustID's web service, or of a mirror.",
    )
    acoustid_interval_ms: int = Field(
        default=400,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to AcoustID, from all processes together. It allows 3 a second.",
    )
    musicbrainz_url: str = Field(
        default="https://musicbrainz.org/ws/2",
        pattern=r"^https?://",
        description="Address of MusicBrainz' web service, or of a mirror.",
    )
    musicbrainz_interval_ms: int = Field(
        default=1100,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to MusicBrainz, from all processes together. It allows 1 a "
        "second.",
    )
    acousticbrainz_url: str = Field(
        default="https://acousticbrainz.org",
        pattern=r"^(https?://.*|off)$",
        description="Address of AcousticBrainz' web service, or of a mirror; `off` never asks. It is asked only with "
        "an AcoustID key.",
    )
    acousticbrainz_interval_ms: int = Field(
        default=1000,
        ge=0,
        le=10_000,
        description="Milliseconds between two requests to AcousticBrainz, from all processes together. It allows 1 a "
        "second.",
    )
    contact: str = Field(
        default="no contact given",
        pattern=r"^[\x20-\x7e]{1,200}$",
        description="Your mail address or web page. The services get it with every request, as they ask.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from, the strongest first."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read_config_file())

    @field_validator("files_per_run", mode="before")
    @classmethod
    def _number_or_all(cls, value: object) -> object:
        if value in {"all", "auto"}:
            return value
        if not str(value).isdecimal() or not 1 <= int(str(value)) <= 10_000:
            raise ValueError("must be a number from 1 to 10,000, 'all' or 'auto'")
        return int(str(value))

    @field_validator("trust_database")
    @classmethod
    def _known_checks(cls, value: str | None) -> str | None:
        unknown = sorted(_split_names(value or "") - _DATABASE_CHECKS)
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(_DATABASE_CHECKS))}")
        return value

    @field_validator("alert_url")
    @classmethod
    def _web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("music_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and "://" not in value:
            raise ValueError("must be an address like s3://bucket/folder")
        return value

    @field_validator("asset_tags")
    @classmethod
    def _names_and_values(cls, value: str | None) -> str | None:
        wrong = sorted(part for part in _split_names(value or "") if "=" not in part)
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not of the form name=value")
        return value

    @field_validator("ignore")
    @classmethod
    def _patterns(cls, value: str | None) -> str | None:
        if value is None:
            return None
        from pathspec import GitIgnoreSpec  # so that the default loads nothing

        for line in _split_patterns(value):
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError:
                raise ValueError(f"{line!r} is no pattern in gitignore syntax") from None
        return value

    @field_validator("wait_limit_ms")
    @classmethod
    def _not_below_the_budget(cls, value: int, info: ValidationInfo) -> int:
        budget_ms = info.data.get("wait_budget_ms", 0)
        if value < budget_ms:
            raise ValueError(f"must be at least WKMP_WAIT_BUDGET_MS ({budget_ms}), because it is the larger of the two")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != _UTC and not _is_time_zone(value):
            raise ValueError("must be a time zone of the IANA database, like Europe/Berlin")
        return value

    @field_validator("library_root", "database", "state_dir", "covers_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else _absolute_path(value)

    @cached_property
    def library(self) -> Path:
        """The music folder.

        Raises
        ------
        SettingsError
            No folder is set, and there is no sample library.
        """
        if self.library_root is None:
            raise SettingsError("no music folder is set: point WKMP_LIBRARY_ROOT at the folder of your music")
        return self.library_root

    @cached_property
    def ignore_patterns(self) -> tuple[str, ...]:
        """The patterns of WKMP_IGNORE, in their order."""
        return _split_patterns(self.ignore or "")

    @cached_property
    def database_path(self) -> Path:
        """The library database."""
        return self.database or self.library / "wkmp.db"

    @cached_property
    def trusted(self) -> frozenset[str]:
        """The checks of the library database that are left out."""
        return _split_names(self.trust_database or "")

    @cached_property
    def remote_roots(self) -> dict[str, Path | str]:
        """Where the music is for a worker's machine, by library id; the id `""` is any library."""
        return split_roots((self.remote_root or "").split(";"))

    @property
    def ui_host_names(self) -> frozenset[str]:
        """Names under which the web UI may be asked, besides addresses and `localhost`."""
        return _split_names(self.ui_hosts or "")

    @cached_property
    def owner_names(self) -> tuple[str, ...]:
        """The owners of the assets."""
        return tuple(sorted(_split_names(self.owners)))

    @cached_property
    def asset_tag_values(self) -> dict[str, str]:
        """The tags of the assets."""
        return dict(sorted(part.split("=", 1) for part in _split_names(self.asset_tags or "")))

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is imported."""
        return self.max_file_mb * 1_000_000

    @property
    def max_compute_ms(self) -> int:
        """How long a file's transaction may compute: what the check of the hold calls an error, at least a second."""
        return max(10 * self.hold_budget_ms, 1_000)

    @cached_property
    def library_id(self) -> str:
        """Eight hex digits that name this library among those of one DAGSTER_HOME.

        Two libraries may hold the same relative path, so each has its own partitions and phase values.
        """
        return hashlib.sha256(os.fsencode(self.library)).hexdigest()[:8] if self.library_root else "unset"

    @cached_property
    def phase_dir(self) -> Path:
        """The folder of this library's phase values."""
        return self.state_dir / self.library_id / "phases"

    @cached_property
    def objects_path(self) -> Path:
        """What this machine has fetched of music in an object store."""
        return self.state_dir / self.library_id / "objects"

    @cached_property
    def accepted_keys_path(self) -> Path:
        """The digests of the keys in this library that a person accepted on this machine."""
        return self.state_dir / self.library_id / "accepted_keys.json"

    @cached_property
    def claims_dir(self) -> Path:
        """The folder in which runs claim the files of this library."""
        return self.state_dir / self.library_id / "claims"

    @cached_property
    def equal_sizes_path(self) -> Path:
        """The note of the last scan about files of the same size."""
        return self.state_dir / self.library_id / "equal_sizes.json"

    @cached_property
    def waits_dir(self) -> Path:
        """The notes of runs about copies that wait for a better one."""
        return self.state_dir / self.library_id / "waits"

    @cached_property
    def report_path(self) -> Path:
        """The page of the library report."""
        return self.state_dir / self.library_id / "report.html"

    @cached_property
    def receipts_path(self) -> Path:
        """The list of receipts, written with the report."""
        return self.state_dir / self.library_id / "receipts.db"

    @cached_property
    def browse_path(self) -> Path:
        """The note about the page of `wkmp browse`."""
        return self.state_dir / self.library_id / "browse.json"

    @property
    def flavor_cache_path(self) -> Path:
        """The flavors of this library as arrays, for `wkmp similar`, `wkmp playlist` and `wkmp browse`."""
        return self.state_dir / self.library_id / "flavors.npz"

    def picture_path(self, key: str) -> Path:
        """Return the path of a partition's picture: a hash, because a key may be longer than a file name."""
        name = hashlib.sha256(key.encode("utf-8")).hexdigest()
        return self.pictures_dir / f"{name[:32]}.png"

    @cached_property
    def pictures_dir(self) -> Path:
        """The folder of this library's pictures."""
        return self.state_dir / self.library_id / "pictures"

    @cached_property
    def covers_path(self) -> Path:
        """The folder of this library's covers.

        Named by the database, because only its rows tell which covers are used, and one music folder may have several.
        """
        name = hashlib.sha256(os.fsencode(self.database_path)).hexdigest()[:8]
        return (self.covers_dir or self.state_dir / "covers") / name

    @cached_property
    def cover_notes_path(self) -> Path:
        """The folder of notes on which picture became which of this library's covers."""
        return self.state_dir / self.library_id / "cover_notes"

    @cached_property
    def pcm_dir(self) -> Path:
        """The folder of decoded PCM, by content hash, for all libraries."""
        return self.state_dir / "pcm"

    @cached_property
    def compiled_dir(self) -> Path:
        """The folders of the machine code that numba compiles for librosa, one for each combination of versions."""
        return self.state_dir / "numba"

    @cached_property
    def services_dir(self) -> Path:
        """The folder of the web services' answers, for all libraries."""
        return self.state_dir / "services"

    def check_places(self) -> None:
        """Check that the library database and the state can be where the settings say.

        Raises
        ------
        SettingsError
            The folder of the database does not exist, or the folder for the state or covers cannot be one. An import
            would notice only after it has decoded the first files.
        """
        # Not Path's own methods, which raise where a folder may not be entered.
        if not os.path.isdir(self.database_path.parent):  # noqa: PTH112 - the reason above
            raise SettingsError(
                f"the library database is {self.database_path}, in a folder that does not exist or may not be entered: "
                "make the folder, or correct WKMP_DATABASE or --database"
            )
        for name, path in (("WKMP_STATE_DIR", self.state_dir), ("WKMP_COVERS_DIR", self.covers_dir or self.state_dir)):
            nearest = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
            if not os.path.isdir(nearest):  # noqa: PTH112 - the reason above
                raise SettingsError(f"{name} is {path}, but {nearest} is no folder: correct it")

    def relative_folder(self, folder: Path) -> str:
        """Return a folder of the library relative to its root, `""` for the root itself."""
        relative = os.path.relpath(_absolute_path(folder), self.library)
        return "" if relative == "." else relative


def _split_names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def split_roots(texts: Iterable[str]) -> dict[str, Path | str]:
    """Return folders and addresses by library id, from `FOLDER` or `ID=FOLDER`; the id `""` is any library."""
    roots: dict[str, Path | str] = {}
    for text in filter(None, (text.strip() for text in texts)):
        name, has_id, folder = text.partition("=")
        is_id = bool(has_id) and _LIBRARY_ID.fullmatch(name) is not None
        place = folder if is_id else text
        roots[name if is_id else ""] = place if "://" in place else _absolute_path(Path(place))
    return roots


def _split_patterns(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.replace(";", "\n").splitlines() if line.strip())


def _absolute_path(path: Path) -> Path:
    """Return an absolute path that keeps symbolic links: the owner knows the library by that path."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute() keeps `..`


def find_dagster_home() -> Path:
    """Return DAGSTER_HOME, and set it when it is unset.

    It is then the working folder or the checkout, if one has a dagster.yaml; else the user's state folder
    (`$XDG_STATE_HOME/wkmp`), which is made with the dagster.yaml of this package.

    Raises
    ------
    SettingsError
        DAGSTER_HOME is relative or is no folder, or the state folder cannot be made. The message says what to do.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given:
        home = Path(given).expanduser()
        if not home.is_absolute():
            proposed = _absolute_path(home)
            raise SettingsError(f"DAGSTER_HOME is {given}, which depends on the working folder: set it to {proposed}")
        if not home.is_dir():
            raise SettingsError(f"DAGSTER_HOME is {given}, which is no folder: make it, or correct DAGSTER_HOME")
        return home
    for folder in (Path.cwd(), _CHECKOUT):
        if (folder / "dagster.yaml").is_file():
            os.environ["DAGSTER_HOME"] = str(folder)
            return folder
    home = platformdirs.user_state_path("wkmp", appauthor=False)
    _make_home(home)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


_MADE_BY_DAGSTER = ("history", "schedules", "storage")
"""Folders that Dagster makes in its home."""


def prepare_dagster_home() -> Path:
    """Return DAGSTER_HOME for a command that starts Dagster, with the dagster.yaml of this package if it is new.

    With its defaults, Dagster stores slowly and reports how it is used. A folder that it has used without the file
    stays as it is: other projects may be there.

    Raises
    ------
    SettingsError
        As `find_dagster_home`, or the file cannot be written.
    """
    home = find_dagster_home()
    if not any((home / made).exists() for made in _MADE_BY_DAGSTER):
        _make_home(home)
    return home


def _make_home(home: Path) -> None:
    """Make a folder for Dagster, with the dagster.yaml of this package; one that is there stays."""
    if (home / "dagster.yaml").is_file():
        return
    from importlib.resources import files  # so that only the first command loads it

    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)  # the config file may hold a key
        temporary = home / f"dagster.yaml.{os.getpid()}.tmp"
        temporary.write_bytes(files("wkmp_assets").joinpath("dagster.yaml").read_bytes())
        temporary.replace(home / "dagster.yaml")
    except OSError as error:
        raise SettingsError(
            f"the state folder {home} cannot be made ({error.strerror}): set DAGSTER_HOME to a folder that you may "
            "write to"
        ) from error


def config_path() -> Path | None:
    """Return the path of the config file, `wkmp.toml` in DAGSTER_HOME, whether or not there is one."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() / "wkmp.toml" if home else None


def _read_config_file() -> dict[str, Any]:
    path = config_path()
    if path is None or not path.is_file():
        return {}
    import tomllib  # so that no file loads no parser

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    unknown = sorted(found.keys() - Settings.model_fields.keys())
    if unknown:
        raise SettingsError(f"{path}: there is no setting {unknown[0]}; `wkmp config` lists them")
    return found


def environment_without_keys() -> dict[str, str]:
    """Return the environment for programs of the owner's, without the settings that are secret."""
    secret = {f"WKMP_{name.upper()}" for name in _secret_fields()}
    return {name: value for name, value in os.environ.items() if name not in secret}


def _secret_fields() -> set[str]:
    return {name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)}


@dataclass(frozen=True)
class SettingInUse:
    """One setting, as it counts now."""

    name: str
    value: str
    source: str
    """The environment variable, the path of the config file, or `default`."""


def describe_settings() -> list[SettingInUse]:
    """Return every setting with its value and where it comes from. Keys are hidden.

    Raises
    ------
    SettingsError
        A setting is wrong.
    """
    home_was_set = "DAGSTER_HOME" if os.environ.get("DAGSTER_HOME") else "default"
    found = [SettingInUse("DAGSTER_HOME", str(find_dagster_home()), home_was_set)]
    settings, in_file = load_settings(), _read_config_file()
    for name in Settings.model_fields:
        variable = "WKMP_" + name.upper()
        in_use = variable if os.environ.get(variable) else str(config_path()) if name in in_file else "default"
        value = getattr(settings, name)
        found.append(SettingInUse(name, "" if value is None else str(value), in_use))
    return found


def use_library(root: Path, database: Path | None) -> None:
    """Let the processes that this one starts work on a library, and its sensor run from the start."""
    os.environ["WKMP_LIBRARY_ROOT"] = str(root)
    if database is not None:
        os.environ["WKMP_DATABASE"] = str(database)
    os.environ.setdefault("WKMP_WATCH", "1")


def _configured_root() -> Path | None:
    """Return the music folder that the environment or the config file names."""
    configured = os.environ.get("WKMP_LIBRARY_ROOT") or _read_config_file().get("library_root")
    return _absolute_path(Path(str(configured))) if configured else None


def find_folder() -> Path:
    """Return the folder of a command that names none: the working folder within a library, else WKMP_LIBRARY_ROOT.

    Raises
    ------
    SettingsError
        The working folder is in no library, and neither WKMP_LIBRARY_ROOT nor the config file names one.
    """
    here = Path.cwd()
    find_dagster_home()  # the config file is there
    root = _configured_root()
    if root is not None and here.is_relative_to(root):
        return here
    if any((above / "wkmp.db").is_file() for above in (here, *here.parents)):
        return here
    if root is None:
        raise SettingsError(
            f"name the folder of your music, or set WKMP_LIBRARY_ROOT or library_root in {config_path()} to it"
        )
    if not root.is_dir():
        raise SettingsError(f"WKMP_LIBRARY_ROOT is {root}, which is no folder: correct it")
    return root


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
    configured = _configured_root()
    if configured is not None and folder.is_relative_to(configured):
        return configured
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
        is_in_file = bool(first["loc"]) and not os.environ.get(name) and first["loc"][0] in _read_config_file()
        where = f"{config_path()}, {first['loc'][0]}" if is_in_file else name
        given = "" if first["loc"] and first["loc"][0] in _secret_fields() else f" (got {first.get('input')!r})"
        raise SettingsError(f"{where}: {first['msg']}{given}") from error
