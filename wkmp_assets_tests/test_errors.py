"""The tree in the docstring is the tree of the classes, and errors can be sent between processes."""

import pickle
import re
from pathlib import Path

import pytest

from wkmp_assets import errors
from wkmp_assets.errors import AudioFileError, WkmpError

FACTS: dict[str, tuple[object, ...]] = {
    "ClusterError": ("no scheduler answers", "start it"),
    "CorruptLibraryError": (Path("/m/wkmp.db"), "malformed"),
    "GoneLibraryError": (Path("/m/wkmp.db"),),
    "UnwritableLibraryError": (Path("/m/wkmp.db"), "read-only"),
    "LibraryDiskError": (Path("/m/wkmp.db"), "full"),
    "UnsavedLibraryError": (Path("/m/wkmp.db"), "full"),
    "StateDiskError": (Path("/home/.wkmp"), "full"),
    "EditRefusedError": ("a/b.mp3", "it has no passage 3"),
    "LibraryChangedError": ("a/b.mp3", "its row"),
    "ServiceUnavailableError": ("MusicBrainz", "it cannot be reached"),
    "ServiceGoneError": ("AcousticBrainz", "no answer since 2026-01-01 00:00 UTC"),
    "HashingStoppedError": (),
    "MissingChromaprintError": (),
    "UntrustedLibraryError": (Path("/m/wkmp.db"), "is a folder", "Move it away"),
    "LibraryLockedError": (Path("/m/wkmp.db"), 5000.5, 12),
}


def drawn() -> dict[str, str | None]:
    """Return class name -> name of its base class, as drawn."""
    found: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([ │├└─]*)(\w+Error)\b", line)
        if match:
            depth = len(match.group(1)) // 4
            del above[depth:]
            found[match.group(2)] = above[-1] if above else None
            above.append(match.group(2))
    return found


def classes(root: type = WkmpError) -> dict[str, type]:
    found = {root.__name__: root} if root.__module__ == errors.__name__ else {}
    for child in root.__subclasses__():
        found |= classes(child)
    return found


def build(kind: type) -> WkmpError:
    facts = FACTS.get(kind.__name__, ("a/b.mp3", "is odd") if issubclass(kind, AudioFileError) else ("a message",))
    error: WkmpError = kind(*facts)
    return error


def test_the_drawn_tree_is_the_tree_of_the_classes() -> None:
    assert len(drawn()) > 10
    assert drawn() == {
        name: None if kind is WkmpError else kind.__mro__[1].__name__ for name, kind in classes().items()
    }


@pytest.mark.parametrize("kind", classes().values(), ids=classes())
def test_an_error_survives_the_way_from_a_worker(kind: type) -> None:
    error = build(kind)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


LEAVES = {name: kind for name, kind in classes().items() if not kind.__subclasses__()}


@pytest.mark.parametrize(
    "kind",
    [kind for kind in LEAVES.values() if issubclass(kind, AudioFileError)],
    ids=lambda kind: kind.__name__,
)
def test_an_error_about_a_file_names_it_and_the_next_step(kind: type[AudioFileError]) -> None:
    assert str(build(kind)) == f"a/b.mp3: is odd; {kind.next_step}"


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in classes().values() if issubclass(kind, AudioFileError)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", code) for code in codes)
