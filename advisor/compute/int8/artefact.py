"""The int8 artefact: made, compared with its fp32 source on selection rows, and written whole or not at all."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advisor.base.errors import AdviseError
from advisor.compute.data.batches import Batch, Encoded
from advisor.compute.int8.backends import FILES, Prepared, Source, backend, installed, wrote
from advisor.compute.int8.quantized import Agreement, Quantized, Reader, agreement, spared
from advisor.compute.int8.sensitivity import groups
from advisor.compute.int8.servable import matrices
from advisor.compute.int8.tracing import NotExportable
from advisor.compute.int8.trial import short_trial
from advisor.compute.structure.processors import save_processor
from advisor.compute.tasks.scorer import Scorer
from advisor.compute.tasks.task import Answerer, Judged
from advisor.compute.tasks.writing import Writer
from advisor.compute.training.context import Context, judge, judge_by, judging_by, quality
from advisor.facts.cpu import Use, instruction_sets, int8_for, multiplies_bf16
from advisor.records.output_folder import draft_of, put
from advisor.records.results import Progress

PROVED_BATCHES = 3
CALIBRATION_ROWS, CALIBRATION_BATCH = 160, 8
SENSITIVITY_ROWS = 256  # selection rows that each group's sensitivity is measured on
MOST_SPARED = 3  # groups that stay fp32 at most


@dataclass(frozen=True, slots=True)
class Wanted:
    """What int8 should keep of its fp32 source: share of the accuracy, mean difference of probabilities.

    backends: those that may be used.
    """

    accuracy: float
    difference: float
    backends: tuple[str, ...] = tuple(FILES)


@dataclass(frozen=True, slots=True)
class Made:
    """An int8 model. quantized: what became int8; agreement, kept: with its fp32 source, share of its accuracy, both on
    the selection rows. kept: None where fp32 has no metric above 0, so that a share of it means nothing.
    attempts: that were made until it was found.
    """

    folder: Path
    backend: str
    quantized: Quantized
    agreement: Agreement
    kept: float | None
    notes: tuple[str, ...] = ()
    attempts: int = 1

    def meets(self, wanted: Wanted) -> bool:
        accurate = self.kept is None or self.kept >= wanted.accuracy
        return accurate and self.agreement.mean_probability_difference <= wanted.difference


def make(
    scorer: Scorer, processor: Any, context: Context, folder: Path, wanted: Wanted
) -> Generator[Progress, None, Made]:
    """Quantize a model into a new folder, with the backend that suits this machine's CPU best.

    Sensitive matrices stay in fp32 where the plain int8 model keeps less than is wanted on the selection rows; the
    notes say which. Yields what is attempted after the plain one, of all attempts and a last unit for scoring.

    Raises:
        AdviseError: the exported model answers otherwise than its source, nothing became int8, or no backend that may
            be used is installed.
    """
    draft = draft_of(folder)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        made = yield from _best(scorer, context, draft, wanted)
        result = draft / "result"
        made.folder.rename(result)
        save_processor(processor, result)
        put(result, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return replace(made, folder=folder)


def _best(scorer: Scorer, context: Context, draft: Path, wanted: Wanted) -> Generator[Progress, None, Made]:
    here, missing = installed() & set(wanted.backends), set(wanted.backends) - installed()
    if not here:
        backend(wanted.backends[0])  # says what is missing
    tokens = statistics.fmean(map(len, context.selection.tokens))
    use = Use(tokens, in_bf16=bool(spared(matrices(scorer.model))) and multiplies_bf16())
    choice = int8_for(instruction_sets(), here, use, missing)
    source = Source(scorer, _calibration(context), _proof(context), draft / "work", choice.reduce_range)
    source.work.mkdir()
    attempts, no_onnx = _attempts(choice.backends, source, context, draft)
    made = yield from _kept_enough(attempts, wanted)
    threads = torch.get_num_threads()
    seconds, slower = short_trial(
        scorer, attempts.model.fp32(threads), attempts.reader(made.folder), context, made.backend
    )
    chosen = f"{made.quantized.words()}; {made.backend}: {no_onnx or choice.reason}"
    notes = (chosen, seconds, *made.notes, _by_answers(made, wanted, context), slower)
    return replace(made, notes=tuple(filter(None, notes)), attempts=attempts.count)


def _attempts(names: Sequence[str], source: Source, context: Context, draft: Path) -> tuple[_Attempts, str]:
    """Those by the best backend, or by PyTorch where it may serve and the model cannot be written as ONNX, and why."""
    try:
        return _Attempts(names[0], source, context, draft), ""
    except NotExportable as error:
        if "pytorch" not in names:
            raise
        return _Attempts("pytorch", source, context, draft), error.faults[0].message


def _by_answers(made: Made, wanted: Wanted, context: Context) -> str:
    if made.kept is not None:
        return ""
    return (
        f"fp32's {context.metric} on the selection rows is not above 0, so int8 is judged by its difference from fp32: "
        f"mean difference of {context.task.compared_by} {made.agreement.mean_probability_difference:.4f}, "
        f"at most {wanted.difference:g} allowed"
    )


def _calibration(context: Context) -> Sequence[Batch]:
    return list(context.batches(context.train.take(CALIBRATION_ROWS), size=CALIBRATION_BATCH))


def _proof(context: Context) -> Sequence[Batch]:
    return [batch for batch, _ in zip(context.batches(context.selection), range(PROVED_BATCHES), strict=False)]


class _Attempts:
    """int8 models of one source by one backend, each in a folder of its own below `draft`."""

    def __init__(self, name: str, source: Source, context: Context, draft: Path) -> None:
        self.name, self.context, self.draft, self.count, self.total = name, context, draft, 0, 1
        self.backend = backend(name)
        self.model: Prepared = self.backend.prepare(source)
        self.spared = spared(self.model.matrices)
        words = getattr(source.scorer, "label_tokens", ())
        own = {"task": context.task.tag, "label_tokens": words, "max_tokens": context.training.max_tokens}
        config = {**source.scorer.model.config.to_dict(), **own}
        del config["_name_or_path"]  # where the model lay when it was loaded
        self.config = json.dumps(config, indent=2, default=str, sort_keys=True)
        self.scorer, self.on_cpu = source.scorer, _on_cpu(context)
        judged = judge(self.scorer, context, context.selection)
        self.reached = quality(judged.table, context.selection, context)
        self.fp32 = _compared(self.scorer, context, context.selection) if judged.scores is None else judged.scores

    def reader(self, folder: Path) -> Reader | Writer:
        return self.backend.read(folder, torch.get_num_threads(), getattr(self.scorer, "processor", None))

    def progress(self, words: str) -> Progress:
        """What is attempted next; the last unit is for scoring."""
        return Progress("quantize", self.count, self.total + 1, words)

    def attempt(self, keep: frozenset[str]) -> Made:
        """Quantize all but the matrices to keep, and score the selection rows."""
        folder, quantized = self._quantized(keep)
        rows, reader = self.context.selection, self.reader(folder)
        found = judge_by(reader, self.on_cpu, rows)
        kept = quality(found.table, rows, self.context) / self.reached if self.reached > 0 else None
        scores = _compared(reader, self.on_cpu, rows) if found.scores is None else found.scores
        return Made(folder, self.name, quantized, self._agreement(self.fp32, scores), kept)

    def difference(self, keep: frozenset[str]) -> float:
        """The mean difference from fp32 that is left on the first selection rows with these matrices kept."""
        reader = self.model.trial(keep, torch.get_num_threads())
        if reader:
            self.count += 1
            return self._difference(reader)
        folder, _ = self._quantized(keep)
        found = self._difference(self.reader(folder))
        shutil.rmtree(folder)
        return found

    def _difference(self, model: Reader | Writer) -> float:
        rows = self.context.selection.take(SENSITIVITY_ROWS)
        return self._agreement(self.few, _compared(model, self.on_cpu, rows)).mean_probability_difference

    @cached_property
    def few(self) -> Tensor:
        """What fp32 is compared by on these rows."""
        return _compared(self.scorer, self.context, self.context.selection.take(SENSITIVITY_ROWS))

    def _quantized(self, keep: frozenset[str]) -> tuple[Path, Quantized]:
        self.count += 1
        folder = self.draft / f"int8-{self.count}"
        folder.mkdir()
        (folder / "config.json").write_text(self.config, encoding="utf-8")
        if isinstance(self.scorer, Writer):
            self.scorer.model.generation_config.save_pretrained(folder)
        return folder, self.model.quantize(folder, keep | self.spared)

    def _agreement(self, fp32: Tensor, int8: Tensor) -> Agreement:
        return agreement(fp32, int8, self.context.task.independent)


def _compared(model: Answerer, context: Context, rows: Encoded) -> Tensor:
    """What fp32 and int8 are compared by on some rows."""
    with torch.no_grad():
        return context.task.likeness(model, context.many(rows))


def _on_cpu(context: Context) -> Context:
    """The same batches where int8 models read them."""
    return replace(context, device=torch.device("cpu"))


def _kept_enough(attempts: _Attempts, wanted: Wanted) -> Generator[Progress, None, Made]:
    """All matrices in int8 if that keeps what is wanted; else with the most sensitive groups in fp32, as few as do."""
    plain = attempts.attempt(frozenset())
    same = attempts.context.task.same_answers.format(plain.agreement.same_answer_share)
    if plain.meets(wanted):
        return replace(plain, notes=(same,))
    tried = [plain]
    for names, keep in (yield from _most_sensitive(attempts)):
        yield attempts.progress(f"{' and '.join(names)} in fp32")
        made = attempts.attempt(keep)
        words = _spared_words(plain, made, names, keep, attempts.context.task.compared_by)
        tried.append(replace(made, notes=(words,)))
        if made.meets(wanted):
            break
    best = max(tried, key=lambda one: (one.meets(wanted), one.kept or 0, -one.agreement.mean_probability_difference))
    missed = (
        ()
        if best.meets(wanted)
        else (f"keeping sensitive matrices in fp32 did not help enough ({len(tried)} attempts)",)
    )
    return replace(best, notes=(*(best.notes or (same,)), *missed))


def _most_sensitive(attempts: _Attempts) -> Generator[Progress, None, list[tuple[list[str], frozenset[str]]]]:
    """The most sensitive group of matrices, then with the second, then with the third, by the difference they make."""
    found = groups(sorted(set(attempts.model.matrices) - attempts.spared))
    left: dict[str, float] = {}
    most = min(MOST_SPARED, len(found))
    attempts.total += len(found) + most
    for name, group in found.items():
        yield attempts.progress(f"{name} in fp32, on trial")
        left[name] = attempts.difference(group)
    names = sorted(left, key=lambda name: left[name])
    return [(names[:count], frozenset().union(*map(found.__getitem__, names[:count]))) for count in range(1, most + 1)]


def _spared_words(plain: Made, made: Made, names: Sequence[str], keep: frozenset[str], compared_by: str) -> str:
    was, now = plain.agreement, made.agreement
    accuracy = "" if made.kept is None else f"{made.kept:.4f} of the accuracy is kept instead of {plain.kept:.4f}, and "
    return (
        f"{' and '.join(names)} ({len(keep)} matrices) stay in fp32 as the most sensitive: on the selection "
        f"rows {accuracy}the mean difference of {compared_by} is {now.mean_probability_difference:.4f} "
        f"instead of {was.mean_probability_difference:.4f}; "
        f"the file has {made.quantized.size_bytes / 1e6:.1f} MB instead of {plain.quantized.size_bytes / 1e6:.1f} MB"
    )


def read(folder: Path, threads: int = 0, processor: Any = None) -> Reader | Writer | None:
    """The int8 model in a step's folder; None if a plain checkpoint is there. processor: of a model that writes.

    Raises:
        AdviseError: it cannot be loaded, or what it needs is not installed.
    """
    name = wrote(folder)
    return backend(name).read(folder, threads, processor) if name else None


def judging(folder: Path, context: Context, rows: Encoded, processor: Any = None) -> Generator[Progress, None, Judged]:
    """What the artefact does on all rows, with progress. processor: as of `read`.

    Raises:
        AdviseError: the folder holds no int8 model, or it cannot be loaded.
    """
    reader = read(folder, processor=processor)
    if reader is None:
        raise AdviseError(f"{folder}: the folder holds no int8 model")
    return (yield from judging_by(reader, _on_cpu(context), rows))
