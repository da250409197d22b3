"""Plan the pictures of one file: rows for its albums, or for the passages whose album is not known.

All files of an album that have the same picture share one row. `import_images` counts who has it: each file adds and
removes only its own mark, and the row goes with the last one. So the order of the files does not matter, and rows that
people or WKMP made are never touched.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wkmp_assets.db.plan import ids
from wkmp_assets.db.plan.passage_pairing import PassagePlan
from wkmp_assets.model.file_entry import EntryCover
from wkmp_assets.model.rows import FileImageRow, ImageRow, PassageAlbumRow
from wkmp_assets.model.timestamps import Stamp
from wkmp_assets.model.values import CoverKind

_ALBUM_TYPES = {
    CoverKind.FRONT: "album_front",
    CoverKind.BACK: "album_back",
    CoverKind.LINER: "album_liner",
}


@dataclass(frozen=True)
class ImagePlan:
    """What changes in the pictures of a file."""

    images: tuple[ImageRow, ...] = ()
    links: tuple[FileImageRow, ...] = ()
    dropped: tuple[str, ...] = ()


def plan_images(
    covers: Sequence[EntryCover],
    file_guid: str,
    albums: Mapping[str, Sequence[str]],
    stored: Mapping[str, str | None],
    stamp: Stamp,
) -> ImagePlan:
    """Return what changes in the pictures of a file; nothing when the library has them all.

    Parameters
    ----------
    covers : sequence of EntryCover
        What the file has now.
    file_guid : str
        Its row.
    albums : mapping of str to sequence of str
        Guid of a passage -> those of its albums.
    stored : mapping of str to str or None
        Guid of an image that the import made for this file -> its path; None when its row is gone.
    stamp : Stamp
        Time of this write.
    """
    wanted = {row.guid: row for cover in covers for row in _rows(cover, albums, stamp)}
    return ImagePlan(
        tuple(row for row in wanted.values() if stored.get(row.guid) != row.file_path),
        tuple(FileImageRow(file_guid, guid) for guid in wanted if stored.get(guid) is None),
        tuple(sorted(set(stored) - set(wanted))),
    )


def _rows(cover: EntryCover, albums: Mapping[str, Sequence[str]], stamp: Stamp) -> Iterator[ImageRow]:
    for passage, of_passage in albums.items():
        for album in of_passage:
            yield _row(cover, _ALBUM_TYPES[cover.kind], album, stamp)
        if not of_passage and cover.kind is CoverKind.FRONT:
            yield _row(cover, "passage", passage, stamp)


def _row(cover: EntryCover, image_type: str, entity: str, stamp: Stamp) -> ImageRow:
    guid = ids.image_id(entity, image_type, cover.content_hash)
    return ImageRow(guid, cover.file_path, image_type, entity, cover.width, cover.height, stamp.text, stamp.text)


def find_albums(
    plan: PassagePlan, links: Sequence[PassageAlbumRow], named: Collection[str], stamp: Stamp
) -> dict[str, list[str]]:
    """Return guid of each passage of a file -> albums that an import linked it to.

    An album that only a person linked is not counted: nothing says that the file's picture shows it.

    Parameters
    ----------
    plan : PassagePlan
        The passages.
    links : sequence of PassageAlbumRow
        Their links to albums after this write.
    named : collection of str
        Albums that this import found.
    stamp : Stamp
        Time of this write.
    """
    albums: dict[str, list[str]] = {placed.guid: [] for placed in plan.placed}
    for link in links:
        if link.created_at == stamp.text or link.album_id in named:
            albums[link.passage_id].append(link.album_id)
    for kept in plan.kept:
        known = kept.knowledge
        albums[kept.guid] = [guid for guid, created_at in known.albums if created_at == known.import_timestamp]
    return albums
