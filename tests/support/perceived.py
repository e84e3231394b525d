"""Small images and sounds that a tiny model learns in seconds: colours, and tones; with the tiny models themselves."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoConfig, AutoModel
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
SIDE = 16  # pixels
WAIVED = ("mid-large-data-levels", "small-data-few-layers", "gradual-width", "int8-gate")


def images(folder: Path, each: int = 40) -> Path:
    """Noisy pictures of one colour, in folders by class, as PNG."""
    random = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            pixels = np.clip(random.normal(colour, 60, (24, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def vit(folder: Path, model_type: str = "vit", **sizes: Any) -> Path:
    """A random ViT for images of 16 pixels, with its processor."""
    torch.manual_seed(0)
    small = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
    config = AutoConfig.for_model(model_type, **{**small, "image_size": SIDE, "patch_size": 4, **sizes})
    AutoModel.from_config(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def recipe(folder: Path, task: str, model: Path, data: Path, steps: str, training: str = "") -> Path:
    """A recipe for a tiny model on these files."""
    file, until = folder / "recipe.yaml", date.today() + timedelta(days=30)
    waivers = "".join(f"  - {{rule: {rule}, reason: a test, owner: test, until: {until}}}\n" for rule in WAIVED)
    file.write_text(
        f"version: 1\nname: {task}\nmodel: {{source: {json.dumps(str(model))}}}\n"
        f"data: {{source: {json.dumps(str(data))}, task: {task}}}\ndevice: edge\n"
        f"steps:\n{steps}waivers:\n{waivers}training: {{batch_size: 16{training}}}\n"
    )
    return file
