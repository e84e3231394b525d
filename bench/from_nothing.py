"""From nothing: models of every family that have learned from real text, where no trained ones are at hand.

Command: python bench/from_nothing.py [--only opt] [--seeds 1]. 6 layers of width 256 learn SST-2 (10,000 rows, two
epochs) from random weights; it prints where their checkpoints lie, for `python bench/int8.py FOLDER
../shared/data/sst2`. Beside each of a pre-norm family lies one with the same answers and two channels behind every norm
40 times as large: large trained models have such outliers, which are what makes int8 hard (LLM.int8(), arXiv
2208.07339). Expected for each family on one core with bf16: three minutes. Results: bench/results/from-nothing.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tasks import Task
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, T5ForConditionalGeneration
from transformers.pytorch_utils import Conv1D
from trials import HERE, Arm, Trial, options, results, run

from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification
from advisor.families import registry

FILE = HERE / "results" / "from-nothing.jsonl"
TASK = Task("sst2", 10_000, epochs=2, rate=3e-4)
LAYERS, WIDTH, HEADS, INNER = 6, 256, 4, 1024
OUTLIERS, TIMES = 2, 40.0
SIZES: dict[str, dict[str, int]] = {
    "bert": {
        "num_hidden_layers": LAYERS, "hidden_size": WIDTH, "num_attention_heads": HEADS, "intermediate_size": INNER,
    },
    "gpt2": {"n_layer": LAYERS, "n_embd": WIDTH, "n_head": HEADS, "n_inner": INNER},
    "opt": {
        "num_hidden_layers": LAYERS, "hidden_size": WIDTH, "num_attention_heads": HEADS, "ffn_dim": INNER,
        "word_embed_proj_dim": WIDTH,
    },
    "t5": {
        "num_layers": LAYERS, "d_model": WIDTH, "num_heads": HEADS, "d_kv": WIDTH // HEADS, "d_ff": INNER,
        "decoder_start_token_id": 0,
    },
}  # fmt: skip


def main() -> None:
    """Train what is not trained yet, and print where it lies and how well it answers."""
    given = options(__doc__)
    tokenizer, work = AutoTokenizer.from_pretrained(given.model), given.work
    for family in (one for one in SIZES if given.only in one):
        arm = Arm(family, ())
        given.work = work / f"from-nothing-{family}"
        class_ = T5ForConditionalGeneration if family == "t5" else AutoModel
        given.model = untrained(family, class_, tokenizer, given.work / "untrained")
        run([Trial(arm, TASK, seed) for seed in range(given.seeds)], FILE, given)
        for line in results(FILE, arm, TASK):
            folder = Trial(arm, TASK, line["seed"]).folder(given.work) / "steps" / "0-finetune"
            print(f"{line['baseline']:.3f} of the report rows are answered rightly by {folder}")
            if family != "bert":
                print(f"with outliers: {_outlying(folder)}")


def untrained(family: str, class_: Any, tokenizer: Any, folder: Path) -> Path:
    """A checkpoint with random weights. class_: of the model, or an auto class."""
    if (folder / "config.json").exists():
        return folder
    torch.manual_seed(0)
    special = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": tokenizer.cls_token_id}
    special["eos_token_id"] = tokenizer.sep_token_id
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer), **special, **SIZES[family])
    model = class_(config) if family == "t5" else class_.from_config(config)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def _outlying(folder: Path) -> Path:
    """A copy that answers the same, with outliers: norms scale these channels up, the matrices behind them down."""
    copy = folder.with_name(f"{folder.name}-outliers")
    model_type = json.loads((folder / "config.json").read_text())["model_type"]
    scorer, tokenizer = checkpoint.load(folder, registry.find(model_type), TextClassification(("negative", "positive")))
    ids = torch.arange(5, 25).reshape(2, 10)
    batch = ids, torch.ones_like(ids)
    with torch.no_grad():
        before = scorer.eval()(*batch)
        for norm, matrices in _readers(scorer.model, lambda: scorer(*batch)):
            for part in norm.parameters():
                part[:OUTLIERS] *= TIMES
            for matrix in matrices:
                inputs = matrix.weight if isinstance(matrix, Conv1D) else matrix.weight.T
                inputs[:OUTLIERS] /= TIMES
        print(f"{folder}: outliers move its scores by {(scorer(*batch) - before).abs().max():.1g}")
    scorer.model.save_pretrained(copy)
    tokenizer.save_pretrained(copy)
    return copy


def _readers(model: Any, answer: Callable[[], Any]) -> list[tuple[Any, list[Any]]]:
    """Each norm whose output only matrices of the blocks read, with these."""
    made: dict[int, tuple[Any, list[Any]]] = {}
    kept = []  # alive, so that no other tensor gets their place

    def norm(module: Any, _: Any, output: Any) -> None:
        kept.append(output)
        made[output.data_ptr()] = module, []

    def reads(module: Any, inputs: Any) -> None:
        if (found := made.get(inputs[0].data_ptr())) and inputs[0].shape[-1] == WIDTH:
            found[1].append(module)

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | Conv1D):
            hooks.append(module.register_forward_pre_hook(reads))
        elif "norm" in name.rpartition(".")[2] or name.rpartition(".")[2] in ("ln_1", "ln_2"):
            hooks.append(module.register_forward_hook(norm))
    answer()
    for hook in hooks:
        hook.remove()
    return [pair for pair in made.values() if pair[1]]


if __name__ == "__main__":
    main()
