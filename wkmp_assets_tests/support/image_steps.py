"""The steps of a Dockerfile as a shell script, for machines that cannot run Docker.

The folders of the image become folders below a clean one, and its Python an environment of its own. What only changes
the system of an image (a user, owners) is passed over; a package of the system is installed when this is root.
"""

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_PASSED_OVER = ("useradd", "chown")
"""Programs that would change this machine."""
_NEEDS_ROOT = "apt-get"
_FOLDERS = ("/opt", "/state", "/music", "/var/lib/apt/lists")
"""Of the image; those that are named by its steps."""
_COPY = (
    'copy_from() { if [ -d "$1/$2" ]; then mkdir -p "$3"; git -C "$1" ls-files -z "$2" | '
    '(cd "$1" && tar --null -T - -c) | tar -x -C "$(dirname "$3")"; else cp "$1/$2" "$3"; fi; }'
)


@dataclass
class Image:
    """What a Dockerfile makes."""

    folder: Path
    """Stands for `/` of the image."""
    lines: list[str] = field(default_factory=list)
    """Of the script."""
    environment: dict[str, str] = field(default_factory=dict)
    entry: list[str] = field(default_factory=list)
    user: str = "root"

    def place(self, text: str) -> str:
        """Return a text in which the folders of the image are those here."""
        names = "|".join(map(re.escape, _FOLDERS))
        return re.sub(rf"(?<![\w./-])(?={names})(?=/)", str(self.folder), text)

    @property
    def script(self) -> str:
        """The steps, in order; the first that fails ends it."""
        return "\n".join(["set -euxo pipefail", *self.lines, ""])


def read_image(dockerfile: Path, source: Path, folder: Path, python: str) -> Image:
    """Return the steps of a Dockerfile.

    Parameters
    ----------
    dockerfile : Path
        Its instructions are FROM, RUN, WORKDIR, COPY, USER, ENV, ENTRYPOINT and CMD.
    source : Path
        The folder in which it is built.
    folder : Path
        Clean; becomes `/` of the image.
    python : str
        Takes the place of the Python of the image.

    Raises
    ------
    ValueError
        It has another instruction.
    """
    image = Image(folder)
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            image.lines += _make_base(folder, python)
        elif name == "RUN":
            image.lines.append(image.place(rest))
        elif name == "WORKDIR":
            image.lines.append(f"mkdir -p {image.place(rest)} && cd {image.place(rest)}")
        elif name == "COPY":
            *files, to = rest.split()
            # A folder is copied as what is in it, as Docker does; what is not under version control stays away.
            image.lines += [f"copy_from {shlex.quote(str(source))} {one} {to}" for one in files]
        elif name == "ENV":
            image.environment |= {key: image.place(value) for key, value in (one.split("=", 1) for one in rest.split())}
        elif name == "ENTRYPOINT":
            image.entry = [one.strip('" ') for one in rest.strip("[]").split(",")]
        elif name == "USER":
            image.user = rest
        elif name not in {"", "CMD"}:
            raise ValueError(f"{name} is not known here")
    return image


def _make_base(folder: Path, python: str) -> list[str]:
    shims = folder / "shims"
    passed_over = _PASSED_OVER if os.geteuid() == 0 else (*_PASSED_OVER, _NEEDS_ROOT)
    return [
        f"mkdir -p {shims} {' '.join(f'{folder}{one}' for one in _FOLDERS if one != '/music' and one != '/state')}",
        f"for name in {' '.join(passed_over)}; do printf '#!/bin/sh\\n' > {shims}/$name; chmod +x {shims}/$name; done",
        f"{python} -m venv {folder}/python",
        f"export PATH={shims}:{folder}/python/bin:$PATH",
        "unset PYTHONPATH PYTHONHOME",
        _COPY,
    ]
