"""MBIDs are UUIDs, in any case and nothing else."""

import pytest

from wkmp_assets.model.mbid import parse_mbid

MBID = "0b1bd3a1-7bf6-4a5c-9b5c-0f1d2e3c4b5a"


@pytest.mark.parametrize("text", [MBID, MBID.upper()])
def test_a_uuid_in_any_case_is_an_mbid_in_lower_case(text: str) -> None:
    assert parse_mbid(text) == MBID


@pytest.mark.parametrize(
    "text", ["", MBID[:-1], f"{MBID}a", f" {MBID}", f"{MBID}\n", MBID.replace("-", ""), f"{{{MBID}}}", "g" + MBID[1:]]
)
def test_other_texts_are_none(text: str) -> None:
    assert parse_mbid(text) is None
