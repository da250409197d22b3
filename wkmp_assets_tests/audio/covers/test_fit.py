"""A picture becomes a JPEG or PNG of at most 1,024 pixels, or says why it cannot."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wkmp_assets.audio.covers import fit
from wkmp_assets.audio.covers.fit import MAX_SIDE, UnusablePictureError, fit_picture
from wkmp_assets_tests.support.pictures import encoded, jpeg, opened, picture, png

RED, CLEAR = (255, 0, 0), (0, 0, 0, 0)


def oriented(size: tuple[int, int], orientation: int) -> bytes:
    """Return a JPEG whose left half is red and whose right half is blue, with an orientation."""
    image = picture("blue", size)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, exif=exif, quality=95)


def animation(kind: str) -> bytes:
    frames = [picture(color) for color in ("red", "green", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int) -> bytes:
    """Return the beginning of a PNG of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize("data", [jpeg(), png(), jpeg(size=(MAX_SIDE, 3)), encoded(picture(mode="L", color=7), "PNG")])
def test_a_small_jpeg_or_png_stays_byte_for_byte(data: bytes) -> None:
    fitted = fit_picture(data)
    assert fitted.data == data
    assert (fitted.width, fitted.height) == opened(data).size
    assert fitted.suffix == (".png" if data.startswith(b"\x89PNG") else ".jpg")


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (jpeg(size=(3000, 1500)), (1024, 512)),
        (png(size=(1025, 1025)), (1024, 1024)),
        (jpeg(size=(5000, 10)), (1024, 2)),
        (encoded(picture(size=(2000, 1000)), "BMP"), (1024, 512)),
    ],
)
def test_a_large_picture_becomes_a_jpeg_of_the_same_shape(data: bytes, size: tuple[int, int]) -> None:
    fitted = fit_picture(data)
    image = opened(fitted.data)
    assert (fitted.width, fitted.height) == image.size == size
    assert (image.format, fitted.suffix) == ("JPEG", ".jpg")
    middle = image.getpixel((size[0] // 2, size[1] // 2))
    assert isinstance(middle, tuple)
    assert max(abs(one - two) for one, two in zip(middle, RED, strict=True)) < 5


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = png(size=(1100, 1100))
    assert fit_picture(data) == fit_picture(data)


@pytest.mark.slow
def test_what_is_transparent_stays_so() -> None:
    image = picture(CLEAR, (1100, 1100), "RGBA")
    image.paste((255, 0, 0, 255), (0, 0, 550, 1100))
    fitted = fit_picture(encoded(image, "PNG"))
    reduced = opened(fitted.data)
    assert (fitted.suffix, reduced.mode, reduced.size) == (".png", "RGBA", (1024, 1024))
    assert reduced.getpixel((10, 10)) == (255, 0, 0, 255)
    assert reduced.getpixel((1000, 10)) == CLEAR
    opaque = fit_picture(encoded(picture((1, 2, 3, 255), (1100, 1100), "RGBA"), "PNG"))
    assert opaque.suffix == ".jpg", "an opaque one needs no PNG"


@pytest.mark.parametrize("size", [(40, 20), (2000, 1000)])
def test_a_picture_stands_upright(size: tuple[int, int]) -> None:
    """Orientation 6: the camera was turned, so the left side of what is stored is the top."""
    fitted = fit_picture(oriented(size, 6))
    image = opened(fitted.data)
    assert image.height == image.width * 2 == fitted.height
    assert image.getexif().get(0x0112, 1) == 1
    top, bottom = image.getpixel((image.width // 2, 1)), image.getpixel((image.width // 2, image.height - 2))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > 50 > top[2]
    assert bottom[2] > 200 > 50 > bottom[0]


ODD = {
    "CMYK JPEG": encoded(picture((0, 255, 255, 0), mode="CMYK")),
    "WebP": encoded(picture(), "WEBP", lossless=True),
    "GIF": encoded(picture(), "GIF"),
    "animated GIF": animation("GIF"),
    "animated PNG": animation("PNG"),
    "animated WebP": animation("WEBP"),
    "palette with a transparent color": encoded(picture().convert("P"), "GIF", transparency=200),
    "an orientation that does not exist": oriented((40, 30), 77),
    "large palette": encoded(picture(size=(1100, 1100)).convert("P"), "PNG"),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_an_odd_picture_is_used(data: bytes) -> None:
    image = opened(fit_picture(data).data)
    assert image.format in {"JPEG", "PNG"}
    assert not getattr(image, "is_animated", False)
    color = image.convert("RGB").getpixel((1, 1))
    assert isinstance(color, tuple)
    assert max(abs(one - two) for one, two in zip(color, RED, strict=True)) < 10, color


def test_sixteen_bits_become_eight() -> None:
    image = Image.new("I;16", (30, 20), 0x8040)
    reduced = opened(fit_picture(encoded(image, "PNG")).data)
    assert reduced.mode == "L"
    assert abs(int(reduced.getpixel((5, 5)) or 0) - 0x80) <= 1


def test_one_bit_is_black_and_white() -> None:
    reduced = opened(fit_picture(encoded(Image.new("1", (1100, 1100), 1), "PNG")).data)
    assert (reduced.mode, reduced.getpixel((5, 5))) == ("L", 255)


def test_a_color_profile_is_kept_and_other_metadata_is_not() -> None:
    fitted = fit_picture(encoded(picture(size=(1100, 1100)), icc_profile=b"profile" * 20, comment=b"secret"))
    assert opened(fitted.data).info["icc_profile"] == b"profile" * 20
    assert b"secret" not in fitted.data


WHOLE = encoded(Image.effect_noise((200, 200), 90).convert("RGB"))
UNUSABLE = {
    "empty": (b"", "it is empty"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it is no JPEG, PNG, WebP, GIF or BMP"),
    "a web page": (b"<!DOCTYPE html><h1>404</h1>", "it is no JPEG"),
    "TIFF": (encoded(picture(), "TIFF"), "it is no JPEG"),
    "cut JPEG": (WHOLE[: len(WHOLE) // 2], "it is damaged (image file is truncated"),
    "only a header": (WHOLE[:4], "it is "),
    "broken PNG": (png()[:40] + b"\0" * 20, "it is no JPEG"),
    "cut PNG": (png()[:60], "it is damaged"),
    "too many pixels": (png_of(10_000, 10_000), "it has more than 50 million pixels"),
    "far too many pixels": (png_of(2**31 - 1, 2**31 - 1), "it has more than 50 million pixels"),
    "no pixels": (png_of(0, 0), "it is "),
}


@pytest.mark.parametrize(("data", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_picture_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnusablePictureError) as caught:
        fit_picture(data)
    assert str(caught.value).startswith(reason)


def test_a_picture_may_have_thirty_megabytes() -> None:
    with pytest.raises(UnusablePictureError, match="it is larger than 30 MB"):
        fit_picture(b"\0" * (fit.MAX_PICTURE_BYTES + 1))


def test_a_small_picture_that_hides_megabytes_is_encoded_again() -> None:
    assert len(fit_picture(jpeg() + b"\0" * fit.MAX_KEPT_BYTES).data) < 5_000


@given(start=st.integers(0, 900), replacement=st.binary(min_size=1, max_size=40), kind=st.sampled_from(list(ODD)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_damage_gives_a_picture_or_a_reason(start: int, replacement: bytes, kind: str) -> None:
    data = ODD[kind]
    damaged = data[:start] + replacement + data[start + len(replacement) :]
    with suppress(UnusablePictureError):
        fitted = fit_picture(damaged)
        assert opened(fitted.data).size == (fitted.width, fitted.height)
