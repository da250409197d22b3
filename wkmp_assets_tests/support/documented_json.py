"""Which names in the JSON of a command its page of the documentation leaves out."""

import re

from wkmp_assets_tests.support.paths import ROOT

OF_DATA = {"additional", "files", "flavor", "receipt", "roots", "rows", "unread_formats", "warnings"}
"""Their objects have names that are data, such as kinds and characteristics."""


def undocumented_names(told: object, *pages: str) -> set[str]:
    """Return the names of fields in JSON that no page of some below docs/ has in backquotes."""
    text = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    return _names_in(told) - set(re.findall(r"`([a-z_]+)`", text))


def _names_in(told: object) -> set[str]:
    if isinstance(told, list):
        return set().union(*map(_names_in, told))
    if not isinstance(told, dict):
        return set()
    inner = (value for key, value in told.items() if key not in OF_DATA or isinstance(value, list))
    return {*told, *(name for value in inner for name in _names_in(value))}
