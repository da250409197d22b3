"""Small pictures for the tests."""

from io import BytesIO
from typing import Any
from warnings import catch_warnings, simplefilter

from PIL import Image


def picture(color: str | tuple[int, ...] = "red", size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, color)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(color: str | tuple[int, ...] = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    return encoded(picture(color, size))


def png(color: str | tuple[int, ...] = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    return encoded(picture(color, size), "PNG")


def opened(data: bytes) -> Image.Image:
    """Decode a picture; damaged metadata, about which Pillow warns, does not matter."""
    with catch_warnings():
        simplefilter("ignore")
        image = Image.open(BytesIO(data))
        image.load()
    return image
