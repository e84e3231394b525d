"""Images: whether bytes are one, and their pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from advisor.base.errors import AdviseError
from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.labels import Labelled
from advisor.compute.data.media import read_media

KINDS = ("image", "images", "img", "picture")
SMALL = (64, 64)  # pixels; a JPEG is checked fastest at an eighth of its size
WHITE = 255
MOST_PIXELS = 100_000_000  # of one image, which a file of two megabytes may have
PROGRAM = "EPS"  # a format that Pillow gives to Ghostscript to run


def read_images(source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
    """Images with their classes. Raises AdviseError as `read_media` does."""
    return read_media(source, files, named, KINDS, fault)


def fault(content: bytes) -> str:
    """Why bytes are no image; empty where they are."""
    try:
        with _opened(content) as image:
            if image.format == PROGRAM:
                return "it is a program in PostScript, which is not run"
            if (size := image.width * image.height) > MOST_PIXELS:
                return f"it has {size:,} pixels, at most {MOST_PIXELS:,} are read"
            image.draft("RGB", SMALL)
            _upright(image)
    except AdviseError as error:
        return error.faults[0].message
    except Exception as error:  # whatever Pillow's readers raise for files that are cut off or of another kind
        return "it is no image" if "cannot identify" in str(error) else f"it cannot be read: {error}"
    return ""


def as_file(given: Any) -> Any:
    """An image of Pillow as the bytes of a file; anything else as it is.

    Raises:
        AdviseError: its values are no shades.
    """
    from PIL import Image

    if not isinstance(given, Image.Image):
        return given
    _upright(given).save(found := io.BytesIO(), "PNG")
    return found.getvalue()


def pixels(content: bytes) -> Any:
    """The image as RGB, turned as its camera says."""
    with _opened(content) as image:
        return _upright(image)


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an image that is large, but not too large to read
        with Image.open(io.BytesIO(content)) as image:
            yield image


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I;16"):  # Pillow would cut all above 255 to white
        turned = turned.point(lambda value: value / 256 + 0)
    elif turned.mode in ("I", "F"):
        low, high = map(float, turned.getextrema())  # type: ignore[arg-type]  # of one channel
        if low < 0 or high > WHITE:
            what = f"its values go from {low:g} to {high:g}, which are no shades from 0 to {WHITE}"
            raise AdviseError(what, hint="save it with 8 or 16 bits")
    return turned.convert("RGB")
