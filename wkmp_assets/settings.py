"""Every setting of the deployment. No other module reads the environment.

Two kinds of settings exist. This module has the deployment's: where the music and the state are, and how much runs at
once. What changes the meaning of a library (silence, lead points) is in the `settings` table of that library, so that
every program that opens it agrees: see `db.read.library_settings`.
"""

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import platformdirs

from wkmp_assets.errors import SettingsError
from wkmp_assets.model.setting_kinds import (
    Secret,
    SecretText,
    Setting,
    Text,
    WholeNumber,
    WrongValueError,
    absolute_path,
    accept_values,
    hide_logins,
    setting,
    setting_of,
    yes_or_no,
)

_CHECKOUT = Path(__file__).resolve().parent.parent
_SAMPLE_LIBRARY = _CHECKOUT / "test_data" / "sample_library"

_LIBRARY_ID = re.compile("[0-9a-f]{8}")
_UTC = "UTC"
_HTTP = "must begin with http:// or https://"
_FILES_PER_RUN = WholeNumber(1, 10_000)
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


def _split_names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _split_patterns(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.replace(";", "\n").splitlines() if line.strip())


def _files_per_run(value: object) -> object:
    if isinstance(value, str) and value in {"all", "auto"}:
        return value
    try:
        return _FILES_PER_RUN(value)
    except ValueError:
        raise ValueError("must be a number from 1 to 10,000, 'all' or 'auto'") from None


def _check_names_of_checks(text: str) -> None:
    unknown = sorted(_split_names(text) - _DATABASE_CHECKS)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(_DATABASE_CHECKS))}")


def _check_address(text: str) -> None:
    if "://" not in text:
        raise ValueError("must be an address like s3://bucket/folder")


def _check_tags(text: str) -> None:
    wrong = sorted(part for part in _split_names(text) if "=" not in part)
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not of the form name=value")


def _check_patterns(text: str) -> None:
    from pathspec import GitIgnoreSpec  # so that the default loads nothing

    for line in _split_patterns(text):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            raise ValueError(f"{line!r} is no pattern in gitignore syntax") from None


def _check_zone(name: str) -> None:
    if name != _UTC and not _is_time_zone(name):
        raise ValueError("must be a time zone of the IANA database, like Europe/Berlin")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one library, as `load_settings` reads them."""

    library_root: Path | None = field(
        default_factory=_default_library_root,
        metadata=setting(
            "The music folder. Default in a checkout: the sample library.",
            absolute_path,
            or_none=True,
        ),
    )
    ignore: str | None = field(
        default=None,
        metadata=setting(
            "What a scan passes over, as patterns in gitignore syntax, one a line or separated by `;`.",
            Text(check=_check_patterns),
            or_none=True,
        ),
    )
    database: Path | None = field(
        default=None,
        metadata=setting(
            "The library database. Default: `wkmp.db` in the music folder.",
            absolute_path,
            or_none=True,
        ),
    )
    trust_database: str | None = field(
        default=None,
        metadata=setting(
            "Checks of the library database to leave out, separated by commas: `owner` (it may belong to "
            "another user), `program` (it may look like another program's), `triggers` (it may have triggers and "
            "views), `newer` (a newer WKMP may have made it).",
            Text(check=_check_names_of_checks),
            or_none=True,
        ),
    )
    state_dir: Path = field(
        default_factory=_default_state_dir,
        metadata=setting(
            "The folder for phase values and decoded PCM. Default: `.wkmp` in DAGSTER_HOME.",
            absolute_path,
        ),
    )
    covers_dir: Path | None = field(
        default=None,
        metadata=setting(
            "The folder for covers, which players read. Default: `covers` in the state folder.",
            absolute_path,
            or_none=True,
        ),
    )
    files_per_run: int | Literal["all", "auto"] = field(
        default="auto",
        metadata=setting(
            "How many files one run carries at most: 1 to 10,000, or `all`, which --partition-range needs. "
            "Default: as many as take about 4 seconds on the command line, or up to 200 that are measured by then; "
            "40 seconds of CPU for the sensor, and 50 files in a backfill.",
            _files_per_run,
        ),
    )
    workers: int = field(
        default_factory=lambda: count_cpus() + 1,
        metadata=setting(
            "How many worker processes decode and fingerprint. Default: the number of CPUs plus one.",
            WholeNumber(1, 64),
        ),
    )
    worker_memory_mb: int = field(
        default=1024,
        metadata=setting(
            "Memory limit of a worker, in MB. A file that needs more fails and is named.",
            WholeNumber(256, 1_000_000),
        ),
    )
    worker_timeout_s: int = field(
        default=600,
        metadata=setting(
            "Time limit for one phase of one file, in seconds, and as much again for every 100 MB of the "
            "file. A file that takes longer fails and is named.",
            WholeNumber(1, 86_400),
        ),
    )
    cluster: str | None = field(
        default=None,
        metadata=setting(
            "The scheduler of a cluster whose workers measure the files: `tcp://host:8786`, `tls://host:8786` "
            "or a scheduler file of Dask. Default: worker processes of this machine.",
            Text(),
            or_none=True,
        ),
    )
    cluster_insecure: bool = field(
        default=False,
        metadata=setting(
            "1: a scheduler on another machine may be used without TLS. Whoever reaches it can then run "
            "programs on all machines of the cluster.",
            yes_or_no,
        ),
    )
    remote_root: str | None = field(
        default=None,
        metadata=setting(
            "For `wkmp worker`: where the music is for its machine, as a folder or an address like "
            "`s3://bucket/folder`, or `ID=FOLDER` for the library with that id, separated by `;`.",
            Text(),
            or_none=True,
        ),
    )
    music_url: str | None = field(
        default=None,
        metadata=setting(
            "The address of music that is in an object store, like `s3://bucket/folder` or "
            "`sftp://host/folder`. The music folder then holds stand-ins without content. Default: the music is in the "
            "music folder.",
            Text(check=_check_address),
            or_none=True,
        ),
    )
    max_file_mb: int = field(
        default=64_000,
        metadata=setting(
            "The largest file that is imported, in MB. A larger one fails at once and is named.",
            WholeNumber(1, 100_000_000),
        ),
    )
    pcm_cache_mb: int = field(
        default=2048,
        metadata=setting(
            "Disk space for decoded PCM, in MB. The least recently used PCM goes first.",
            WholeNumber(16, 1_000_000),
        ),
    )

    watch: bool = field(
        default=False,
        metadata=setting(
            "1: the sensors `new_files_sensor` and `report_sensor` run from the start. Default: a person "
            "switches them on in the web UI.",
            yes_or_no,
        ),
    )
    watch_settle_s: int = field(
        default=30,
        metadata=setting(
            "How many seconds a file must be unchanged before the sensor imports it.",
            WholeNumber(0, 86_400),
        ),
    )
    watch_runs: int = field(
        default=4,
        metadata=setting(
            "How many runs of the sensor may wait at once. Each carries half a minute of work.",
            WholeNumber(1, 100),
        ),
    )

    schedules: bool = field(
        default=False,
        metadata=setting(
            "1: the schedules `nightly_rescan`, `weekly_top_up` and `nightly_tidy` run from the start. "
            "Default: a person switches them on in the web UI.",
            yes_or_no,
        ),
    )
    rescan_cron: str = field(
        default="0 3 * * *",
        metadata=setting(
            "When `nightly_rescan` looks for new, changed and moved files, as a cron expression.",
            Text(),
        ),
    )
    top_up_cron: str = field(
        default="0 4 * * 0",
        metadata=setting(
            "When `weekly_top_up` asks the services again, as a cron expression.",
            Text(),
        ),
    )
    history_days: int = field(
        default=90,
        metadata=setting(
            "Days after which Dagster forgets a run and its events. What was found last of each file stays. "
            "`0`: never.",
            WholeNumber(0, 36_500),
        ),
    )
    undo_days: int = field(
        default=30,
        metadata=setting(
            "Days for which the library keeps what `wkmp undo` restores. `0`: for ever.",
            WholeNumber(0, 36_500),
        ),
    )
    tidy_cron: str = field(
        default="30 4 * * *",
        metadata=setting(
            "When `nightly_tidy` removes old runs, as a cron expression.",
            Text(),
        ),
    )
    time_zone: str = field(
        default=_UTC,
        metadata=setting(
            "Time zone of the schedules, for example `Europe/Berlin`.",
            Text(check=_check_zone),
        ),
    )

    fresh_days: int = field(
        default=7,
        metadata=setting(
            "Days after which the web UI calls `library_report` overdue. The report is written again before, "
            "while `report_sensor` runs.",
            WholeNumber(1, 36_500),
        ),
    )
    owners: str = field(
        default="team:wkmp",
        metadata=setting(
            "Owners of the assets in the web UI, separated by commas: mail addresses, or names such as `team:music`.",
            Text(),
        ),
    )
    asset_tags: str | None = field(
        default=None,
        metadata=setting(
            "Tags of the assets in the web UI, such as `domain=music`, separated by commas.",
            Text(check=_check_tags),
            or_none=True,
        ),
    )
    repository_url: str | None = field(
        default=None,
        metadata=setting(
            "Address of this code's repository on GitHub or GitLab. The assets in the web UI then link to "
            "their source and to their page of the documentation there.",
            Text(r"https?://[^@\s]+", "must be an address like https://host/path, without a user name"),
            or_none=True,
        ),
    )
    repository_branch: str = field(
        default="main",
        metadata=setting(
            "The branch or tag of the repository to which the assets link.",
            Text(),
        ),
    )

    alert_command: str | None = field(
        default=None,
        metadata=setting(
            "A command that the sensors `run_failure_alerts` and `check_failure_alerts` run when something "
            "fails. It gets one JSON message on standard input. Default: none.",
            Text(),
            or_none=True,
        ),
    )
    alert_url: Secret | None = field(
        default=None,
        metadata=setting(
            "An address to which the same sensors post the same message, such as that of a chat's webhook. "
            "Default: none.",
            SecretText("https?://.*", _HTTP),
            or_none=True,
        ),
    )
    alert_timeout_s: int = field(
        default=10,
        metadata=setting(
            "How many seconds the command, and how many the address, may take. Then the alert is tried again.",
            WholeNumber(1, 25),
        ),
    )

    ui_hosts: str | None = field(
        default=None,
        metadata=setting(
            "Names under which the web UI and `wkmp browse` may be asked, such as that of a proxy, separated "
            "by commas; `*` is any. Addresses and `localhost` always may.",
            Text(),
            or_none=True,
        ),
    )

    hold_budget_ms: int = field(
        default=100,
        metadata=setting(
            "How many milliseconds a file's transaction may hold the write lock. More is a warning, ten times "
            "as many an error. A transaction that computes so long, and at least a second, is undone.",
            WholeNumber(1, 60_000),
        ),
    )

    wait_budget_ms: int = field(
        default=500,
        metadata=setting(
            "How many milliseconds a file may wait for the write lock. More is a warning.",
            WholeNumber(1, 60_000),
        ),
    )
    wait_limit_ms: int = field(
        default=1_000,
        metadata=setting(
            "How many milliseconds a file may wait for the write lock at most. More is an error.",
            WholeNumber(1, 60_000),
        ),
    )

    acoustid_api_key: Secret | None = field(
        default=None,
        metadata=setting(
            "AcoustID application key. Without one, here or in the library's settings, no service is asked.",
            SecretText(),
            or_none=True,
        ),
    )
    acoustid_url: str = field(
        default="https://api.acoustid.org/v2",
        metadata=setting(
            "Address of AcoustID's web service, or of a mirror.",
            Text("https?://.*", _HTTP),
        ),
    )
    acoustid_interval_ms: int = field(
        default=400,
        metadata=setting(
            "Milliseconds between two requests to AcoustID, from all processes together. It allows 3 a second.",
            WholeNumber(0, 10_000),
        ),
    )
    musicbrainz_url: str = field(
        default="https://musicbrainz.org/ws/2",
        metadata=setting(
            "Address of MusicBrainz' web service, or of a mirror.",
            Text("https?://.*", _HTTP),
        ),
    )
    musicbrainz_interval_ms: int = field(
        default=1100,
        metadata=setting(
            "Milliseconds between two requests to MusicBrainz, from all processes together. It allows 1 a second.",
            WholeNumber(0, 10_000),
        ),
    )
    acousticbrainz_url: str = field(
        default="https://acousticbrainz.org",
        metadata=setting(
            "Address of AcousticBrainz' web service, or of a mirror; `off` never asks. It is asked only with "
            "an AcoustID key.",
            Text("https?://.*|off", "must begin with http:// or https://, or be off"),
        ),
    )
    acousticbrainz_interval_ms: int = field(
        default=1000,
        metadata=setting(
            "Milliseconds between two requests to AcousticBrainz, from all processes together. It allows 1 a second.",
            WholeNumber(0, 10_000),
        ),
    )
    contact: str = field(
        default="no contact given",
        metadata=setting(
            "Your mail address or web page. The services get it with every request, as they ask.",
            Text(r"[\x20-\x7e]{1,200}", "must be 1 to 200 printable ASCII characters"),
        ),
    )

    def __post_init__(self) -> None:
        """Replace the values by those that count.

        Raises
        ------
        WrongValueError
            A setting does not accept its value.
        """
        accept_values(self)
        if self.wait_limit_ms < self.wait_budget_ms:
            budget = f"{name_source('wait_budget_ms')} ({self.wait_budget_ms})"
            reason = f"must be at least {budget}, because it is the larger of the two"
            raise WrongValueError("wait_limit_ms", reason, self.wait_limit_ms)

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
                "make the folder, or name another database with WKMP_DATABASE or --database"
            )
        for name, path in (("state_dir", self.state_dir), ("covers_dir", self.covers_dir or self.state_dir)):
            nearest = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
            if not os.path.isdir(nearest):  # noqa: PTH112 - the reason above
                raise SettingsError(
                    f"{name_source(name)} is {path}, but {nearest} is no folder: move it away, or set "
                    f"{_variable_of(name)} to another folder"
                )

    def relative_folder(self, folder: Path) -> str:
        """Return a folder of the library relative to its root, `""` for the root itself."""
        relative = os.path.relpath(absolute_path(folder), self.library)
        return "" if relative == "." else relative


def split_roots(texts: Iterable[str]) -> dict[str, Path | str]:
    """Return folders and addresses by library id, from `FOLDER` or `ID=FOLDER`; the id `""` is any library."""
    roots: dict[str, Path | str] = {}
    for text in filter(None, (text.strip() for text in texts)):
        name, has_id, folder = text.partition("=")
        is_id = bool(has_id) and _LIBRARY_ID.fullmatch(name) is not None
        place = folder if is_id else text
        roots[name if is_id else ""] = place if "://" in place else absolute_path(Path(place))
    return roots


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
            proposed = absolute_path(home)
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
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editor begins with a mark
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    unknown = sorted(found.keys() - all_settings().keys())
    if unknown:
        raise SettingsError(f"{path}: there is no setting {unknown[0]}; `wkmp config` lists them")
    return found


def all_settings() -> dict[str, Setting]:
    """Return every setting by its name, in the order of the reference."""
    return {one.name: setting_of(one) for one in fields(Settings)}


def _variable_of(name: str) -> str:
    return "WKMP_" + name.upper()


def name_source(name: str) -> str:
    """Return what sets a setting, for a sentence: its variable, its line in the config file, or its default."""
    variable = _variable_of(name)
    if os.environ.get(variable):
        return variable
    return f"{name} in {config_path()}" if name in _read_config_file() else f"the default of {variable}"


def environment_without_keys() -> dict[str, str]:
    """Return the environment for programs of the owner's, without the settings that are secret."""
    secret = {_variable_of(name) for name, one in all_settings().items() if isinstance(one.kind, SecretText)}
    return {name: value for name, value in os.environ.items() if name not in secret}


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
    for name in all_settings():
        variable = _variable_of(name)
        in_use = variable if os.environ.get(variable) else str(config_path()) if name in in_file else "default"
        value = getattr(settings, name)
        found.append(SettingInUse(name, "" if value is None else hide_logins(str(value)), in_use))
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
    return absolute_path(Path(str(configured))) if configured else None


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
        raise SettingsError(f"{name_source('library_root')} is {root}, which is no folder: correct it")
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
    folder = absolute_path(folder)
    if library is not None:
        root = absolute_path(library)
        if not folder.is_relative_to(root):
            raise SettingsError(f"{folder} is not inside the library {root}")
        return root
    configured = _configured_root()
    if configured is not None and folder.is_relative_to(configured):
        return configured
    holding = (above for above in (folder, *folder.parents) if (above / "wkmp.db").is_file())
    return next(holding, folder)


def load_settings(**overrides: object) -> Settings:
    """Read the settings: arguments, else `WKMP_*` environment variables, else `wkmp.toml`, else the default.

    An empty variable counts as none.

    Parameters
    ----------
    **overrides
        Values that win over the environment, by field name.

    Raises
    ------
    SettingsError
        A value is out of its bounds; the message names the variable, or the config file.
    """
    known, in_file = all_settings(), _read_config_file()
    unknown = sorted(overrides.keys() - known.keys())
    if unknown:
        raise SettingsError(f"{_variable_of(unknown[0])}: there is no such setting (got {overrides[unknown[0]]!r})")
    in_environment = {name: value for name in known if (value := os.environ.get(_variable_of(name)))}
    try:
        return Settings(**(in_file | in_environment | overrides))  # it looks at them itself
    except WrongValueError as error:
        where = _variable_of(error.name) if error.name in overrides else name_source(error.name)
        given = "" if isinstance(known[error.name].kind, SecretText) else hide_logins(f" (got {error.given!r})")
        raise SettingsError(f"{where}: {error.reason}{given}") from error
