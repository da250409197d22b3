"""Whether an Ogg file ends within a page."""

from pathlib import Path

import pytest

from wkmp_assets.audio.ogg_end import ends_within_page

HEADER = b"OggS" + bytes(22) + bytes([2, 10, 5])
"""Of a page with two segments, of 10 and 5 bytes."""


@pytest.mark.parametrize(
    ("content", "is_cut"),
    [
        (HEADER + bytes(15), False),
        (HEADER + bytes(14), True),
        (HEADER[:20], True),
        (bytes(100), False),
        (HEADER + bytes(15) + HEADER[:9], True),
    ],
    ids=["whole", "a byte less", "within the header", "no page", "a second page that has only begun"],
)
def test_the_last_page_tells(tmp_path: Path, content: bytes, is_cut: bool) -> None:
    file = tmp_path / "a.ogg"
    file.write_bytes(content)
    assert ends_within_page(file) is is_cut


def test_a_file_that_cannot_be_read_is_not_said_to_be_cut(tmp_path: Path) -> None:
    assert not ends_within_page(tmp_path / "gone.ogg")
