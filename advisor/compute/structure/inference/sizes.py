"""Sizes: the keys that transformers' configs use for them, and small values that tell them apart.

What a key's name suggests is only where the search starts: an axis is labelled by how it grows, and believed when the
proof has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Three settings, so that an axis's length in each says what it follows: no two sizes, nor their usual products, agree.
NAMES: Mapping[str, tuple[str, ...]] = {
    "hidden": ("hidden_size", "d_model", "n_embd", "dim", "emb_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"),
    "kv": ("num_key_value_heads", "num_kv_heads", "n_head_kv"),
    "head": ("head_dim", "d_kv"),
    "ffn": ("intermediate_size", "n_inner", "d_ff", "hidden_dim", "ffn_dim", "ffn_hidden_size", "dff", "d_inner"),
    "vocab": ("vocab_size",),
    "positions": ("max_position_embeddings", "n_positions", "source_positions", "target_positions"),
    "image": ("image_size",),
    "patch": ("patch_size",),
    "bins": ("num_mel_bins",),
}
DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "layers", "num_decoder_layers")
SCOPES = ("encoder", "decoder", "text", "vision", "audio")
# Widths of their own that may also be said to equal another size; they then have to follow it.
FOLLOWERS: Mapping[str, str] = {
    "embedding_size": "hidden",
    "word_embed_proj_dim": "hidden",
    "pooler_hidden_size": "hidden",
    "pooler_output_size": "hidden",
    "decoder_vocab_size": "vocab",
}
SMALL: Mapping[str, tuple[int, int, int]] = {
    "hidden": (44, 78, 72),  # where heads x head size is free of it
    "heads": (4, 6, 8),
    "decoder_heads": (2, 3, 4),
    "vision_heads": (3, 5, 7),
    "kv": (2, 2, 4),
    "head": (8, 16, 24),
    "ffn": (52, 68, 92),
    "decoder_ffn": (58, 74, 86),
    "vision_ffn": (58, 74, 86),
    "vocab": (97, 113, 127),
    "positions": (61, 71, 83),
    "source_positions": (19, 23, 29),
    "image": (32, 60, 48),
    "patch": (8, 10, 16),
    "bins": (10, 12, 14),
    "labels": (5, 7, 11),
    "own": (26, 34, 38),  # a follower that is its own size
}
DEPTH = 3
BACKBONE = ("out_features", "out_indices", "stage_names")  # names of blocks, which change with their number
WHOLE = ("per_layer_config", "quantization_config")  # no parts of a model


@dataclass(frozen=True, slots=True)
class Size:
    """A size that the config keeps. key: where, with dots for a part of the config; follows: the size it equals."""

    name: str
    key: str
    follows: str = ""

    def small(self, setting: int, hidden: tuple[int, int, int]) -> int:
        """A small value for it. hidden: the hidden sizes of the three settings."""
        role = self.follows or (self.name if self.name in SMALL else self.name.rpartition("_")[2])
        return hidden[setting] if role == "hidden" else SMALL.get(role, SMALL["own"])[setting]


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A config with the keys of its parts as `text_config.hidden_size`."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if _is_part(key, value):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _is_part(key: str, value: Any) -> bool:
    return key.endswith("_config") and isinstance(value, Mapping) and key not in WHOLE


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same config with its parts as parts."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        part, dot, rest = key.partition(".")
        if dot:
            found.setdefault(part, {})[rest] = value
        else:
            found[key] = value
    return {
        key: nested(value) if key.endswith("_config") and value and key not in WHOLE else value
        for key, value in found.items()
    }


def scope_and_word(key: str) -> tuple[str, str]:
    """What a key speaks of, and its name without that: (`decoder`, `ffn_dim`)."""
    part, _, word = key.rpartition(".")
    scope = part.removesuffix("_config")
    for known in SCOPES:
        if not scope and word.startswith(known + "_"):
            return known, word.removeprefix(known + "_")
    return ("decoder", word) if word == "num_decoder_layers" else (scope, word.removeprefix("max_"))


def role_of(key: str) -> str:
    """The role that a key's name suggests, empty for none."""
    word = scope_and_word(key)[1]
    plain = key.rpartition(".")[2]
    if plain in FOLLOWERS:
        return ""
    return next((role for role, words in NAMES.items() if word in words or plain in words), "")


def is_depth(key: str) -> bool:
    return scope_and_word(key)[1] in DEPTHS


def name_of(key: str, given: Mapping[str, Any]) -> str:
    """The name of a size: its role, with what it speaks of where the config has several of that role."""
    scope, word = scope_and_word(key)
    role = role_of(key)
    alike = [other for other in given if role_of(other) == role]
    if role == "positions" and word in ("source_positions", "target_positions"):
        return word
    if len(alike) < 2:
        return role
    return role if scope in ("", "encoder", "text") else f"{scope}_{role}"
