"""`wkmp scheduler` and `wkmp worker`: the processes of a cluster."""

from pathlib import Path

import click

from wkmp_assets.cli.options import ERR, OUT, escape_text, exit_on_error
from wkmp_assets.errors import SettingsError
from wkmp_assets.report.text import printable
from wkmp_assets.settings import Settings, count_cpus, load_settings, split_roots

_ADDRESS = click.argument("address", default="tcp://127.0.0.1:8786")


@click.command(epilog="Example: wkmp scheduler tls://0.0.0.0:8786")
@_ADDRESS
@click.option(
    "--dashboard-port",
    type=click.IntRange(0, 65_535),
    default=8787,
    show_default=True,
    help="Port of Dask's own page, on this machine. It needs the package bokeh.",
)
def scheduler(address: str, dashboard_port: int) -> None:
    """Run the scheduler of a cluster on ADDRESS (default tcp://127.0.0.1:8786), until Ctrl-C.

    Imports with WKMP_CLUSTER and `wkmp worker` name its address. Beyond this machine it needs tls://. Exit status 0:
    ended; 1: it cannot run; 2: the address or a setting is wrong.
    """
    with exit_on_error():
        settings = _read_settings()
        from wkmp_assets.orchestration.cluster import serve_scheduler  # loads the decoders

        serve_scheduler(settings, address, dashboard_port=dashboard_port, say=_say)
    ERR.print("The scheduler has ended.")


@click.command(epilog="Example: wkmp worker tls://nas:8786 --root /mnt/music")
@_ADDRESS
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="[ID=]FOLDER",
    help="Where the music is mounted here, or its address like s3://bucket/folder. With an ID, of that library only. "
    "Default: WKMP_REMOTE_ROOT.",
)
@click.option("--slots", type=click.IntRange(1, 1024), help="Files at once. Default: the number of CPUs.")
@click.option(
    "--scratch",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the decoded sound of the files in hand. Default: the temporary folder.",
)
def worker(address: str, roots: tuple[str, ...], slots: int | None, scratch: Path | None) -> None:
    """Measure files for the imports of the cluster at ADDRESS, until Ctrl-C.

    The music must be mounted on this machine or be in an object store. It is only read, and nothing is kept here. Exit
    status 0: ended; 1: it cannot run; 2: the address, a folder or a setting is wrong.
    """
    with exit_on_error():
        settings = _read_settings()
        mounts = split_roots(roots) or settings.remote_roots
        if not mounts:
            raise SettingsError("where is the music on this machine? Name its folder with --root or WKMP_REMOTE_ROOT")
        from wkmp_assets.orchestration.cluster import serve_workers  # loads the decoders

        serve_workers(settings, address, mounts, slots=slots or count_cpus(), scratch=scratch, say=_say)
    ERR.print("The workers have ended.")


def _read_settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error


def _say(sentence: str) -> None:
    OUT.print(escape_text(sentence), soft_wrap=True)
