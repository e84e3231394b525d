"""Examples per second and peak memory of fine-tuning and distillation, against the transformers Trainer.

Command: python bench/training.py [--rows 1024] (about ten minutes on two idle cores). Both sides train the same model
on the same batches of one epoch, grouped by length, with the same optimizer and precision. For the speed they take
turns batch by batch in one process, so that a machine's slow phases hit both alike; the memory is that of a process of
its own for each. The distilling Trainer asks its teacher with every batch, as is usual; we ask it once before, and that
time counts. Bars: at least 1.0 times the examples per second, no more memory.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[2] / "shared"
BATCH, TOKENS, RATE, TEMPERATURE, SOFT, KEEP, TEACHES = 32, 64, 5e-5, 2.0, 0.9, 4, 64


def context(rows: int) -> list[Any]:
    """Context with so many training rows, the model as a classifier, and its tokenizer."""
    from advisor.compute.data.batches import encode
    from advisor.compute.data.dataset import load as read
    from advisor.compute.machine.device import pick
    from advisor.compute.structure.checkpoint import load
    from advisor.compute.training.context import Context
    from advisor.execution import demo
    from advisor.families import registry
    from advisor.records.training_settings import Training

    model, source = SHARED / "models" / "e5-small-en-12l", SHARED / "data" / "sst2"
    if not model.is_dir():
        model, source = demo.model_folder(), Path(tempfile.mkdtemp()) / "data"
        demo.write_data(source)
    data, family = read(str(source), max_samples=rows), registry.find("bert")
    assert family
    scorer, tokenizer = load(model, family, data.label_names)
    train, selection = (encode(part, tokenizer, TOKENS) for part in (data.train, data.selection))
    training = Training(batch_size=BATCH, max_tokens=TOKENS)
    found = Context(family, pick("cpu"), training, train.take(rows), selection.take(64), tokenizer.pad_token_id)
    return [found, scorer, tokenizer]


def student(work: Any, scorer: Any) -> Any:
    """The model with every third of its layers."""
    from advisor.compute.structure.surgery import keep_layers
    from advisor.recipe.steps.layer_removal import evenly

    return keep_layers(scorer, {"encoder": evenly(scorer.model.config.num_hidden_layers, KEEP)})


class Turns:
    """Two threads that work in turn: seconds of wall clock and of processor that each has used, by batch.

    Without a partner both methods only take the time.
    """

    def __init__(self, shared: bool) -> None:
        self.shared, self.turn = shared, threading.Condition()
        self.whose = "ours"
        self.begun: tuple[float, float] = (0.0, 0.0)
        self.taken: dict[str, list[tuple[float, float]]] = {"ours": [], "trainer": []}
        self.ended: set[str] = set()

    def begin(self, side: str) -> None:
        """Wait for this side's turn; its batch begins."""
        if self.shared:
            with self.turn:
                self.turn.wait_for(lambda: self.whose == side or len(self.ended) == 1)
        self.begun = time.perf_counter(), time.process_time()

    def end(self, side: str, last: bool = False) -> None:
        """This side's batch has ended; the other side's turn."""
        wall, processor = self.begun
        self.taken[side].append((time.perf_counter() - wall, time.process_time() - processor))
        with self.turn:
            self.whose = "trainer" if side == "ours" else "ours"
            self.ended |= {side} if last else set()
            self.turn.notify_all()


def ours(begun: list[Any], distils: bool, turns: Turns) -> None:
    """An epoch of our loop; the teacher's pass counts as a batch of its own."""
    from dataclasses import replace

    from advisor.compute.structure.checkpoint import load, save
    from advisor.compute.training.loop import Schedule, train
    from advisor.compute.training.losses import Weights, distillation_loss, label_loss
    from advisor.compute.training.state import DiskKeeper

    work, scorer, tokenizer = begun
    begun.clear()  # a model that is no longer needed must not count as memory
    loss: Any = label_loss
    with tempfile.TemporaryDirectory() as folder:
        if distils:
            taught = Path(folder) / "finetune"  # as in a run, where the teacher is loaded from the step that made it
            save(scorer, tokenizer, taught)
            names = tuple(scorer.model.config.id2label.values())
            scorer = student(work, scorer)
            turns.begin("ours")
            work = work.with_teacher(lambda: load(taught, work.family, names)[0])
            shape = work.family.shape(scorer.model.config.to_dict())
            loss, work = finished(distillation_loss(work, Weights(TEMPERATURE, SOFT), shape))
            turns.end("ours")
        work = replace(work, keeper=DiskKeeper(Path(folder) / "state", "bench"))
        learning = train(scorer, work, loss, Schedule("bench", RATE, epochs=1))
        count = batches(len(work.train))
        for batch in range(count):
            turns.begin("ours")
            next(learning)
            turns.end("ours", last=batch == count - 1)


def batches(rows: int) -> int:
    return -(-rows // BATCH)


def finished(work: Any) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def trainer(begun: list[Any], distils: bool, turns: Turns) -> None:
    """An epoch of the Trainer; what it does between two batches counts to the second."""
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    from advisor.compute.machine.device import bf16

    work, scorer, tokenizer = begun
    begun.clear()
    teacher = scorer.model.eval() if distils else None
    model = student(work, scorer).model if distils else scorer.model

    class Watch(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            turns.begin("trainer")

        def on_step_end(self, arguments: Any, state: Any, *_: Any, **__: Any) -> None:
            turns.end("trainer", last=state.global_step == state.max_steps)
            if state.global_step < state.max_steps:
                turns.begin("trainer")

    class Distilling(Trainer):
        def get_train_dataloader(self) -> Any:
            # Its own grouping by length is coarser than ours below 6,400 rows: the same batches for both.
            return DataLoader(examples, batch_sampler=work.groups(work.train, 0), collate_fn=collate)

        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            found = model(**inputs)
            if teacher is None:
                return (found.loss, found) if return_outputs else found.loss
            asked = {name: inputs[name] for name in ("input_ids", "attention_mask")}
            with torch.no_grad():
                wanted = functional.softmax(teacher(**asked).logits.float() / TEMPERATURE, dim=1)
            own = functional.log_softmax(found.logits.float() / TEMPERATURE, dim=1)
            soft = TEMPERATURE**2 * functional.kl_div(own, wanted, reduction="batchmean")
            return SOFT * soft + (1 - SOFT) * found.loss

    pairs = zip(work.train.tokens, work.train.labels, strict=True)
    examples = [{"input_ids": list(ids), "attention_mask": [1] * len(ids), "labels": label} for ids, label in pairs]
    collate = DataCollatorWithPadding(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_train_epochs=1, per_device_train_batch_size=BATCH, learning_rate=RATE,
            weight_decay=0.01, warmup_steps=0.1, max_grad_norm=1.0, optim="adamw_torch_fused", use_cpu=True,
            bf16=bf16("auto", work.device), save_strategy="no", logging_strategy="no", report_to=[],
            disable_tqdm=True, seed=0,
        )  # fmt: skip
        Distilling(model, arguments, collate, examples, processing_class=tokenizer, callbacks=[Watch()]).train()


def measure(rows: int, task: str, sides: tuple[str, ...]) -> None:
    """Train in this process and print seconds of each side, and the peak memory in MB.

    The last batch is left out: after it our side looks for the best epoch. So is the first when fine-tuning; it is the
    largest, and our teacher answers for it as for all others, so it counts when distilling.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    turns, work = Turns(shared=len(sides) == 2), {"ours": ours, "trainer": trainer}
    begun = context(rows)
    each = {side: begun if side == sides[-1] else copy.deepcopy(begun) for side in sides}
    threads = [threading.Thread(target=work[side], args=(each[side], task == "distillation", turns)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found: dict[str, Any] = {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}  # KB on Linux
    for side in sides:
        taken = turns.taken[side]
        found[side] = [sum(one[kind] for one in taken[task == "fine-tuning" : -1]) for kind in (0, 1)]
    print(json.dumps(found))


def main() -> None:
    """Measure both sides, both tasks, and print the ratios."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--rows", type=int, default=1024)
    reader.add_argument("--only", nargs="+", help=argparse.SUPPRESS)
    options = reader.parse_args()
    if options.only:
        measure(options.rows, options.only[0], tuple(options.only[1:]))
        return
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_WAIT_POLICY": "PASSIVE"}

    def run(task: str, *sides: str) -> dict[str, Any]:
        command = [sys.executable, __file__, "--rows", str(options.rows), "--only", task, *sides]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.rows} rows")
    for task in ("fine-tuning", "distillation"):
        both = run(task, "ours", "trainer")
        examples = (batches(options.rows) - 1 - (task == "fine-tuning")) * BATCH
        speeds = {side: [examples / seconds for seconds in both[side]] for side in ("ours", "trainer")}
        peaks = {side: run(task, side)["peak"] for side in ("ours", "trainer")}
        for side, (wall, processor) in speeds.items():
            print(f"  {side}: {wall:.1f} examples/s, {processor:.1f} by processor time, {peaks[side]:.0f} MB")
        wall, processor = (speeds["ours"][kind] / speeds["trainer"][kind] for kind in (0, 1))
        memory = peaks["ours"] / peaks["trainer"]
        told = f"{wall:.2f} times the Trainer's examples per second ({processor:.2f} by processor time)"
        print(f"{task}: {told}, {memory:.2f} times its peak memory", flush=True)


if __name__ == "__main__":
    main()
