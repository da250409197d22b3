"""Small pictures for the tests."""

from io import BytesIO
from typing import Any

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
    image = Image.open(BytesIO(data))
    image.load()
    return image
