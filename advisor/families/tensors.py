"""Parts: rows of tables of tensors, and habits of configs, that several families have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from advisor.families.family import Blocks, Config, Tensors


def linear(name: str, out: str, into: str, bias: bool = True) -> Tensors:
    """The tensors of a torch Linear: weight (out, into), bias (out)."""
    return {f"{name}.weight": f"{out} {into}"} | ({f"{name}.bias": out} if bias else {})


def conv1d(name: str, into: str, out: str) -> Tensors:
    """The tensors of GPT-2's Conv1D, which stores its weight the other way round: (into, out)."""
    return {f"{name}.weight": f"{into} {out}", f"{name}.bias": out}


def norm(name: str, bias: bool = True, over: str = "hidden") -> Tensors:
    """The tensors of a normalisation over one axis."""
    return {f"{name}.weight": over} | ({f"{name}.bias": over} if bias else {})


def embeddings(name: str, width: str = "hidden") -> Tensors:
    """BERT's embeddings of words, positions and types, and the norm after them."""
    return {
        f"{name}.word_embeddings.weight": f"vocabulary {width}",
        f"{name}.position_embeddings.weight": f"positions {width}",
        f"{name}.token_type_embeddings.weight": f"types {width}",
        **norm(f"{name}.LayerNorm", over=width),
    }


def bert_block(block: str) -> Tensors:
    """A block of BERT: query, key and value apart, and all that comes after attention."""
    return {
        **linear(f"{block}.attention.self.query", "attention", "hidden"),
        **linear(f"{block}.attention.self.key", "attention", "hidden"),
        **linear(f"{block}.attention.self.value", "attention", "hidden"),
        **after_attention(block),
    }


def after_attention(block: str) -> Tensors:
    """The tensors of a block of BERT and of DeBERTa after attention: two post-norm outputs."""
    return {
        **linear(f"{block}.attention.output.dense", "hidden", "attention"),
        **norm(f"{block}.attention.output.LayerNorm"),
        **linear(f"{block}.intermediate.dense", "intermediate", "hidden"),
        **linear(f"{block}.output.dense", "hidden", "intermediate"),
        **norm(f"{block}.output.LayerNorm"),
    }


def roberta_tensors(config: Config) -> Tensors:
    """All tensors of RoBERTa and XLM-RoBERTa: BERT's blocks, and a head of two layers."""
    return {
        **embeddings("roberta.embeddings"),
        **bert_block("roberta.encoder.layer.{encoder}"),
        **linear("classifier.dense", "hidden", "hidden"),
        **linear("classifier.out_proj", "labels", "hidden"),
    }


def deberta_embeddings(config: Config) -> Tensors:
    """The embeddings of DeBERTa, all versions: positions and types only where the config adds them."""
    name = "deberta.embeddings."
    narrow = config.get("embedding_size") not in (None, config["hidden_size"])
    width = "embedding" if narrow else "hidden"
    tensors = {name + "word_embeddings.weight": f"vocabulary {width}", **norm(name + "LayerNorm")}
    if config.get("position_biased_input", True):
        tensors[name + "position_embeddings.weight"] = f"positions {width}"
    if config.get("type_vocab_size"):
        tensors[name + "token_type_embeddings.weight"] = f"types {width}"
    return tensors | (linear(name + "embed_proj", "hidden", "embedding", bias=False) if narrow else {})


def deberta_reach(config: Config) -> int:
    """How far DeBERTa's relative positions reach to either side."""
    reach = config.get("max_relative_positions") or -1
    return int(reach if reach > 0 else config.get("max_position_embeddings") or 512)


def pooled_classifier() -> Tensors:
    """DeBERTa's pooler and classifier, which stand outside the model proper."""
    return linear("pooler.dense", "hidden", "hidden") | linear("classifier", "labels", "hidden")


def attention(name: str, key_bias: bool = True, width: str = "hidden", heads: str = "attention") -> Tensors:
    """Attention as fairseq's models name it (BART, Whisper, CLIP); Whisper's key has no bias."""
    return {
        **linear(f"{name}.k_proj", heads, width, key_bias),
        **linear(f"{name}.v_proj", heads, width),
        **linear(f"{name}.q_proj", heads, width),
        **linear(f"{name}.out_proj", width, heads),
    }


def seq2seq_blocks(encoder: str, decoder: str, key_bias: bool = True) -> Tensors:
    """The blocks of BART and Whisper: the decoder's have cross-attention and a feed-forward width of their own."""
    tensors = attention(f"{decoder}.encoder_attn", key_bias) | norm(f"{decoder}.encoder_attn_layer_norm")
    for block, width in ((encoder, "intermediate"), (decoder, "decoder_intermediate")):
        tensors |= {
            **attention(f"{block}.self_attn", key_bias),
            **norm(f"{block}.self_attn_layer_norm"),
            **linear(f"{block}.fc1", width, "hidden"),
            **linear(f"{block}.fc2", "hidden", width),
            **norm(f"{block}.final_layer_norm"),
        }
    return tensors


def seq2seq_follows(before: Config, after: Config, blocks: Blocks) -> dict[str, Any]:
    """BART and Whisper name the decoder's widths apart, and may name the encoder's depth twice.

    Raises:
        ValueError: a new width for stacks that were not equally wide.
    """
    changed: dict[str, Any] = {}
    if "num_hidden_layers" in after:
        changed["num_hidden_layers"] = len(blocks["encoder"])
    for size in ("attention_heads", "ffn_dim"):
        mine, other = before.get(f"encoder_{size}"), before.get(f"decoder_{size}")
        now = after.get(f"encoder_{size}")  # a config may leave its usual widths out
        if now != mine and other not in (None, mine):
            raise ValueError(f"encoder_{size} {mine} and decoder_{size} {other} differ: no step can change both")
        changed |= {f"decoder_{size}": now} if other == mine and now is not None else {}
    return changed


def t5_tensors(config: Config, feed_forward: str) -> Tensors:
    """T5's and mT5's table; block 0 of each stack holds the position bias of all. feed_forward: the usual kind."""
    gated = str(config.get("feed_forward_proj", feed_forward)).startswith("gated")
    tensors = {"shared.weight": "vocabulary hidden"}
    # T5 1.1 has output embeddings of its own. Its config says so, until transformers saves it: then by the other key.
    if False in (config.get("tie_word_embeddings"), config.get("scale_decoder_outputs")):
        tensors["lm_head.weight"] = "vocabulary hidden"
    for stack, attentions in (("encoder", ["SelfAttention"]), ("decoder", ["SelfAttention", "EncDecAttention"])):
        tensors[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = "buckets heads"
        tensors |= norm(f"{stack}.final_layer_norm", bias=False)
        layer = f"{stack}.block.{{{stack}}}.layer."
        for number, name in enumerate(attentions):
            tensors |= _t5_attention(f"{layer}{number}.{name}", "cross" if number else "attention")
        tensors |= _t5_feed_forward(f"{layer}{len(attentions)}.DenseReluDense", gated)
        for number in range(len(attentions) + 1):
            tensors |= norm(f"{layer}{number}.layer_norm", bias=False)
    return tensors


def _t5_attention(name: str, axis: str) -> Tensors:
    tensors: Tensors = {}
    for projection in ("q", "k", "v"):
        tensors |= linear(f"{name}.{projection}", axis, "hidden", bias=False)
    return tensors | linear(f"{name}.o", "hidden", axis, bias=False)


def _t5_feed_forward(name: str, gated: bool) -> Tensors:
    tensors: Tensors = {}
    for part in ("wi_0", "wi_1") if gated else ("wi",):
        tensors |= linear(f"{name}.{part}", "intermediate", "hidden", bias=False)
    return tensors | linear(f"{name}.wo", "hidden", "intermediate", bias=False)


def gated_block(block: str, bias: bool = False, out_bias: bool = False, mlp_bias: bool = False) -> Tensors:
    """A block of LLaMA and its kin: grouped key and value, a gated feed-forward part, norms without bias."""
    return {
        **linear(f"{block}.self_attn.q_proj", "attention", "hidden", bias),
        **linear(f"{block}.self_attn.k_proj", "groups", "hidden", bias),
        **linear(f"{block}.self_attn.v_proj", "groups", "hidden", bias),
        **linear(f"{block}.self_attn.o_proj", "hidden", "attention", out_bias),
        **linear(f"{block}.mlp.gate_proj", "intermediate", "hidden", mlp_bias),
        **linear(f"{block}.mlp.up_proj", "intermediate", "hidden", mlp_bias),
        **linear(f"{block}.mlp.down_proj", "hidden", "intermediate", mlp_bias),
        **norm(f"{block}.input_layernorm", bias=False),
        **norm(f"{block}.post_attention_layernorm", bias=False),
    }


def causal_model(config: Config, block: Tensors) -> Tensors:
    """A language model of such blocks; its output embeddings count where they are not the input's."""
    return {
        "model.embed_tokens.weight": "vocabulary hidden",
        **block,
        **norm("model.norm", bias=False),
        **({} if config.get("tie_word_embeddings") else {"lm_head.weight": "vocabulary hidden"}),
    }


def layer_types(config: Config, kept: Sequence[int], usual: Callable[[int], str]) -> dict[str, Any]:
    """The kept blocks' kinds of attention, said one by one. usual: a block's kind where the config has no list."""
    layers = config["num_hidden_layers"]
    given = {"layer_types": config.get("layer_types") or [usual(number) for number in range(layers)]}
    return {"layer_types": of_kept(given, "layer_types", layers, kept)}


def sliding_from(config: Config) -> Callable[[int], str]:
    """Qwen's usual kind of attention: a sliding window in the upper blocks, if at all."""
    slides = config.get("use_sliding_window") and config.get("sliding_window", 4096) is not None
    first = 28 if config.get("max_window_layers") is None else config["max_window_layers"]
    return lambda number: "sliding_attention" if slides and number >= first else "full_attention"


def of_kept(config: Config, key: str, layers: int, kept: Sequence[int]) -> list[Any]:
    """The entries of the kept blocks in a list of the config that has one for each block.

    Raises:
        ValueError: it has more or fewer, or is no list.
    """
    entries = config[key]
    if not isinstance(entries, list | tuple) or len(entries) != layers:
        count = len(entries) if isinstance(entries, list | tuple) else "no"
        raise ValueError(f"{key} has {count} entries for {layers} blocks")
    return [entries[number] for number in kept]
