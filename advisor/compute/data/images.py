"""Images: whether bytes are one, and their pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageOps

from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.labels import Labelled
from advisor.compute.data.media import read_media
from advisor.compute.data.sources import File

KINDS = ("image", "images", "img", "picture")
SMALL = (64, 64)  # pixels; a JPEG is checked fastest at an eighth of its size


def read_images(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Images with their classes. Raises AdviseError as `read_media` does."""
    return read_media(source, files, named, KINDS, fault)


def fault(content: bytes) -> str:
    """Why bytes are no image; empty where they are."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an image that is large, but not too large to read
            with Image.open(io.BytesIO(content)) as image:
                image.draft("RGB", SMALL)
                image.load()
    except Exception as error:  # whatever Pillow's readers raise for files that are cut off or of another kind
        return "it is no image" if "cannot identify" in str(error) else f"it cannot be read: {error}"
    return ""


def as_file(given: Any) -> Any:
    """An image of Pillow as the bytes of a file; anything else as it is."""
    if not isinstance(given, Image.Image):
        return given
    _upright(given).save(found := io.BytesIO(), "PNG")
    return found.getvalue()


def pixels(content: bytes) -> Any:
    """The image as RGB, turned as its camera says."""
    with Image.open(io.BytesIO(content)) as image:
        return _upright(image)


def _upright(image: Any) -> Any:
    return ImageOps.exif_transpose(image).convert("RGB")
