"""What a run's configuration may say, judged as it was given, before Dagster puts values into it."""

from collections.abc import Mapping, Sequence

import dagster as dg

_ENVIRONMENT = "env"
"""Dagster's form for "the value of this variable of the server", which it takes for texts, numbers and switches."""


def refuse_environment(config: object) -> None:
    """Check that a run's configuration takes no value from the server's environment, where keys may be.

    Whoever reaches the web UI can type one, and a message that repeats the value would tell it.

    Parameters
    ----------
    config : object
        Mappings, sequences and plain values, as `DagsterRun.run_config` has them.

    Raises
    ------
    dagster.Failure
        A value is taken from there. The message names the place, and neither the variable nor its value.
    """
    found = _find(config, "")
    if found is not None:
        raise dg.Failure(
            f"the configuration of this run takes {found} from the server's environment, which is not allowed, "
            "because messages would tell it; write the value itself",
            allow_retries=False,
        )


def _find(config: object, place: str) -> str | None:
    if isinstance(config, Mapping):
        if set(config) == {_ENVIRONMENT}:
            return place or "itself"
        parts = ((str(name), part) for name, part in config.items())
    elif isinstance(config, Sequence) and not isinstance(config, str | bytes):
        parts = ((str(number), part) for number, part in enumerate(config))
    else:
        return None
    found = (_find(part, f"{place}.{name}".strip(".")) for name, part in parts)
    return next((one for one in found if one is not None), None)
