"""Names for the artist ids of a file: only what its tags say for certain.

Join phrases also occur inside names ("AC/DC", "Tyler, The Creator", "Hall & Oates"), so a credit is not cut at them.
An id without a name of its own gets the whole credit, which any better evidence replaces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wkmp_assets.audio.tag_values import fold, unique_names
from wkmp_assets.model.name_ranks import NameRank
from wkmp_assets.model.values import Artist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GUEST_PHRASES = re.compile(r"\s+[(\[]?(?:feat\.?|ft\.?|featuring)\s+", re.IGNORECASE)
"""Join phrases that occur in no artist's own name."""
LIST_SEPARATORS = re.compile(r"\s*;\s*|\s+/\s+")
"""What programs put between the entries of a list. A slash without blanks is part of names."""
_SURE_SEPARATORS = re.compile(f"{GUEST_PHRASES.pattern}|{LIST_SEPARATORS.pattern}", re.IGNORECASE)
_JOIN_PHRASES = re.compile(
    r"\s+[(\[]?(?:feat\.?|ft\.?|featuring|and|x|vs\.?|with|presents|meets|&|\+)\s+|\s*[,;/]\s*", re.IGNORECASE
)

_NOBODY = frozenset({"various artists", "various", "va", "v.a.", "[unknown]", "unknown artist", "unknown"})
"""Names that taggers write for artists of any id."""

Name = tuple[str, NameRank]


class Credit(NamedTuple):
    """What the tags say about the artists of a recording, or of a release."""

    ids: Sequence[str | None]
    """MBIDs in order; None where a text is none."""
    texts: Sequence[str] = ()
    """The credit. Several texts are one artist each."""
    names: Sequence[str] = ()
    """A list of the artists one by one."""

    @property
    def text(self) -> str:
        """The credit as one text; empty when the tags name nobody."""
        return "; ".join(unique_names(self.texts)) or " & ".join(unique_names(self.names))


def name_artists(credit: Credit, of_release: Credit) -> tuple[tuple[Artist, ...], bool]:
    """Name the artists of a credit.

    Parameters
    ----------
    credit : Credit
        Of the recording. Its `text` is not empty.
    of_release : Credit
        Of the release. If it names a single artist, that name counts for the same id.

    Returns
    -------
    tuple of Artist, and bool
        One artist for each MBID, in order. And whether all have a name of their own: else some have the whole credit,
        with the rank of a joint credit.
    """
    mbids = list(dict.fromkeys(mbid for mbid in credit.ids if mbid))
    known = _name_single(of_release)
    named = _name_one(credit, mbids[0]) if len(set(credit.ids)) == 1 else _name_each(credit, known)
    for mbid, name in known.items():
        if name[1] > named.get(mbid, ("", NameRank.GUESS))[1]:
            named[mbid] = name
    artists = tuple(Artist(mbid, *named.get(mbid, (credit.text, NameRank.CREDIT))) for mbid in mbids)
    return artists, all(mbid in named for mbid in mbids)


def _name_single(credit: Credit) -> dict[str, Name]:
    """Return the id and name of the only artist of a credit; nothing where there may be more."""
    mbids = set(credit.ids)
    mbid = next(iter(mbids), None)
    names = unique_names(credit.names) or unique_names(credit.texts)
    if len(mbids) != 1 or mbid is None or len(names) != 1 or _rank(names[0], _JOIN_PHRASES) is not NameRank.TAG:
        return {}
    return {mbid: (names[0], NameRank.TAG)}


def _name_one(credit: Credit, mbid: str) -> dict[str, Name]:
    """Return the name of a single id: the whole text, which is a joint credit if it has a join phrase."""
    names = unique_names(credit.names)
    if len(names) == 1:
        return {mbid: (names[0], _rank(names[0], _SURE_SEPARATORS))}
    return {mbid: (credit.text, NameRank.CREDIT if names else _rank(credit.text, _JOIN_PHRASES))}


def _name_each(credit: Credit, known: Mapping[str, Name]) -> dict[str, Name]:
    """Return the names of several ids; nothing when the tags do not tell them apart."""
    lists = (
        (credit.names, GUEST_PHRASES),
        ([part for name in credit.names for part in _split(LIST_SEPARATORS, name)], GUEST_PHRASES),
        (_split_at_slashes(credit), GUEST_PHRASES),
        (credit.texts if len(credit.texts) > 1 else (), _JOIN_PHRASES),
    )
    for names, phrases in lists:
        if paired := _pair(credit.ids, names):
            return {mbid: (name, _rank(name, phrases)) for mbid, name in paired.items()}
    texts = unique_names(credit.texts)
    if len(texts) != 1:
        return {}
    for separators in (GUEST_PHRASES, LIST_SEPARATORS, _SURE_SEPARATORS):
        paired = _pair(credit.ids, _split(separators, texts[0]))
        if paired and all(fold(paired[mbid]) == fold(name) for mbid, (name, _) in known.items() if mbid in paired):
            return {mbid: (name, NameRank.PART) for mbid, name in paired.items()}
    return _name_other(credit.ids, texts[0], known)


def _split_at_slashes(credit: Credit) -> list[str]:
    """Return the names of a list that ID3v2.3 joins with slashes, if the credit has all of them and no slash.

    Else a slash may be that of a name, as in "AC/DC".
    """
    text = fold(credit.text)
    if len(credit.names) != 1 or "/" in text:
        return []
    names = credit.names[0].split("/")
    return names if all(fold(name) in text for name in names) else []


def _pair(ids: Sequence[str | None], names: Sequence[str]) -> dict[str, str]:
    """Return MBID -> name, when there is one name for each id; nothing otherwise.

    Programs double ids, names, or both. The same name for two ids is such a name, and nobody knows whose it is.
    """
    distinct_ids, distinct_names = list(dict.fromkeys(ids)), unique_names(names)
    if len(distinct_ids) != len(distinct_names):
        return {}
    if len(ids) == len(names):
        pairs = dict.fromkeys(zip(ids, map(fold, names), strict=True))
        if len(pairs) != len(distinct_ids):
            return {}
    return {mbid: name for mbid, name in zip(distinct_ids, distinct_names, strict=True) if mbid}


def _name_other(ids: Sequence[str | None], text: str, known: Mapping[str, Name]) -> dict[str, Name]:
    """Return the unknown name of two artists: what the credit holds beside the known name."""
    others = [mbid for mbid in dict.fromkeys(ids) if mbid not in known]
    if len(set(ids)) != 2 or len(others) != 1 or others[0] is None or not known:
        return {}
    ((name, _),) = known.values()
    if fold(text[: len(name)]) == fold(name) and (join := _JOIN_PHRASES.match(text, len(name))):
        rest = text[join.end() :].strip(" ()[]")
    elif fold(text[-len(name) :]) == fold(name) and (
        join := re.search(f"(?:{_JOIN_PHRASES.pattern})$", text[: -len(name)], re.IGNORECASE)
    ):
        rest = text[: join.start()].strip()
    else:
        return {}
    return {others[0]: (rest, NameRank.PART)} if rest else {}


def _rank(name: str, phrases: re.Pattern[str]) -> NameRank:
    is_joint = fold(name) in _NOBODY or len(_split(phrases, name)) > 1
    return NameRank.CREDIT if is_joint else NameRank.TAG


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    return [part for part in (piece.strip(" ()[]") for piece in pattern.split(text)) if part]
