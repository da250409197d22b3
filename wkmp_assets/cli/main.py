"""The `wkmp` command: the names of its commands, each loaded from its own module.

Exit status 0: nothing failed; 1: a file or the run failed or was stopped; 2: the command line or a setting is wrong.
"""

from importlib import import_module
from pathlib import Path

import click

from wkmp_assets.cli.address_space import explain_shortage, read_limit

_COMMANDS = {
    "import": "import_command:import_command",
    "status": "status:status",
    "list": "passage_list:list_passages",
    "search": "passage_list:search",
    "show": "show:show",
    "similar": "similar:similar",
    "playlist": "similar:playlist",
    "export": "export:export",
    "failures": "failures:failures",
    "identify": "by_hand:identify",
    "accept": "by_hand:accept",
    "reject": "by_hand:reject",
    "split": "cut:split",
    "join": "cut:join",
    "undo": "undo:undo",
    "warnings": "file_warnings:list_warnings",
    "duplicates": "duplicates:duplicates",
    "missing": "missing:missing",
    "prune": "missing:prune",
    "tidy": "tidy:tidy",
    "checks": "checks:checks",
    "report": "report_page:report",
    "picture": "picture:picture",
    "browse": "browse_command:browse",
    "ui": "ui:ui",
    "cluster": "cluster:cluster",
    "scheduler": "cluster_services:scheduler",
    "worker": "cluster_services:worker",
    "config": "config:config",
    "accept-key": "accepted_key:accept_key_command",
    "help": "help_topics:help_command",
}
"""Name of a command -> its module in this package, and its function."""


class _Commands(click.Group):
    """Loads a command when it is asked for: most of them need little, and an import needs seconds to load."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, function = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"wkmp_assets.cli.{module}"), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if shortage := explain_shortage(args[0], read_limit()):  # before the command's libraries are loaded
            raise click.ClickException(shortage)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wkmp-assets")
@click.option("--quiet", "-q", is_flag=True, help="Print only errors, and what programs read (--json, exports).")
@click.option("--verbose", "-v", count=True, help="Say on the error output what is done; twice: with details.")
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append what is done to this file, with details, times and the traceback of an error.",
)
@click.option("--no-color", is_flag=True, help="Print without colors, as the variable NO_COLOR does.")
@click.pass_context
def main(context: click.Context, quiet: bool, verbose: int, log_file: Path | None, no_color: bool) -> None:
    """Import music into a WKMP library, one transaction per file, and use it."""
    from wkmp_assets.cli.options import ERR, OUT  # so that `wkmp --version` loads nothing

    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other: leave one out")
    OUT.quiet = quiet
    OUT.no_color = ERR.no_color = no_color or OUT.no_color
    if verbose or log_file is not None:
        from wkmp_assets.cli.log_output import logged
        from wkmp_assets.errors import SettingsError

        try:
            context.with_resource(logged(verbose, log_file))
        except SettingsError as error:
            raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    main()
