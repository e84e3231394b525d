"""DeiT (arXiv 2012.12877): a ViT with one more token, from which it learned what another model answers."""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="deit",
    title="DeiT",
    checkpoint="facebook/deit-small-patch16-224",
    config={
        "model_type": "deit",
        "num_hidden_layers": 12,
        "hidden_size": 384,
        "num_attention_heads": 6,
        "intermediate_size": 1536,
        "image_size": 224,
        "patch_size": 16,
        "num_channels": 3,
        "qkv_bias": True,
    },
    positions="(image//patch)**2 + 2",
)
