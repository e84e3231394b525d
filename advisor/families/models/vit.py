"""ViT (arXiv 2010.11929): BERT's blocks, pre-norm, over patches of an image. It has no words, so no embeddings of them.

Counted with the head that classifies images. Only square images and patches are described.
"""

from __future__ import annotations

from advisor.families.family import Config, Family, Stack, Tensors
from advisor.families.tensors import linear, norm

_BLOCK = "vit.layers.{encoder}."


def _tensors(config: Config) -> Tensors:
    bias = bool(config.get("qkv_bias", True))
    return {
        "vit.embeddings.cls_token": "1 1 hidden",
        "vit.embeddings.position_embeddings": "1 positions hidden",
        "vit.embeddings.patch_embeddings.projection.weight": "hidden channels patch patch",
        "vit.embeddings.patch_embeddings.projection.bias": "hidden",
        **norm(_BLOCK + "layernorm_before"),
        **linear(_BLOCK + "attention.q_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "attention.k_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "attention.v_proj", "attention", "hidden", bias),
        **linear(_BLOCK + "attention.o_proj", "hidden", "attention"),
        **norm(_BLOCK + "layernorm_after"),
        **linear(_BLOCK + "mlp.fc1", "intermediate", "hidden"),
        **linear(_BLOCK + "mlp.fc2", "hidden", "intermediate"),
        **norm("vit.layernorm"),
        **linear("classifier", "labels", "hidden"),
    }


FAMILY = Family(
    model_type="vit",
    kind="encoder",
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
    stacks=(Stack("encoder", "num_hidden_layers"),),
    vocabulary="",
    head_size="head_dim",
    usual_head_size=0,
    tensors=_tensors,
    axes=lambda config: {
        "1": 1,
        "positions": ((config.get("image_size") or 224) // (config.get("patch_size") or 16)) ** 2 + 1,
        "channels": config.get("num_channels") or 3,
        "patch": config.get("patch_size") or 16,
    },
    further={"image_size": 1, "patch_size": 1, "num_channels": 1},
    tied_embeddings=False,
    executable=False,
)
