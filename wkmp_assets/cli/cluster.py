"""`wkmp cluster`: who measures files, and what each has in hand."""

import json
import sys
from dataclasses import asdict

import click
from rich.table import Table

from wkmp_assets.cli.options import AS_JSON, OUT, escape_text, exit_on_error, print_table
from wkmp_assets.errors import SettingsError
from wkmp_assets.report.text import printable
from wkmp_assets.settings import load_settings

_INTERVAL_S = 2.0
"""unit=s: how long to count files."""


@click.command(epilog="Example: wkmp cluster tls://nas:8786")
@click.argument("address", required=False)
@AS_JSON
def cluster(address: str | None, as_json: bool) -> None:
    """Show the workers of the cluster at ADDRESS (default: WKMP_CLUSTER).

    Exit status 0: there are workers that can be used; 1: there are none.
    """
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error
    with exit_on_error():
        where = address or settings.cluster
        if where is None:
            raise SettingsError("which cluster? Name its scheduler, like tcp://nas:8786, or set WKMP_CLUSTER")
        from wkmp_assets.orchestration.cluster import look_at_cluster  # loads the decoders

        found = look_at_cluster(settings, where, _INTERVAL_S)
    used = [one for one in found if one.refused is None]
    slots, rate = sum(one.slots for one in used), sum(one.files_per_s for one in found)
    if as_json:
        said = {"schema": 1, "slots": slots, "files_per_s": rate, "workers": [asdict(one) for one in found]}
        click.echo(json.dumps(said, indent=2))
    else:
        OUT.print(f"{len(found)} workers, {slots} slots, {rate:.1f} files/s")
        table = Table(box=None, pad_edge=False)
        for name in ("Worker", "Slots", "Done", "Files/s", "In hand", "Music"):
            table.add_column(name, overflow="fold")
        for one in found:
            what = ", ".join(one.in_hand) if one.refused is None else f"not used: {one.refused}"
            cells = (
                one.address,
                one.slots,
                one.finished,
                f"{one.files_per_s:.1f}",
                what,
                ", ".join(one.roots.values()),
            )
            table.add_row(*(escape_text(cell) for cell in cells))
        if found:
            print_table(table)
    sys.exit(0 if used else 1)
