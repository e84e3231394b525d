"""ViT (arXiv 2010.11929): BERT's blocks, pre-norm, over patches of an image. It has no words, so no embeddings of them.

Counted with the head that classifies images. Only square images and patches are described.
"""

from __future__ import annotations

from advisor.families.notes import Notes

NOTES = Notes(
    model_type="vit",
    title="ViT",
    checkpoint="google/vit-base-patch16-224",
    config={
        "model_type": "vit",
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "image_size": 224,
        "patch_size": 16,
        "num_channels": 3,
        "qkv_bias": True,
    },
    positions="(image//patch)**2 + 1",
)
