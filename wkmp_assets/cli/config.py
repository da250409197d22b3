"""`wkmp config`: the settings as they count now."""

import json
from dataclasses import asdict

import click
from rich.table import Table

from wkmp_assets.cli.options import AS_JSON, OUT, escape_text
from wkmp_assets.errors import SettingsError
from wkmp_assets.report.text import printable
from wkmp_assets.settings import config_path, describe_settings


@click.command(epilog="Example: wkmp config --json")
@AS_JSON
def config(as_json: bool) -> None:
    """Show each setting, its value and where it comes from: a variable, the config file, or the default.

    Exit status 0: shown; 2: a setting is wrong.
    """
    try:
        found = describe_settings()
    except SettingsError as error:
        raise click.UsageError(printable(str(error))) from error
    path = config_path()
    if as_json:
        settings = [asdict(one) for one in found]
        click.echo(json.dumps({"schema": 1, "config_file": str(path), "settings": settings}, indent=2))
        return
    there = "" if path is not None and path.is_file() else " (there is none)"
    table = Table(title=escape_text(f"Config file: {path}{there}"), title_justify="left", box=None, pad_edge=False)
    for name in ("Setting", "Value", "From"):
        table.add_column(name, overflow="fold")
    for one in found:
        table.add_row(*(escape_text(text) for text in (one.name, one.value, one.source)))
    OUT.print(table)
