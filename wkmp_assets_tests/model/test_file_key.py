"""Partition keys are readable, reversible, and never lead out of the library."""

import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wkmp_assets.errors import PartitionKeyError
from wkmp_assets.model.file_key import decode_key, encode_key, is_utf8

AWKWARD = st.sampled_from(
    [".", "..", "...", "/", "%", "%2F", ",", '"', "[", "]", "|", "*", "\n", "\x85", "\udcff", " "]
)
ANY_NAME = st.lists(AWKWARD | st.text(max_size=3) | st.binary(max_size=3).map(os.fsdecode), max_size=8).map("".join)
"""Names of files: any bytes, as Python decodes them."""

FORBIDDEN = re.compile(r'[,"\[\]|*\x00-\x1f\x7f-\x9f]|\.\.\.|^/')


def is_canonical(path: str) -> bool:
    return "\0" not in path and all(part not in {"", ".", ".."} for part in path.split("/"))


PATHS = ANY_NAME.map(lambda name: os.fsdecode(os.fsencode(name))).filter(is_canonical)


@given(PATHS)
@example("....mp3")
@example("a%2Cb,c.mp3")
@example("é/caf\udce9.mp3")
def test_a_key_decodes_to_the_path_it_was_made_from(path: str) -> None:
    assert decode_key(encode_key(path)) == path


@given(ANY_NAME)
@example("......")
@example("/etc/passwd")
def test_no_key_holds_what_dagster_chokes_on(path: str) -> None:
    key = encode_key(path)
    assert not FORBIDDEN.search(key)
    key.encode("utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "Artist/Album/01 Title.flac",
        "Sigur Rós/Ágætis byrjun/03 Svefn-g-englar.mp3",
        "久石 譲/風の谷.m4a",
        "AC-DC/Who's (Who) & what? #1; {x}=!.ogg",
        "a..b/c.mp3",
    ],
)
def test_an_ordinary_path_is_its_own_key(path: str) -> None:
    assert encode_key(path) == path


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "%2Fetc/passwd",
        "..",
        "../x.mp3",
        "a/../../x.mp3",
        "a/%2E%2E/x.mp3",
        "..%2Fx.mp3",
        "a%00.mp3",
    ],
)
def test_a_key_that_leads_out_of_the_library_is_refused(key: str) -> None:
    with pytest.raises(PartitionKeyError, match="not a path inside the music folder"):
        decode_key(key)


@pytest.mark.parametrize("key", ["./a.mp3", "a//b.mp3", "a/./b.mp3", "a/", "."])
def test_a_second_spelling_of_a_path_is_refused(key: str) -> None:
    """Otherwise one file could be two partitions, and a duplicate of itself."""
    with pytest.raises(PartitionKeyError):
        decode_key(key)


@pytest.mark.parametrize(("path", "expected"), [("Ä.mp3", True), ("caf\udce9.mp3", False)], ids=["utf-8", "latin-1"])
def test_only_utf8_names_fit_into_the_library(path: str, expected: bool) -> None:
    assert is_utf8(path) is expected
