"""Our int8 artefacts beside ONNX Runtime's and OpenVINO's own int8 of the same weights, made as documented.

    python bench/int8.py CHECKPOINT DATA [--batch 32] [--rows 256] [--threads 1] [--rounds 9] [--all-int8]

CHECKPOINT is a fine-tuned BERT, GPT-2, OPT or T5; DATA what `advise run --data` takes. All answer the same rows, in
turn, in the same batches, on the same threads. Time is that of the processor, so that neighbours on a busy machine
disturb it little; the last column compares with the faster of the two runtimes' own. Bar: at most 1.05. The runtimes'
own leave the same matrices in fp32 as ours does by rule (T5's wo); with --all-int8 they leave none.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import quantize_dynamic
from training import finished

from advisor.compute.data import dataset
from advisor.compute.int8.artefact import Wanted, make, read
from advisor.compute.int8.backends.openvino import OpenVinoReader, nncf, openvino
from advisor.compute.int8.onnx_files import OnnxReader
from advisor.compute.int8.quantized import Reader, spared
from advisor.compute.structure import checkpoint
from advisor.compute.tasks.text_classification import TextClassification
from advisor.compute.training.context import Context, judge_by, quality
from advisor.families import registry
from advisor.records.training_settings import Training

PLAIN = ("onnxruntime, plain", "openvino, plain")
CALIBRATION = 300  # rows: NNCF's default


def main() -> None:
    given = _arguments()
    logging.disable(logging.WARNING)
    torch.set_num_threads(given.threads)
    scorer, context, report = _loaded(given)
    with tempfile.TemporaryDirectory() as work:
        readers = _plain(scorer, context, Path(work), given)
        for name in ("onnxruntime", "openvino", "pytorch"):
            folder = Path(work) / name
            made = finished(make(scorer, scorer.tokenizer, context, folder, Wanted(0.99, 0.05, (name,))))
            print(f"advise, {name}: {'; '.join(made.notes)}", flush=True)
            readers[f"advise, {name}"] = read(folder, given.threads)
        readers["pytorch fp32"] = _torch(scorer)
        _table(readers, context, report, given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data")
    for name, value in (("batch", 32), ("rows", 256), ("threads", 1), ("rounds", 9), ("max-tokens", 128)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--all-int8", action="store_true")
    return parser.parse_args()


def _loaded(given: argparse.Namespace) -> tuple[Any, Context, Any]:
    data = dataset.load(given.data, max_samples=2000)
    family = registry.find(json.loads((given.checkpoint / "config.json").read_text())["model_type"])
    task = TextClassification(data.label_names)
    scorer, tokenizer = checkpoint.load(given.checkpoint, family, task)
    scorer.tokenizer = tokenizer
    train, selection, report = (
        task.encode(rows, tokenizer, given.max_tokens) for rows in (data.train, data.selection, data.report)
    )
    training = Training(batch_size=given.batch, max_tokens=given.max_tokens)
    context = Context(family, task, torch.device("cpu"), training, train, selection, tokenizer.pad_token_id)
    return scorer.eval(), context, report


def _plain(scorer: Any, context: Context, work: Path, given: argparse.Namespace) -> dict[str, Reader | None]:
    """As the documentation of each shows: torch.onnx.export, then quantize_dynamic or nncf.quantize by default."""
    fp32, int8 = work / "fp32.onnx", work / "int8.onnx"
    sample, axes = torch.ones(2, 5, dtype=torch.long), {0: "batch", 1: "tokens"}
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        scorer, (sample, sample), str(fp32), dynamo=False, opset_version=17, input_names=names,
        output_names=["logits"], dynamic_axes={**dict.fromkeys(names, axes), "logits": {0: "batch"}},
    )  # fmt: skip
    products = [node.name for node in onnx.load(fp32).graph.node if node.op_type == "MatMul"]
    kept = [] if given.all_int8 else sorted(spared(products))
    quantize_dynamic(fp32, int8, nodes_to_exclude=kept)
    feeds = [
        {"input_ids": batch.inputs["input_ids"].numpy(), "attention_mask": batch.inputs["attention_mask"].numpy()}
        for batch in context.batches(context.train.take(CALIBRATION), size=1)
    ]
    with redirect_stdout(io.StringIO()):
        model = nncf.quantize(
            openvino.convert_model(str(fp32)), nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER,
            ignored_scope=nncf.IgnoredScope(names=kept),
        )  # fmt: skip
    return {PLAIN[0]: _Default(int8, given.threads), PLAIN[1]: OpenVinoReader(model, given.threads)}


class _Default(OnnxReader):
    """A session with ONNX Runtime's own settings but for the number of threads."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        self.path = path
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _torch(scorer: Any) -> Callable[..., Any]:
    def answer(**inputs: Any) -> Any:
        with torch.inference_mode():
            return scorer(**inputs).numpy()

    return answer


def _table(readers: dict[str, Any], context: Context, report: Any, given: argparse.Namespace) -> None:
    reached = {name: quality(judge_by(one, context, report).table, report, context) for name, one in readers.items()}
    batches = list(context.batches(report.take(given.rows)))
    taken: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(given.rounds):
        for name, reader in readers.items():
            begun = time.process_time()
            for batch in batches:
                reader(**batch.inputs)
            taken[name].append(time.process_time() - begun)
    rows = min(given.rows, len(report))
    faster = [min(pair) for pair in zip(*(taken[name] for name in PLAIN), strict=True)]
    print(f"{rows} rows in batches of {given.batch}, {given.threads} thread(s), medians of {given.rounds} rounds")
    for name in readers:
        ratio = statistics.median(own / best for own, best in zip(taken[name], faster, strict=True))
        each = statistics.median(taken[name]) / rows * 1000
        kept = reached[name] / reached["pytorch fp32"]
        print(f"{name:24} {each:7.3f} ms a row  accuracy {reached[name]:.4f} ({kept:.4f})  {ratio:.3f}")


if __name__ == "__main__":
    main()
