"""Image classification: one label of an image, by ViT and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from transformers import AutoModelForImageClassification

from advisor.compute.data.columns import Columns, Named
from advisor.compute.data.files import File
from advisor.compute.data.images import KINDS, as_file, fault, pixels, read_images
from advisor.compute.data.labels import Labelled, Rows
from advisor.compute.data.media import Numbers, asked_files
from advisor.compute.tasks.perception import Perception
from advisor.compute.tasks.positions import interpolated, with_positions
from advisor.compute.tasks.scorer import Scorer


@dataclass(frozen=True, slots=True)
class ImageClassification(Perception):
    """image_size: the side in pixels that images are scaled to; the model's own where there is none."""

    tag: ClassVar[str] = "image-classification"
    modality: ClassVar[Literal["text", "image", "audio"]] = "image"
    input: ClassVar[str] = "pixel_values"
    libraries: ClassVar[tuple[str, ...]] = ("PIL",)
    extra: ClassVar[str] = "run"
    example: ClassVar[bytes | None] = b"P6 1 1 255 \0\0\0"  # one black pixel, as PPM
    image_size: int | None = None

    def stock_class(self, text_to_text: bool = False) -> Any:
        return AutoModelForImageClassification

    def scorer(self, model: Any, processor: Any) -> Scorer:
        side, was, patch = self.image_size, model.config.image_size, model.config.patch_size
        if side and side != was:
            of_patches = partial(interpolated, old=was // patch, new=side // patch)
            model = with_positions(model, "image_size", side, "position_embeddings", of_patches)
        if processor is not None:
            fit(processor, model.config.image_size)
        return Scorer(model)

    @classmethod
    def read(cls, source: str, files: Sequence[File], named: Named) -> tuple[Columns, Labelled]:
        return read_images(source, files, named)

    def numbers(self, content: bytes, processor: Any) -> Numbers:
        found = processor(pixels(content), return_tensors="np")["pixel_values"][0]
        return np.asarray(found, dtype=np.float32)

    @classmethod
    def asked(cls, texts: Sequence[Any], pairs: Sequence[Any] | None) -> Rows:
        return Rows(asked_files([as_file(one) for one in texts], pairs, KINDS[0], fault), None, (0,) * len(texts))


def fit(processor: Any, side: int) -> None:
    """Let a processor make images of this side in pixels. One that crops a larger image keeps the proportion."""
    square, crop = {"height": side, "width": side}, getattr(processor, "crop_size", None)
    if not getattr(processor, "do_center_crop", False) or crop is None:
        processor.size = square
    elif crop["height"] != side:
        scale = side / crop["height"]
        processor.size = {name: round(pixels * scale) for name, pixels in dict(processor.size).items() if pixels}
        processor.crop_size = square


TASK = ImageClassification
