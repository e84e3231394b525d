"""Tiny real models of every family, made on the spot, with a tokenizer trained on the text they will read."""

from __future__ import annotations

import ast
import json
import random
import sysconfig
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForSeq2SeqLM, MBartTokenizer, PreTrainedTokenizerFast

VOCABULARY = 400
SIZES: dict[str, dict[str, Any]] = {
    "bert": {"num_hidden_layers": 4, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96},
    "gpt2": {"n_layer": 4, "n_embd": 48, "n_head": 4, "n_inner": 96, "bos_token_id": 1, "eos_token_id": 1},
    "opt": {
        "num_hidden_layers": 4,
        "hidden_size": 48,
        "num_attention_heads": 4,
        "ffn_dim": 96,
        "word_embed_proj_dim": 48,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 1,
    },
    "t5": {
        "num_layers": 4,
        "num_decoder_layers": 3,
        "d_model": 48,
        "num_heads": 4,
        "d_kv": 12,
        "d_ff": 96,
        "decoder_start_token_id": 0,
        "pad_token_id": 0,
        "eos_token_id": 1,
    },
}
FAMILIES = tuple(SIZES)
ENCODER = {**SIZES["bert"], "bos_token_id": 1, "eos_token_id": 1}
DECODER = {**ENCODER, "num_key_value_heads": 2}
TWO_STACKS = {
    **{"encoder_layers": 4, "decoder_layers": 4, "d_model": 48, "encoder_attention_heads": 4},
    **{"decoder_attention_heads": 4, "encoder_ffn_dim": 96, "decoder_ffn_dim": 96},
    **{"bos_token_id": 1, "eos_token_id": 1, "decoder_start_token_id": 1, "forced_eos_token_id": None},
    # Without names of its own two labels are not saved, and BART's usual three come back.
    "id2label": {0: "asyncio", 1: "email"},
}
RELATIVE = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
KIN: dict[str, dict[str, Any]] = {  # the other families that can be executed
    "albert": {**ENCODER, "embedding_size": 16},
    "bart": TWO_STACKS,
    "deberta": {**ENCODER, **RELATIVE, "type_vocab_size": 0, "pooler_hidden_size": 48},
    "deberta-v2": {
        **{**ENCODER, **RELATIVE, "type_vocab_size": 0, "pooler_hidden_size": 48},
        **{"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True},
    },
    "distilbert": {"n_layers": 4, "dim": 48, "n_heads": 4, "hidden_dim": 96},
    "electra": {**ENCODER, "embedding_size": 48},
    "gpt_neo": {
        **{"num_layers": 4, "hidden_size": 48, "num_heads": 4, "intermediate_size": 96},
        **{"attention_types": [[["global", "local"], 2]], "bos_token_id": 1, "eos_token_id": 1},
    },
    **dict.fromkeys(("llama", "mistral", "qwen2", "smollm3", "phi3"), DECODER),
    **{name: {**DECODER, "head_dim": 12} for name in ("gemma", "gemma2", "gemma3_text", "qwen3")},
    "gpt_neox": ENCODER,
    "mbart": TWO_STACKS,
    "modernbert": {**ENCODER, "global_attn_every_n_layers": 3, "cls_token_id": 1, "sep_token_id": 1},
    "mpnet": ENCODER,
    "mt5": {**SIZES["t5"], "num_decoder_layers": 4},
    "olmo2": DECODER,
    "roberta": ENCODER,
    "xlm-roberta": ENCODER,
}


def docstrings(packages: Sequence[str] = ("asyncio", "email"), most: int = 150) -> list[dict[str, str]]:
    """Real text: first paragraphs of docstrings of the standard library, labelled by their package."""
    rows = [{"text": text, "label": package} for package in packages for text in _paragraphs(package)[:most]]
    random.Random(0).shuffle(rows)
    return rows


@cache
def _paragraphs(package: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for file in sorted((Path(sysconfig.get_path("stdlib")) / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                found |= {text: None} if len(text.split()) > 4 else {}
    return tuple(found)


def write_rows(folder: Path, rows: Sequence[dict[str, str]] | None = None, shares: tuple[int, int] = (6, 8)) -> Path:
    """train, validation and test as JSONL; shares: tenths at which one ends and the next begins."""
    rows = list(rows or docstrings())
    folder.mkdir(parents=True, exist_ok=True)
    first, second = (len(rows) * share // 10 for share in shares)
    for name, part in (("train", rows[:first]), ("validation", rows[first:second]), ("test", rows[second:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder


def lines(count: int) -> list[dict[str, str]]:
    """So many short real texts to train on: lines of the standard library's sources, labelled by how they end."""
    found: dict[str, str] = {}
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        texts = (" ".join(line.split()) for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
        found |= {text: "ends" if text[-1] in ".:;)" else "goes on" for text in texts if len(text.split()) > 3}
        if len(found) >= count:
            break
    return [{"text": text, "label": label} for text, label in found.items()][:count]


def tokenizer(family: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on the docstrings; GPT-2's has no padding token, as the real one."""
    bpe = Tokenizer.from_str(_trained())
    if family in ("bert", "t5", *KIN):
        bpe.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
        )
    padding = {} if family == "gpt2" else {"pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="</s>", unk_token="<unk>", **padding)


@cache
def _trained() -> str:
    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel()
    bpe.decoder = decoders.ByteLevel()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    bpe.train_from_iterator([row["text"] for row in docstrings()], trainer)
    made: str = bpe.to_str()
    return made


def multilingual_tokenizer() -> Any:
    """mBART's own class, with its language codes, trained on the docstrings."""
    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    unigram.train_from_iterator([row["text"] for row in docstrings()], trainer)
    return MBartTokenizer(vocab=[(word, score) for word, score in json.loads(unigram.to_str())["model"]["vocab"]])


def checkpoint(family: str, folder: Path, **sizes: Any) -> Path:
    """A pre-trained-like checkpoint with random weights: config, safetensors, tokenizer."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family, **{"vocab_size": VOCABULARY, "pad_token_id": 0, **(SIZES | KIN)[family], **sizes}
    )
    written = family in ("t5", "mt5")
    model = AutoModelForSeq2SeqLM.from_config(config) if written else AutoModel.from_config(config)
    model.save_pretrained(folder)
    tokenizer(family).save_pretrained(folder)
    return folder


def writer(folder: Path, **sizes: Any) -> Path:
    """A T5 with random weights that learns to write in a few epochs: with output embeddings of its own, as T5 v1.1."""
    torch.manual_seed(0)
    config = AutoConfig.for_model("t5", **{"vocab_size": VOCABULARY, **SIZES["t5"], **sizes})
    config.scale_decoder_outputs = False
    model = AutoModelForSeq2SeqLM.from_config(config)
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight) / 4)
    model.save_pretrained(folder)
    tokenizer("t5").save_pretrained(folder)
    return folder


def tamper(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Change the tensors of a saved checkpoint."""
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def configure(folder: Path, **changes: Any) -> None:
    """Change the config of a saved checkpoint."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
