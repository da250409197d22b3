"""`wkmp accept-key`: let this machine use the AcoustID key that a library holds."""

from pathlib import Path

import click

from wkmp_assets.cli.options import DATABASE, FOLDER, LIBRARY, escape_text, exit_on_error, find_settings, print_about
from wkmp_assets.orchestration.found_library import accept_key, read_stored_key


@click.command("accept-key", epilog="Example: wkmp accept-key ~/Music")
@FOLDER
@LIBRARY
@DATABASE
def accept_key_command(folder: Path, library: Path | None, database: Path | None) -> None:
    """Use the AcoustID key that the library of FOLDER holds, on this machine.

    A key that came with a library is not used before, because its requests would be made for whoever put it there.
    Exit status 0: used from now on, or there is none; 1: the library cannot be read; 2: the key has spaces inside.
    """
    settings = find_settings(folder, library, database)
    with exit_on_error():
        key = read_stored_key(settings)
        if key is not None:
            accept_key(settings, key)
    where = escape_text(settings.database_path)
    used = f"The AcoustID key in {where} is used from now on."
    print_about(settings, f"{where} holds no AcoustID key." if key is None else used)
