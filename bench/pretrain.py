"""Pretrain: a small GPT-2 and a small OPT that have read IMDb's 50,000 texts without labels, as none is at hand.

Command: python bench/pretrain.py [--only gpt2] [--texts 50000] [--epochs 1]. 6 layers of width 256 (as in
bench/from_nothing.py) learn to continue texts from random weights. The executor trains them, so a command that is
killed goes on. It prints each folder, for `python bench/figures.py FOLDER` and `python bench/gpt2_width.py FOLDER`.
Expected: hours for each on one core; the training says how long once it has begun.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pyarrow.parquet as pq
from from_nothing import untrained
from transformers import AutoModelForCausalLM, AutoTokenizer
from trials import judged, parser, watched

FAMILIES = ("gpt2", "opt")
REPORT = 200  # texts that are read to judge the model, and as many to choose its epoch


def main() -> None:
    """Pretrain what is not pretrained yet, and print where it lies and how well it predicts."""
    given = _options()
    tokenizer, data = AutoTokenizer.from_pretrained(given.model), _texts(given)
    for family in (one for one in FAMILIES if given.only in one):
        folder = given.work / f"pretrained-{family}-{given.texts}"
        source = untrained(family, AutoModelForCausalLM, tokenizer, folder / "untrained")
        (folder / "recipe.yaml").write_text(_recipe(family, source, data, given))
        (model,) = watched(judged(folder / "recipe.yaml"), folder / "run").steps
        named = folder / f"{family}-imdb"
        if not named.exists():
            named.symlink_to((folder / "run" / model.path).resolve(), target_is_directory=True)
        print(f"{model.metrics['bits_per_byte']:.3f} bits per byte of {REPORT} texts of the test split: {named}")


def _options() -> Namespace:
    reader = parser(__doc__ or "")
    reader.add_argument("--texts", type=int, default=50_000, help="texts to learn from")
    reader.add_argument("--epochs", type=int, default=1)
    reader.add_argument("--tokens", type=int, default=256, help="longer texts are read in windows of so many")
    return reader.parse_args()


def _texts(given: Namespace) -> Path:
    """IMDb's texts without labels, and some with labels to judge by."""
    folder: Path = given.work / f"data-pretraining-{given.texts}"
    folder.mkdir(parents=True, exist_ok=True)
    for part, source, count in (
        ("train", "unsupervised", given.texts), ("validation", "train", REPORT), ("test", "test", REPORT),
    ):  # fmt: skip
        rows = pq.read_table(given.data / "imdb" / f"{source}.parquet").select(["text"])
        every = max(1, len(rows) // count)  # train and test are sorted by label
        pq.write_table(rows.take(list(range(0, len(rows), every))[:count]), folder / f"{part}.parquet")
    return folder


def _recipe(family: str, source: Path, data: Path, given: Namespace) -> str:
    return (
        f"version: 1\nname: {family}-imdb\nmodel: {{source: {json.dumps(str(source.resolve()))}}}\ndevice: edge\n"
        f"data: {{source: {json.dumps(str(data.resolve()))}, task: text-generation, text: text}}\n"
        f"steps:\n  - finetune: {{epochs: {given.epochs}, learning_rate: 1.0e-3}}\n"
        f"training: {{batch_size: 16, max_tokens: {given.tokens}}}\n"
    )


if __name__ == "__main__":
    main()
