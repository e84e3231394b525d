"""CLIP (arXiv 2103.00020): two encoders, of text and of images, that meet in one space.

The facts' sizes are those of the text encoder; layers are the deeper one's. A config leaves out what is usual, in
each of its two parts. No step can shrink it yet: layer removal would have to name the two towers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import attention, linear, norm

_TEXT = {
    "num_hidden_layers": 12,
    "hidden_size": 512,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
    "vocab_size": 49408,
    "max_position_embeddings": 77,
}
_VISION = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "image_size": 224,
    "patch_size": 32,
    "num_channels": 3,
}


def _read(config: Config) -> Config:
    """The sizes of both parts as `text_config.hidden_size` and the like."""
    flat: dict[str, Any] = dict(config)
    for part, usual in (("text_config", _TEXT), ("vision_config", _VISION)):
        given = config.get(part + "_dict") or config.get(part) or {}  # the older name wins in transformers
        readable = isinstance(given, Mapping)
        flat |= {f"{part}.{key}": given.get(key, size) if readable else None for key, size in usual.items()}
    return flat


def _tensors(config: Config) -> Tensors:
    text, vision = "text_model.encoder.layers.{text}.", "vision_model.encoder.layers.{vision}."
    return {
        "logit_scale": "",
        "text_model.embeddings.token_embedding.weight": "vocabulary hidden",
        "text_model.embeddings.position_embedding.weight": "positions hidden",
        **_block(text, "hidden", "intermediate"),
        **norm("text_model.final_layer_norm"),
        "vision_model.embeddings.class_embedding": "vision",
        "vision_model.embeddings.patch_embedding.weight": "vision channels patch patch",
        "vision_model.embeddings.position_embedding.weight": "patches vision",
        **norm("vision_model.pre_layrnorm", over="vision"),
        **_block(vision, "vision", "vision_intermediate"),
        **norm("vision_model.post_layernorm", over="vision"),
        **linear("visual_projection", "projection", "vision", bias=False),
        **linear("text_projection", "projection", "hidden", bias=False),
    }


def _block(name: str, width: str, wide: str) -> Tensors:
    return {
        **norm(name + "layer_norm1", over=width),
        **attention(name + "self_attn", width=width, heads=width),
        **norm(name + "layer_norm2", over=width),
        **linear(name + "mlp.fc1", wide, width),
        **linear(name + "mlp.fc2", width, wide),
    }


def _axes(config: Config) -> dict[str, int]:
    vision = {key: config[f"vision_config.{key}"] for key in _VISION}
    return {
        "positions": config["text_config.max_position_embeddings"],
        "vision": vision["hidden_size"],
        "vision_intermediate": vision["intermediate_size"],
        "channels": vision["num_channels"],
        "patch": vision["patch_size"],
        "patches": (vision["image_size"] // vision["patch_size"]) ** 2 + 1,
        "projection": config.get("projection_dim") or 512,
    }


FAMILY = Family(
    model_type="clip",
    kind="encoder",
    title="CLIP",
    checkpoint="openai/clip-vit-base-patch32",
    config={"model_type": "clip", "text_config": _TEXT, "vision_config": _VISION, "projection_dim": 512},
    stacks=(Stack("text", "text_config.num_hidden_layers"), Stack("vision", "vision_config.num_hidden_layers")),
    hidden_size="text_config.hidden_size",
    heads="text_config.num_attention_heads",
    intermediate_size="text_config.intermediate_size",
    vocabulary="text_config.vocab_size",
    tensors=_tensors,
    axes=_axes,
    further={"projection_dim": 1, **{f"vision_config.{key}": 1 for key in _VISION}},
    tied_embeddings=False,
    narrows=False,
    executable=False,
    read=_read,
)
