"""Whether a worker of another machine computes what this one would."""

from collections.abc import Mapping


def find_difference(worker: Mapping[str, str] | None, here: Mapping[str, str]) -> str | None:
    """Return why a worker may not be used, as a clause; None for a worker with the same versions.

    Parameters
    ----------
    worker : mapping of str to str, or None
        Name of a program -> version, as the worker says; None where it says nothing.
    here : mapping of str to str
        The same of this machine.
    """
    if worker is None:
        return "it was not started with `wkmp worker`"
    differences = [
        f"{name} {worker.get(name, 'none')} instead of {version}"
        for name, version in here.items()
        if worker.get(name) != version
    ]
    return f"it has {', '.join(differences)}; install the same version on both machines" if differences else None
