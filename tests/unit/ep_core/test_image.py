"""Decoding of uploads: the picture is as a person would see it, whatever the file."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from ep_core.errors import ImageTooLarge, UnreadableImage
from ep_core.pictures import decoding as image_module
from ep_core.pictures.decoding import FORMATS, read_image, to_rgb
from tests.pictures import encode

RAMP = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(48, axis=0)  # black on the left to white on the right
ORIENTATION = 0x0112


def pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def deep_tiff(samples: np.ndarray, **tags: int) -> bytes:
    """A one-strip grey TIFF of little-endian samples, with the given tags over the usual ones."""
    data = samples.tobytes()
    entries = {256: samples.shape[1], 257: samples.shape[0], 258: samples.itemsize * 8, 259: 1, 262: 1, 273: 0}
    entries |= {277: 1, 278: samples.shape[0], 279: len(data)}
    entries |= {int(tag.removeprefix("tag_")): value for tag, value in tags.items()}
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries)) + directory + bytes(4) + data


@pytest.mark.parametrize(("enough", "least"), [(1, 0.125), (100, 0.25), (160, 0.25), (319, 0.5), (321, 1), (4000, 1)])
def test_a_jpeg_comes_smaller_where_that_is_enough(photograph, jpeg, enough, least):
    whole = max(photograph.size)  # 640
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    found = read_image(jpeg, enough=enough)
    assert max(found.size) == whole * least >= min(enough, whole)
    assert np.abs(pixels(found) - pixels(photograph.resize(found.size, Image.Resampling.BOX))).mean() < 9
    upright = read_image(encode(photograph, "JPEG", exif=turned), enough=enough)
    assert upright.size == found.size[::-1]
    assert read_image(encode(photograph, "PNG"), enough=enough).size == photograph.size
    with pytest.raises(ImageTooLarge):  # by what the file has
        read_image(jpeg, enough=enough, max_pixels=300_000)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_supported_format_is_read(photograph, file_format):
    image = read_image(encode(photograph, file_format))
    assert image.size == photograph.size
    assert np.abs(pixels(image) - pixels(photograph)).mean() < 10  # lossy formats, and a palette for GIF


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [("PNG", mode) for mode in ("L", "LA", "P", "RGBA")]
    + [("TIFF", mode) for mode in ("L", "LA", "P", "RGBA", "CMYK", "YCbCr")]
    + [("JPEG", mode) for mode in ("L", "CMYK", "YCbCr")],
)
def test_every_colour_mode_looks_like_the_picture(photograph, file_format, mode):
    converted = photograph.convert(mode)
    expected = converted.convert("RGB") if mode in ("L", "LA", "P") else photograph
    assert np.abs(pixels(read_image(encode(converted, file_format))) - pixels(expected)).mean() < 8


def test_an_inverted_cmyk_jpeg_keeps_its_colours():
    cyan = Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    data = encode(cyan, "JPEG", quality=95)
    assert b"Adobe" in data  # the marker of inverted samples
    np.testing.assert_allclose(pixels(read_image(data))[16, 16], (0, 255, 255), atol=3)


def test_one_bit_is_black_and_white():
    image = Image.fromarray(RAMP > 127)
    assert image.mode == "1"
    for file_format in ("PNG", "TIFF", "BMP"):
        found = pixels(read_image(encode(image, file_format)))
        np.testing.assert_array_equal(found[..., 0], np.where(RAMP > 127, 255, 0))


SIXTEEN = RAMP.astype(np.uint16) * 257


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(SIXTEEN), "PNG"),
        encode(Image.fromarray(SIXTEEN), "TIFF"),
        encode(Image.fromarray(SIXTEEN.astype(">u2")), "TIFF"),
        deep_tiff(SIXTEEN),
        deep_tiff(65535 - SIXTEEN, tag_262=0),
    ],
    ids=["png I;16", "tiff I;16", "tiff I;16B", "tiff by hand", "tiff white is zero"],
)
def test_sixteen_bit_grey_is_scaled_and_not_clipped(data):
    np.testing.assert_array_equal(pixels(read_image(data)), RAMP[..., None].repeat(3, axis=2))


def test_sixteen_bit_grey_in_wider_samples_is_scaled():
    found = pixels(to_rgb(Image.fromarray(SIXTEEN.astype(np.int32))))
    np.testing.assert_array_equal(found[..., 0], RAMP)


def test_twelve_bit_grey_is_scaled_by_its_own_depth():
    low, high = 0x123, 0xFFF
    packed = np.array([low >> 4, (low & 0xF) << 4 | high >> 8, high & 0xFF], dtype=np.uint8)[None]
    found = pixels(read_image(deep_tiff(packed, tag_256=2, tag_258=12)))
    assert found[0, :, 0].tolist() == [round(low * 255 / 4095), 255]


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(RAMP.astype(np.float32) / 255), "TIFF"),
        encode(Image.fromarray(SIXTEEN.astype(np.int32)), "TIFF"),
        deep_tiff(SIXTEEN.astype(np.int16), tag_339=2),
    ],
    ids=["float", "32 bit", "signed"],
)
def test_samples_without_an_agreed_white_are_refused(data):
    with pytest.raises(UnreadableImage, match="no agreed white: convert the image to 8 or 16 bit"):
        read_image(data)


def test_lab_keeps_its_colours():
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(Image.new("RGB", (8, 8), "red"), *profiles, outputMode="LAB")
    np.testing.assert_allclose(pixels(read_image(encode(lab, "TIFF")))[4, 4], (255, 0, 0), atol=6)


def test_a_mode_that_has_no_way_to_rgb_is_refused():
    with pytest.raises(UnreadableImage, match="convert the image to RGB"):
        to_rgb(Image.new("La", (8, 8)))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_put_on_white(file_format):
    image = Image.new("RGBA", (20, 10), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 5, 10))
    image.paste((0, 0, 255, 128), (15, 0, 20, 10))
    found = pixels(read_image(encode(image, file_format, **({"lossless": True} if file_format == "WEBP" else {}))))
    assert found[5, 2].tolist() == [255, 255, 255]
    assert found[5, 10].tolist() == [255, 0, 0]
    np.testing.assert_allclose(found[5, 17], (127, 127, 255), atol=1)


def test_transparent_grey_is_put_on_white():
    image = Image.new("LA", (20, 10), (0, 255))
    image.paste((0, 0), (0, 0, 5, 10))
    found = pixels(read_image(encode(image, "PNG")))
    assert found[5, 2].tolist() == [255, 255, 255]
    assert found[5, 10].tolist() == [0, 0, 0]


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_put_on_white(file_format):
    image = Image.new("P", (20, 10), 0)
    image.putpalette([0, 0, 0, 0, 0, 255])
    image.paste(1, (10, 0, 20, 10))
    assert pixels(read_image(encode(image, file_format)))[5, 2].tolist() == [0, 0, 0]
    found = pixels(read_image(encode(image, file_format, transparency=0)))
    assert found[5, 2].tolist() == [255, 255, 255]
    assert found[5, 15].tolist() == [0, 0, 255]


def test_a_transparent_colour_is_put_on_white():
    image = Image.new("RGB", (20, 10), (1, 2, 3))
    image.paste((9, 9, 9), (10, 0, 20, 10))
    found = pixels(read_image(encode(image, "PNG", transparency=(1, 2, 3))))
    assert found[5, 2].tolist() == [255, 255, 255]
    assert found[5, 15].tolist() == [9, 9, 9]


STORED_FROM_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", sorted(STORED_FROM_UPRIGHT))
def test_a_rotated_photograph_is_set_upright(photograph, orientation, file_format):
    stored = photograph.transpose(STORED_FROM_UPRIGHT[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = read_image(encode(stored, file_format, exif=exif))
    assert image.size == photograph.size
    assert np.abs(pixels(image) - pixels(photograph)).mean() < 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_does_not_hide_the_picture(photograph):
    image = read_image(encode(photograph, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
    assert image.size == photograph.size


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "L", "1", "CMYK", "YCbCr", "LAB", "HSV", "I;16"])
def test_large_pictures_are_converted_in_bands_with_no_seam(photograph, mode, monkeypatch):
    tall = photograph.resize((50, 333))
    image = in_mode(tall, mode)
    whole = pixels(to_rgb(image))
    monkeypatch.setattr(image_module, "_BAND_PIXELS", 1000)
    assert np.array_equal(pixels(to_rgb(image)), whole)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in a mode; what can be transparent is."""
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "LAB":
        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    found = image.convert("L").convert(mode) if mode in ("LA", "PA") else image.convert(mode)
    if mode in ("RGBA", "LA"):
        found.putalpha(image.convert("L"))
    if mode == "P":
        found.info["transparency"] = 3
    return found


def test_a_phone_photograph_with_a_second_map_is_read(photograph):
    data = encode(photograph, "MPO", save_all=True, append_images=[photograph.convert("L").convert("RGB")])
    assert np.abs(pixels(read_image(data)) - pixels(photograph)).mean() < 8


def test_a_picture_of_another_mode_can_be_used_directly():
    assert to_rgb(Image.new("LA", (2, 2), (0, 0))).getpixel((0, 0)) == (255, 255, 255)
