"""The `wkmp` command: the names of its commands, each loaded from its own module.

Exit status 0: nothing failed; 1: a file or the run failed; 2: the command line or a setting is wrong.
"""

from importlib import import_module

import click

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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wkmp-assets")
@click.option("--quiet", "-q", is_flag=True, help="Print only errors, and what programs read (--json, exports).")
@click.option("--no-color", is_flag=True, help="Print without colors, as the variable NO_COLOR does.")
def main(quiet: bool, no_color: bool) -> None:
    """Import music into a WKMP library, one transaction per file, and use it."""
    from wkmp_assets.cli.options import ERR, OUT  # so that `wkmp --version` loads nothing

    OUT.quiet = quiet
    OUT.no_color = ERR.no_color = no_color or OUT.no_color


if __name__ == "__main__":
    main()
