"""`wkmp help`: topics in a few lines each, which point to the guide."""

from importlib.resources import files

import click

_TOPICS = files("wkmp_assets.cli") / "topics"


@click.command("help", epilog="Example: wkmp help exit-status")
@click.argument("topic", required=False)
@click.pass_context
def help_command(context: click.Context, topic: str | None) -> None:
    """Explain TOPIC, which is one of the list or a command. Without it, list the topics.

    Exit status 0: explained or listed; 2: there is no such topic.
    """
    topics = read_topics()
    if topic is None:
        width = max(map(len, topics))
        click.echo("Topics:\n")
        for name, text in topics.items():
            click.echo(f"  {name:<{width}}  {text.splitlines()[0]}")
        click.echo("\nTo read one: wkmp help TOPIC. Commands: wkmp --help")
        return
    if topic in topics:
        click.echo(topics[topic], nl=False)
        return
    parent = context.parent
    command = parent.command.get_command(parent, topic) if parent and isinstance(parent.command, click.Group) else None
    if parent is None or command is None:
        raise click.UsageError(f"there is no topic {topic!r}; the topics are: {', '.join(topics)}")
    with click.Context(command, info_name=topic, parent=parent) as of_command:
        click.echo(command.get_help(of_command))


def read_topics() -> dict[str, str]:
    """Return the text of each topic, by name in the order of the alphabet. The first line of a text is its title."""
    texts = {one.name.removesuffix(".txt"): one.read_text("utf-8") for one in _TOPICS.iterdir()}
    return dict(sorted(texts.items()))
