"""Kinds of warnings: one enumeration, read from values of every version, and documented."""

from pydantic import TypeAdapter

from wkmp_assets.audio.lead_points import clipping_warnings
from wkmp_assets.model.file_warnings import FileWarning, WarningKind, merge_warnings
from wkmp_assets.model.values import FileTags
from wkmp_assets_tests.support.paths import ROOT

CLIPPED = FileWarning(WarningKind.CLIPPED, "loud")
CUT = FileWarning(WarningKind.CUT_SHORT, "short")


def test_a_stored_sentence_of_an_earlier_version_is_of_the_kind_other() -> None:
    adapter = TypeAdapter(FileTags)
    document = adapter.dump_python(FileTags(warnings=(CLIPPED,)), mode="json")
    assert adapter.validate_python(document).warnings == (CLIPPED,)
    document["warnings"] = ["The tags cannot be read (why)."]
    (warning,) = adapter.validate_python(document).warnings
    assert warning == FileWarning(WarningKind.OTHER, "The tags cannot be read (why).")


def test_warnings_of_several_phases_come_once_and_the_most_serious_first() -> None:
    assert merge_warnings((CLIPPED,), (), (CUT, CLIPPED)) == (CUT, CLIPPED)


def test_a_clipped_file_is_named_so() -> None:
    assert [warning.kind for warning in clipping_warnings(1.0)] == [WarningKind.CLIPPED]


def test_the_guide_names_every_kind() -> None:
    documented = (ROOT / "docs/guide/import.md").read_text(encoding="utf-8")
    assert [str(kind) for kind in WarningKind if f"| `{kind}` |" not in documented] == []
