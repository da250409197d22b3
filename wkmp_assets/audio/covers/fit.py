"""A picture as a cover: a JPEG or PNG of at most 1,024 pixels, upright, with a bounded use of memory."""

import warnings
from io import BytesIO
from typing import Any, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError, WebPImagePlugin
from PIL.Image import DecompressionBombError, Resampling

from wkmp_assets.audio.damaged_data import RAISED_BY_PARSERS

MAX_SIDE = 1024
"""unit=px: of a cover."""
MAX_PICTURE_BYTES = 30_000_000
MAX_PIXELS = 50_000_000
"""Of a picture: 7,000 x 7,000. Decoded, that takes 0.2 GB of a worker's memory."""
MAX_KEPT_BYTES = 4_000_000
"""A picture that takes more is encoded again although it is small: it holds something else as well."""
JPEG_QUALITY = 90
FORMATS = ("JPEG", "PNG", WebPImagePlugin.WebPImageFile.format or "WEBP", "GIF", "BMP")
_KEPT_MODES = {"JPEG": {"L", "RGB"}, "PNG": {"1", "L", "LA", "P", "RGB", "RGBA"}}
"""What every player can show; not CMYK, and not 16 bits."""
_RESIZED_MODES = {"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"}
"""Pictures in these modes are reduced first and then converted."""
_MAX_PROFILE_BYTES = 64_000
_ORIENTATION = 0x0112
_LEAKED_BY_PILLOW = (SyntaxError, ZeroDivisionError, *RAISED_BY_PARSERS)
"""What Pillow raises on damaged pictures."""


class UnusablePictureError(Exception):
    """A picture cannot be a cover. The message is a clause that says why."""


class FittedPicture(NamedTuple):
    """A picture that is ready to be kept."""

    data: bytes
    suffix: str
    """`.jpg` or `.png`."""
    width: int
    height: int


def name_megabytes(size: int) -> str:
    """Return a size as text."""
    return f"{size / 1_000_000:.0f} MB"


def fit_picture(data: bytes) -> FittedPicture:
    """Return a picture as a cover.

    A JPEG or PNG that is small enough stays as it is, byte for byte. Others are decoded, turned upright, reduced, and
    encoded as JPEG, or as PNG when parts are transparent. Of an animation, the first picture counts.

    Parameters
    ----------
    data : bytes
        A file of one of `FORMATS`, whatever its name or MIME type says.

    Raises
    ------
    UnusablePictureError
        It is empty, too large, damaged, or of another format.
    """
    if not data:
        raise UnusablePictureError("it is empty")
    if len(data) > MAX_PICTURE_BYTES:
        raise UnusablePictureError(f"it is larger than {name_megabytes(MAX_PICTURE_BYTES)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF and the like, which nobody would read
            return _fit(data)
    except DecompressionBombError as error:
        raise UnusablePictureError(_TOO_MANY_PIXELS) from error
    except MemoryError as error:
        raise UnusablePictureError("it takes more memory than a worker has") from error
    except UnidentifiedImageError as error:
        raise UnusablePictureError("it is no JPEG, PNG, WebP, GIF or BMP that can be read") from error
    except _LEAKED_BY_PILLOW as error:
        raise UnusablePictureError(f"it is damaged ({str(error)[:100] or type(error).__name__})") from error


_TOO_MANY_PIXELS = f"it has more than {MAX_PIXELS // 1_000_000} million pixels"


def _fit(data: bytes) -> FittedPicture:
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise UnusablePictureError(_TOO_MANY_PIXELS)
        if _can_stay(image, len(data)):
            image.load()  # which fails when it is truncated
            return FittedPicture(data, ".png" if image.format == "PNG" else ".jpg", width, height)
        return _encode(_reduce(image))


def _can_stay(image: Image.Image, size_bytes: int) -> bool:
    return (
        max(image.size) <= MAX_SIDE
        and size_bytes <= MAX_KEPT_BYTES
        and image.mode in _KEPT_MODES.get(image.format or "", ())
        and not getattr(image, "is_animated", False)
        and _orientation(image) == 1
    )


def _orientation(image: Image.Image) -> int:
    """Return the orientation of EXIF; 1, which is upright, where there is none that can be read."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _LEAKED_BY_PILLOW:
        return 1
    return found if found in range(1, 9) else 1


def _reduce(image: Image.Image) -> Image.Image:
    """Return a picture of at most `MAX_SIDE`, upright, in one of the modes L, RGB and RGBA."""
    orientation, profile = _orientation(image), image.info.get("icc_profile")
    # A JPEG is decoded at half, a quarter or an eighth of its size, as long as that is enough.
    image.draft(None, (MAX_SIDE, MAX_SIDE))
    image.load()
    smaller = image if image.mode in _RESIZED_MODES and not _has_mask(image) else _convert(image)
    smaller.thumbnail((MAX_SIDE, MAX_SIDE), Resampling.LANCZOS, reducing_gap=3.0)
    reduced = _convert(smaller)
    if reduced.mode == "RGBA" and reduced.getchannel("A").getextrema() == (255, 255):
        reduced = reduced.convert("RGB")
    if orientation != 1:
        reduced.getexif()[_ORIENTATION] = orientation
        reduced = ImageOps.exif_transpose(reduced)
    keeps_profile = isinstance(profile, bytes) and len(profile) <= _MAX_PROFILE_BYTES and image.mode == reduced.mode
    reduced.info = {"icc_profile": profile} if keeps_profile else {}
    return reduced


def _has_mask(image: Image.Image) -> bool:
    return "transparency" in image.info


def _convert(image: Image.Image) -> Image.Image:
    """Return a picture with 8 bits a colour: L, RGB, or RGBA when it may be transparent."""
    if image.mode in {"L", "RGB", "RGBA"} and not _has_mask(image):
        return image
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel, of which the upper 8 count
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"LA", "La", "RGBA", "RGBa", "PA"} or _has_mask(image):
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _encode(image: Image.Image) -> FittedPicture:
    out = BytesIO()
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile")}
    if image.mode == "RGBA":
        image.save(out, "PNG", **options)
        return FittedPicture(out.getvalue(), ".png", *image.size)
    image.save(out, "JPEG", quality=JPEG_QUALITY, **options)
    return FittedPicture(out.getvalue(), ".jpg", *image.size)
