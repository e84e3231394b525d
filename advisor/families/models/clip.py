"""CLIP (arXiv 2103.00020): two encoders, of text and of images, that meet in one space.

The facts' sizes are those of the text encoder; layers are the deeper one's. A config leaves out what is usual, in
each of its two parts. No step can shrink it yet: layer removal would have to name the two towers.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="clip",
    title="CLIP",
    checkpoint="openai/clip-vit-base-patch32",
    config={
        "model_type": "clip",
        "text_config": {
            "num_hidden_layers": 12,
            "hidden_size": 512,
            "num_attention_heads": 8,
            "intermediate_size": 2048,
            "vocab_size": 49408,
            "max_position_embeddings": 77,
        },
        "vision_config": {
            "num_hidden_layers": 12,
            "hidden_size": 768,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
            "image_size": 224,
            "patch_size": 32,
            "num_channels": 3,
        },
        "projection_dim": 512,
    },
)
