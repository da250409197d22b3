"""What settings accept, and how they say no."""

from pathlib import Path

import pytest

from wkmp_assets.model.setting_kinds import Secret, SecretText, Text, WholeNumber, absolute_path, yes_or_no


@pytest.mark.parametrize("value", [7, 7.0, "7", " 7 ", "+7", "0_7", "7.0"])
def test_a_whole_number_may_be_written_in_many_ways(value: object) -> None:
    assert WholeNumber(0, 10)(value) == 7


@pytest.mark.parametrize(
    "value", [11, -1, 7.5, "7.5", "7e0", "0x7", "\u0667", "", "9" * 5000, None, [7], b"7", True, False]
)
def test_anything_else_is_no_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="must be a whole number from 0 to 10"):
        WholeNumber(0, 10)(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), (1, True), (1.0, True), ("1", True), ("TRUE", True), ("yes", True), ("On", True),
     (False, False), (0, False), ("0", False), ("false", False), ("n", False), ("off", False)],
)  # fmt: skip
def test_yes_and_no_have_many_names(value: object, expected: bool) -> None:
    assert yes_or_no(value) is expected


@pytest.mark.parametrize("value", ["maybe", "", " 1", "2", 2, None, [1]])
def test_what_is_neither_yes_nor_no_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be 1 or 0"):
        yes_or_no(value)


@pytest.mark.parametrize("value", ["ftp://x", "http://x\n", 3, None])
def test_a_text_is_of_its_pattern_as_a_whole(value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        Text("https?://.*", "must be an address")(value)


def test_a_secret_is_never_shown() -> None:
    hidden = SecretText()("a-key")
    assert hidden == SecretText()(hidden) == Secret("a-key")
    assert "a-key" not in f"{hidden} {hidden!r} {[hidden]}"
    assert (str(hidden), str(Secret(""))) == ("**********", "")


@pytest.mark.parametrize("value", [" key\r\n", "\tkey", "\u00a0key", Secret("key "), "key"])
def test_spaces_around_a_secret_come_from_copying(value: object) -> None:
    assert SecretText()(value) == Secret("key")


@pytest.mark.parametrize(
    "value", ["a key", "a\nkey", "a\u00a0key", "a\u200bkey", "\ufeffkey", "a\0key", Secret("a key")]
)
def test_a_secret_has_no_spaces_inside(value: object) -> None:
    with pytest.raises(ValueError, match="must have no spaces") as raised:
        SecretText()(value)
    assert "key" not in str(raised.value)


def test_a_path_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert [absolute_path(one) for one in ("a/../b", Path("c"), "~/d")] == [
        tmp_path / "b", tmp_path / "c", tmp_path / "home/d",
    ]  # fmt: skip
    for wrong in (3, None, "", "  ", "a\0b", "~nobody-of-this-name/a"):
        with pytest.raises(ValueError, match="must be a path"):
            absolute_path(wrong)
