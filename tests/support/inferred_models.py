"""Models whose structure is inferred: their configs by name, and what was proven of each, once for each test run."""

from __future__ import annotations

from functools import cache
from typing import Any

from transformers import CONFIG_MAPPING

from advisor.compute.structure.inference.describe import PUBLISHED
from advisor.compute.structure.inference.express import Cuts, express
from advisor.compute.structure.inference.infer import Inferred, infer
from advisor.compute.structure.inference.proof import Proof, prove

ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert", "electra", "mpnet", "albert", "deberta", "deberta-v2")
DECODERS = ("gpt2", "opt", "gpt_neo", "gpt_neox")
GROUPED = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "smollm3", "phi3", "granite")
SEQ2SEQ = ("bart", "mbart", "pegasus", "whisper")
FAMILIES = (
    *(*ENCODERS, "modernbert", *DECODERS, *GROUPED, "olmo2", "t5", "mt5", *SEQ2SEQ, "marian"),
    *("vit", "deit", "clip_vision_model", "clip"),
)
HIDDEN_WITH_HEADS = {"ffn", "hidden+heads"}
FREE = {"ffn", "heads", "hidden"}

# What the config of each family can express beside its layers.
EXPECTED: dict[str, set[str]] = {
    **dict.fromkeys((*ENCODERS, "modernbert", *DECODERS, "clip_vision_model"), HIDDEN_WITH_HEADS),
    **dict.fromkeys(GROUPED, FREE | {"kv"}),
    "olmo2": {"ffn", "hidden"},
    **dict.fromkeys(("t5", "mt5", "vit", "deit"), FREE),
    **dict.fromkeys(SEQ2SEQ, HIDDEN_WITH_HEADS | {"decoder_ffn"}),
    "marian": {"ffn", "decoder_ffn"},
    "clip": HIDDEN_WITH_HEADS | {"vision_ffn", "vision_hidden+heads"},
}


def config(name: str, **changes: Any) -> Any:
    return CONFIG_MAPPING[name](**{**PUBLISHED.get(name, {}), **changes})


@cache
def inferred(name: str) -> Inferred:
    return infer(config(name))


@cache
def proof(name: str) -> Proof:
    return prove(inferred(name))


@cache
def cuts(name: str) -> Cuts:
    return express(proof(name))
